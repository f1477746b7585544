import { PassThrough } from 'node:stream'
import type { Caller } from './caller.ts'

/** After a goodbye, how long a client may take to read it. */
const GOODBYE_MS_MAX = 2000

export interface LiveFilter {
  readonly facilityId: string | undefined
  readonly deviceId: string | undefined
}

/** One open live stream: who listens, to what, and the bytes on their way. */
export interface LiveClient {
  /** As of the last look into the database. */
  caller: Caller
  /** Path prefix that they narrowed it to; within their scope. */
  under: string
  readonly filter: LiveFilter
  readonly stream: PassThrough
}

export function createLiveClient(caller: Caller, under: string, filter: LiveFilter): LiveClient {
  return { caller, under, filter, stream: new PassThrough() }
}

/** Whether something of this device, standing under this path, is for this client. What stands nowhere is for administrators. */
export function isFor(client: LiveClient, deviceId: string, path: string | null): boolean {
  const { caller, under, filter } = client
  if (filter.deviceId !== undefined && filter.deviceId !== deviceId) return false
  const where = path ?? ''
  return where.startsWith(caller.scope) && where.startsWith(under)
}

/** Whether something that happened to stock under one of these paths is for this client. Who asked for one device wants none of it. */
export function isStockFor({ caller, under, filter }: LiveClient, paths: readonly string[]): boolean {
  if (filter.deviceId !== undefined) return false
  return paths.some((path) => path.startsWith(caller.scope) && path.startsWith(under))
}

/** What is written but not yet taken by the socket. */
export function bufferedBytes({ stream }: LiveClient): number {
  return stream.writableLength + stream.readableLength
}

export function event(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`
}

/** Says why, then ends; a client that does not even read that is cut off. */
export function sayGoodbye({ stream }: LiveClient, reason: string): void {
  if (stream.destroyed) return
  stream.end(event('end', JSON.stringify({ reason })))
  const cut = setTimeout(() => stream.destroy(), GOODBYE_MS_MAX)
  stream.once('close', () => clearTimeout(cut))
}
