import { CodedError } from '../../domain/errors.ts'
import type { Outcome, Packet } from '../../ports/intake.ts'
import type { Answer } from '../../ports/intake-wire.ts'
import type { HttpIntakeLimits } from './limits.ts'

/** A packet whose `accept` has not been answered yet. */
export interface Entry {
  readonly packet: Packet
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: Error) => void
  /** Requests that it went with and that were not answered. */
  tries: number
}

/** The packets that `accept` was given and has not answered: those that wait for a request, and those that are under way with one. */
export interface Pending {
  readonly bytes: number
  readonly waiting: number
  add(packet: Packet): Promise<Outcome>
  /** Undefined while there is room for more; else resolves when it is worth asking again. */
  room(): Promise<void> | undefined
  /** The oldest that wait, as many as one request may carry; at least one. */
  take(bytesMax: number): Entry[]
  /** To go with the next request, before what came later. */
  putBack(entries: readonly Entry[]): void
  settle(entry: Entry, answer: Answer): void
  fail(entries: readonly Entry[], error: Error): void
  failWaiting(error: Error): void
  /** Resolves when none is left. */
  drained(): Promise<void>
}

export function createPending(limits: HttpIntakeLimits): Pending {
  const { pendingPacketsMax, pendingBytesMax, requestPacketsMax } = limits
  let waiting: Entry[] = []
  let packets = 0
  let bytes = 0
  let freed: PromiseWithResolvers<void> | undefined

  function isFull(share: number): boolean {
    return packets >= share * pendingPacketsMax || bytes >= share * pendingBytesMax
  }

  function untilFreed(): Promise<void> {
    freed ??= Promise.withResolvers()
    return freed.promise
  }

  function done({ packet }: Entry): void {
    packets--
    bytes -= packet.payload.byteLength
    // At half of the bound only, or all that wait for room would wake up for the room of one.
    if (freed === undefined || isFull(0.5)) return
    freed.resolve()
    freed = undefined
  }

  function fail(entries: readonly Entry[], error: Error): void {
    for (const entry of entries) {
      done(entry)
      entry.reject(error)
    }
  }

  return {
    get bytes() {
      return bytes
    },
    get waiting() {
      return waiting.length
    },
    add(packet) {
      packets++
      bytes += packet.payload.byteLength
      return new Promise((resolve, reject) => {
        waiting.push({ packet, resolve, reject, tries: 0 })
      })
    },
    room: () => (isFull(1) ? untilFreed() : undefined),
    take: (bytesMax) => waiting.splice(0, countFor(waiting, requestPacketsMax, bytesMax)),
    putBack(entries) {
      waiting = [...entries, ...waiting]
    },
    settle(entry, answer) {
      if ('failed' in answer) return fail([entry], new CodedError(answer.failed, answer.detail))
      done(entry)
      entry.resolve(answer)
    },
    fail,
    failWaiting: (error) => fail(waiting.splice(0), error),
    async drained() {
      for (;;) {
        if (packets === 0) return
        await untilFreed()
      }
    },
  }
}

function countFor(waiting: readonly Entry[], packetsMax: number, bytesMax: number): number {
  const countMax = Math.min(waiting.length, packetsMax)
  let bytes = 0
  for (let count = 0; count < countMax; count++) {
    bytes += waiting[count]?.packet.payload.byteLength ?? 0
    if (bytes > bytesMax) return Math.max(1, count)
  }
  return countMax
}
