import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { keepAttributes } from '../db/queries/attribute.ts'
import { insertRefusals } from '../db/queries/refusal.ts'
import type { Db } from '../db/schema.ts'
import type { Batch } from '../domain/batch.ts'
import { CodedError } from '../domain/errors.ts'
import { latestKey, type Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import { observeLag, type Metrics } from '../ports/metrics.ts'
import type { Consumer, Delivery, Queue, Verdict } from '../ports/queue.ts'
import type { Series } from '../ports/series.ts'
import { followBatches, type Tracer } from '../ports/trace.ts'
import type { IngestSettings } from './settings.ts'
import { ping } from '../db/ping.ts'
import { inTransaction } from '../db/transaction.ts'

interface StoreDeps {
  readonly queue: Queue
  readonly series: Series
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
  readonly settings: IngestSettings
  readonly tracer?: Tracer | undefined
  /** Told of refusals that were kept, so that their number stays bounded between two purges. */
  readonly refusalsKept: (count: number) => void
}

/**
 * Drains the queue `store`: readings into the series store, refusals and attributes into the database. Everything here is idempotent:
 * a batch that is delivered again changes nothing (P6).
 */
export function startStore(deps: StoreDeps): Consumer {
  const { storeDeliveriesMax, storeReadingsMax } = deps.settings
  const stopping = new AbortController()
  const consumer = deps.queue.consume(
    'store',
    async (deliveries) => {
      // Side by side: a store on another machine may take a second to make a write durable, however small it is.
      const batches = deliveries.map(({ batch }) => batch)
      const steps = followBatches(deps.tracer, 'store', batches)
      const groups = divide(deliveries, storeReadingsMax)
      const verdicts = groups.map((together) => storeTogether(deps, together, stopping.signal))
      const all = (await Promise.all(verdicts)).flat()
      steps?.end(all.every((verdict) => verdict === 'done') ? undefined : 'not all of it was stored')
      return all
    },
    { deliveriesMax: storeDeliveriesMax },
  )
  return {
    stop() {
      stopping.abort()
      return consumer.stop()
    },
  }
}

function divide(deliveries: readonly Delivery[], readingsMax: number): Batch[][] {
  const groups: Batch[][] = []
  let readings = Infinity
  for (const { batch } of deliveries) {
    readings += batch.readings.length
    if (readings > readingsMax) {
      groups.push([])
      readings = batch.readings.length
    }
    groups.at(-1)?.push(batch)
  }
  return groups
}

const OUTAGE_DELAY_MS = 100
const OUTAGE_DELAY_MS_MAX = 5000

/**
 * An outage of the stores is waited out here: it is no fault of the batches, and verdicts would count as their failures until they are parked.
 * When the stores work and the batches fail all the same, one of them must be at fault, and it must not hold back the others.
 */
async function storeTogether(
  deps: StoreDeps,
  batches: readonly Batch[],
  signal: AbortSignal,
): Promise<Verdict[]> {
  for (let delayMs = OUTAGE_DELAY_MS; ; delayMs = Math.min(2 * delayMs, OUTAGE_DELAY_MS_MAX)) {
    try {
      await keep(deps, batches)
      return batches.map(() => 'done')
    } catch (error) {
      deps.log.warn({ err: error, batches: batches.length }, 'batches could not be stored')
      if (!(await isOutage(deps, error))) break
    }
    if (signal.aborted) return batches.map(() => 'retry')
    await sleep(delayMs, undefined, { signal }).catch(() => undefined)
  }
  if (batches.length === 1) return ['retry']
  const verdicts: Verdict[] = []
  for (const batch of batches) verdicts.push(...(await storeTogether(deps, [batch], signal)))
  return verdicts
}

async function isOutage({ series, db }: StoreDeps, error: unknown): Promise<boolean> {
  if (error instanceof CodedError && error.code === 'service.unavailable') return true
  const answers = [series.ping(), ping(db)]
  return Promise.all(answers).then(
    () => false,
    () => true,
  )
}

async function keep(deps: StoreDeps, batches: readonly Batch[]): Promise<void> {
  const readings = batches.flatMap((batch) => batch.readings)
  if (readings.length > 0) await deps.series.write(readings)
  const devices = new Set(readings.map(({ deviceId }) => deviceId))
  // Not waited for: a cache that is slow must not hold up the store.
  void deps.cache.delete(...[...devices].map(latestKey))
  await keepInDatabase(deps, batches)
  deps.metrics.count('coldstream_readings_stored_total', {}, readings.length)
  for (const { acceptedAt } of batches) observeLag(deps, 'stored', acceptedAt)
  if (readings.length > 0) deps.cache.publish('readings', readings)
}

async function keepInDatabase({ db, refusalsKept }: StoreDeps, batches: readonly Batch[]): Promise<void> {
  const refusals = batches.flatMap((batch) => batch.refusals)
  const attributes = batches.flatMap((batch) => batch.attributes)
  if (refusals.length === 0 && attributes.length === 0) return
  const kept = await inTransaction(db, async (trx) => {
    await keepAttributes(trx, attributes)
    return insertRefusals(trx, refusals)
  })
  refusalsKept(kept)
}
