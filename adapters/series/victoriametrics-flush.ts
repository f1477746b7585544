import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { reasonOf, requestText, unavailable, type Server } from './victoriametrics-http.ts'

/**
 * A snapshot puts on disk what VictoriaMetrics holds in memory, but for what a background merge or a conversion has in its hands at that moment.
 * That is on disk, or free to be put there, by the next one. Under full load and `kill -9`, one snapshot lost a batch in eight kills, two none.
 */
const SNAPSHOTS = 2
const DELETE_TRIES = 2

interface Waiting {
  readonly startedAt: string
  snapshots: number
  resolve(): void
  reject(error: unknown): void
}

export interface Flusher {
  /** When the server process began. Ask before writing: what is written to one process cannot be made durable by the next. */
  startedAt(): Promise<string>
  /** Resolves when everything that the server had answered for by now is on disk; rejects when that cannot be known. */
  durable(startedAt: string): Promise<void>
  /** The server may be another process from now on. */
  forget(): void
  /** Waits until its snapshots are deleted. */
  close(): Promise<void>
}

interface State {
  readonly server: Server
  readonly everyMs: number
  readonly log: Pick<Logger, 'warn'> | undefined
  started: Promise<string> | undefined
  waiting: Waiting[]
  running: boolean
  /** No snapshot begins earlier. */
  notBefore: number
  dropped: number | undefined
  /** Snapshots to be deleted. */
  leftOver: { readonly name: string; readonly tries: number }[]
  deleting: Promise<void>
}

/**
 * VictoriaMetrics answers when samples are in memory and writes them to disk seconds later; `kill -9` loses what lies between, and there is no log
 * to write ahead. What flushes at once, in every version, is a snapshot: hard links to the files, made after memory was written out.
 * All writes that wait share the snapshots. After one, what was written is also seen by every reader.
 * @param everyMs snapshots begin at least this far apart; the first after a pause at once
 */
export function createFlusher(server: Server, everyMs: number, log?: Pick<Logger, 'warn'>): Flusher {
  const state: State = {
    server,
    everyMs,
    log,
    started: undefined,
    waiting: [],
    running: false,
    notBefore: -Infinity,
    dropped: undefined,
    leftOver: [],
    deleting: Promise.resolve(),
  }
  return {
    startedAt: () => startedAt(state),
    durable: (started) =>
      new Promise((resolve, reject) => {
        state.waiting.push({ startedAt: started, snapshots: 0, resolve, reject })
        if (!state.running) void flushAll(state)
      }),
    forget() {
      state.started = undefined
    },
    close: () => state.deleting,
  }
}

function startedAt(state: State): Promise<string> {
  if (state.started) return state.started
  const asked = look(state)
  state.started = asked
  asked.catch(() => {
    if (state.started === asked) state.started = undefined
  })
  return asked
}

async function flushAll(state: State): Promise<void> {
  state.running = true
  while (state.waiting.length > 0) {
    const pauseMs = state.notBefore - performance.now()
    if (pauseMs > 0) await sleep(pauseMs)
    const beganAt = performance.now()
    // Those that come from here on may have been written after memory was flushed.
    const waiting = state.waiting
    state.waiting = []
    await flush(state, waiting)
    const endedAt = performance.now()
    // At most half of the server's time: with a long history there are many files to link.
    state.notBefore = Math.max(beganAt + state.everyMs, state.everyMs && 2 * endedAt - beganAt)
  }
  state.running = false
}

async function flush(state: State, waiting: readonly Waiting[]): Promise<void> {
  try {
    await takeSnapshot(state)
    const asked = look(state)
    state.started = asked
    const now = await asked
    for (const one of waiting) settle(state, one, now)
  } catch (error) {
    state.started = undefined
    for (const { reject } of waiting) reject(error)
  }
}

function settle(state: State, one: Waiting, startedNow: string): void {
  one.snapshots += 1
  // The same process before and after, so the one in between was no other.
  if (one.startedAt !== startedNow) one.reject(unavailable('it was restarted before it had written to disk'))
  else if (one.snapshots < SNAPSHOTS) state.waiting.push(one)
  else one.resolve()
}

async function takeSnapshot(state: State): Promise<void> {
  const answer = await requestText(state.server, '/snapshot/create')
  const { status, snapshot } = JSON.parse(answer) as { status?: unknown; snapshot?: unknown }
  if (status !== 'ok' || typeof snapshot !== 'string')
    throw unavailable(`it makes no snapshot: ${answer.slice(0, 300)}`)
  await state.deleting
  state.leftOver.push({ name: snapshot, tries: 0 })
  state.deleting = deleteSnapshots(state)
}

// Those who wait do not wait for this. What is left behind by a crash between the two, or after the last try, is for `-snapshotsMaxAge`.
async function deleteSnapshots(state: State): Promise<void> {
  const snapshots = state.leftOver
  state.leftOver = []
  for (const { name, tries } of snapshots)
    await requestText(state.server, '/snapshot/delete', { snapshot: name }).catch((error: unknown) => {
      state.log?.warn({ snapshot: name, reason: reasonOf(error) }, 'a snapshot could not be deleted')
      if (tries + 1 < DELETE_TRIES) state.leftOver.push({ name, tries: tries + 1 })
    })
}

async function look(state: State): Promise<string> {
  const metrics = await requestText(state.server, '/metrics')
  const started = /^vm_app_start_timestamp (\S+)$/m.exec(metrics)?.[1]
  if (!started) throw unavailable('it does not say when it was started')
  noteDropped(state, metrics)
  return started
}

// It answers 204 and drops what lies outside of its retention, or ahead of its clock: only the counters tell.
function noteDropped(state: State, metrics: string): void {
  let dropped = 0
  for (const [, count] of metrics.matchAll(
    /^vm_(?:rows_ignored_total|rows_invalid_total|too_(?:big|small)_timestamp_rows_total)(?:\{.*\})? (\S+)$/gm,
  ))
    dropped += Number(count)
  if (state.dropped !== undefined && dropped > state.dropped)
    state.log?.warn(
      { samples: dropped - state.dropped },
      'VictoriaMetrics dropped samples: look at its -retentionPeriod, its clock and its log',
    )
  state.dropped = dropped
}
