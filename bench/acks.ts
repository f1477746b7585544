import { setTimeout as sleep } from 'node:timers/promises'
import { metric, registerDevices } from '../test/services/coldstream.ts'
import {
  cpuSecondsOf,
  load,
  median,
  peakMemoryOf,
  startBareAedes,
  startFresh,
  type Baseline,
} from './harness.ts'
import { hasMosquittoBroker, startMosquitto } from './mosquitto.ts'
import type { Figure, Report } from './report.ts'

const DEVICES = 100
const WINDOW = 10
const SECONDS = Number(process.env.BENCH_SECONDS ?? 15)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)

interface Round {
  readonly bare: number
  /** Where it is installed. */
  readonly mosquitto: number | undefined
  readonly acks: number
  readonly endToEnd: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly peakMB: number
  readonly cpuMicroseconds: number
}

/**
 * QoS 1 readings of three values a second: bare Aedes and Mosquitto (memory only) against the embedded program, in turn, both beside their load generator.
 * End to end counts until the last acknowledged reading is stored and judged.
 */
export async function benchAcks(): Promise<Report> {
  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const round = await measure()
    console.error(
      `round ${i + 1} of ${ROUNDS}: bare ${round.bare.toFixed(0)}/s, Mosquitto ${round.mosquitto?.toFixed(0) ?? '-'}/s, acknowledged ${round.acks.toFixed(0)}/s, end to end ${round.endToEnd.toFixed(0)}/s, peak ${round.peakMB.toFixed(0)} MB`,
    )
    rounds.push(round)
  }
  const of = (pick: (round: Round) => number) => rounds.map(pick)
  return {
    name: 'acks',
    title: `QoS 1 readings of three values, ${DEVICES} connections, ${WINDOW} in flight each`,
    baseline: 'bare Aedes 1.2, in memory',
    figures: [
      { name: 'bare Aedes, acknowledged', unit: '1/s', values: of((r) => r.bare) },
      ...mosquittoFigure(rounds),
      {
        name: 'acknowledged after a durable commit',
        unit: '1/s',
        values: of((r) => r.acks),
        ratio: of((r) => r.acks / r.bare),
      },
      {
        name: 'end to end: stored and judged',
        unit: '1/s',
        values: of((r) => r.endToEnd),
        ratio: of((r) => r.endToEnd / r.bare),
      },
      { name: 'acknowledgement, p50', unit: 'ms', values: of((r) => r.p50Ms) },
      { name: 'acknowledgement, p99', unit: 'ms', values: of((r) => r.p99Ms) },
      { name: 'peak resident memory', unit: 'MB', values: of((r) => r.peakMB) },
      { name: 'processor time per reading', unit: 'µs', values: of((r) => r.cpuMicroseconds) },
    ],
    passes: median(of((r) => r.endToEnd)) >= 25_000 && median(of((r) => r.peakMB)) < 300,
    target: 'end to end at least 25,000/s in under 300 MB',
  }
}

function mosquittoFigure(rounds: readonly Round[]): Figure[] {
  const measured = rounds.flatMap(({ bare, mosquitto }) =>
    mosquitto === undefined ? [] : { bare, mosquitto },
  )
  if (measured.length === 0) return []
  return [
    {
      name: 'Mosquitto, acknowledged',
      unit: '1/s',
      values: measured.map(({ mosquitto }) => mosquitto),
      ratio: measured.map(({ bare, mosquitto }) => mosquitto / bare),
    },
  ]
}

async function measureBaseline(broker: Baseline): Promise<number> {
  const names = Array.from({ length: DEVICES }, (_, i) => `device-${i}`)
  try {
    const { acked, seconds } = await load(broker.mqttPort, names, { seconds: SECONDS, window: WINDOW })
    return acked / seconds
  } finally {
    await broker.stop()
  }
}

async function measure(): Promise<Round> {
  const bare = await measureBaseline(await startBareAedes())
  const mosquitto = hasMosquittoBroker ? await measureBaseline(await startMosquitto()) : undefined

  const server = await startFresh()
  try {
    const tokens = (await registerDevices(server.http, DEVICES)).map((device) => device.accessToken)
    const cpuBefore = cpuSecondsOf(server.pid)
    const startedAt = performance.now()
    const ours = await load(server.mqttPort, tokens, {
      seconds: SECONDS,
      window: WINDOW,
      warm: async () => void (await drained(server.http)),
    })
    const total = await drained(server.http)
    const seconds = (performance.now() - startedAt) / 1000
    return {
      bare,
      mosquitto,
      acks: ours.acked / ours.seconds,
      endToEnd: total / seconds,
      p50Ms: ours.p50Ms,
      p99Ms: ours.p99Ms,
      peakMB: peakMemoryOf(server.pid),
      cpuMicroseconds: ((cpuSecondsOf(server.pid) - cpuBefore) / total) * 1e6,
    }
  } finally {
    await server.stop()
  }
}

/** Waits until every accepted reading is stored and judged; returns how many. */
async function drained(http: string): Promise<number> {
  for (;;) {
    const accepted = await metric(http, 'coldstream_readings_accepted_total')
    const stored = await metric(http, 'coldstream_readings_stored_total')
    const waiting = await metric(http, 'coldstream_queue_batches')
    if (accepted > 0 && stored >= accepted && waiting === 0) return accepted
    await sleep(100)
  }
}
