import { ERRORS, type ErrorCode } from '../domain/errors.ts'
import type { Outcome, Packet } from './intake.ts'

/**
 * How packets travel when broker and ingest are two processes: `POST INTAKE_PATH` with a bearer token, many packets in one request, one answer
 * for each, in their order. A body is the length of its head in bytes (32 bits, big-endian), the head (JSON), and the payloads one after the other,
 * byte for byte as the devices sent them. A change that older workers cannot read takes a new content type.
 */
export const INTAKE_PATH = '/internal/intake'
export const INTAKE_CONTENT_TYPE = 'application/vnd.coldstream.packets.v2'

/** Why one packet could not be made durable; the others of its request may have been. */
export interface Failure {
  readonly failed: ErrorCode
  readonly detail?: string | undefined
}
export type Answer = Outcome | Failure

// What one answer tells of refusals at most: all of them are kept, and the answer has to end somewhere.
const REFUSALS_PER_PACKET_MAX = 100
const REFUSALS_PER_ANSWER_MAX = 10_000

const HEAD_LENGTH_BYTES = 4

/** What the packets of a device have in common is said once. */
type Sender = readonly [deviceId: string, isGateway: 0 | 1, topic: string]

interface Head {
  readonly senders: readonly Sender[]
  /** The times are relative to it. */
  readonly from: number
  /** Of each packet three: its sender, when it was received, and the bytes of its payload. */
  readonly rows: readonly number[]
  /** Of the packets that are traced, by index. Left out when none is; older workers pass over it. */
  readonly traces?: readonly (readonly [packet: number, traceparent: string])[]
}

const NUMBERS_PER_ROW = 3

export function encodePackets(packets: readonly Packet[]): Buffer {
  const { head, payloadBytes } = headOf(packets)
  const text = JSON.stringify(head)
  const headBytes = Buffer.byteLength(text)
  let at = HEAD_LENGTH_BYTES + headBytes
  const body = Buffer.allocUnsafe(at + payloadBytes)
  body.writeUInt32BE(headBytes)
  body.write(text, HEAD_LENGTH_BYTES)
  for (const { payload } of packets) {
    body.set(payload, at)
    at += payload.byteLength
  }
  return body
}

function headOf(packets: readonly Packet[]): { readonly head: Head; readonly payloadBytes: number } {
  const from = packets[0]?.receivedAt ?? 0
  const senders: Sender[] = []
  const rows: number[] = []
  // By topic, then by device.
  const numbers = new Map<string, Map<string, number>>()
  let payloadBytes = 0
  for (const { deviceId, isGateway, topic, receivedAt, payload } of packets) {
    let ofTopic = numbers.get(topic)
    if (ofTopic === undefined) numbers.set(topic, (ofTopic = new Map()))
    const gateway = isGateway ? 1 : 0
    let sender = ofTopic.get(deviceId)
    // A device may become a gateway between two packets.
    if (sender === undefined || senders[sender]?.[1] !== gateway)
      ofTopic.set(deviceId, (sender = senders.push([deviceId, gateway, topic]) - 1))
    rows.push(sender, receivedAt - from, payload.byteLength)
    payloadBytes += payload.byteLength
  }
  const traces = packets.flatMap(({ traceparent }, index) =>
    traceparent === undefined ? [] : [[index, traceparent] as const],
  )
  const head = { senders, from, rows, ...(traces.length > 0 && { traces }) }
  return { head, payloadBytes }
}

