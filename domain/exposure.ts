import type { Period } from './calendar.ts'
import { addToMkt, createMkt, mktCelsius, type Mkt } from './mkt.ts'
import { beyondThreshold, violates, type Rule } from './rule.ts'

/** Where too warm, or too cold, begins. */
export type Limit = Pick<Rule, 'comparator' | 'threshold'>

/** Null: there is no such limit. */
export interface Limits {
  readonly high: Limit | null
  readonly low: Limit | null
}

/** What a sensor went through in some time. A reading holds until the next one; after a gap nobody knows, so that nothing of it counts. */
export interface Exposure {
  readonly readings: number
  /** The part of the time of which it is known how warm it was. */
  readonly coveredMs: number
  readonly aboveMs: number
  readonly belowMs: number
  readonly inRangeMs: number
  /** How far beyond the limit, times how long: K ms. */
  readonly aboveKelvinMs: number
  readonly belowKelvinMs: number
  /** Null without a reading, as `max`; also of a reading from before that still held. */
  readonly min: number | null
  readonly minAt: number | null
  readonly max: number | null
  readonly maxAt: number | null
  /** By time; null when nothing is covered. */
  readonly mean: number | null
  readonly mktCelsius: number | null
}

/** Of rules without a limit, how long a reading may hold. */
export const GAP_MS_DEFAULT = 7_200_000

/** The limits that rules set to the temperature at some moment: of several the one that is met first. */
export function limitsOf(rules: readonly Rule[], at: number): Limits {
  const own = rules.filter(
    ({ quantity, measure, validFrom, validTo }) =>
      quantity === 'temperature' &&
      measure === 'value' &&
      (validFrom ?? -Infinity) <= at &&
      at < (validTo ?? Infinity),
  )
  const high = own.filter(isHigh).toSorted((a, b) => a.threshold - b.threshold)[0]
  const low = own.filter((rule) => !isHigh(rule)).toSorted((a, b) => b.threshold - a.threshold)[0]
  return { high: high ? limitOf(high) : null, low: low ? limitOf(low) : null }
}

/** Whether a limit is one above which it is too warm. */
export function isHigh({ comparator }: Limit): boolean {
  return comparator === 'gt' || comparator === 'gte'
}

function limitOf({ comparator, threshold }: Limit): Limit {
  return { comparator, threshold }
}

/** Sums up readings over periods, as they come by. */
export interface Exposures {
  /** Takes the next reading in, in the order of time. Answers the periods that it completed, oldest first. */
  add(time: number, value: number): Exposed[]
  /** The periods that are left. */
  end(): Exposed[]
  /** The time of the newest reading taken in. */
  lastAt(): number | undefined
}

export interface Exposed {
  readonly period: Period
  readonly exposure: Exposure
}

/**
 * @param periods each beginning where the one before ends
 * @param limitsIn the limits of a period
 * @param gapMsMax how long a reading holds at most, as long as none follows in that time: a longer gap does not count at all
 */
export function createExposures(
  periods: readonly Period[],
  limitsIn: (period: Period) => Limits,
  gapMsMax: number = GAP_MS_DEFAULT,
): Exposures {
  let index = 0
  let sums = createSums()
  let last: { readonly time: number; readonly value: number } | undefined

  function close(period: Period): Exposed {
    const exposure = exposureOf(sums)
    sums = createSums()
    index += 1
    return { period, exposure }
  }

  function hold(from: number, to: number, value: number): Exposed[] {
    const done: Exposed[] = []
    for (;;) {
      const period = periods[index]
      if (period === undefined) return done
      const [start, end] = [Math.max(from, period.startMs), Math.min(to, period.endMs)]
      if (end > start) cover(sums, limitsIn(period), value, start, end - start)
      if (to < period.endMs) return done
      done.push(close(period))
    }
  }

  return {
    add(time, value) {
      const before = last
      last = { time, value }
      const isHeld = before !== undefined && time - before.time <= gapMsMax
      const done = isHeld ? hold(before.time, time, before.value) : []
      for (let period = periods[index]; period && period.endMs <= time; period = periods[index])
        done.push(close(period))
      if ((periods[index]?.startMs ?? Infinity) <= time) see(sums, value, time)
      return done
    },
    end: () => periods.slice(index).map(close),
    lastAt: () => last?.time,
  }
}

interface Sums {
  readings: number
  coveredMs: number
  aboveMs: number
  belowMs: number
  inRangeMs: number
  aboveKelvinMs: number
  belowKelvinMs: number
  min: number
  minAt: number
  max: number
  maxAt: number
  /** Of value times milliseconds. */
  celsiusMs: number
  readonly mkt: Mkt
}

function createSums(): Sums {
  return {
    readings: 0,
    coveredMs: 0,
    aboveMs: 0,
    belowMs: 0,
    inRangeMs: 0,
    aboveKelvinMs: 0,
    belowKelvinMs: 0,
    min: Infinity,
    minAt: 0,
    max: -Infinity,
    maxAt: 0,
    celsiusMs: 0,
    mkt: createMkt(),
  }
}

function see(sums: Sums, value: number, time: number): void {
  sums.readings += 1
  bound(sums, value, time)
}

function bound(sums: Sums, value: number, time: number): void {
  if (value < sums.min) [sums.min, sums.minAt] = [value, time]
  if (value > sums.max) [sums.max, sums.maxAt] = [value, time]
}

function cover(sums: Sums, { high, low }: Limits, value: number, start: number, ms: number): void {
  bound(sums, value, start)
  sums.coveredMs += ms
  sums.celsiusMs += value * ms
  addToMkt(sums.mkt, value, ms)
  const isAbove = high !== null && violates(high, value)
  const isBelow = low !== null && violates(low, value)
  if (isAbove) {
    sums.aboveMs += ms
    sums.aboveKelvinMs += beyondThreshold(high, value) * ms
  }
  if (isBelow) {
    sums.belowMs += ms
    sums.belowKelvinMs += beyondThreshold(low, value) * ms
  }
  if (!isAbove && !isBelow) sums.inRangeMs += ms
}

function exposureOf(sums: Sums): Exposure {
  const { mkt, min, minAt, max, maxAt, celsiusMs, ...rest } = sums
  const isSeen = min !== Infinity
  return {
    ...rest,
    min: isSeen ? min : null,
    minAt: isSeen ? minAt : null,
    max: isSeen ? max : null,
    maxAt: isSeen ? maxAt : null,
    mean: sums.coveredMs > 0 ? celsiusMs / sums.coveredMs : null,
    mktCelsius: mktCelsius(mkt),
  }
}
