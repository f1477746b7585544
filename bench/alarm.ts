import { registerDevices } from '../test/services/coldstream.ts'
import type { Deployment } from '../test/services/deployment.ts'
import { load, median, profiling } from './harness.ts'
import {
  ALARMS_PER_SECOND,
  connectDevice,
  DEPLOYMENTS,
  drained,
  raise,
  spreadOf,
  startReceiver,
  warmUp,
  type Raised,
  type Spread,
} from './raise.ts'
import type { Figure, Report } from './report.ts'

/** Devices that send all the time and are well. */
const DEVICES = 50
const READINGS_PER_SECOND = Number(process.env.BENCH_PACE ?? 1000)
const WINDOW = 20
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const P99_MS_MAX = 250

interface Round {
  readonly readingsPerSecond: number
  /** Of the publishes that reach a breach. */
  readonly acknowledged: Spread
  /** From the publish to the webhook. */
  readonly told: Spread
}

/**
 * From the publish of the reading that makes a breach (+8.0 exceeded for 10 hours) to its notification at a webhook, one for each device, while others send
 * 1,000 readings a second: embedded, and distributed with one process for each part and all servers on the same machine.
 */
export async function benchAlarm(): Promise<Report> {
  const figures: Figure[] = []
  let passes = true
  for (const [name, start] of DEPLOYMENTS) {
    const rounds: Round[] = []
    for (let i = 0; i < ROUNDS; i += 1) {
      const round = await measure(start)
      const { acknowledged, told, readingsPerSecond } = round
      console.error(
        `${name}, round ${i + 1} of ${ROUNDS}: ${readingsPerSecond.toFixed(0)} readings/s, acknowledged p50 ${acknowledged.p50Ms.toFixed(1)} ms, p99 ${acknowledged.p99Ms.toFixed(1)} ms, told p50 ${told.p50Ms.toFixed(1)} ms, p99 ${told.p99Ms.toFixed(1)} ms, at most ${told.maxMs.toFixed(1)} ms`,
      )
      rounds.push(round)
    }
    figures.push(...figuresOf(name, rounds))
    passes &&= median(rounds.map(({ told }) => told.p99Ms)) < P99_MS_MAX
  }
  return {
    name: 'alarm',
    title: `From publish to notification, at ${READINGS_PER_SECOND.toLocaleString('en')} readings a second`,
    baseline: 'the acknowledgement of the same publishes',
    figures,
    passes,
    target: `p99 under ${P99_MS_MAX} ms`,
  }
}

function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const of = (pick: (round: Round) => number) => rounds.map(pick)
  return [
    { name: `${name}: readings acknowledged`, unit: '1/s', values: of((r) => r.readingsPerSecond) },
    { name: `${name}: acknowledgement, p50`, unit: 'ms', values: of((r) => r.acknowledged.p50Ms) },
    { name: `${name}: acknowledgement, p99`, unit: 'ms', values: of((r) => r.acknowledged.p99Ms) },
    {
      name: `${name}: notification, p50`,
      unit: 'ms',
      values: of((r) => r.told.p50Ms),
      ratio: of((r) => r.told.p50Ms / r.acknowledged.p50Ms),
    },
    {
      name: `${name}: notification, p99`,
      unit: 'ms',
      values: of((r) => r.told.p99Ms),
      ratio: of((r) => r.told.p99Ms / r.acknowledged.p99Ms),
    },
    { name: `${name}: notification, slowest`, unit: 'ms', values: of((r) => r.told.maxMs) },
  ]
}

async function measure(start: (env: Record<string, string>) => Promise<Deployment>): Promise<Round> {
  const hook = await startReceiver()
  const deployment = await start({ NOTICE_URLS: hook.url, ...profiling() })
  try {
    const devices = await registerDevices(deployment.http, DEVICES + SECONDS * ALARMS_PER_SECOND)
    const clients = await Promise.all(
      devices.slice(DEVICES).map((device) => connectDevice(deployment, device)),
    )
    const raising = Promise.withResolvers<readonly Raised[]>()
    const loading = load(
      deployment.mqttPort,
      devices.slice(0, DEVICES).map(({ accessToken }) => accessToken),
      {
        seconds: SECONDS,
        window: WINDOW,
        ratePerSecond: READINGS_PER_SECOND,
        async warm() {
          await warmUp(clients)
          await drained(deployment)
          raise(clients, hook).then(raising.resolve, raising.reject)
        },
      },
    )
    const [raised, loaded] = await Promise.all([raising.promise, loading])
    const toldMs = await hook.told(raised)
    await Promise.all(clients.map((client) => client.endAsync()))
    return {
      readingsPerSecond: loaded.acked / loaded.seconds,
      acknowledged: spreadOf(raised.map(({ acknowledgedMs }) => acknowledgedMs)),
      told: spreadOf(toldMs),
    }
  } finally {
    await deployment.stop()
    await hook.stop()
  }
}
