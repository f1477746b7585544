import { randomUUIDv7 } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openVictoriaMetricsSeries } from '../adapters/series/victoriametrics.ts'
import type { Reading } from '../domain/reading.ts'
import { metric, registerDevices, type Coldstream } from '../test/services/coldstream.ts'
import { startDistributed, type Distributed } from '../test/services/deployment.ts'
import { startVictoriaMetrics } from '../test/services/victoriametrics.ts'
import { cpuSecondsByName } from './cpu.ts'
import { startLoader } from './harness.ts'
import { createNoise } from './noise.ts'

/** What one process of a kind takes of a processor. */
export interface UnitCost {
  /** Per second, with nothing to do. */
  readonly idleSeconds: number
  readonly perBatchSeconds: number
  readonly perReadingSeconds: number
}

/** The processes that a reading goes through, by the names that they have on the machine. */
export const POOLS = {
  broker: 'broker',
  ingest: 'ingest',
  notifier: 'notifier',
  'beam.smp': 'RabbitMQ',
  'victoria-metric': 'VictoriaMetrics',
} as const
export type Pool = (typeof POOLS)[keyof typeof POOLS]

export interface UnitCosts {
  readonly costs: Readonly<Record<Pool, UnitCost>>
  /** Of the costs of ingest and of RabbitMQ, what is spent before the acknowledgement; the rest is for what takes from the queues. */
  readonly acknowledgingShare: Readonly<Record<'ingest' | 'RabbitMQ', number>>
  /** Until a batch is durable, at a low rate. */
  readonly confirmSeconds: number
  readonly seriesBytesPerReading: number
  /** As measured, which is what the costs were taken from. */
  readonly few: Sample
  readonly many: Sample
}

export interface Sample {
  readonly readingsPerSecond: number
  readonly readingsPerBatch: number
  readonly confirmSeconds: number
  readonly acknowledgedP50Ms: number
  readonly acknowledgedP99Ms: number
  readonly cpuSecondsPerSecond: Readonly<Record<Pool, number>>
}

const DEVICES = 200
const WINDOW = 50
/** Few in a batch, and many. */
const FEW = { ratePerSecond: 1000, burst: 1 }
const MANY = { ratePerSecond: 20_000, burst: 10 }
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20)
const SETTLE_MS = 3000

/**
 * Processor time of each part and server of the distributed deployment, one process of each: idle, at a low rate and at a high one, from which the cost
 * of a batch and of a reading in it follow; and at the high one with nobody who takes from the queues.
 */
export async function measureUnitCosts(): Promise<UnitCosts> {
  const deployment = await startDistributed({})
  try {
    const devices = await registerDevices(deployment.http, DEVICES)
    const tokens = devices.map(({ accessToken }) => accessToken)
    const idle = (await cpuDuring(deployment, () => sleep(SECONDS * 500))).used
    // Each later than all before it.
    const few = await sample(deployment, tokens, { ...FEW, firstTime: hoursAgo(3) })
    const many = await sample(deployment, tokens, { ...MANY, firstTime: hoursAgo(2) })
    const takers = [...(deployment.processes['notifier'] ?? []), ...deployment.servers.series]
    for (const taker of takers) taker.pause()
    const alone = await sample(deployment, tokens, { ...MANY, firstTime: hoursAgo(1) })
    for (const taker of takers) taker.resume()
    const costs = Object.values(POOLS).map((pool) => [pool, costOf(pool, idle, few, many)] as const)
    return {
      costs: Object.fromEntries(costs) as Record<Pool, UnitCost>,
      acknowledgingShare: {
        ingest: Math.min(1, each('ingest', idle, alone) / each('ingest', idle, many)),
        RabbitMQ: Math.min(1, each('RabbitMQ', idle, alone) / each('RabbitMQ', idle, many)),
      },
      confirmSeconds: few.confirmSeconds,
      seriesBytesPerReading: await measureSeriesBytes(),
      few,
      many,
    }
  } finally {
    await deployment.stop()
  }
}

function hoursAgo(hours: number): number {
  return Date.now() - hours * 3_600_000
}

