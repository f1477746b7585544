import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ErrorCode } from '../../domain/errors.ts'
import { eventTime } from '../../domain/plausibility.ts'
import type { Decoded, DecodeContext } from './codec.ts'
import { isName } from './codec.ts'
import { parseJson } from './json.ts'
import { addAttribute, addValues, isFull, refuse, show, workOn, type Keyed, type Work } from './values.ts'

export const TELEMETRY_TOPIC = 'v1/devices/me/telemetry'
export const ATTRIBUTES_TOPIC = 'v1/devices/me/attributes'
export const GATEWAY_TOPIC = 'v1/gateway/telemetry'
const RPC_RESPONSE_TOPIC = /^v1\/devices\/me\/rpc\/response\/(\d{1,10})$/

const JsonObject = Compile(
  Type.Object({ ts: Type.Optional(Type.Unknown()), values: Type.Optional(Type.Unknown()) }),
)
const GatewayForm = Compile(Type.Record(Type.String(), Type.Array(Type.Unknown())))

const READERS: ReadonlyMap<string, (work: Work, body: unknown) => void> = new Map([
  [TELEMETRY_TOPIC, readTelemetry],
  [ATTRIBUTES_TOPIC, readAttributes],
  [GATEWAY_TOPIC, readGateway],
])

/**
 * The native protocol: the device and gateway API of ThingsBoard. Pure, and total: whatever the bytes are, the answer is readings,
 * attributes and refusals, never an exception. One bad value or entry never holds back the others (P2).
 */
export function decode(topic: string, bytes: Uint8Array, context: DecodeContext): Decoded {
  const read = READERS.get(topic) ?? rpcResponseReader(topic)
  if (read === undefined) return refuseWhole('packet.unknownTopic', show(topic))
  const parsed = parseJson(bytes, context.limits.depthMax)
  if ('code' in parsed) return refuseWhole(parsed.code, parsed.detail)
  const work = workOn(context)
  read(work, parsed.body)
  if (isFull(work))
    return refuseWhole('packet.tooManyReadings', `more than ${context.limits.readingsPerPacketMax}`)
  return work
}

/** Whether a body can only be meant for the gateway topic: names to lists. HTTP has one address for both forms. */
export function isGatewayBody(bytes: Uint8Array, depthMax: number): boolean {
  const parsed = parseJson(bytes, depthMax)
  return 'body' in parsed && GatewayForm.Check(parsed.body) && Object.keys(parsed.body).length > 0
}

/** A packet of which nothing could be used. */
export function refuseWhole(code: ErrorCode, detail: string): Decoded {
  return { readings: [], attributes: [], refused: [{ code, detail }] }
}

function readTelemetry(work: Work, body: unknown): void {
  if (Array.isArray(body)) readEntries(work, body, '')
  else readEntry(work, body, '')
}

function readEntries(work: Work, entries: readonly unknown[], place: string): void {
  if (entries.length === 0) refuse(work, 'reading.noValues', `${place}[]`)
  for (let i = 0; i < entries.length && !isFull(work); i++) readEntry(work, entries[i], `${place}[${i}] `)
}

// `values` makes it the form with a time of its own; without it every key is a value, but for `ts`, which no device means as a measurement.
function readEntry(work: Work, entry: unknown, place: string): void {
  if (!JsonObject.Check(entry)) return refuse(work, 'packet.wrongShape', `${place}${show(entry)}`)
  work.place = place
  work.time = work.receivedAt
  if (entry.ts !== undefined) {
    const time = eventTime(entry.ts, work.receivedAt, work.limits.futureMsMax)
    if (typeof time === 'string') return refuse(work, time, `${place}ts: ${show(entry.ts)}`)
    work.time = time
  }
  if (entry.values === undefined) addValues(work, entry, 'ts')
  else if (JsonObject.Check(entry.values)) readTimed(work, entry, entry.values)
  else refuse(work, 'packet.wrongShape', `${place}values: ${show(entry.values)}`)
}

function readTimed(work: Work, entry: Keyed, values: Keyed): void {
  addValues(work, values)
  for (const key of Object.keys(entry)) {
    if (isFull(work)) return
    if (key !== 'ts' && key !== 'values')
      refuse(work, 'packet.wrongShape', `${work.place}${show(key)} beside values`)
  }
}

function readAttributes(work: Work, body: unknown): void {
  if (!JsonObject.Check(body)) return refuse(work, 'packet.wrongShape', show(body))
  const entries = Object.entries(body)
  if (entries.length === 0) refuse(work, 'reading.noValues', '{}')
  for (const [key, value] of entries) {
    if (isFull(work)) return
    addAttribute(work, key, value)
  }
}

/** The newest answer to a command is an attribute, `rpcResponse`, in which a person finds the command by its id. */
function rpcResponseReader(topic: string): ((work: Work, body: unknown) => void) | undefined {
  const commandId = RPC_RESPONSE_TOPIC.exec(topic)?.[1]
  if (commandId === undefined) return undefined
  return (work, body) => addAttribute(work, 'rpcResponse', { commandId: Number(commandId), response: body })
}

function readGateway(work: Work, body: unknown): void {
  if (!work.isGateway) return refuse(work, 'packet.notAGateway', GATEWAY_TOPIC)
  if (!JsonObject.Check(body)) return refuse(work, 'packet.wrongShape', show(body))
  const children = Object.entries(body)
  if (children.length === 0) refuse(work, 'reading.noValues', '{}')
  for (const [name, entries] of children) {
    if (isFull(work)) return
    readChild(work, name, entries)
  }
}

function readChild(work: Work, name: string, entries: unknown): void {
  if (!isName(name)) return refuse(work, 'reading.badName', show(name))
  if (!Array.isArray(entries)) return refuse(work, 'packet.wrongShape', `${show(name)}: ${show(entries)}`)
  const child = work.childNamed(name)
  if (child !== undefined && 'refused' in child) return refuse(work, child.refused, show(name))
  const usable = work.readings.length + work.attributes.length
  work.deviceId = child?.deviceId ?? ''
  readEntries(work, entries, show(name))
  // A device is made for a name only when there is something to keep of it.
  if (child === undefined && work.readings.length + work.attributes.length > usable)
    (work.unknownChildren ??= []).push(name)
}