/** The packets of a body, their payloads as views of it; undefined when it is not what `encodePackets` makes. */
export function decodePackets(body: Buffer): Packet[] | undefined {
  if (body.length < HEAD_LENGTH_BYTES) return undefined
  let at = HEAD_LENGTH_BYTES + body.readUInt32BE()
  if (at > body.length) return undefined
  const head = parse(body.toString('utf8', HEAD_LENGTH_BYTES, at))
  if (!isHead(head)) return undefined
  const { senders, from, rows } = head
  const packets: Packet[] = []
  for (let row = 0; row < rows.length; row += NUMBERS_PER_ROW) {
    const sender = senders[rows[row] ?? -1]
    if (sender === undefined) return undefined
    const [deviceId, isGateway, topic] = sender
    const payload = body.subarray(at, (at += rows[row + 2] ?? 0))
    packets.push({
      deviceId,
      isGateway: isGateway === 1,
      topic,
      payload,
      receivedAt: from + (rows[row + 1] ?? 0),
    })
  }
  if (at !== body.length) return undefined
  for (const [index, traceparent] of tracesOf(head)) {
    const packet = packets[index]
    if (packet) packets[index] = { ...packet, traceparent }
  }
  return packets
}

function tracesOf({ traces }: { readonly traces?: unknown }): (readonly [number, string])[] {
  if (!Array.isArray(traces)) return []
  return (traces as unknown[]).flatMap((one) => {
    const [index, traceparent] = Array.isArray(one) ? (one as unknown[]) : []
    return typeof index === 'number' && typeof traceparent === 'string' ? [[index, traceparent] as const] : []
  })
}

function isHead(value: unknown): value is Head {
  if (typeof value !== 'object' || value === null) return false
  const { senders, from, rows } = value as { readonly [K in keyof Head]?: unknown }
  return (
    Number.isSafeInteger(from) &&
    Array.isArray(senders) &&
    senders.every(isSender) &&
    Array.isArray(rows) &&
    rows.length % NUMBERS_PER_ROW === 0 &&
    rows.every(
      (number, index) => Number.isSafeInteger(number) && (index % NUMBERS_PER_ROW === 1 || number >= 0),
    )
  )
}

function isSender(value: unknown): value is Sender {
  if (!Array.isArray(value) || value.length !== 3) return false
  const [deviceId, isGateway, topic] = value as unknown[]
  return typeof deviceId === 'string' && (isGateway === 0 || isGateway === 1) && typeof topic === 'string'
}

/** One JSON value per packet: the number of its readings when nothing was refused, as with nearly all; else an object. */
export function encodeAnswers(answers: readonly Answer[]): string {
  let left = REFUSALS_PER_ANSWER_MAX
  const rows = answers.map((answer) => {
    if ('failed' in answer) return answer
    if (answer.refused.length === 0) return answer.readings
    // At least one, or the packet would seem to have been taken whole.
    const refused = answer.refused.slice(0, Math.max(1, Math.min(left, REFUSALS_PER_PACKET_MAX)))
    left -= refused.length
    return { readings: answer.readings, refused }
  })
  return JSON.stringify(rows)
}

/** The answers to `count` packets; undefined when the text is not that. */
export function decodeAnswers(text: string, count: number): Answer[] | undefined {
  const rows = parse(text)
  if (!Array.isArray(rows) || rows.length !== count) return undefined
  const answers: Answer[] = []
  for (const row of rows as unknown[]) {
    const answer = typeof row === 'number' ? toOutcome({ readings: row, refused: [] }) : toAnswer(row)
    if (answer === undefined) return undefined
    answers.push(answer)
  }
  return answers
}

function toAnswer(row: unknown): Answer | undefined {
  if (typeof row !== 'object' || row === null) return undefined
  if (!('failed' in row)) return toOutcome(row)
  const detail = 'detail' in row && typeof row.detail === 'string' ? row.detail : undefined
  return { failed: toCode(row.failed), detail }
}

function toOutcome(row: { readings?: unknown; refused?: unknown }): Outcome | undefined {
  const { readings, refused } = row
  if (!isCount(readings) || !Array.isArray(refused)) return undefined
  return { readings, refused: (refused as unknown[]).map(toRefused) }
}

function toRefused(item: unknown): Outcome['refused'][number] {
  const { code, detail } = Object(item) as { code?: unknown; detail?: unknown }
  return { code: toCode(code), detail: typeof detail === 'string' ? detail : '' }
}

// A worker that is newer than this process may know codes that this one does not.
function toCode(code: unknown): ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'internal.unexpected'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
