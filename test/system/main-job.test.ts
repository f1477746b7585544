import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { test } from 'tap'
import { Api, registerDevices, startColdstream } from '../services/coldstream.ts'
import { hasMosquitto, mosquittoPublish } from '../services/mosquitto.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

const MINUTE_MS = 60_000
const SECRET = `whsec_${Buffer.from('a key of thirty-two bytes, right').toString('base64')}`

interface Received {
  readonly type: string
  readonly data: Record<string, unknown>
}

/** A webhook receiver that believes only what is signed. */
async function receiver() {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      received.push(new Webhook(SECRET).verify(body, request.headers as Record<string, string>) as Received)
      response.writeHead(204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, server }
}

interface Breach {
  readonly id: string
  readonly ruleId: string
  readonly state: string
  readonly startAt: string
  readonly endAt: string | null
  readonly peak: number
  readonly peakAt: string
}

// The night: 4 °C until the power fails at minute 60, warming to 14.5 °C, back in range when it returns.
function celsiusAt(minute: number): number {
  if (minute < 60) return 4
  if (minute < 760) return Math.round((4 + 10.5 * (1 - Math.exp(-(minute - 60) / 150))) * 10) / 10
  return 4.5
}

test(
  'a night of temperatures through mosquitto_pub: the breach, its peak, its duration, the notification',
  { skip: skipWithout('mosquitto_pub', hasMosquitto) },
  async (t) => {
    const hook = await receiver()
    t.teardown(() => hook.server.close())
    const program = await startColdstream(t.testdir(), {
      NOTICE_URLS: `${hook.url}?secret=${encodeURIComponent(SECRET)}`,
    })
    t.teardown(() => program.end('SIGKILL'))
    const [device] = await registerDevices(program.http, 1)
    if (!device) throw new Error('no device')

    const start = Math.floor((Date.now() - 800 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS
    const night = Array.from({ length: 77 }, (_, i) => ({
      ts: start + i * 10 * MINUTE_MS,
      values: { temperature: celsiusAt(i * 10), humidity: 55 },
    }))
    const publish = (readings: readonly unknown[]) =>
      mosquittoPublish(
        program.mqttPort,
        device.accessToken,
        'v1/devices/me/telemetry',
        readings.map((reading) => JSON.stringify(reading)),
      )
    t.equal(await publish(night.slice(0, 76)), 0, 'every reading was acknowledged')

    const warm = night.filter((reading) => reading.values.temperature > 8)
    const peak = Math.max(...warm.map((reading) => reading.values.temperature))
    const api = await Api.login(program.http)
    const breach = await waitFor(
      async () => (await api.get<{ items: Breach[] }>(`breaches?deviceId=${device.id}`)).items[0],
      'the breach',
    )
    t.match(breach, {
      ruleId: 'who-30dtr-high',
      state: 'open',
      startAt: new Date(warm[0]?.ts ?? 0).toISOString(),
      endAt: null,
      peak,
    })
    await waitFor(() => hook.received.some((notice) => notice.type === 'breach.opened'), 'the notification')

    t.equal(await publish(night.slice(76)), 0)
    const ended = await waitFor(async () => {
      const now = await api.get<Breach>(`breaches/${breach.id}`)
      return now.state === 'ended' && now
    }, 'the end of the breach')
    t.equal(ended.endAt, new Date(night[76]?.ts ?? 0).toISOString())
    const durationMinutes = (Date.parse(ended.endAt ?? '') - Date.parse(ended.startAt)) / MINUTE_MS
    t.ok(durationMinutes >= 600, `lasted ${durationMinutes} minutes`)

    const recovered = await waitFor(
      () => hook.received.find((notice) => notice.type === 'breach.recovered'),
      'the recovery message',
    )
    t.match(recovered.data, { breachId: breach.id, peak, durationMinutes })
    t.same(
      hook.received.map((notice) => notice.type),
      ['breach.opened', 'breach.recovered'],
      'each was told once',
    )

    const { items } = await api.get<{ items: unknown[] }>(
      `devices/${device.id}/readings?from=${new Date(start).toISOString()}&every=1h`,
    )
    const hours = new Set(night.map((reading) => Math.floor(reading.ts / 3_600_000)))
    t.equal(items.length, hours.size, 'a bucket for every hour')
    t.equal(await program.end('SIGTERM'), 0, 'a clean stop')
  },
)
