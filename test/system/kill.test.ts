import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import { test } from 'tap'
import {
  Api,
  metric,
  registerDevices,
  startColdstream,
  type Coldstream,
  type RegisteredDevice,
} from '../services/coldstream.ts'
import { waitFor } from '../wait-for.ts'

// P1, P3, P6 against `kill -9` and SIGTERM: the process ends at random moments under a load of QoS 1 publishes from a real client (MQTT.js), and is started
// again on the same data each time. KILL_SECONDS=60 is the long form.
const LOAD_SECONDS = Number(process.env.KILL_SECONDS ?? 12)
const READINGS_PER_SECOND = 400
const DEVICES = 5
const MINUTE_MS = 60_000
const IN_FLIGHT_MAX = 50

const perDevice = Math.floor((LOAD_SECONDS * READINGS_PER_SECOND) / DEVICES)
const firstTime = Date.now() - (perDevice + 60) * 10 * MINUTE_MS

/** Two days of warmth, then a day of frost and so on, different for each device: many breaches of both rules, and many near misses. */
function celsius(device: number, step: number): number {
  const slow = 5 + 6.5 * Math.sin((2 * Math.PI * (step + device * 17)) / (150 + device * 20))
  const fast = 0.8 * Math.sin(step * (1.3 + device / 10))
  return Math.round((slow + fast) * 10) / 10
}

function timeOf(step: number): number {
  return firstTime + step * 10 * MINUTE_MS
}

function connect(port: number, device: RegisteredDevice): MqttClient {
  return mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    username: device.accessToken,
    clientId: device.name,
    clean: false,
    reconnectPeriod: 50,
    connectTimeout: 2000,
  })
}

/** Resolves with the PUBACK. MQTT.js gives some publishes up when a connection ends while it sends the old ones again; a device sends them anew. */
async function acknowledged(client: MqttClient, payload: string): Promise<void> {
  for (;;) {
    try {
      await client.publishAsync('v1/devices/me/telemetry', payload, { qos: 1 })
      return
    } catch (error) {
      if (client.disconnecting) throw error
    }
  }
}

/** Publishes all readings of a device, at the given rate; resolves when every one of them is acknowledged. */
async function publishAll(client: MqttClient, device: number): Promise<void> {
  const startedAt = performance.now()
  const inFlight = new Set<Promise<unknown>>()
  for (let step = 0; step < perDevice; step++) {
    const dueAt = startedAt + (step / perDevice) * LOAD_SECONDS * 1000
    const waitMs = dueAt - performance.now()
    if (waitMs > 1) await sleep(waitMs)
    if (inFlight.size >= IN_FLIGHT_MAX) await Promise.race(inFlight)
    const payload = JSON.stringify({ ts: timeOf(step), values: { temperature: celsius(device, step) } })
    const published: Promise<unknown> = acknowledged(client, payload).then(() => inFlight.delete(published))
    inFlight.add(published)
  }
  await Promise.all(inFlight)
}

interface Outcome {
  readonly readings: number[]
  readonly breaches: unknown[]
}

interface Run {
  program: Coldstream
  readonly devices: readonly RegisteredDevice[]
}

async function settled({ program }: Run): Promise<void> {
  await waitFor(
    async () => (await metric(program.http, 'coldstream_queue_batches')) === 0,
    'the queues to run empty',
    60_000,
  )
}

/** What the API says in the end: the digest of every reading in order, and the breaches without their ids. */
async function outcome(run: Run): Promise<Outcome> {
  const api = await Api.login(run.program.http)
  const readings: number[] = []
  const breaches: unknown[] = []
  const range = `from=${new Date(firstTime - 1).toISOString()}&to=${new Date().toISOString()}`
  for (const device of run.devices) {
    const raw = await api.all<{ time: string }>(`devices/${device.id}/readings?${range}`)
    readings.push(raw.length)
    breaches.push(createHash('sha256').update(JSON.stringify(raw)).digest('hex'))
    const found = await api.all<Record<string, unknown>>(`breaches?deviceId=${device.id}`)
    breaches.push(
      ...found
        .filter((breach) => breach.state !== 'withdrawn')
        .map(({ sensor, ruleId, state, startAt, endAt, peak, peakAt, lastAt, readings: count }) =>
          JSON.stringify({
            name: device.name,
            sensor,
            ruleId,
            state,
            startAt,
            endAt,
            peak,
            peakAt,
            lastAt,
            count,
          }),
        )
        .toSorted(),
    )
  }
  return { readings, breaches }
}

async function runLoad(dataDir: string, disturb: (run: Run, loaded: Promise<unknown>) => Promise<void>) {
  const program = await startColdstream(dataDir, { NOTICE_URLS: 'console:', NOTIFY_AGE_MS_MAX: '1' })
  const run: Run = { program, devices: await registerDevices(program.http, DEVICES) }
  const clients = run.devices.map((device) => connect(program.mqttPort, device))
  try {
    const loaded = Promise.all(clients.map(publishAll))
    await disturb(run, loaded)
    await loaded
    await settled(run)
    return await outcome(run)
  } finally {
    await Promise.all(clients.map((client) => client.endAsync(true)))
    await run.program.end('SIGTERM')
  }
}

const timeout = 1000 * (LOAD_SECONDS * 10 + 60)

test(
  'kill -9 at random moments loses nothing, doubles nothing, and changes no breach',
  { timeout },
  async (t) => {
    const undisturbed = await runLoad(t.testdir({}), async () => undefined)
    t.same(undisturbed.readings, Array(DEVICES).fill(perDevice))

    let kills = 0
    const dataDir = t.testdir({ killed: {} })
    const killed = await runLoad(`${dataDir}/killed`, async (run, loaded) => {
      const over = new AbortController()
      void loaded.finally(() => over.abort())
      const { httpPort, mqttPort } = run.program
      const samePorts = { HTTP_PORT: String(httpPort), MQTT_PORT: String(mqttPort), NOTIFY_AGE_MS_MAX: '1' }
      while (!over.signal.aborted) {
        await Promise.race([sleep(200 + Math.random() * 2500), loaded])
        await run.program.end('SIGKILL')
        kills++
        run.program = await startColdstream(`${dataDir}/killed`, samePorts)
      }
    })
    t.ok(kills >= 3, `killed ${kills} times`)
    t.same(killed.readings, undisturbed.readings, 'every acknowledged reading is there, once')
    t.ok(undisturbed.breaches.length > DEVICES, 'there are breaches to compare')
    t.same(killed.breaches, undisturbed.breaches)
  },
)
