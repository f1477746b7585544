import { breachOf, fold, initialState, type Breach, type Run, type RuleState } from '../domain/breach.ts'
import { memoryMs } from '../domain/cumulation.ts'
import { holdingAt } from '../domain/holding.ts'
import type { Reading, SensorKey } from '../domain/reading.ts'
import { measure, sideOf, type Rule } from '../domain/rule.ts'
import { createSettling, isSettled, type Settling } from '../domain/settling.ts'
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

/** What one rule says around a span: everything between two moments without a breach that the span can influence. */
export interface Window {
  readonly rule: Rule
  /** From here on `breaches` are all that there are; `floor` of the span when it could not be settled. */
  readonly start: number
  /** Up to here: those that began before are over. Undefined when the readings end first, and then `state` is where the rule stands at `upTo`. */
  readonly end: number | undefined
  /** What was judged of readings up to then or later, whatever the span held, stands. */
  readonly settledAt: number
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
/** How far before a span a rule that adds up is read at first, in lengths of its memory: it is settled after two if there is no breach. */
const DEPTH = 2.5

/**
 * Judges the readings of a sensor around a span, for several rules in one go. A reading within the limits says that nothing before it matters for what
 * comes after, so the window reaches from the last one strictly before the span (one inside may be what changed) to the first one strictly after.
 * Where violating time adds up it is read from further back, as far as is needed for the beginning not to matter.
 */
export async function judgeWindow(
  series: Series,
  sensor: SensorKey,
  rules: readonly Rule[],
  span: Span,
  tail?: Tail,
): Promise<Window[]> {
  const windows = new Map<Rule, Window>()
  for (let depth = DEPTH; windows.size < rules.length; depth *= 2) {
    const rest = rules.filter((rule) => !windows.has(rule))
    const starts = await findStarts(series, sensor, rest, span, depth, tail)
    const walks = rest.map((rule, index) => createWalk(rule, starts[index], span))
    const from = Math.min(...walks.map((walk) => walk.start))
    if (tail && tail.from <= from) walkTail(tail, walks, span)
    else await walkForward(series, sensor, walks, span)
    for (const walk of walks)
      if (walk.isSettled || walk.start <= span.floor) windows.set(walk.rule, windowOf(walk))
    // Most often because there are no older readings, and then there is nothing to look for step by step.
    if (windows.size < rules.length && !(await hasEarlier(series, sensor, span, from))) depth = Infinity
  }
  return rules.map((rule) => windows.get(rule) as Window)
}

async function hasEarlier(
  series: Series,
  { deviceId, sensor }: SensorKey,
  { floor }: Span,
  to: number,
): Promise<boolean> {
  if (to <= floor) return false
  const one = await series.read({ deviceId, sensor, from: floor, to, limit: 1, order: 'descending' })
  return one.length > 0
}

function windowOf({ rule, start, end, settledAt, runs, state }: Walk): Window {
  return { rule, start, end, settledAt, state, breaches: [...runs].map(breachOf) }
}

async function findStarts(
  series: Series,
  { deviceId, sensor }: SensorKey,
  rules: readonly Rule[],
  { from, floor }: Span,
  depth: number,
  tail: Tail | undefined,
): Promise<(number | undefined)[]> {
  const searches = rules.map((rule) => createSearch(rule, from, depth))
  const isDone = () => searches.every(({ start }) => start !== undefined)
  let to = from
  if (tail && tail.from <= from) {
    for (const reading of tail.readings.toReversed())
      if (reading.time < from) for (const search of searches) look(search, reading)
    to = tail.from
  }
  for (let limit = CHUNK_MIN; !isDone(); limit = Math.min(limit * 4, CHUNK_MAX)) {
    const chunk = await series.read({ deviceId, sensor, from: floor, to, limit, order: 'descending' })
    for (const reading of chunk) for (const search of searches) look(search, reading)
    if (chunk.length < limit) break
    to = chunk.at(-1)?.time ?? floor
  }
  return searches.map(({ start }) => start)
}

/** Looks back for the last reading at which a rule has nothing going on. */
interface Search {
  readonly rule: Rule
  start: number | undefined
  /** The reading after, of which it is not known yet how it differs from the one before. */
  time: number
  value: number
}

function createSearch(rule: Rule, from: number, depth: number): Search {
  const start = rule.mode === 'cumulative' ? from - depth * memoryMs(rule) : undefined
  return { rule, start, time: NaN, value: NaN }
}

function look(search: Search, { time, values }: Reading): void {
  const { rule, start } = search
  const value = values[rule.quantity]
  if (value === undefined || start !== undefined) return
  if (!holdingAt(rule, time).holds) search.start = time
  else if (rule.measure === 'value') {
    if (sideOf(rule, value) === 'within') search.start = time
  } else if (sideOf(rule, measure(rule, search.time, search.value, time, value)) === 'within')
    search.start = search.time
  search.time = time
  search.value = value
}

interface Walk {
  readonly rule: Rule
  start: number
  /** Whether it matters no more what came before `start`. */
  isSettled: boolean
  settling: Settling
  end: number | undefined
  settledAt: number
  readonly state: RuleState
  readonly runs: Set<Run>
}

function createWalk(rule: Rule, found: number | undefined, { floor }: Span): Walk {
  const start = Math.max(found ?? floor, floor)
  return {
    rule,
    start,
    isSettled: rule.mode !== 'cumulative',
    settling: createSettling(start),
    end: undefined,
    settledAt: Infinity,
    state: initialState(),
    runs: new Set(),
  }
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
    for (const reading of chunk) for (const walk of walks) step(walk, reading, span)
    from = (chunk.at(-1)?.time ?? to) + 1
    if (chunk.length < limit || walks.every((walk) => isOver(walk, from, span))) return
  }
}

function walkTail({ readings }: Tail, walks: readonly Walk[], span: Span): void {
  for (const reading of readings)
    if (reading.time <= span.upTo) for (const walk of walks) step(walk, reading, span)
}

// Not settled in time: it is to be walked again from further back.
function isOver(walk: Walk, time: number, { from, floor }: Span): boolean {
  return walk.end !== undefined || (!walk.isSettled && walk.start > floor && time > from)
}

function step(walk: Walk, { time, values }: Reading, span: Span): void {
  const { rule, state } = walk
  const value = values[rule.quantity]
  if (value === undefined || walk.end !== undefined || time < walk.start) return
  const changed: Run[] = []
  fold(state, rule, time, value, changed)
  for (const run of changed) walk.runs.add(run)
  if (time > span.to) settleAfter(walk, span)
  else if (!walk.isSettled && time < span.from) settleBefore(walk)
}

function settleBefore(walk: Walk): void {
  if (!isSettled(walk.settling, walk.rule, walk.state)) return
  walk.isSettled = true
  walk.start = walk.settling.quietFrom ?? walk.start
  // What came before may be cut short; it was over by then.
  walk.runs.clear()
}

function settleAfter(walk: Walk, { to }: Span): void {
  if (walk.settling.since !== to) walk.settling = createSettling(to)
  if (!isSettled(walk.settling, walk.rule, walk.state)) return
  walk.end = walk.settling.quietFrom
  walk.settledAt = walk.state.time
}
