import { breachOf, fold, initialState, type Breach, type Run, type RuleState } from '../domain/breach.ts'
import type { Reading, SensorKey } from '../domain/reading.ts'
import { violates, type Rule } from '../domain/rule.ts'
import type { Series } from '../ports/series.ts'

/** What to look at: the readings in [from, to] are those that changed. */
export interface Span {
  readonly from: number
  readonly to: number
  /** Nothing earlier is read: a run that began before is taken to begin with the first reading found. */
  readonly floor: number
  /** Nothing later is read. */
  readonly upTo: number
}

/** What one rule says around a span: everything between two readings in range (or the ends) that the span can influence. */
export interface Window {
  readonly rule: Rule
  /** The last reading in range before the span; `floor` of the span when there is none. */
  readonly start: number
  /** The first reading in range after the span; undefined when there is none, and then `state` is where the rule stands at `upTo`. */
  readonly end: number | undefined
  readonly breaches: readonly Breach[]
  readonly state: RuleState
}

/** Every reading of a sensor from `from` on, in order of time, read beforehand. */
export interface Tail {
  readonly from: number
  readonly readings: readonly Reading[]
}

const CHUNK_MIN = 32
const CHUNK_MAX = 2000

/**
 * Judges the readings of a sensor around a span, for several rules in one go. A reading in range says that nothing before it matters for what comes
 * after, so the window reaches from the last one strictly before the span (one inside may be what changed) to the first one strictly after.
 */
export async function judgeWindow(
  series: Series,
  sensor: SensorKey,
  rules: readonly Rule[],
  span: Span,
  tail?: Tail,
): Promise<Window[]> {
  const starts = await findStarts(series, sensor, rules, span, tail)
  const walks = rules.map((rule, index) => createWalk(rule, starts[index] ?? span.floor))
  const from = Math.min(...walks.map((walk) => walk.start))
  if (tail && tail.from <= from) walkTail(tail, walks, span)
  else await walkForward(series, sensor, walks, span)
  return walks.map(({ rule, start, end, runs, state }) => ({
    rule,
    start,
    end,
    state,
    breaches: [...runs].map(breachOf),
  }))
}

async function findStarts(
  series: Series,
  { deviceId, sensor }: SensorKey,
  rules: readonly Rule[],
  { from, floor }: Span,
  tail: Tail | undefined,
): Promise<(number | undefined)[]> {
  const starts: (number | undefined)[] = rules.map(() => undefined)
  let to = from
  if (tail && tail.from <= from) {
    for (const reading of tail.readings.toReversed())
      if (reading.time < from) noteStarts(starts, rules, reading)
    if (!starts.includes(undefined)) return starts
    to = tail.from
  }
  for (let limit = CHUNK_MIN; ; limit = Math.min(limit * 4, CHUNK_MAX)) {
    const chunk = await series.read({ deviceId, sensor, from: floor, to, limit, order: 'descending' })
    for (const reading of chunk) noteStarts(starts, rules, reading)
    if (chunk.length < limit || !starts.includes(undefined)) return starts
    to = chunk.at(-1)?.time ?? floor
  }
}

function noteStarts(starts: (number | undefined)[], rules: readonly Rule[], reading: Reading): void {
  rules.forEach((rule, index) => {
    const value = reading.values[rule.quantity]
    if (value !== undefined && !violates(rule, value)) starts[index] ??= reading.time
  })
}

interface Walk {
  readonly rule: Rule
  readonly start: number
  end: number | undefined
  readonly state: RuleState
  readonly runs: Set<Run>
}

function createWalk(rule: Rule, start: number): Walk {
  return { rule, start, end: undefined, state: initialState(), runs: new Set() }
}

async function walkForward(
  series: Series,
  { deviceId, sensor }: SensorKey,
  walks: readonly Walk[],
  span: Span,
): Promise<void> {
  let from = Math.min(...walks.map((walk) => walk.start))
  const to = span.upTo + 1
  for (let limit = CHUNK_MIN; from < to; limit = Math.min(limit * 4, CHUNK_MAX)) {
    const chunk = await series.read({ deviceId, sensor, from, to, limit, order: 'ascending' })
    for (const reading of chunk) for (const walk of walks) step(walk, reading, span.to)
    if (chunk.length < limit || walks.every((walk) => walk.end !== undefined)) return
    from = (chunk.at(-1)?.time ?? to) + 1
  }
}

function walkTail({ readings }: Tail, walks: readonly Walk[], { to, upTo }: Span): void {
  for (const reading of readings) if (reading.time <= upTo) for (const walk of walks) step(walk, reading, to)
}

function step(walk: Walk, { time, values }: Reading, spanTo: number): void {
  const value = values[walk.rule.quantity]
  if (value === undefined || walk.end !== undefined || time < walk.start) return
  const run = fold(walk.state, walk.rule, time, value)
  if (run) walk.runs.add(run)
  if (time > spanTo && !violates(walk.rule, value)) walk.end = time
}
