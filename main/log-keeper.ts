import { setTimeout as sleep } from 'node:timers/promises'
import { insertLogEntries, purgeLogEntriesBefore, purgeLogEntriesBeyond } from '../db/queries/log.ts'
import type { Db } from '../db/schema.ts'
import type { Metrics } from '../ports/metrics.ts'
import { createLineReader } from './log-line.ts'

export interface LogKeeperLimits {
  /** Lines that wait to be kept; those beyond are dropped and counted: logs are not readings. */
  readonly linesMax: number
  readonly bytesMax: number
  /** How long a line may wait for others, to be kept together. */
  readonly delayMs: number
  /** In one statement; and so many statements at most in one `delayMs`. */
  readonly rowsPerInsert: number
  /** After an insert that failed. */
  readonly retryDelayMs: number
  readonly purgeEveryMs: number
  /** How long a stop waits for what is left to be kept. */
  readonly stopTimeoutMs: number
}

export const LOG_KEEPER_LIMITS: LogKeeperLimits = {
  linesMax: 10_000,
  bytesMax: 8 * 1024 ** 2,
  delayMs: 1000,
  rowsPerInsert: 200,
  retryDelayMs: 5000,
  purgeEveryMs: 3_600_000,
  stopTimeoutMs: 2000,
}

interface Keeping {
  readonly db: Db
  readonly metrics: Metrics
  readonly retentionDays: number
  /** Of all that is kept. */
  readonly bytesMax: number
}

/** Keeps the lines of the log in a database, in batches and behind everything else. */
export interface LogKeeper {
  /** Takes a line at no cost; drops it when too many wait. */
  readonly tap: (line: string) => void
  /** From now on what waits is kept. */
  start(keeping: Keeping): void
  /** Keeps what waits, within a bounded time; takes nothing more. */
  stop(): Promise<void>
}

const DAY_MS = 86_400_000
const ROWS_PER_DELETE = 500

export function createLogKeeper(given: Partial<LogKeeperLimits> = {}): LogKeeper {
  const limits = { ...LOG_KEEPER_LIMITS, ...given }
  const waiting: string[] = []
  let bytes = 0
  let dropped = 0
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  function tap(line: string): void {
    if (stopping.signal.aborted) return
    if (waiting.length >= limits.linesMax || bytes + line.length > limits.bytesMax) {
      dropped += 1
      return
    }
    waiting.push(line)
    bytes += line.length
  }

  function take(linesMax: number): string[] {
    const taken = waiting.splice(0, linesMax)
    for (const line of taken) bytes -= line.length
    return taken
  }

  return {
    tap,
    start(keeping) {
      const countDropped = () => {
        if (dropped > 0) keeping.metrics.count('coldstream_logs_dropped_total', {}, dropped)
        dropped = 0
      }
      running = run({ limits, keeping, take, countDropped, signal: stopping.signal })
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

interface Running {
  readonly limits: LogKeeperLimits
  readonly keeping: Keeping
  readonly take: (linesMax: number) => string[]
  readonly countDropped: () => void
  readonly signal: AbortSignal
}

async function run(it: Running): Promise<void> {
  const { limits, keeping, signal } = it
  const read = createLineReader()
  let keptBytes = 0
  let purgeAt = 0
  while (!signal.aborted) {
    await sleep(limits.delayMs, undefined, { signal, ref: false }).catch(() => undefined)
    it.countDropped()
    keptBytes += await keepSome(it, read)
    // A flood does not wait for its hour.
    if (performance.now() < purgeAt && keptBytes < keeping.bytesMax / 10) continue
    keptBytes = 0
    purgeAt = performance.now() + limits.purgeEveryMs
    await purge(keeping, signal).catch(() => undefined)
  }
  const late = sleep(limits.stopTimeoutMs, undefined, { ref: false })
  await Promise.race([keepSome({ ...it, signal: AbortSignal.timeout(limits.stopTimeoutMs) }, read), late])
  it.countDropped()
}

/** @returns bytes that were kept */
async function keepSome(
  { limits, keeping, take, signal }: Running,
  read: ReturnType<typeof createLineReader>,
) {
  let kept = 0
  for (let lines = take(limits.rowsPerInsert); lines.length > 0; lines = take(limits.rowsPerInsert)) {
    const rows = lines.flatMap((line) => read(line) ?? [])
    if (!(await tryInsert(keeping.db, rows, limits.retryDelayMs, signal))) {
      keeping.metrics.count('coldstream_logs_dropped_total', {}, rows.length)
      return kept
    }
    keeping.metrics.count('coldstream_logs_kept_total', {}, rows.length)
    kept += rows.reduce((sum, row) => sum + row.bytes, 0)
  }
  return kept
}

/**
 * Until it succeeds; meanwhile what comes waits, and is dropped at the limit. Nothing is said of a failure: that would be a line to keep. Who watches
 * the metrics sees it, and the database says it by itself.
 */
async function tryInsert(
  db: Db,
  rows: Parameters<typeof insertLogEntries>[1],
  delayMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    try {
      await insertLogEntries(db, rows)
      return true
    } catch {
      await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted) return false
    }
  }
}

async function purge({ db, retentionDays, bytesMax }: Keeping, signal: AbortSignal): Promise<void> {
  const before = Date.now() - retentionDays * DAY_MS
  const limits = [
    () => purgeLogEntriesBefore(db, before, ROWS_PER_DELETE),
    () => purgeLogEntriesBeyond(db, bytesMax, ROWS_PER_DELETE),
  ]
  for (const purgeSome of limits) for (let some = -1; some !== 0 && !signal.aborted;) some = await purgeSome()
}
