import { availableParallelism } from 'node:os'
import { simulate, type Arrivals, type Outcome, type Plant, type Quantiles, type Step } from './simulation.ts'
import { createNoise } from './noise.ts'
import type { Pool, Sample, UnitCosts } from './unit-costs.ts'

export interface Programme {
  readonly name: string
  readonly refrigerators: number
  readonly cadenceSeconds: number
}

/** SMILE has 63,000 cold-chain points in 38 provinces, at a reading every ten minutes. */
export const PROGRAMMES: readonly Programme[] = [
  { name: 'province', refrigerators: 5000, cadenceSeconds: 600 },
  { name: 'Indonesia', refrigerators: 63_000, cadenceSeconds: 600 },
  { name: 'Indonesia, every minute', refrigerators: 63_000, cadenceSeconds: 60 },
  { name: 'ten million', refrigerators: 10_000_000, cadenceSeconds: 600 },
]
/** When everything runs, a process is this much at work; what is left is for peaks. */
const BUSY_TARGET = 0.5
const CONNECTIONS_PER_BROKER = 50_000
const BATCH_READINGS_MAX = 2000
/** A quorum queue writes each message on three nodes. */
export const QUEUE_NODES = 3
const NETWORK_SECONDS = 0.0005
/** VictoriaMetrics says that a write is durable after two snapshots. */
const STORE_WAIT_SECONDS = 1
const SIMULATED_SECONDS = 30
const ARRIVALS_PER_SECOND_MAX = 5000
/** Devices whose clocks wake them all at the same minute, but for this. */
export const WAKING_SECONDS = 30
export const CUT_OFF_SHARE = 0.1
export const CUT_OFF_HOURS = 24
type Sizes = Readonly<Record<Pool, number>>

/** What a programme needs, and how that fares. */
export interface Plan {
  readonly programme: Programme
  readonly readingsPerSecond: number
  readonly sizes: Sizes
  readonly steady: Outcome
  /** With one process of each kind less. */
  readonly oneLess: Outcome
  /** Everybody wakes at the same minute. */
  readonly waking: Outcome
  /** A part of them comes back with a day of readings. */
  readonly cutOff: Outcome
}

/** The machine of the measurement: one process of each part, and the load generator, on its processors. */
export function simulateMeasured(costs: UnitCosts, { readingsPerSecond }: Sample): Outcome {
  const one: Sizes = { broker: 1, ingest: 1, notifier: 1, RabbitMQ: 2, VictoriaMetrics: 2 }
  const plant = plantOf(one, costs, 1)
  const sites = { machine: availableParallelism() }
  const pools = plant.pools.map((pool) => ({ ...pool, site: 'machine' }))
  return simulate({ ...plant, sites, pools }, live(readingsPerSecond))
}

export function planFor(programme: Programme, costs: UnitCosts): Plan {
  const { refrigerators, cadenceSeconds } = programme
  const readingsPerSecond = refrigerators / cadenceSeconds
  const sizes = sizesFor(refrigerators, readingsPerSecond, costs)
  const less = Object.fromEntries(
    Object.entries(sizes).map(([pool, size]) => [pool, pool === 'RabbitMQ' ? (size * 2) / 3 : size - 1]),
  ) as Record<Pool, number>
  const run = (some: Sizes, arrivals: Arrivals) => simulate(plantOf(some, costs, QUEUE_NODES), arrivals)
  const backlog = refrigerators * CUT_OFF_SHARE * ((CUT_OFF_HOURS * 3600) / cadenceSeconds)
  return {
    programme,
    readingsPerSecond,
    sizes,
    steady: run(sizes, live(readingsPerSecond)),
    oneLess: run(less, live(readingsPerSecond)),
    waking: run(sizes, live(refrigerators / WAKING_SECONDS, WAKING_SECONDS)),
    cutOff: run(sizes, atOnce(backlog)),
  }
}

/** So many that each is busy for half of its time, and one more; of RabbitMQ the same processors on each of three nodes. */
function sizesFor(refrigerators: number, readingsPerSecond: number, costs: UnitCosts): Sizes {
  const needed = (pool: Pool, copies = 1) => {
    const { idleSeconds, perBatchSeconds, perReadingSeconds } = costs.costs[pool]
    const each = copies * (perBatchSeconds / costs.few.readingsPerBatch + perReadingSeconds)
    return Math.ceil((readingsPerSecond * each) / (BUSY_TARGET - idleSeconds))
  }
  const brokers = Math.max(needed('broker'), Math.ceil(refrigerators / CONNECTIONS_PER_BROKER))
  return {
    broker: brokers + 1,
    ingest: needed('ingest') + 1,
    notifier: needed('notifier') + 1,
    RabbitMQ: QUEUE_NODES * Math.ceil(needed('RabbitMQ', QUEUE_NODES) / QUEUE_NODES),
    VictoriaMetrics: needed('VictoriaMetrics') + 1,
  }
}

/** @param queueNodes that each write what comes into a queue */
function plantOf(
  sizes: Sizes,
  { costs, acknowledgingShare, confirmSeconds }: UnitCosts,
  queueNodes: number,
): Plant {
  const step = (pool: Pool, share: number, waitSeconds: number): Step => ({
    pool,
    perBatchSeconds: costs[pool].perBatchSeconds * share,
    perReadingSeconds: costs[pool].perReadingSeconds * share,
    readingsMax: BATCH_READINGS_MAX,
    waitSeconds,
  })
  const { ingest, RabbitMQ } = acknowledgingShare
  return {
    sites: sizes,
    pools: Object.entries(sizes).map(([name, processes]) => ({ name, processes, site: name })),
    acknowledged: [
      step('broker', 1, NETWORK_SECONDS),
      step('ingest', ingest, NETWORK_SECONDS),
      step('RabbitMQ', RabbitMQ * queueNodes, Math.max(0, confirmSeconds - costs.RabbitMQ.perBatchSeconds)),
    ],
    afterwards: {
      judged: [step('RabbitMQ', ((1 - RabbitMQ) / 2) * queueNodes, NETWORK_SECONDS), step('notifier', 1, 0)],
      stored: [
        step('RabbitMQ', ((1 - RabbitMQ) / 2) * queueNodes, NETWORK_SECONDS),
        step('ingest', 1 - ingest, NETWORK_SECONDS),
        step('VictoriaMetrics', 1, STORE_WAIT_SECONDS),
      ],
    },
  }
}

/** At a mean rate, each without regard to the others (Poisson); a few together where they are very many. */
function* live(readingsPerSecond: number, seconds = SIMULATED_SECONDS): Arrivals {
  const noise = createNoise(1)
  const together = Math.max(1, Math.round(readingsPerSecond / ARRIVALS_PER_SECOND_MAX))
  const gapSeconds = together / readingsPerSecond
  for (let at = 0; at < seconds; at -= gapSeconds * Math.log(1 - noise())) yield [at, together]
}

function* atOnce(readings: number): Arrivals {
  for (let left = readings; left > 0; left -= BATCH_READINGS_MAX)
    yield [0, Math.min(left, BATCH_READINGS_MAX)]
}

const NO_TIME: Quantiles = { p50: Number.NaN, p99: Number.NaN, max: Number.NaN }

export function timeOf({ seconds }: Outcome, chain: 'acknowledged' | 'judged' | 'stored'): Quantiles {
  return seconds[chain] ?? NO_TIME
}
