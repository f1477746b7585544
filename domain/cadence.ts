/** How often a device speaks, learned from what it said. */
const INTERVALS = 16
const INTERVALS_MIN = 4
const QUANTILE = 0.75
const CADENCE_MS_MIN = 60_000

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Intervals that are looked back on. */
export const CADENCE_INTERVALS = INTERVALS

/** From a device that speaks this often or less, nothing for so many times its cadence is silence. */
export const SILENCE_MULTIPLE = 3
/** No shorter pause is a silence, however often a device speaks: networks have hiccups. */
export const SILENCE_MS_MIN = 30 * MINUTE_MS
/** Of a cadence that was learned. One that a person has set knows no such bound. */
export const SILENCE_MS_MAX = 48 * HOUR_MS
/** Until enough was heard of a device to learn from. */
export const SILENCE_MS_UNKNOWN = 6 * HOUR_MS

/**
 * The interval that three of four recent ones keep: a device that loses every fourth message is not expected to be better than it is, one
 * long outage changes nothing, and a device with several sensors, each at its own second, is not taken for one that speaks every second.
 * @param intervals between its last readings, in any order
 * @returns undefined while there are too few to tell
 */
export function learnCadence(intervals: readonly number[]): number | undefined {
  if (intervals.length < INTERVALS_MIN) return undefined
  const sorted = intervals.toSorted((a, b) => a - b)
  const at = Math.ceil(QUANTILE * sorted.length) - 1
  return Math.max(sorted[at] ?? 0, CADENCE_MS_MIN)
}

/** How often it hands readings over, from the pauses between: the second longest counts, so that one outage does not. */
export function learnPause(pauses: readonly number[]): number | undefined {
  if (pauses.length < INTERVALS_MIN) return undefined
  return pauses.toSorted((a, b) => b - a)[1]
}

/**
 * How long a device may say nothing.
 * @param learned undefined: not known yet
 * @param set by a person; undefined: not set
 */
export function silenceLimit(learned: number | undefined, set: number | undefined): number {
  if (set !== undefined) return Math.max(SILENCE_MULTIPLE * set, SILENCE_MS_MIN)
  if (learned === undefined) return SILENCE_MS_UNKNOWN
  return Math.min(Math.max(SILENCE_MULTIPLE * learned, SILENCE_MS_MIN), SILENCE_MS_MAX)
}

/** The cadence that a person has set, from a moment on. */
export interface CadenceSetting {
  readonly validFrom: number
  /** Null: learned again. */
  readonly cadenceMs: number | null
}

/** What is set at a moment. @param settings in any order */
export function cadenceSetAt(settings: readonly CadenceSetting[], time: number): number | undefined {
  let newest: CadenceSetting | undefined
  for (const setting of settings)
    if (setting.validFrom <= time && setting.validFrom >= (newest?.validFrom ?? -Infinity)) newest = setting
  return newest?.cadenceMs ?? undefined
}
