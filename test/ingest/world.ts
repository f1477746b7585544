import type { Test } from 'tap'
import { randomUUIDv7 } from 'node:crypto'
import { join } from 'node:path'
import { pino } from 'pino'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { openEmbeddedQueue } from '../../adapters/queue/embedded.ts'
import { openSqliteSeries } from '../../adapters/series/sqlite.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { hashToken, insertDevice } from '../../db/queries/device.ts'
import type { Db, DeviceTable } from '../../db/schema.ts'
import type { Reading } from '../../domain/reading.ts'
import { startIngest, type Ingest, type IngestDeps } from '../../ingest/index.ts'
import { createMetrics, type PromMetrics } from '../../main/metrics.ts'
import { waitFor } from '../wait-for.ts'

export const NOW = 1_732_233_600_000

export interface World extends IngestDeps {
  readonly metrics: PromMetrics
  /** Starts an ingest on the stores of this world; stopped at the end of the test. */
  ingest(change?: Partial<IngestDeps>): Promise<Ingest>
  /** The value of a metric now, 0 when it was never touched. `name` with its labels, as Prometheus shows it. */
  metric(name: string): Promise<number>
  /** Resolves when the queue `store` is empty. */
  stored(): Promise<unknown>
  /** All raw readings of a sensor. */
  readings(deviceId: string, sensor?: string): Promise<Reading[]>
}

/** The real embedded stores in a temporary folder, closed at the end of the test. The clock stands still. */
export async function openWorld(t: Test): Promise<World> {
  const folder = t.testdir()
  const db = await openDb(`sqlite:${join(folder, 'coldstream.db')}`)
  await migrate(db)
  const metrics = createMetrics()
  const queue = await openEmbeddedQueue({
    file: join(folder, 'queue.db'),
    metrics,
    limits: { retryDelayMs: 20 },
  })
  const series = await openSqliteSeries({ file: join(folder, 'series.db') })
  const cache = openMemoryCache({ entriesMax: 1000 })
  const log = pino({ level: 'silent' })
  const deps: IngestDeps = { db, metrics, queue, series, cache, log, clock: { now: () => NOW } }
  const running: Ingest[] = []
  t.teardown(async () => {
    for (const part of running) await part.stop()
    await queue.close()
    await series.close()
    await cache.close()
    await db.destroy()
  })
  return {
    ...deps,
    metrics,
    async ingest(change = {}) {
      const part = await startIngest({ ...deps, ...change })
      running.push(part)
      return part
    },
    metric: (name) => metricOf(metrics, name),
    stored: () => waitFor(() => queue.depth('store').batches === 0, 'the queue to be drained'),
    readings: (deviceId, sensor = 'main') =>
      series.read({ deviceId, sensor, from: 0, to: NOW * 2, limit: 10_000, order: 'ascending' }),
  }
}

async function metricOf(metrics: PromMetrics, name: string): Promise<number> {
  const line = (await metrics.scrape()).split('\n').find((text) => text.startsWith(`${name} `))
  return Number(line?.split(' ').at(-1) ?? 0)
}

/** A registered device; returns its id. */
export async function addDevice(db: Db, change: Partial<DeviceTable> & { readonly token?: string } = {}) {
  const { token, ...columns } = change
  const device: DeviceTable = {
    id: randomUUIDv7(),
    name: 'fridge',
    equipmentId: null,
    isGateway: 0,
    gatewayId: null,
    tokenHash: token === undefined ? null : hashToken(token),
    disabledAt: null,
    createdAt: NOW,
    ...columns,
  }
  await insertDevice(db, device)
  return device.id
}

/** A packet of telemetry as a transport hands it over. */
export function packet(
  deviceId: string,
  body: unknown,
  change: { topic?: string; isGateway?: boolean } = {},
) {
  const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    deviceId,
    isGateway: change.isGateway ?? false,
    topic: change.topic ?? 'v1/devices/me/telemetry',
    payload,
    receivedAt: NOW,
  }
}
