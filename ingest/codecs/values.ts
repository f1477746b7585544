import type { AttributeUpdate } from '../../domain/batch.ts'
import type { ErrorCode } from '../../domain/errors.ts'
import { implausibility } from '../../domain/plausibility.ts'
import {
  greater,
  MAIN_SENSOR,
  QUANTITIES,
  QUANTITY_NAMES,
  type Quantity,
  type Reading,
} from '../../domain/reading.ts'
import { isName, type Child, type CodecLimits, type DecodeContext, type Refused } from './codec.ts'

/** One packet while it is being decoded: what came out so far, and where in it we are. */
export interface Work {
  readonly isGateway: boolean
  readonly receivedAt: number
  readonly limits: CodecLimits
  readonly childNamed: (name: string) => Child | undefined
  readonly readings: Reading[]
  readonly attributes: AttributeUpdate[]
  readonly refused: Refused[]
  unknownChildren: string[] | undefined
  deviceId: string
  time: number
  /** Put before the key in every detail, so that a person finds the place in the payload. */
  place: string
}

export function workOn(context: DecodeContext): Work {
  return {
    isGateway: context.isGateway,
    receivedAt: context.receivedAt,
    limits: context.limits,
    childNamed: context.childNamed,
    readings: [],
    attributes: [],
    refused: [],
    unknownChildren: undefined,
    deviceId: context.deviceId,
    time: context.receivedAt,
    place: '',
  }
}

/** Whether more came out of the packet than one may yield; who sees it stops, and the packet is refused whole. */
export function isFull(work: Work): boolean {
  return sizeOf(work) > work.limits.readingsPerPacketMax
}

function sizeOf(work: Work): number {
  return work.readings.length + work.attributes.length + work.refused.length
}

export function refuse(work: Work, code: ErrorCode, detail: string): void {
  work.refused.push({ code, detail })
}

/** A value as a refusal shows it: short, on one line, and never ambiguous about its type. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (Array.isArray(value)) return '[…]'
  if (typeof value === 'object' && value !== null) return '{…}'
  return String(value)
}

// `value` is not a name that devices use: it is where unknown keys keep what they said.
const KNOWN: ReadonlyMap<string, Quantity> = new Map(
  QUANTITY_NAMES.filter((quantity) => quantity !== 'value').flatMap((quantity) =>
    [quantity, ...QUANTITIES[quantity].aliases].map((name): [string, Quantity] => [name, quantity]),
  ),
)

// Devices use one key for the state and for the seconds in which it held; anything but 0, 1 and booleans is seconds.
const SECONDS_OF: { readonly [Q in Quantity]?: Quantity } = {
  doorOpen: 'doorOpenSeconds',
  powerOn: 'powerGoodSeconds',
}

/** An object that `JSON.parse` has made: every key in it is its own. */
export type Keyed = Readonly<Record<string, unknown>>

type MutableValues = { [Q in Quantity]?: number }

/**
 * One object of keys and values at `work.time`: known keys become one reading of the main sensor, unknown numbers each a reading of
 * a sensor of that name, everything else attributes. Keys are only ever compared and copied, never looked up on an object,
 * so that `__proto__` and `constructor` are names like others.
 */
export function addValues(work: Work, values: Keyed, except?: string): void {
  const main: MutableValues = {}
  const before = sizeOf(work)
  let kept = false
  for (const key of Object.keys(values)) {
    if (key === except) continue
    if (isFull(work)) return
    const value = values[key]
    const quantity = KNOWN.get(key)
    if (quantity === undefined) addUnknown(work, key, value)
    else if (addKnown(work, main, quantity, key, value)) kept = true
  }
  if (kept) {
    work.readings.push({ deviceId: work.deviceId, sensor: MAIN_SENSOR, time: work.time, values: main })
  } else if (sizeOf(work) === before) refuse(work, 'reading.noValues', `${work.place}{}`)
}

function addKnown(work: Work, main: MutableValues, named: Quantity, key: string, value: unknown): boolean {
  const number = asNumber(named, value)
  if (number === undefined) {
    refuse(work, 'reading.notANumber', `${work.place}${key}: ${show(value)}`)
    return false
  }
  const quantity = number === 0 || number === 1 ? named : (SECONDS_OF[named] ?? named)
  const why = implausibility(quantity, number)
  if (why !== undefined) {
    refuse(work, why, `${work.place}${key}: ${show(value)}`)
    return false
  }
  main[quantity] = greater(main[quantity], unsigned(number))
  return true
}

function asNumber(quantity: Quantity, value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'boolean' && SECONDS_OF[quantity] !== undefined ? Number(value) : undefined
}

function addUnknown(work: Work, key: string, value: unknown): void {
  if (typeof value !== 'number') return addAttribute(work, key, value)
  if (!isName(key)) return refuse(work, 'reading.badName', `${work.place}${show(key)}`)
  const why = implausibility('value', value)
  if (why !== undefined) return refuse(work, why, `${work.place}${show(key)}: ${show(value)}`)
  const { deviceId, time } = work
  work.readings.push({ deviceId, sensor: key, time, values: { value: unsigned(value) } })
}

/** Keeps anything but null as text; what is not text as its JSON. */
export function addAttribute(work: Work, key: string, value: unknown): void {
  const place = `${work.place}${show(key)}`
  if (!isName(key, ATTRIBUTE_KEY_CHARS_MAX)) return refuse(work, 'reading.badName', place)
  if (value === null) return refuse(work, 'reading.noValues', `${place}: null`)
  if (typeof value === 'number' && !Number.isFinite(value))
    return refuse(work, 'reading.notANumber', `${place}: ${show(value)}`)
  const text = typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value)
  if (text.length > work.limits.attributeCharsMax)
    return refuse(work, 'attribute.tooLong', `${place}: ${text.length} characters`)
  work.attributes.push({ deviceId: work.deviceId, key, value: text, time: work.time })
}

// The length of the column.
const ATTRIBUTE_KEY_CHARS_MAX = 128

// -0 and 0 are one temperature, and the text forms that stores use tell them apart.
function unsigned(number: number): number {
  return number === 0 ? 0 : number
}
