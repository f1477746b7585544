import type { EpcisEvent, Quantity } from './epcis.ts'
import { parseLotName, parsePlaceName } from './epcis-name.ts'
import type { EventKind } from './stock-event.ts'

export const SENSOR_FIELDS = ['value', 'minValue', 'maxValue', 'meanValue'] as const
export const COMPARISONS = ['EQ', 'GT', 'GE', 'LT', 'LE'] as const

/** Conditions of the SimpleEventQuery of EPCIS 2.0 (8.2.7.1) that we know; all of them must hold. */
export interface EpcisFilter {
  readonly eventTypes?: readonly string[] | undefined
  readonly eventIds?: readonly string[] | undefined
  readonly bizSteps?: readonly string[] | undefined
  readonly actions?: readonly string[] | undefined
  readonly dispositions?: readonly string[] | undefined
  readonly bizLocations?: readonly string[] | undefined
  readonly readPoints?: readonly string[] | undefined
  readonly epcClasses?: readonly string[] | undefined
  readonly hasSensor?: boolean | undefined
  readonly hasErrorDeclaration?: boolean | undefined
  readonly eventFrom?: number | undefined
  readonly eventBefore?: number | undefined
  readonly recordFrom?: number | undefined
  readonly recordBefore?: number | undefined
  /** In degrees Celsius. */
  readonly celsius?: readonly {
    readonly field: (typeof SENSOR_FIELDS)[number]
    readonly comparison: (typeof COMPARISONS)[number]
    readonly limit: number
  }[]
}

// Kinds of stock event that may become such an event; reversals may become any.
const KINDS: Readonly<Record<string, readonly EventKind[]>> = {
  receiving: ['receive', 'deliver'],
  shipping: ['issue', 'ship', 'return'],
  storing: ['transfer', 'release'],
  dispensing: ['consume'],
  decommissioning: ['consume', 'wastage'],
  destroying: ['dispose'],
  cycle_counting: ['adjust'],
  stock_taking: ['count'],
  inspecting: ['vvm'],
  holding: ['hold'],
  repackaging: ['repack'],
}

/** Kinds of stock event worth reading; undefined: all. */
export function kindsOf({ bizSteps, eventTypes }: EpcisFilter): readonly EventKind[] | undefined {
  if (eventTypes && !eventTypes.includes('ObjectEvent'))
    return eventTypes.includes('TransformationEvent') ? ['repack', 'reversal'] : []
  if (!bizSteps) return undefined
  return [...bizSteps.flatMap((step) => KINDS[step] ?? []), 'reversal']
}

export function matches(event: EpcisEvent, filter: EpcisFilter): boolean {
  const named = [
    hasOne(filter.eventTypes, event.type),
    hasOne(filter.eventIds, event.eventID),
    hasOne(filter.bizSteps, event.bizStep),
    hasOne(filter.actions, event.action),
    hasOne(filter.dispositions, event.disposition),
    hasPlace(filter.bizLocations, event.bizLocation?.id),
    hasPlace(filter.readPoints, event.readPoint?.id),
    exists(filter.hasSensor, event.sensorElementList),
    exists(filter.hasErrorDeclaration, event.errorDeclaration),
    isWithin(event.eventTime, filter.eventFrom, filter.eventBefore),
    isWithin(event.recordTime, filter.recordFrom, filter.recordBefore),
    hasClass(event, filter.epcClasses),
  ]
  return (
    named.every((holds) => holds) && (filter.celsius ?? []).every((condition) => hasCelsius(event, condition))
  )
}

function hasOne(wanted: readonly string[] | undefined, value: string | undefined): boolean {
  return wanted === undefined || (value !== undefined && wanted.includes(value))
}

/** One name for a place however it is written. */
function hasPlace(wanted: readonly string[] | undefined, name: string | undefined): boolean {
  return hasOne(wanted?.map(canonicalPlace), name && canonicalPlace(name))
}

function canonicalPlace(name: string): string {
  const place = parsePlaceName(name)
  return place === undefined ? name : JSON.stringify(place)
}

function exists(wanted: boolean | undefined, value: unknown): boolean {
  return wanted === undefined || wanted === (value !== undefined)
}

function isWithin(time: string | undefined, from: number | undefined, before: number | undefined): boolean {
  if (from === undefined && before === undefined) return true
  const at = Date.parse(time ?? '')
  return !Number.isNaN(at) && at >= (from ?? -Infinity) && at < (before ?? Infinity)
}

function hasClass(event: EpcisEvent, patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined) return true
  const lists = [
    event.quantityList,
    event.inputQuantityList,
    event.outputQuantityList,
    event.childQuantityList,
  ]
  const classes = lists.flatMap((list: readonly Quantity[] | undefined) => list ?? [])
  return classes.some(({ epcClass }) => patterns.some((pattern) => isOfClass(epcClass, pattern)))
}

/** One name for a lot however it is written; a pattern may end in `*`, for all lots of a GTIN. */
function isOfClass(epcClass: string, pattern: string): boolean {
  return canonical(epcClass) === canonical(pattern) || isOfEvery(epcClass, pattern)
}

function isOfEvery(epcClass: string, pattern: string): boolean {
  const of = /^(.*[/.])\*$/.exec(pattern)?.[1]
  if (of === undefined) return false
  const [all, one] = [parseLotName(`${of}0`), parseLotName(epcClass)]
  return all !== undefined && one !== undefined && 'gtin' in all && 'gtin' in one && all.gtin === one.gtin
}

function canonical(name: string): string {
  const lot = parseLotName(name)
  return lot === undefined ? name : JSON.stringify(lot)
}

function hasCelsius(
  event: EpcisEvent,
  { field, comparison, limit }: NonNullable<EpcisFilter['celsius']>[number],
): boolean {
  return (event.sensorElementList ?? [])
    .flatMap(({ sensorReport }) => sensorReport)
    .some((report) => {
      const value = report[field]
      return report['uom'] === 'CEL' && typeof value === 'number' && COMPARE[comparison](value, limit)
    })
}

const COMPARE: Readonly<Record<(typeof COMPARISONS)[number], (a: number, b: number) => boolean>> = {
  EQ: (a, b) => a === b,
  GT: (a, b) => a > b,
  GE: (a, b) => a >= b,
  LT: (a, b) => a < b,
  LE: (a, b) => a <= b,
}
