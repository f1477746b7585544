import { registerDevices } from '../test/services/coldstream.ts'
import type { Deployment } from '../test/services/deployment.ts'
import { gatherBacklog, median, profiling, startLoader } from './harness.ts'
import {
  ALARMS_PER_SECOND,
  connectDevice,
  DEPLOYMENTS,
  drained,
  raise,
  spreadOf,
  startReceiver,
  warmUp,
  type Spread,
} from './raise.ts'
import type { Figure, Report } from './report.ts'

/** Devices whose network comes back. */
const DEVICES = Number(process.env.BENCH_DEVICES ?? 5000)
const CADENCE_MS = 600_000
const PACKETS = 3
const READINGS_PER_PACKET = 48
const READINGS = DEVICES * PACKETS * READINGS_PER_PACKET
/** Devices that have a network all the time, and are well. */
const LIVE_DEVICES = 50
const LIVE_WINDOW = 20
const LIVE_READINGS_PER_SECOND = Number(process.env.BENCH_PACE ?? 1000)
/** Before the backlog. */
const SECONDS = Number(process.env.BENCH_SECONDS ?? 15)
/** At most this long breaches are raised while the backlog is worked off. */
const BACKLOG_SECONDS_MAX = 90
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const P99_MS_MAX = 1000

interface Round {
  readonly quiet: Spread
  readonly meanwhile: Spread
  /** From the first packet until the last is acknowledged. */
  readonly acknowledgedSeconds: number
  /** And until the last reading is stored and judged. */
  readonly workedOffSeconds: number
}

/**
 * 24 hours of readings from thousands of devices at once, oldest first, when the network of a province comes back: how long it takes, and what becomes
 * meanwhile of the alarms of those that had a network.
 */
export async function benchBacklog(): Promise<Report> {
  const figures: Figure[] = []
  let passes = true
  for (const [name, start] of DEPLOYMENTS) {
    const rounds: Round[] = []
    for (let i = 0; i < ROUNDS; i += 1) {
      const round = await measure(start)
      console.error(`${name}, round ${i + 1} of ${ROUNDS}: ${JSON.stringify(round)}`)
      rounds.push(round)
    }
    figures.push(...figuresOf(name, rounds))
    passes &&= median(rounds.map(({ meanwhile }) => meanwhile.p99Ms)) < P99_MS_MAX
  }
  return {
    name: 'backlog',
    title: `A backlog of 24 h from ${DEVICES.toLocaleString('en')} devices at once: ${READINGS.toLocaleString('en')} readings, beside ${LIVE_READINGS_PER_SECOND.toLocaleString('en')} live ones a second`,
    baseline: 'live alarms before the backlog',
    figures,
    passes,
    target: `live alarms meanwhile at p99 under ${P99_MS_MAX} ms`,
  }
}

function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const of = (pick: (round: Round) => number) => rounds.map(pick)
  return [
    { name: `${name}: notification before, p50`, unit: 'ms', values: of((r) => r.quiet.p50Ms) },
    { name: `${name}: notification before, p99`, unit: 'ms', values: of((r) => r.quiet.p99Ms) },
    {
      name: `${name}: notification meanwhile, p50`,
      unit: 'ms',
      values: of((r) => r.meanwhile.p50Ms),
      ratio: of((r) => r.meanwhile.p50Ms / r.quiet.p50Ms),
    },
    {
      name: `${name}: notification meanwhile, p99`,
      unit: 'ms',
      values: of((r) => r.meanwhile.p99Ms),
      ratio: of((r) => r.meanwhile.p99Ms / r.quiet.p99Ms),
    },
    { name: `${name}: until all is acknowledged`, unit: 's', values: of((r) => r.acknowledgedSeconds) },
    { name: `${name}: until all is stored and judged`, unit: 's', values: of((r) => r.workedOffSeconds) },
    { name: `${name}: so worked off`, unit: '1/s', values: of((r) => READINGS / r.workedOffSeconds) },
  ]
}

async function measure(start: (env: Record<string, string>) => Promise<Deployment>): Promise<Round> {
  const hook = await startReceiver()
  const deployment = await start({ NOTICE_URLS: hook.url, ...profiling() })
  const before = SECONDS * ALARMS_PER_SECOND
  try {
    const devices = await registerDevices(
      deployment.http,
      LIVE_DEVICES + DEVICES + before + BACKLOG_SECONDS_MAX * ALARMS_PER_SECOND,
    )
    const tokens = devices.map(({ accessToken }) => accessToken)
    const [live, cutOff] = [tokens.slice(0, LIVE_DEVICES), tokens.slice(LIVE_DEVICES, LIVE_DEVICES + DEVICES)]
    const clients = await Promise.all(
      devices.slice(LIVE_DEVICES + DEVICES).map((device) => connectDevice(deployment, device)),
    )
    await warmUp(clients)
    const backlog = await gatherBacklog(deployment.mqttPort, cutOff, {
      firstTime: Date.now() - PACKETS * READINGS_PER_PACKET * CADENCE_MS,
      stepMs: CADENCE_MS,
      readings: READINGS_PER_PACKET,
      packets: PACKETS,
    })
    const loader = await startLoader(deployment.mqttPort, live, {
      window: LIVE_WINDOW,
      ratePerSecond: LIVE_READINGS_PER_SECOND,
    })
    await drained(deployment)
    loader.go()
    const quiet = spreadOf(await hook.told(await raise(clients.slice(0, before), hook)))

    let isWorkedOff = false
    const raising = raise(clients.slice(before), hook, () => isWorkedOff)
    const startedAt = performance.now()
    const acknowledgedSeconds = await backlog.send()
    await loader.stop()
    await drained(deployment)
    const workedOffSeconds = (performance.now() - startedAt) / 1000
    isWorkedOff = true
    const meanwhile = spreadOf(await hook.told(await raising))
    await backlog.stop()
    await Promise.all(clients.map((client) => client.endAsync()))
    return { quiet, meanwhile, acknowledgedSeconds, workedOffSeconds }
  } finally {
    await deployment.stop()
    await hook.stop()
  }
}
