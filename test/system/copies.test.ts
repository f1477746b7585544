import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import { test } from 'tap'
import { judgeReadings } from '../../domain/breach.ts'
import { SHIPPED_RULES } from '../../domain/rule.ts'
import { Api, registerDevices, type RegisteredDevice } from '../services/coldstream.ts'
import { hasDistributed, startDistributed, type Deployment } from '../services/deployment.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

// Two processes of each part on real servers. In the middle of a load one of each is killed at once, and stays away: devices go to the other
// broker, and nothing that was acknowledged is lost, doubled or judged otherwise.
const DEVICES = 8
const READINGS = 200
const CADENCE_MS = 600_000
const firstTime = Math.floor(Date.now() / 1000) * 1000 - (READINGS + 10) * CADENCE_MS

function celsius(device: number, step: number): number {
  return Math.round((5 + 6 * Math.sin((2 * Math.PI * (step + device * 11)) / (140 + device * 9))) * 10) / 10
}

function readingsOf(device: number) {
  return Array.from({ length: READINGS }, (_, step) => ({
    time: firstTime + step * CADENCE_MS,
    values: { temperature: celsius(device, step) },
  }))
}

function connect({ processes }: Deployment, device: RegisteredDevice, index: number): MqttClient {
  const brokers = (processes.broker ?? []).map(({ mqttPort }) => ({ host: '127.0.0.1', port: mqttPort }))
  // Each half of the fleet prefers another broker.
  if (index % 2) brokers.reverse()
  return mqtt.connect({
    servers: brokers,
    username: device.accessToken,
    clientId: device.name,
    reconnectPeriod: 100,
    connectTimeout: 5000,
  })
}

/** As a device does: what was not acknowledged is sent again. */
async function publishAll(client: MqttClient, index: number): Promise<void> {
  for (const { time, values } of readingsOf(index)) {
    const payload = JSON.stringify({ ts: time, values })
    for (let sent = false; !sent;)
      sent = await client.publishAsync('v1/devices/me/telemetry', payload, { qos: 1 }).then(
        () => true,
        () => false,
      )
    await sleep(15)
  }
}

function expectedOf(index: number) {
  return SHIPPED_RULES.flatMap((rule) =>
    judgeReadings(rule, readingsOf(index)).map(({ startAt, endAt, peak, readings }) =>
      JSON.stringify({
        rule: rule.id,
        startAt: iso(startAt),
        endAt: endAt === null ? null : iso(endAt),
        peak,
        readings,
      }),
    ),
  ).toSorted()
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

interface FoundBreach {
  readonly ruleId: string
  readonly state: string
  readonly startAt: string
  readonly endAt: string | null
  readonly peak: number
  readonly readings: number
}

async function foundOf(api: Api, { id }: RegisteredDevice) {
  const found = await api.all<FoundBreach>(`breaches?deviceId=${id}`)
  return found
    .filter(({ state }) => state !== 'withdrawn')
    .map(({ ruleId: rule, startAt, endAt, peak, readings }) =>
      JSON.stringify({ rule, startAt, endAt, peak, readings }),
    )
    .toSorted()
}

const skip = skipWithout('MariaDB, RabbitMQ, Redis or VictoriaMetrics', hasDistributed)

test('two of each, and one of each is lost at once', { skip, timeout: 220_000 }, async (t) => {
  const deployment = await startDistributed({ NOTIFY_AGE_MS_MAX: '1' }, 2)
  t.teardown(() => deployment.stop())
  const devices = await registerDevices(deployment.http, DEVICES)
  const clients = devices.map((device, index) => connect(deployment, device, index))
  t.teardown(() => Promise.all(clients.map((client) => client.endAsync(true))))
  const loaded = Promise.all(clients.map(publishAll))
  await sleep(1500)
  // The second of each: the first api is the one that this test asks.
  const lost = Object.values(deployment.processes).map((copies) => copies[1])
  t.equal(lost.length, 4)
  await Promise.all(lost.map((program) => program?.end('SIGKILL')))
  await loaded

  const api = await Api.login(deployment.http)
  const range = `from=${iso(firstTime)}&to=${new Date().toISOString()}`
  for (const [index, device] of devices.entries()) {
    const items = await waitFor(
      async () => {
        const all = await api.all<{ time: string }>(`devices/${device.id}/readings?${range}`)
        return all.length >= READINGS && all
      },
      `the readings of ${device.name}`,
      60_000,
    )
    t.equal(items.length, READINGS, `${device.name}: every reading, once`)
    const expected = expectedOf(index)
    await waitFor(
      async () => JSON.stringify(await foundOf(api, device)) === JSON.stringify(expected),
      `the breaches of ${device.name}`,
      90_000,
    ).catch(() => undefined)
    t.same(await foundOf(api, device), expected, `${device.name}: the breaches`)
  }
})
