import type { Logger } from 'pino'
import { purgeRefusalsBefore, purgeRefusalsBeyond } from '../db/queries/refusal.ts'
import type { Db } from '../db/schema.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { IngestSettings } from './settings.ts'

interface PurgeDeps {
  readonly db: Db
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
  readonly settings: IngestSettings
}

/** Keeps the table of refusals within its limits of age and number. */
export interface Purge {
  /** Tells how many refusals came in: a flood of them does not wait for the hour. */
  kept(count: number): void
  /** Resolves when the running purge, if any, has ended. */
  stop(): Promise<void>
}

const DAY_MS = 86_400_000

// A few at a time: SQLite works in the thread of everything else, and a long delete would hold up acknowledgements.
const ROWS_PER_DELETE = 500

export function startPurge(deps: PurgeDeps): Purge {
  const { purgeIntervalMs, refusalsMax } = deps.settings
  const early = Math.max(1, Math.ceil(refusalsMax / 10))
  let running: Promise<void> | undefined
  let stopped = false
  let keptSince = 0
  const start = (): void => {
    if (running !== undefined || stopped) return
    keptSince = 0
    running = purge(deps, () => stopped)
      .catch((error: unknown) => deps.log.error({ err: error }, 'refusals could not be purged'))
      .finally(() => (running = undefined))
  }
  const timer = setInterval(start, purgeIntervalMs).unref()
  start()
  return {
    kept(count) {
      keptSince += count
      if (keptSince >= early) start()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await running
    },
  }
}

async function purge(
  { db, metrics, clock, log, settings }: PurgeDeps,
  stopped: () => boolean,
): Promise<void> {
  const oldest = clock.now() - settings.refusalRetentionDays * DAY_MS
  const limits = {
    age: () => purgeRefusalsBefore(db, oldest, ROWS_PER_DELETE),
    count: () => purgeRefusalsBeyond(db, settings.refusalsMax, ROWS_PER_DELETE),
  }
  for (const [limit, purgeSome] of Object.entries(limits)) {
    let total = 0
    for (let some = -1; some !== 0 && !stopped(); total += some) some = await purgeSome()
    if (total === 0) continue
    metrics.count('coldstream_refusals_purged_total', { limit }, total)
    log.warn({ limit, refusals: total }, 'old refusals were deleted')
  }
}
