import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { metric, registerDevices, type RegisteredDevice } from '../test/services/coldstream.ts'
import { startDistributed, startEmbedded, type Deployment } from '../test/services/deployment.ts'
import { load, median, profiling } from './harness.ts'
import type { Figure, Report } from './report.ts'

/** Devices that send all the time and are well. */
const DEVICES = 50
const READINGS_PER_SECOND = 1000
const WINDOW = 20
/** Breaches that are reached, while the others send. */
const ALARMS_PER_SECOND = 10
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
/** `embedded` or `distributed`; both without. */
const ONLY = process.env.BENCH_DEPLOYMENT
const P99_MS_MAX = 250
/** After the last publish: what has not been told by then is lost. */
const LATE_MS_MAX = 30_000
const MINUTE_MS = 60_000

interface Round {
  readonly readingsPerSecond: number
  /** Of the publishes that reach a breach. */
  readonly acknowledged: Spread
  /** From the publish to the webhook. */
  readonly told: Spread
}

interface Spread {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/**
 * From the publish of the reading that makes a breach (+8.0 exceeded for 10 hours) to its notification at a webhook, one for each device, while others send
 * 1,000 readings a second: embedded, and distributed with one process for each part and all servers on the same machine.
 */
export async function benchAlarm(): Promise<Report> {
  const deployments = Object.entries({ embedded: startEmbedded, distributed: startDistributed }).filter(
    ([name]) => ONLY === undefined || ONLY === name,
  )
  const figures: Figure[] = []
  let passes = true
  for (const [name, start] of deployments) {
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
  const deployment = await start({ NOTICE_URLS: hook.url, LOG_LEVEL: 'warn', ...profiling() })
  try {
    const devices = await registerDevices(deployment.http, DEVICES + SECONDS * ALARMS_PER_SECOND)
    const alarming = devices.slice(DEVICES)
    const clients = await Promise.all(alarming.map((device) => connect(deployment, device)))
    const raised = Promise.withResolvers<readonly number[]>()
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
          raise(clients, hook).then(raised.resolve, raised.reject)
        },
      },
    )
    const [acknowledgedMs, loaded] = await Promise.all([raised.promise, loading])
    const toldMs = await hook.all(alarming)
    await Promise.all(clients.map((client) => client.endAsync()))
    return {
      readingsPerSecond: loaded.acked / loaded.seconds,
      acknowledged: spreadOf(acknowledgedMs),
      told: spreadOf(toldMs),
    }
  } finally {
    await deployment.stop()
    await hook.stop()
  }
}

/** A client of its own for each device, as a device has it. */
async function connect({ mqttPort }: Deployment, device: RegisteredDevice): Promise<Client> {
  const options = { username: device.accessToken, protocolVersion: 4, reconnectPeriod: 0 } as const
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, options)
  return Object.assign(client, { deviceId: device.id })
}

type Client = MqttClient & { readonly deviceId: string }

async function publish(client: Client, readings: readonly (readonly [time: number, temperature: number])[]) {
  const body = readings.map(([ts, temperature]) => ({ ts, values: { temperature } }))
  await client.publishAsync('v1/devices/me/telemetry', JSON.stringify(body), { qos: 1 })
}

/** Each has been too warm for ten hours but for what the next reading adds. */
async function warmUp(clients: readonly Client[]): Promise<void> {
  const now = Date.now()
  const minutesAgo = [610, 510, 410, 310, 210, 110, 20]
  const readings = minutesAgo.map((minutes) => [now - minutes * MINUTE_MS, 9] as const)
  for (const client of clients) await publish(client, readings)
}

/** One after the other at a steady pace; returns how long each acknowledgement took. */
async function raise(clients: readonly Client[], hook: Receiver): Promise<number[]> {
  const startedAt = performance.now()
  const acknowledged = clients.map(async (client, index) => {
    await sleep(startedAt + (index * 1000) / ALARMS_PER_SECOND - performance.now())
    const publishedAt = performance.now()
    hook.expect(client.deviceId, publishedAt)
    await publish(client, [[Date.now(), 9.5]])
    return performance.now() - publishedAt
  })
  return Promise.all(acknowledged)
}

interface Receiver {
  readonly url: string
  /** The reading that makes the breach of this device is published now. */
  expect(deviceId: string, publishedAt: number): void
  /** How long each of them took to be told. @throws when one is not told in time */
  all(devices: readonly RegisteredDevice[]): Promise<number[]>
  stop(): Promise<void>
}

/** Somebody's server that takes webhooks. */
async function startReceiver(): Promise<Receiver> {
  const publishedAt = new Map<string, number>()
  const toldMs = new Map<string, number>()
  const server: Server = createServer((request, response) => {
    const receivedAt = performance.now()
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.once('end', () => {
      response.writeHead(204).end()
      const deviceId = (JSON.parse(text) as { data: { device: { id: string } } }).data.device.id
      const since = publishedAt.get(deviceId)
      if (since !== undefined && !toldMs.has(deviceId)) toldMs.set(deviceId, receivedAt - since)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarms?secret=whsec_${encodeURIComponent(randomBytes(24).toString('base64'))}`,
    expect: (deviceId, at) => void publishedAt.set(deviceId, at),
    async all(devices) {
      const deadline = performance.now() + LATE_MS_MAX
      while (toldMs.size < devices.length) {
        if (performance.now() > deadline)
          throw new Error(`${devices.length - toldMs.size} of ${devices.length} breaches were not told`)
        await sleep(50)
      }
      return devices.map(({ id }) => toldMs.get(id) ?? Number.NaN)
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Waits until every accepted reading is stored and judged, so that each sensor is known. */
async function drained({ processes }: Deployment): Promise<void> {
  const all = Object.values(processes).flat()
  const sum = async (name: string) => {
    const values = await Promise.all(all.map(({ http }) => metric(http, name)))
    return values.reduce((total, value) => total + value, 0)
  }
  for (;;) {
    const accepted = await sum('coldstream_readings_accepted_total')
    const [stored, judged] = [
      await sum('coldstream_readings_stored_total'),
      await sum('coldstream_readings_judged_total'),
    ]
    if (accepted > 0 && stored >= accepted && judged >= accepted) return
    await sleep(200)
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
