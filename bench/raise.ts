import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { metric, type RegisteredDevice } from '../test/services/coldstream.ts'
import { startDistributed, startEmbedded, type Deployment } from '../test/services/deployment.ts'

/** Breaches that are reached, while others send. */
export const ALARMS_PER_SECOND = Number(process.env.BENCH_ALARMS ?? 10)
/** After the last publish: what has not been told by then is lost. */
const LATE_MS_MAX = 30_000
const MINUTE_MS = 60_000

/** `BENCH_DEPLOYMENT=embedded` or `distributed` leaves the other out. */
export const DEPLOYMENTS = Object.entries({ embedded: startEmbedded, distributed: startDistributed }).filter(
  ([name]) => [undefined, name].includes(process.env.BENCH_DEPLOYMENT),
)

export interface Spread {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** A client of its own for each device, as a device has it. */
export async function connectDevice({ mqttPort }: Deployment, device: RegisteredDevice): Promise<Client> {
  const options = { username: device.accessToken, protocolVersion: 4, reconnectPeriod: 0 } as const
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, options)
  return Object.assign(client, { deviceId: device.id })
}

export type Client = MqttClient & { readonly deviceId: string }

async function publish(client: Client, readings: readonly (readonly [time: number, temperature: number])[]) {
  const body = readings.map(([ts, temperature]) => ({ ts, values: { temperature } }))
  await client.publishAsync('v1/devices/me/telemetry', JSON.stringify(body), { qos: 1 })
}

/** Each has been too warm for ten hours but for what the next reading adds. */
export async function warmUp(clients: readonly Client[]): Promise<void> {
  const now = Date.now()
  const minutesAgo = [610, 510, 410, 310, 210, 110, 20]
  const readings = minutesAgo.map((minutes) => [now - minutes * MINUTE_MS, 9] as const)
  for (const client of clients) await publish(client, readings)
}

export interface Raised {
  readonly deviceId: string
  readonly acknowledgedMs: number
}

/** One after the other at a steady pace, until there are no more or it is enough. */
export async function raise(
  clients: readonly Client[],
  hook: Receiver,
  isEnough = () => false,
): Promise<Raised[]> {
  const startedAt = performance.now()
  const raising: Promise<Raised>[] = []
  for (const [index, client] of clients.entries()) {
    await sleep(Math.max(0, startedAt + (index * 1000) / ALARMS_PER_SECOND - performance.now()))
    if (isEnough()) break
    raising.push(raiseOne(client, hook))
  }
  return Promise.all(raising)
}

async function raiseOne(client: Client, hook: Receiver): Promise<Raised> {
  const { deviceId } = client
  const publishedAt = performance.now()
  hook.expect(deviceId, publishedAt)
  await publish(client, [[Date.now(), 9.5]])
  return { deviceId, acknowledgedMs: performance.now() - publishedAt }
}

export interface Receiver {
  readonly url: string
  /** The reading that makes the breach of this device is published now. */
  expect(deviceId: string, publishedAt: number): void
  /** How long each of them took to be told. @throws when one is not told in time */
  told(raised: readonly Raised[]): Promise<number[]>
  stop(): Promise<void>
}

/** Somebody's server that takes webhooks. */
export async function startReceiver(): Promise<Receiver> {
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
    async told(raised) {
      const deadline = performance.now() + LATE_MS_MAX
      for (;;) {
        const missing = raised.filter(({ deviceId }) => !toldMs.has(deviceId)).length
        if (missing === 0) return raised.map(({ deviceId }) => toldMs.get(deviceId) ?? Number.NaN)
        if (performance.now() > deadline)
          throw new Error(`${missing} of ${raised.length} breaches were not told`)
        await sleep(50)
      }
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Waits until every accepted reading is stored and judged, so that each sensor is known. */
export async function drained({ processes }: Deployment): Promise<void> {
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

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
