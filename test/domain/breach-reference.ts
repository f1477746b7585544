import type { Breach } from '../../domain/breach.ts'
import type { Reading } from '../../domain/reading.ts'
import type { Rule } from '../../domain/rule.ts'

type Side = 'beyond' | 'within' | 'between'

interface Point {
  readonly time: number
  readonly value: number
  /** What is held against the threshold; undefined when it cannot be said. */
  readonly measured: number | undefined
  /** Undefined while the rule does not hold. */
  readonly side: Side | undefined
  /** Which time of those in which the rule holds: the moment at which it ends. */
  readonly holdsUntil: number | undefined
}

interface Stretch {
  readonly points: readonly Point[]
  readonly from: number
  readonly to: number
}

/**
 * What a breach is, said as slowly and plainly as possible and on purpose not as a fold: every question is answered by looking at all the readings again.
 * Readings may come in any order and more than once.
 */
export function referenceBreaches(
  rule: Rule,
  readings: Iterable<Pick<Reading, 'time' | 'values'>>,
): Breach[] {
  const points = pointsOf(rule, readings)
  return rule.mode === 'cumulative' ? cumulative(rule, points) : consecutive(rule, points)
}

function pointsOf(rule: Rule, readings: Iterable<Pick<Reading, 'time' | 'values'>>): Point[] {
  const holdsUntilOf = wallClock(rule)
  const values = new Map<number, number>()
  for (const { time, values: given } of readings) {
    const value = given[rule.quantity]
    if (value !== undefined) values.set(time, Math.max(value, values.get(time) ?? -Infinity))
  }
  const sorted = [...values].toSorted(([a], [b]) => a - b)
  return sorted.map(([time, value], index) => {
    const measured = measuredOf(rule, time, value, sorted[index - 1])
    const holdsUntil = holdsUntilOf(time)
    return {
      time,
      value,
      measured,
      holdsUntil,
      side: holdsUntil === undefined ? undefined : sideOf(rule, measured),
    }
  })
}

function measuredOf(rule: Rule, time: number, value: number, before: readonly [number, number] | undefined) {
  if (rule.measure === 'value') return value
  if (before === undefined || time - before[0] > rule.gapMsMax) return undefined
  const change = value - before[1]
  if (rule.measure === 'ratePerHour') return tidy((change * 3_600_000) / (time - before[0]))
  return tidy(Math.abs(change))
}

// Six decimals: 5.1 - 5.0 is 0.1.
function tidy(value: number): number {
  return Number(value.toFixed(6))
}

function sideOf({ comparator, threshold, hysteresis }: Rule, measured: number | undefined): Side {
  if (measured === undefined) return 'between'
  const isBeyond = {
    gt: measured > threshold,
    gte: measured >= threshold,
    lt: measured < threshold,
    lte: measured <= threshold,
  }[comparator]
  if (isBeyond) return 'beyond'
  const inside = comparator.startsWith('g') ? threshold - measured : measured - threshold
  return tidy(inside) >= hysteresis ? 'within' : 'between'
}

/** By the clock on the wall, minute by minute: when the rule stops to hold; undefined when it does not hold now. To be asked in order of time. */
function wallClock({ validFrom, validTo, activeHours }: Rule): (time: number) => number | undefined {
  if (activeHours === null) return (time) => (isValid(time) ? (validTo ?? Infinity) : undefined)
  const { from, to, timeZone } = activeHours
  let until = -Infinity
  return (time) => {
    if (!isValid(time) || !isActive(time)) return undefined
    if (time >= until) until = Math.floor(time / 60_000) * 60_000 + 60_000
    while (isActive(until)) until += 60_000
    return Math.min(until, validTo ?? Infinity)
  }

  function isValid(time: number): boolean {
    return time >= (validFrom ?? -Infinity) && time < (validTo ?? Infinity)
  }
  // When the clocks show an hour a second time, what began or ended in the first has begun or ended.
  function isActive(time: number): boolean {
    const shown = localTime(timeZone, time)
    if (localTime(timeZone, time - LOOK_BACK_MS) + LOOK_BACK_MS > shown)
      for (let ago = 60_000; ago <= LOOK_BACK_MS; ago += 60_000)
        if (localTime(timeZone, time - ago) > shown) return isActive(time - ago)
    const clock = clockIn(timeZone, time)
    return from < to ? clock >= from && clock < to : clock >= from || clock < to
  }
}

const clocks = new Map<string, Intl.DateTimeFormat>()
const midnights = new Map<string, number>()

function formatIn(timeZone: string, options: Intl.DateTimeFormatOptions, time: number): string {
  const key = `${timeZone} ${Object.keys(options).join(' ')}`
  const format = clocks.get(key) ?? new Intl.DateTimeFormat('en-CA', { timeZone, ...options })
  clocks.set(key, format)
  return format.format(time)
}

function clockIn(timeZone: string, time: number): string {
  return formatIn(timeZone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, time)
}

const LOOK_BACK_MS = 3 * 3_600_000

/** What the clocks show, as if it were UTC. */
function localTime(timeZone: string, time: number): number {
  return Date.parse(`${dayIn(timeZone, time)}T${clockIn(timeZone, time)}:00Z`)
}

function dayIn(timeZone: string, time: number): string {
  return formatIn(timeZone, { year: 'numeric', month: '2-digit', day: '2-digit' }, time)
}

