import { setTimeout as sleep } from 'node:timers/promises'
import type { RuleState } from '../domain/breach.ts'
import type { Reading } from '../domain/reading.ts'
import type { Placement } from '../db/queries/placement.ts'
import { observeLag } from '../ports/metrics.ts'
import type { Delivery, Verdict } from '../ports/queue.ts'
import { followBatches } from '../ports/trace.ts'
import { judgeInOrder, type Runs } from './in-order.ts'
import { findUnruled, judgeSpan } from './judge-span.ts'
import { fail, storesAnswer, type Judging } from './judging.ts'
import { resume, type Stream } from './judging-state.ts'
import { recordFindings, recordRuns, type Finding } from './record-breaches.ts'
import { hasRequests, spellOut } from './rejudge-request.ts'
import { collect, collectMore, type Work } from './rejudge-work.ts'
import { readTails } from './rejudge-tails.ts'
import { judgeWindow, type Tail, type Window } from './window.ts'

/** What came out of it. */
interface Outcome {
  readonly placement: Placement
  readonly horizon: number
  /** By index of the rules; missing where nothing changed. */
  readonly states: readonly (RuleState | undefined)[]
  readonly findings: readonly Finding[]
}

const STORE_POLL_MS = 2
const STORE_POLL_MS_MAX = 100
/** Whose readings are asked for together. */
const SENSORS_AT_ONCE = 100

/** The handler of the queue `rejudge`: judges what came out of order, over the window of the series that it touches. */
export function createRejudge(judging: Judging) {
  return async (deliveries: readonly Delivery[]): Promise<Verdict[]> => {
    let works: Work[] = []
    const batches = deliveries.map(({ batch }) => batch)
    const steps = followBatches(judging.tracer, 'rejudge', batches)
    try {
      works = collect(judging, await withRequests(judging, deliveries))
      const acceptedBy = works.reduce((latest, work) => Math.max(latest, work.acceptedBy), -Infinity)
      collectMore(judging, works, await waitForStore(judging, acceptedBy))
      // Effects of what these streams had judged in order before must be written before their records are read.
      await judging.writes.idle()
      const outcomes = await judgeAll(judging, works)
      const findings = [...outcomes.values()].flatMap((outcome) => outcome.findings)
      if (findings.length > 0)
        await judging.writes.run(() => recordFindings(judging, findings, steps?.parents))
      await settle(judging, outcomes, steps?.parents)
    } catch (error) {
      // Batches that are not delivered yet may hold some of what was taken up: the streams that come next judge those anew.
      steps?.end(error)
      for (const { stream } of works) judging.streams.forget(stream)
      if (!judging.stopping.signal.aborted) fail(judging, error, 'rejudge: deliveries are tried again')
      await storesAnswer(judging)
      return deliveries.map(() => 'retry')
    }
    steps?.end()
    judging.failure = undefined
    const judged = works.reduce((sum, work) => sum + work.count, 0)
    judging.metrics.count('coldstream_readings_judged_total', { path: 'window' }, judged)
    for (const { batch } of deliveries) observeLag(judging, 'judged-again', batch.acceptedAt)
    return deliveries.map(() => 'done')
  }
}

// Who asks has changed the rules, or the place: nothing that is remembered holds for what comes from here on.
async function withRequests(judging: Judging, deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
  if (!hasRequests(deliveries)) return deliveries
  const acceptedBy = Math.max(judging.clock.now(), judging.acceptedAtMax)
  await waitForStore(judging, acceptedBy)
  await judging.writes.idle()
  return spellOut(judging, deliveries)
}

/**
 * However long it takes: without what the store still has to write, windows would show breaches that never were.
 * @returns everything accepted before this is in the store
 */
async function waitForStore({ queue, stopping: { signal } }: Judging, acceptedBy: number): Promise<number> {
  for (let delayMs = STORE_POLL_MS; ; delayMs = Math.min(delayMs * 2, STORE_POLL_MS_MAX)) {
    signal.throwIfAborted()
    const pending = queue.pendingSince('store') ?? Infinity
    if (pending > acceptedBy) return pending
    await sleep(delayMs, undefined, { signal })
  }
}

async function judgeAll(judging: Judging, works: readonly Work[]): Promise<Map<Work, Outcome>> {
  const outcomes = new Map<Work, Outcome>()
  const groups = groupsOf(works).values()
  const helpers = Array.from({ length: judging.settings.windowsMax }, async () => {
    for (const group of groups) {
      judging.placements.load(group.map(({ stream }) => stream.deviceId))
      const tails = await readTails(judging.series, group, judging.clock.now())
      for (const work of group) outcomes.set(work, await judgeWork(judging, work, tails.get(work)))
    }
  })
  await Promise.all(helpers)
  return outcomes
}

