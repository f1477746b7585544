import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ping } from '../db/ping.ts'
import type { Db } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Delivery, Queue } from '../ports/queue.ts'
import type { Series } from '../ports/series.ts'
import type { Tracer } from '../ports/trace.ts'
import type { Forecast } from './forecast.ts'
import { createStreams, type Streams } from './judging-state.ts'
import { createPlacements, type Placements } from './placements.ts'
import { createSerial, type Serial } from './serial.ts'

export interface JudgeSettings {
  /** Sensors whose state is kept in memory; of the others it is rebuilt from the series store. */
  readonly streamsMax: number
  /** Batches in one call, from the queue `judge`. */
  readonly deliveriesMax: number
  /** The same for `rejudge`: more, since each call waits for the store, whatever it holds. */
  readonly lateDeliveriesMax: number
  /** Readings in one batch for the queue `rejudge`. */
  readonly lateBatchReadingsMax: number
  /** Readings in the queue `rejudge` that are kept in memory too, so that their streams can be in order again without emptying the queue. */
  readonly lateReadingsMax: number
  /** How far back the beginning of a run is looked for. */
  readonly windowMsMax: number
  /** Streams judged over a window at the same time. */
  readonly windowsMax: number
}

export const JUDGE_SETTINGS: JudgeSettings = {
  streamsMax: 200_000,
  deliveriesMax: 64,
  lateDeliveriesMax: 256,
  lateBatchReadingsMax: 5000,
  lateReadingsMax: 100_000,
  windowMsMax: 400 * 86_400_000,
  windowsMax: 8,
}

export interface JudgeDeps {
  readonly queue: Queue
  readonly series: Series
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly tracer?: Tracer | undefined
  /** Also told of all readings; a delivery is done when this is done with it too. */
  readonly watch?: {
    note(deliveries: readonly Delivery[]): Promise<void>
    forgetDevices(isMeant: (deviceId: string) => boolean): void
  }
  /** Also told of all readings, as they come. */
  readonly forecast?: Pick<Forecast, 'note'>
  /** Those left out have the defaults of `JUDGE_SETTINGS`. */
  readonly settings: Partial<JudgeSettings>
}

/** What the two paths of the judge share. */
export interface Judging extends Omit<JudgeDeps, 'settings'> {
  readonly settings: JudgeSettings
  readonly streams: Streams
  readonly placements: Placements
  /** What the ids of the batches begin with that this process puts into the queue `rejudge`; a number follows. */
  readonly name: string
  lateBatches: number
  /** The newest `acceptedAt` seen: clocks of other machines may be ahead of ours. */
  acceptedAtMax: number
  readonly writes: Serial
  /** Why the last call failed; undefined when it did not. */
  failure: string | undefined
  readonly stopping: AbortController
}

export function createJudging({ settings: given, ...deps }: JudgeDeps): Judging {
  const settings = { ...JUDGE_SETTINGS, ...given }
  return {
    ...deps,
    settings,
    streams: createStreams(settings.streamsMax, settings.lateReadingsMax),
    placements: createPlacements(deps.db, settings.streamsMax),
    name: randomUUIDv7(),
    lateBatches: 0,
    acceptedAtMax: 0,
    writes: createSerial(),
    failure: undefined,
    stopping: new AbortController(),
  }
}

/** Says that a call failed, in the log and to `ready`. */
export function fail(judging: Judging, error: unknown, what: string): void {
  judging.failure = `${what}: ${error instanceof Error ? error.message : String(error)}`
  judging.log.warn({ err: error }, what)
}

const OUTAGE_DELAY_MS = 100
const OUTAGE_DELAY_MS_MAX = 5000

/**
 * Resolves when the database and the series store answer, or when the judge stops. To be awaited before a batch is answered with `retry`:
 * an outage is no fault of the batch, and answering at once would have it parked while the outage lasts.
 */
export async function storesAnswer(judging: Judging): Promise<void> {
  const { db, series, stopping } = judging
  const { signal } = stopping
  for (let delayMs = OUTAGE_DELAY_MS; !signal.aborted; delayMs = Math.min(2 * delayMs, OUTAGE_DELAY_MS_MAX)) {
    const answers = [series.ping(), ping(db)]
    const failed = await Promise.all(answers).then(
      () => false,
      () => true,
    )
    if (!failed) {
      // What was waited out is over, even if the deliveries go to another notifier now.
      if (delayMs > OUTAGE_DELAY_MS) judging.failure = undefined
      return
    }
    await sleep(delayMs, undefined, { signal }).catch(() => undefined)
  }
}
