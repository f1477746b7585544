import { greater, type Reading } from './reading.ts'
import { violates, type Rule } from './rule.ts'

/** A rule violated for its duration by one sensor. All times are event times, epoch milliseconds. */
export interface Breach {
  /** The first violating reading of the run. */
  readonly startAt: number
  /** The first reading back in range; null while there is none. */
  readonly endAt: number | null
  /** The value furthest beyond the threshold, and the earliest reading that had it. */
  readonly peak: number
  readonly peakAt: number
  /** The last violating reading, and how many there are. */
  readonly lastAt: number
  readonly readings: number
}

/** Readings that violate without one in between that does not. A breach from `reachedAt` on, the reading that made it long enough. */
export interface Run extends Breach {
  endAt: number | null
  peak: number
  peakAt: number
  lastAt: number
  readings: number
  reachedAt: number | null
}

/** What one rule remembers of one sensor: its newest reading, and the run that this belongs to, if it violates. */
export interface RuleState {
  time: number
  value: number
  run: Run | undefined
}

export function initialState(): RuleState {
  return { time: -Infinity, value: NaN, run: undefined }
}

/**
 * Takes the next reading in: `time` is later than that of every reading before. Changes `state` in place, since it runs for every reading
 * that there is and in range it must cost nothing.
 * @returns the breach that this reading opened (`reachedAt` is its time), extended, or ended (`endAt` is its time), if it did any of these
 */
export function fold(state: RuleState, rule: Rule, time: number, value: number): Run | undefined {
  state.time = time
  state.value = value
  const run = state.run
  if (violates(rule, value)) return violate(state, rule, time, value)
  if (run === undefined) return undefined
  state.run = undefined
  if (run.reachedAt === null) return undefined
  run.endAt = time
  return run
}

function violate(state: RuleState, rule: Rule, time: number, value: number): Run | undefined {
  const before = state.run
  const run = before === undefined || isBroken(before, rule, time) ? begin(time, value) : before
  state.run = run
  if (run === before) extend(run, rule, time, value)
  // Reached exactly counts. WHO PQS E006/TR06: 600 minutes above +8.0 are an alarm.
  if (run.reachedAt === null && (rule.mode === 'instant' || time - run.startAt >= rule.durationMs))
    run.reachedAt = time
  return run.reachedAt === null ? undefined : run
}

// Nobody knows what happened in a long silence, so it cannot count towards a breach; one that was reached before is still unresolved.
function isBroken(run: Run, rule: Rule, time: number): boolean {
  return run.reachedAt === null && time - run.lastAt > rule.gapMsMax
}

function begin(time: number, value: number): Run {
  return { startAt: time, endAt: null, peak: value, peakAt: time, lastAt: time, readings: 1, reachedAt: null }
}

function extend(run: Run, rule: Rule, time: number, value: number): void {
  run.lastAt = time
  run.readings += 1
  if (!isFurther(rule, value, run.peak)) return
  run.peak = value
  run.peakAt = time
}

function isFurther(rule: Rule, value: number, peak: number): boolean {
  return rule.comparator === 'gt' || rule.comparator === 'gte' ? value > peak : value < peak
}

/**
 * Every breach of a rule in the readings of one sensor: the truth of which all that happens live is an approximation.
 * @param readings in order of time; of several with the same time the greater value counts
 */
export function judgeReadings(rule: Rule, readings: Iterable<Pick<Reading, 'time' | 'values'>>): Breach[] {
  const state = initialState()
  const runs = new Set<Run>()
  let time = -Infinity
  let value: number | undefined
  const settle = () => {
    const run = value === undefined ? undefined : fold(state, rule, time, value)
    if (run) runs.add(run)
  }
  for (const reading of readings) {
    const next = reading.values[rule.quantity]
    if (next === undefined) continue
    if (reading.time !== time) settle()
    value = reading.time === time ? greater(value, next) : next
    time = reading.time
  }
  settle()
  return [...runs].map(breachOf)
}

/** A run as the breach that it is now; later readings do not change it. */
export function breachOf({ startAt, endAt, peak, peakAt, lastAt, readings }: Run): Breach {
  return { startAt, endAt, peak, peakAt, lastAt, readings }
}
