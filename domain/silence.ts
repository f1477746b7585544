import { CADENCE_INTERVALS, cadenceSetAt, learnCadence, silenceLimit, SILENCE_MS_MIN } from './cadence.ts'
import type { CadenceSetting } from './cadence.ts'

/** A span of time, epoch milliseconds. */
export interface TimeSpan {
  readonly from: number
  readonly to: number
}

/** What the limits of a device depend on beside its readings. */
export interface Listening {
  readonly settings: readonly CadenceSetting[]
  /** When nobody listened: that time is held against no device. */
  readonly absences: readonly TimeSpan[]
}

/** Between two neighbouring readings of a device, longer than it may be. */
export interface Silence {
  /** The last reading before, the first one after. */
  readonly startAt: number
  readonly endAt: number
}

/**
 * The silences of a device: gaps between neighbouring readings, less the time in which nobody listened, that are longer than the limit.
 * The limit follows from the readings before the gap and from what was set when it ended, so that it is the same in whatever order they came.
 * @param times of its readings, of all sensors, ascending, each once; the first 17 only say what to expect, unless they are the first at all
 */
export function silencesIn(times: readonly number[], listening: Listening): Silence[] {
  const found: Silence[] = []
  for (let index = 1; index < times.length; index += 1) {
    const startAt = times[index - 1] ?? 0
    const endAt = times[index] ?? 0
    // Most pauses are short: what may be a silence is rare, and only then it is asked what was to be expected.
    if (endAt - startAt <= SILENCE_MS_MIN) continue
    const limit = silenceLimit(cadenceBefore(times, index - 1), cadenceSetAt(listening.settings, endAt))
    if (heardFor(startAt, endAt, listening.absences) > limit) found.push({ startAt, endAt })
  }
  return found
}

/** The cadence that the readings up to `times[index]` show. */
export function cadenceBefore(times: readonly number[], index: number): number | undefined {
  const recent = times.slice(Math.max(0, index - CADENCE_INTERVALS), index + 1)
  return learnCadence(recent.slice(1).map((time, at) => time - (recent[at] ?? 0)))
}

/** How long we listened between two moments. @param absences apart from each other or overlapping, in any order */
export function heardFor(from: number, to: number, absences: readonly TimeSpan[]): number {
  let heard = Math.max(0, to - from)
  let counted = from
  for (const absence of absences.toSorted((a, b) => a.from - b.from)) {
    const start = Math.max(absence.from, counted)
    const end = Math.min(absence.to, to)
    if (end <= start) continue
    heard -= end - start
    counted = end
  }
  return heard
}
