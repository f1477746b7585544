import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Aedes, Client } from 'aedes'

/**
 * What this part uses of Aedes 1.2 and mqtt-packet beyond their published types. All of it is named here and looked for at
 * start, so that an upgrade that moves something fails loudly instead of opening a gap.
 */
interface ClientInternals {
  pause(): void
  readonly _parser: Parser
  [UNDER_WAY]: number
}

/** Packets that were read and are not through; Aedes reads on when there are none. */
const UNDER_WAY = '_parsingBatch'

interface Parser extends EventEmitter {
  readonly packet: { readonly length: number }
  /** Reads the remaining length of a packet, before any of its body; answers whether it is complete. */
  _parseLength(): boolean
  _emitError(error: Error): void
}

type Done = (error?: Error) => void
/** `Aedes.publish` as its own handlers call it: the client may be left out. */
export type Publish = (packet: Publication, client: Client | Done | null, done?: Done) => void

/** A PUBLISH from the wire (`cmd` is `publish`), or a will (no `cmd`; `clientId` is set once it was stored). */
export interface Publication {
  readonly cmd?: string
  topic: string
  readonly payload: Buffer
  qos: number
  retain: boolean
}

export interface ConnectPacket {
  readonly clientId: string
  readonly clean?: boolean
  readonly keepalive?: number
  readonly will?: { topic: string }
}

function internalsOf(client: Client): ClientInternals {
  return client as unknown as ClientInternals
}

/** Stops reading from the socket. */
export function pauseReading(client: Client): void {
  internalsOf(client).pause()
}

/**
 * Changes `read(null)`, which is how Aedes reads. It returns nothing while the gate is closed; and else all that is buffered:
 * Node 26 returns one chunk, and Aedes asks again only after a whole packet or at the next `readable`, so that the rest of a
 * packet that came in pieces would stay where it is, and its device wait for ever.
 */
export function readThrough(stream: Duplex, isClosed: () => boolean): void {
  const readChunk = stream.read.bind(stream)
  const read = (size?: number | null): unknown => {
    if (size !== null) return readChunk(size)
    if (isClosed()) return null
    const first: unknown = readChunk()
    if (!Buffer.isBuffer(first)) return first
    const chunks = [first]
    // Up to the null, at which a stream that has ended says so.
    for (let next: unknown = readChunk(); Buffer.isBuffer(next); next = readChunk()) chunks.push(next)
    return chunks.length === 1 ? first : Buffer.concat(chunks)
  }
  Object.assign(stream, { read })
}

/**
 * Lets Aedes read on while a packet waits (`by` 1), and no more (-1), which must be said before the packet is through. Else a ping would not be heard
 * as long as an acknowledgement waits, and the connection be closed for its silence [MQTT-3.1.2-24].
 */
export function setAside(client: Client, by: 1 | -1): void {
  const internals = internalsOf(client)
  if (typeof internals[UNDER_WAY] !== 'number')
    throw new Error('Aedes has changed: pings would not be heard while acknowledgements wait')
  internals[UNDER_WAY] -= by
}

/** Shows each packet from the wire to `look`, which may change it, before Aedes sees it. */
export function beforePacket<P>(client: Client, look: (packet: P) => void): void {
  const { _parser: parser } = internalsOf(client)
  parser.prependListener('packet', look)
}

/** Refuses a larger packet on its fixed header. The parser knows no limit, and would collect up to 256 MB before it looks at one. */
export function limitPacketBytes(client: Client, packetBytesMax: number): void {
  const { _parser: parser } = internalsOf(client)
  const { _parseLength: parseLength, _emitError: emitError } = parser
  if (typeof parseLength !== 'function' || typeof emitError !== 'function')
    throw new Error('mqtt-packet has changed: the size of packets would not be limited')
  const limited = (): boolean => {
    const complete = parseLength.call(parser)
    if (!complete || parser.packet.length <= packetBytesMax) return complete
    emitError.call(parser, new Error('packet is larger than the limit'))
    return false
  }
  Object.assign(parser, { _parseLength: limited })
}

/** Replaces how Aedes distributes a publication; `replace` gets the original. */
export function replacePublish(aedes: Aedes, replace: (original: Publish) => Publish): void {
  const internals = aedes as unknown as { publish: Publish }
  internals.publish = replace(internals.publish.bind(aedes))
}

/** Whether the client has said DISCONNECT, and not just gone. */
export function hasSaidGoodbye(client: Client): boolean {
  const { _disconnected: isDisconnected } = client as unknown as { readonly _disconnected?: unknown }
  return isDisconnected === true
}

/** Takes a will out of a CONNECT that Aedes is still working on. */
export function dropWill(client: Client): void {
  Object.assign(client, { _will: undefined })
}

/** Closes a connection as if its client had said DISCONNECT: what may no longer speak leaves no will. */
export function leaveWithoutWill(client: Client): void {
  Object.assign(client, { _disconnected: true })
  client.close()
}
