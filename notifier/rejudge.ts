import { setTimeout as sleep } from 'node:timers/promises'
import type { RuleState } from '../domain/breach.ts'
import type { Reading } from '../domain/reading.ts'
import type { Placement } from '../db/queries/placement.ts'
import type { Delivery, Verdict } from '../ports/queue.ts'
import { judgeInOrder, type Runs } from './in-order.ts'
import { judgeSpan } from './judge-span.ts'
import { endWait, fail, storesAnswer, type Judging } from './judging.ts'
import type { Stream } from './judging-state.ts'
import { recordFindings, recordRuns, type Finding } from './record-breaches.ts'
import { collect, type Work } from './rejudge-work.ts'
import { judgeWindow, type Window } from './window.ts'

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

/** The handler of the queue `rejudge`: judges what came out of order, over the window of the series that it touches. */
export function createRejudge(judging: Judging) {
  return async (deliveries: readonly Delivery[]): Promise<Verdict[]> => {
    const works = collect(judging, deliveries)
    try {
      await waitForStore(judging, works)
      // Effects of what these streams had judged in order before must be written before their records are read.
      await judging.writes.idle()
      const outcomes = await judgeAll(judging, works)
      const findings = [...outcomes.values()].flatMap((outcome) => outcome.findings)
      if (findings.length > 0) await judging.writes.run(() => recordFindings(judging, findings))
      await settle(judging, outcomes)
    } catch (error) {
      if (!judging.stopping.signal.aborted) fail(judging, error, 'rejudge: deliveries are tried again')
      await storesAnswer(judging)
      return deliveries.map(() => 'retry')
    }
    for (const { batch } of deliveries) endWait(judging, batch.id)
    judging.failure = undefined
    const judged = works.reduce((sum, work) => sum + work.readings, 0)
    judging.metrics.count('coldstream_readings_judged_total', { path: 'window' }, judged)
    return deliveries.map(() => 'done')
  }
}

// However long it takes: without what the store still has to write, windows would show breaches that never were.
async function waitForStore({ queue, stopping: { signal } }: Judging, works: readonly Work[]): Promise<void> {
  const acceptedBy = works.reduce((latest, work) => Math.max(latest, work.acceptedBy), -Infinity)
  for (let delayMs = STORE_POLL_MS; ; delayMs = Math.min(delayMs * 2, STORE_POLL_MS_MAX)) {
    signal.throwIfAborted()
    const pending = queue.pendingSince('store')
    if (pending === undefined || pending > acceptedBy) return
    await sleep(delayMs, undefined, { signal })
  }
}

async function judgeAll(judging: Judging, works: readonly Work[]): Promise<Map<Work, Outcome>> {
  const outcomes = new Map<Work, Outcome>()
  const rest = works.values()
  const helpers = Array.from({ length: judging.settings.windowsMax }, async () => {
    for (const work of rest) outcomes.set(work, await judgeWork(judging, work))
  })
  await Promise.all(helpers)
  return outcomes
}

async function judgeWork(judging: Judging, work: Work): Promise<Outcome> {
  const { stream } = work
  const placement = await judging.placements.of(stream.deviceId)
  const horizon = Math.max(stream.horizon ?? (await newestTime(judging, stream)), work.to)
  const rules = placement.rules.filter((rule) => work.quantities.has(rule.quantity))
  if (rules.length === 0) return { placement, horizon, states: [], findings: [] }
  const around = await judgeSpan(judging, stream, placement, rules, work, horizon)
  const states = await findStates(judging, stream, placement, around.windows, horizon)
  return { placement, horizon, states, findings: around.findings }
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
  stream: Stream,
  placement: Placement,
  windows: readonly Window[],
  horizon: number,
): Promise<(RuleState | undefined)[]> {
  const states = placement.rules.map((rule, index) => {
    const window = windows.find((one) => one.rule === rule)
    if (window === undefined || window.end === undefined) return window?.state
    const kept = stream.placement === placement ? stream.states[index] : undefined
    return kept !== undefined && kept.time >= window.end ? kept : undefined
  })
  const missing = windows.filter(({ rule }) => states[placement.rules.indexOf(rule)] === undefined)
  if (missing.length === 0) return states
  const span = { from: horizon, to: horizon, floor: horizon - settings.windowMsMax, upTo: horizon }
  const rules = missing.map((window) => window.rule)
  for (const window of await judgeWindow(series, stream, rules, span))
    states[placement.rules.indexOf(window.rule)] = window.state
  return states
}

// From here to the end of `getInOrder` nothing is awaited: no reading can come between what was judged and what memory says.
async function settle(judging: Judging, outcomes: ReadonlyMap<Work, Outcome>): Promise<void> {
  const runs: Runs = new Map()
  let inOrder = 0
  for (const [{ stream, batchIds }, outcome] of outcomes) {
    for (const id of batchIds) stream.shares.delete(id)
    if (stream.phase === 'gone') continue
    if (stream.placement !== outcome.placement) stream.states = outcome.placement.rules.map(() => undefined)
    stream.placement = outcome.placement
    stream.horizon = outcome.horizon
    outcome.states.forEach((state, index) => {
      if (state) stream.states[index] = state
    })
    inOrder += getInOrder(stream, runs)
  }
  if (inOrder > 0) judging.metrics.count('coldstream_readings_judged_total', { path: 'in-order' }, inOrder)
  if (runs.size === 0) return
  try {
    await judging.writes.run(() => recordRuns(judging, runs))
  } catch (error) {
    for (const { stream } of runs.values()) judging.streams.forget(stream)
    throw error
  }
}

/**
 * Readings of this stream may have come meanwhile and wait in batches of their own. When they are in order it judges them here and is current;
 * without that a stream that sends all the time would never be. When their batches come they are passed over.
 */
function getInOrder(stream: Stream, runs: Runs): number {
  const readings: Reading[] = []
  let last = -Infinity
  for (const state of stream.states) last = Math.max(last, state?.time ?? -Infinity)
  for (const share of stream.shares.values()) {
    if (share.readings === undefined) return 0
    for (const reading of share.readings) {
      if (reading.time <= last || !isJudgeable(stream, reading)) return 0
      last = reading.time
      readings.push(reading)
    }
  }
  for (const reading of readings) judgeInOrder(runs, stream, reading)
  stream.shares.clear()
  stream.phase = 'current'
  return readings.length
}

function isJudgeable({ placement, states }: Stream, { values }: Reading): boolean {
  return placement.rules.every((rule, index) => values[rule.quantity] === undefined || states[index])
}
