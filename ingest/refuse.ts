import { createHash } from 'node:crypto'
import type { Refusal } from '../domain/batch.ts'
import type { Packet } from '../ports/intake.ts'
import type { Refused } from './codecs/codec.ts'

const DETAIL_CHARS_MAX = 2000

/** The refusal that is kept of a packet: one per packet, whatever the number of things refused in it. `refused` must not be empty. */
export function toRefusal(packet: Packet, refused: readonly Refused[], payloadBytesMax: number): Refusal {
  const [first] = refused
  if (first === undefined) throw new Error('a refusal needs a reason')
  return {
    id: idOf(packet),
    deviceId: packet.deviceId,
    topic: packet.topic.toWellFormed(),
    code: first.code,
    detail: detailOf(refused),
    payload: asBuffer(packet.payload.subarray(0, payloadBytesMax)).toString('base64'),
    receivedAt: packet.receivedAt,
  }
}

// Each with its own code where that differs from the first one's.
function detailOf(refused: readonly Refused[]): string {
  let text = ''
  for (const { code, detail } of refused) {
    const item = code === refused[0]?.code ? detail : `${detail} (${code})`
    if (text.length + item.length > DETAIL_CHARS_MAX) return `${text.slice(0, DETAIL_CHARS_MAX)}; …`
    text += text === '' ? item : `; ${item}`
  }
  return text.toWellFormed()
}

// RFC 9562, 5.7: 48 bits of milliseconds, then a digest where others have randomness. The same packet received at the same time is the same
// refusal, so that a redelivery or a replay that is refused again adds no row.
function idOf(packet: Packet): string {
  const hash = createHash('sha256')
    .update(`${packet.deviceId}\n${packet.topic}\n`)
    .update(packet.payload)
    .digest()
  hash.copy(hash, 6, 16, 26)
  hash.writeUIntBE(packet.receivedAt, 0, 6)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x70, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