async function sample(
  deployment: Distributed,
  tokens: readonly string[],
  job: typeof FEW & { readonly firstTime: number },
): Promise<Sample> {
  const loader = await startLoader(deployment.mqttPort, tokens, { ...job, window: WINDOW })
  loader.go()
  await sleep(SETTLE_MS)
  const before = await batches(deployment)
  const { used, seconds } = await cpuDuring(deployment, () => sleep(SECONDS * 1000))
  const after = await batches(deployment)
  const { p50Ms, p99Ms } = await loader.stop()
  const [readings, count] = [after.readings - before.readings, after.count - before.count]
  return {
    readingsPerSecond: readings / seconds,
    readingsPerBatch: readings / count,
    confirmSeconds: (after.confirmSeconds - before.confirmSeconds) / count,
    acknowledgedP50Ms: p50Ms,
    acknowledgedP99Ms: p99Ms,
    cpuSecondsPerSecond: used,
  }
}

type Used = Sample['cpuSecondsPerSecond']

/** Two equations with two unknowns: what is beyond idle is paid for batches and for readings. Noise must not make a cost negative. */
function costOf(pool: Pool, idle: Used, few: Sample, many: Sample): UnitCost {
  const shares = 1 / few.readingsPerBatch - 1 / many.readingsPerBatch
  const perBatchSeconds = Math.max(0, (each(pool, idle, few) - each(pool, idle, many)) / shares)
  const perReadingSeconds = Math.max(0, each(pool, idle, many) - perBatchSeconds / many.readingsPerBatch)
  return { idleSeconds: idle[pool], perBatchSeconds, perReadingSeconds }
}

/** For one reading, its share of the batch included. */
function each(pool: Pool, idle: Used, { cpuSecondsPerSecond, readingsPerSecond }: Sample): number {
  return Math.max(0, cpuSecondsPerSecond[pool] - idle[pool]) / readingsPerSecond
}

const YEAR_DEVICES = 10
const YEAR_MS = 365 * 86_400_000
const CADENCE_MS = 600_000
const WRITE_READINGS = 20_000

/** On disk, of a year of readings of three values every ten minutes, when the server has merged them. */
async function measureSeriesBytes(): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-bench-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const server = stack.adopt(await startVictoriaMetrics([], { dir }), (it) => it.stop())
  const series = stack.adopt(await openVictoriaMetricsSeries({ url: server.url }), (it) => it.close())
  const end = Math.floor(Date.now() / CADENCE_MS) * CADENCE_MS
  let count = 0
  for (let device = 0; device < YEAR_DEVICES; device += 1) {
    const all = [...yearOf(randomUUIDv7(), end, device)]
    for (let i = 0; i < all.length; i += WRITE_READINGS) await series.write(all.slice(i, i + WRITE_READINGS))
    count += all.length
  }
  await fetch(`${server.url}/internal/force_merge`)
  await server.kill()
  return (await bytesOf(join(dir, 'data/data'))) / count
}

/** A refrigerator that cools in turns, with the noise of its sensor. */
function* yearOf(deviceId: string, end: number, device: number): Generator<Reading> {
  const noise = createNoise(device + 1)
  for (let time = end - YEAR_MS; time < end; time += CADENCE_MS) {
    const day = Math.sin((2 * Math.PI * time) / 86_400_000)
    const temperature = tenths(4.5 + 0.8 * day + 1.2 * (noise() - 0.5))
    const humidity = tenths(55 + 8 * day + 4 * (noise() - 0.5))
    const battery = Math.round(90 + 5 * day)
    yield { deviceId, sensor: 'main', time, values: { temperature, humidity, battery } }
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

async function bytesOf(dir: string): Promise<number> {
  const files = await readdir(dir, { recursive: true, withFileTypes: true })
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)))
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0)
}

async function cpuDuring(
  { processes }: Distributed,
  work: () => Promise<unknown>,
): Promise<{ used: Used; seconds: number }> {
  const names = new Map(Object.entries(processes).map(([part, copies]) => [only(copies).pid, part]))
  const before = cpuSecondsByName(names)
  const startedAt = performance.now()
  await work()
  const seconds = (performance.now() - startedAt) / 1000
  const after = cpuSecondsByName(names)
  const used = Object.entries(POOLS).map(
    ([name, pool]) => [pool, ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / seconds] as const,
  )
  return { used: Object.fromEntries(used) as Record<Pool, number>, seconds }
}

async function batches({ processes }: Distributed) {
  const { http } = only(processes['ingest'])
  const [readings, count, confirmSeconds] = await Promise.all([
    metric(http, 'coldstream_batch_readings_sum'),
    metric(http, 'coldstream_batch_readings_count'),
    metric(http, 'coldstream_confirm_seconds_sum'),
  ])
  return { readings, count, confirmSeconds }
}

function only(copies: readonly Coldstream[] = []): Coldstream {
  const [copy] = copies
  if (!copy) throw new Error('the deployment has no such process')
  return copy
}