async function judgeWork(judging: Judging, work: Work, tail: Tail | undefined): Promise<Outcome> {
  const { stream } = work
  const placement = await judging.placements.of(stream.deviceId)
  const newest = stream.horizon ?? tail?.readings.at(-1)?.time ?? (await newestTime(judging, stream))
  const horizon = Math.max(newest, work.to)
  const rules = placement.rules.filter((rule) => work.isWhole || work.quantities.has(rule.quantity))
  const span = { from: work.from, to: work.isWhole ? horizon : work.to }
  const unruled = work.isWhole ? await findUnruled(judging, stream, placement, work.from, horizon) : []
  if (rules.length === 0 || span.from > span.to) return { placement, horizon, states: [], findings: unruled }
  const around = await judgeSpan(judging, stream, placement, rules, span, horizon, tail)
  const states = await findStates(judging, work, placement, around.windows, horizon, tail)
  return { placement, horizon, states, findings: [...unruled, ...around.findings] }
}

// Those together that begin at about the same time.
function groupsOf(works: readonly Work[]): (readonly Work[])[] {
  const sorted = works.toSorted((a, b) => a.from - b.from)
  const count = Math.ceil(sorted.length / SENSORS_AT_ONCE)
  return Array.from({ length: count }, (_, index) =>
    sorted.slice(index * SENSORS_AT_ONCE, (index + 1) * SENSORS_AT_ONCE),
  )
}

async function newestTime({ series }: Judging, { deviceId, sensor }: Stream): Promise<number> {
  const from = Number.MIN_SAFE_INTEGER
  const to = Number.MAX_SAFE_INTEGER
  const [newest] = await series.read({ deviceId, sensor, from, to, limit: 1, order: 'descending' })
  return newest?.time ?? -Infinity
}

// Where each rule stands at the horizon. The window shows it when it reaches that far; what memory has still holds when the window ends before it.
async function findStates(
  { series, settings }: Judging,
  { stream }: Work,
  placement: Placement,
  windows: readonly Window[],
  horizon: number,
  tail: Tail | undefined,
): Promise<(RuleState | undefined)[]> {
  const states = placement.rules.map((rule, index) => {
    const window = windows.find((one) => one.rule === rule)
    if (window === undefined || window.end === undefined) return window?.state
    const kept = stream.placement === placement ? stream.states[index] : undefined
    return kept !== undefined && kept.time >= window.settledAt ? kept : undefined
  })
  const missing = windows.filter(({ rule }) => states[placement.rules.indexOf(rule)] === undefined)
  if (missing.length === 0) return states
  const span = { from: horizon, to: horizon, floor: horizon - settings.windowMsMax, upTo: horizon }
  const rules = missing.map((window) => window.rule)
  for (const window of await judgeWindow(series, stream, rules, span, tail))
    states[placement.rules.indexOf(window.rule)] = window.state
  return states
}

// From here to the end of `getInOrder` nothing is awaited: no reading can come between what was judged and what memory says.
async function settle(
  judging: Judging,
  outcomes: ReadonlyMap<Work, Outcome>,
  traces: ReadonlyMap<string, string> | undefined,
): Promise<void> {
  const runs: Runs = new Map()
  let inOrder = 0
  for (const [{ stream }, outcome] of outcomes) {
    if (stream.phase === 'gone') continue
    resume(stream, outcome.placement, outcome.horizon, outcome.states)
    inOrder += getInOrder(judging, stream, runs)
  }
  if (inOrder > 0) judging.metrics.count('coldstream_readings_judged_total', { path: 'in-order' }, inOrder)
  if (runs.size === 0) return
  try {
    await judging.writes.run(() => recordRuns(judging, runs, traces))
  } catch (error) {
    for (const { stream } of runs.values()) judging.streams.forget(stream)
    throw error
  }
}

/**
 * Readings of this stream may have come meanwhile and wait in batches of their own. When they are in order it judges them here and is current;
 * without that a stream that sends all the time would never be. When their batches come they are passed over.
 */
function getInOrder({ streams }: Judging, stream: Stream, runs: Runs): number {
  const readings: Reading[] = []
  let last = -Infinity
  for (const state of stream.states) last = Math.max(last, state?.time ?? -Infinity)
  for (const late of stream.late) {
    if (late.readings === undefined) return 0
    for (const reading of late.readings) {
      if (reading.time <= last || !isJudgeable(stream, reading)) return 0
      last = reading.time
      readings.push(reading)
    }
  }
  for (const reading of readings) judgeInOrder(runs, stream, reading)
  streams.take(stream, () => true)
  stream.phase = 'current'
  return readings.length
}

function isJudgeable({ placement, states, live }: Stream, { values }: Reading): boolean {
  return live.every((index) => {
    const rule = placement.rules[index]
    return rule === undefined || values[rule.quantity] === undefined || states[index] !== undefined
  })
}