/** When a violation that is on at `point` is over: at the first reading within the limits after it, or when the rule stops to hold. */
function endAfter(points: readonly Point[], point: Point): number | null {
  const next = points.find(
    ({ time, side, holdsUntil }) =>
      time > point.time && (side === 'within' || holdsUntil !== point.holdsUntil),
  )
  if (next === undefined) return null
  return next.holdsUntil === point.holdsUntil ? next.time : (point.holdsUntil ?? null)
}

function isIn(breach: Breach | undefined, { time }: Point): boolean {
  return breach !== undefined && (breach.endAt === null || time < breach.endAt)
}

function consecutive(rule: Rule, points: readonly Point[]): Breach[] {
  const breaches: Breach[] = []
  for (const [index, point] of points.entries()) {
    if (point.side !== 'beyond' || isIn(breaches.at(-1), point)) continue
    const before = points[index - 1]
    const isFromBefore = rule.measure === 'stuck' && before?.holdsUntil === point.holdsUntil
    const start = isFromBefore && before ? before : point
    const endAt = endAfter(points, point)
    const rest = points.slice(index).filter(({ time }) => time < (endAt ?? Infinity))
    // A later reading of the same violation is no breach if this one is none, but one after a silence may be.
    if (isLong(rule, start, rest)) breaches.push(breachFrom(rule, points, start.time, endAt))
  }
  return breaches
}

function isLong(rule: Rule, start: Point, rest: readonly Point[]): boolean {
  const silent = rest.findIndex(({ time }, at) => time - (rest[at - 1]?.time ?? time) > rule.gapMsMax)
  const unbroken = silent === -1 ? rest : rest.slice(0, silent)
  const durationMs = rule.mode === 'instant' ? 0 : rule.durationMs
  return unbroken.some(({ time, side }) => side === 'beyond' && time - start.time >= durationMs)
}

function breachFrom(rule: Rule, points: readonly Point[], startAt: number, endAt: number | null): Breach {
  const isStuck = rule.measure === 'stuck'
  const own = points.filter(
    ({ time, side }) =>
      (side === 'beyond' && time >= startAt && time < (endAt ?? Infinity)) || (isStuck && time === startAt),
  )
  const values = own.map(({ measured }) => measured ?? NaN)
  const worst = rule.comparator.startsWith('g') ? Math.max(...values) : Math.min(...values)
  const peak = isStuck ? own[0] : own.find(({ measured }) => measured === worst)
  return {
    startAt,
    endAt,
    peak: (isStuck ? peak?.value : peak?.measured) ?? NaN,
    peakAt: peak?.time ?? NaN,
    lastAt: own.at(-1)?.time ?? NaN,
    readings: own.length,
  }
}

function cumulative(rule: Rule, points: readonly Point[]): Breach[] {
  const breaches: Breach[] = []
  for (const [index, point] of points.entries()) {
    const last = breaches.at(-1)
    if (point.side !== 'beyond' || isIn(last, point)) continue
    const exposedAt = exposedFrom(rule, points.slice(0, index + 1), point)
    if (exposedAt === undefined) continue
    // What has begun before the last one ended is a part of it.
    const isSame = last !== undefined && exposedAt < (last.endAt ?? Infinity)
    if (isSame) breaches.pop()
    const startAt = isSame ? last.startAt : exposedAt
    breaches.push(breachFrom(rule, points, startAt, endAfter(points, point)))
  }
  return breaches
}

/** Where the violating time began that the window up to `now` holds; undefined when it is too little. */
function exposedFrom(rule: Rule, points: readonly Point[], now: Point): number | undefined {
  const from = windowFrom(rule, now.time)
  const stretches = stretchesOf(rule, points)
  const widthMs = rule.window?.kind === 'sliding' ? rule.window.ms : 26 * 3_600_000
  const cellMs = Math.max(1, Math.ceil(widthMs / 1000))
  const groups = [...Map.groupBy(stretches, (stretch) => Math.floor(stretch.from / cellMs)).values()]
  const counted = groups.map((group) => {
    const sumMs = group.reduce((sum, stretch) => sum + stretch.to - stretch.from, 0)
    const first = group[0]?.from ?? NaN
    const last = group.at(-1)?.to ?? NaN
    return { first, ms: first >= from ? sumMs : Math.min(sumMs, Math.max(0, last - from)) }
  })
  if (counted.reduce((sum, { ms }) => sum + ms, 0) < rule.durationMs) return undefined
  return (counted.find(({ ms }) => ms > 0) ?? counted.at(-1))?.first
}

function stretchesOf(rule: Rule, points: readonly Point[]): Stretch[] {
  const stretches: Point[][] = []
  for (const [index, point] of points.entries()) {
    if (point.side !== 'beyond') continue
    const before = points[index - 1]
    const isNext =
      before?.side === 'beyond' &&
      before.holdsUntil === point.holdsUntil &&
      point.time - before.time <= rule.gapMsMax
    if (isNext) stretches.at(-1)?.push(point)
    else stretches.push([point])
  }
  return stretches.map((of) => ({ points: of, from: of[0]?.time ?? NaN, to: of.at(-1)?.time ?? NaN }))
}

function windowFrom(rule: Rule, time: number): number {
  if (rule.window?.kind === 'sliding') return time - rule.window.ms
  const timeZone = rule.window?.timeZone ?? 'UTC'
  const day = dayIn(timeZone, time)
  let minute = midnights.get(`${timeZone} ${day}`) ?? Math.floor(time / 60_000) * 60_000
  while (dayIn(timeZone, minute - 60_000) === day) minute -= 60_000
  midnights.set(`${timeZone} ${day}`, minute)
  return minute
}
