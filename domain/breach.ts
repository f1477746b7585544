import {
  createCumulation,
  expire,
  cumulate,
  cumulatedMs,
  cumulatedSince,
  merge,
  tallyOf,
  type Cumulation,
  type Tally,
} from './cumulation.ts'
import { holdingAt } from './holding.ts'
import { greater, type Reading } from './reading.ts'
import { measure, sideOf, type Rule, type Side } from './rule.ts'

/** A rule violated for its duration by one sensor. All times are event times, epoch milliseconds. */
export interface Breach {
  /** The first violating reading of the run; of a cumulative rule, of all that the window held when it was reached. */
  readonly startAt: number
  /** The first reading back within the limits, or when the rule ceased to hold before that; null while there is none. */
  readonly endAt: number | null
  /** What was measured furthest beyond the threshold, and the earliest reading that had it. Of a stuck sensor: the value, at the first. */
  readonly peak: number
  readonly peakAt: number
  /** The last violating reading, and how many there are. */
  readonly lastAt: number
  readonly readings: number
}

/**
 * A violation as it goes on; a breach from `reachedAt` on, the reading that made it long enough. A cumulative rule has only breaches, and goes on with one
 * that ended when it violates again and its window still holds a part of it.
 */
export interface Run extends Tally {
  startAt: number
  endAt: number | null
  reachedAt: number | null
}

/** What one rule remembers of one sensor: its newest reading and the one before, and what these belong to. */
export interface RuleState {
  time: number
  value: number
  timeBefore: number
  valueBefore: number
  /** What the newest reading says; `within` while the rule does not hold. */
  side: Side
  run: Run | undefined
  holds: boolean
  holdsUntil: number
  /** Of a cumulative rule. */
  cumulation: Cumulation | undefined
}

export function initialState(): RuleState {
  return {
    time: -Infinity,
    value: NaN,
    timeBefore: -Infinity,
    valueBefore: NaN,
    side: 'between',
    run: undefined,
    holds: false,
    holdsUntil: -Infinity,
    cumulation: undefined,
  }
}

/**
 * Takes the next reading in: `time` is later than that of every reading before. Changes `state` in place, since it runs for every reading
 * that there is and within the limits it must cost nothing.
 * @param changed gets the breaches that this reading opened (`reachedAt` is its time), extended, ended (`endAt` is set) or took up again
 */
export function fold(state: RuleState, rule: Rule, time: number, value: number, changed: Run[]): void {
  const isFirst = time >= state.holdsUntil
  if (isFirst) enter(state, rule, time, changed)
  state.timeBefore = state.time
  state.valueBefore = state.value
  state.time = time
  state.value = value
  if (!state.holds) {
    state.side = 'within'
    return
  }
  const measured = measure(rule, time, value, state.timeBefore, state.valueBefore)
  state.side = sideOf(rule, measured)
  if (rule.mode === 'cumulative') accumulate(state, rule, measured, changed)
  else follow(state, rule, measured, isFirst, changed)
}

// Each time that a rule holds is judged by itself: what goes on at its end ends there, and what follows begins anew.
function enter(state: RuleState, rule: Rule, time: number, changed: Run[]): void {
  if (state.run) end(state, rule, state.run, state.holdsUntil, changed)
  if (state.cumulation) state.cumulation.isGoing = false
  const { holds, until } = holdingAt(rule, time)
  state.holds = holds
  state.holdsUntil = until
}

function end(state: RuleState, rule: Rule, run: Run, at: number, changed: Run[]): void {
  // A cumulative rule may go on with it.
  if (rule.mode !== 'cumulative') state.run = undefined
  if (run.reachedAt === null || run.endAt !== null) return
  run.endAt = at
  changed.push(run)
}

function follow(state: RuleState, rule: Rule, measured: number, isFirst: boolean, changed: Run[]): void {
  const { time, timeBefore } = state
  // Nobody knows what happened in a long silence, so it cannot count towards a breach; one that was reached before is still unresolved.
  if (state.run?.reachedAt === null && time - timeBefore > rule.gapMsMax) state.run = undefined
  if (state.side === 'between') return
  if (state.side === 'within') {
    if (state.run) end(state, rule, state.run, time, changed)
    return
  }
  if (state.run) merge(state.run, rule, measured, time, time, 1)
  const run = (state.run ??= begin(state, rule, measured, isFirst))
  if (isLongEnough(run, rule, time)) run.reachedAt ??= time
  if (run.reachedAt !== null) changed.push(run)
}

// Reached exactly counts. WHO PQS E006/TR06: 600 minutes above +8.0 are an alarm.
function isLongEnough({ startAt }: Run, { mode, durationMs }: Rule, time: number): boolean {
  return mode === 'instant' || time - startAt >= durationMs
}

function begin(state: RuleState, rule: Rule, measured: number, isFirst: boolean): Run {
  const { time, timeBefore, valueBefore } = state
  if (rule.measure !== 'stuck') return runOf(time, tallyOf(time, measured))
  // It has not moved since the reading before, unless the rule did not hold there.
  if (isFirst) return runOf(time, tallyOf(time, state.value))
  return runOf(timeBefore, { ...tallyOf(timeBefore, valueBefore), lastAt: time, readings: 2 })
}

function runOf(startAt: number, { peak, peakAt, lastAt, readings }: Tally): Run {
  return { startAt, endAt: null, peak, peakAt, lastAt, readings, reachedAt: null }
}

function accumulate(state: RuleState, rule: Rule, measured: number, changed: Run[]): void {
  const { time, side, run } = state
  const cumulation = (state.cumulation ??= createCumulation())
  if (side !== 'beyond') {
    cumulation.isGoing = false
    if (cumulation.groups.length > 0) expire(cumulation, rule, time)
    if (side === 'within' && run) end(state, rule, run, time, changed)
    return
  }
  cumulate(cumulation, rule, time, measured, time - state.timeBefore)
  const start = expire(cumulation, rule, time)
  if (run?.endAt === null) {
    merge(run, rule, measured, time, time, 1)
    changed.push(run)
    return
  }
  if (cumulation.since) merge(cumulation.since, rule, measured, time, time, 1)
  else if (run) cumulation.since = tallyOf(time, measured)
  if (cumulatedMs(cumulation, start) >= rule.durationMs) changed.push(reach(state, rule, cumulation, start))
}

/** One accumulation is one breach: it goes on with the last one if the window holds time from before that ended. */
function reach(state: RuleState, rule: Rule, cumulation: Cumulation, start: number): Run {
  const { time, run } = state
  const { startAt, ...tally } = cumulatedSince(cumulation, rule, start)
  const { since } = cumulation
  cumulation.since = undefined
  if (run && since && run.endAt !== null && startAt < run.endAt) {
    merge(run, rule, since.peak, since.peakAt, since.lastAt, since.readings)
    run.endAt = null
    return run
  }
  const begun = { ...runOf(startAt, tally), reachedAt: time }
  state.run = begun
  return begun
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
    const changed: Run[] = []
    if (value !== undefined) fold(state, rule, time, value, changed)
    for (const run of changed) runs.add(run)
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
