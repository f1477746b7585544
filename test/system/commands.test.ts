import mqtt, { type MqttClient } from 'mqtt'
import { test, type Test } from 'tap'
import { BROKER_DEFAULTS } from '../../broker/settings.ts'
import { Api, registerDevices, type RegisteredDevice } from '../services/coldstream.ts'
import { hasDistributed, startDistributed, startEmbedded, type Deployment } from '../services/deployment.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

// Commands go from the api to a device wherever it is connected: in the distributed deployment through a process that has no broker.
const COMMANDS = 'v1/devices/me/rpc/request/+'

interface Listener {
  readonly client: MqttClient
  /** The methods of the commands that came. */
  readonly heard: string[]
}

async function listenAs(t: Test, mqttPort: number, { accessToken, name }: RegisteredDevice, clean: boolean) {
  const client = mqtt.connect({
    host: '127.0.0.1',
    port: mqttPort,
    username: accessToken,
    clientId: name,
    clean,
    reconnectPeriod: 0,
  })
  const heard: string[] = []
  // From the start: what waited in a session comes right after the CONNACK.
  client.on('message', (_topic, payload) => heard.push(JSON.parse(payload.toString()).method))
  t.teardown(() => client.endAsync(true))
  await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject))
  return { client, heard } satisfies Listener
}

/** Resolves when everything that went to the client before has come. */
async function settled({ client }: Listener): Promise<void> {
  await client.publishAsync('v1/devices/me/telemetry', '{"temperature":4}', { qos: 1 })
}

async function commandAll(t: Test, deployment: Deployment): Promise<void> {
  t.teardown(() => deployment.stop())
  const brokers = Object.values(deployment.processes)
    .flat()
    .filter(({ mqttPort }) => mqttPort > 0)
  const [near, far] = [brokers[0]?.mqttPort ?? 0, brokers.at(-1)?.mqttPort ?? 0]
  const devices = await registerDevices(deployment.http, 4)
  const [one, two, sleeper, nobody] = devices as [
    RegisteredDevice,
    RegisteredDevice,
    RegisteredDevice,
    RegisteredDevice,
  ]
  const api = await Api.login(deployment.http)
  const send = ({ id }: RegisteredDevice, method: string, params: unknown = {}) =>
    api.post<{ deviceId: string }>(`devices/${id}/commands`, { method, params })

  const listeners = [await listenAs(t, near, one, true), await listenAs(t, far, two, true)] as const
  for (const { client } of listeners) await client.subscribeAsync(COMMANDS, { qos: 1 })
  t.match(await send(one, 'near', { in: 5 }), { deviceId: one.id, method: 'near' })
  await send(two, 'far')
  await waitFor(() => listeners.every(({ heard }) => heard.length > 0), 'both commands')
  for (const listener of listeners) await settled(listener)
  t.same(
    listeners.map(({ heard }) => heard),
    [['near'], ['far']],
    'each its own, once',
  )

  const asleep = await listenAs(t, near, sleeper, false)
  await asleep.client.subscribeAsync(COMMANDS, { qos: 1 })
  await asleep.client.endAsync()
  const methods = Array.from({ length: BROKER_DEFAULTS.sessionMessagesMax }, (_, n) => `queued-${n}`)
  for (const method of methods) await send(sleeper, method)
  await t.rejects(send(sleeper, 'more'), /: 503 .*service\.unavailable/, 'the session is full')
  const awake = await listenAs(t, far, sleeper, false)
  await waitFor(() => awake.heard.length >= methods.length, 'what was queued')
  await send(sleeper, 'last')
  await waitFor(() => awake.heard.includes('last'), 'a command to the session that is back')
  t.same(awake.heard, [...methods, 'last'])

  t.match(await send(nobody, 'unheard'), { method: 'unheard' }, 'nobody knows that it is away')
  await t.rejects(send(one, 'large', 'x'.repeat(20_000)), /: 413 .*request\.tooLarge/)
}

const QUIET = { NOTIFY_AGE_MS_MAX: '1' }

test('commands, embedded', async (t) => commandAll(t, await startEmbedded(QUIET)))

test(
  'commands, distributed: an api without a broker, two brokers',
  { skip: skipWithout('MariaDB, RabbitMQ, Redis or VictoriaMetrics', hasDistributed), timeout: 220_000 },
  async (t) => commandAll(t, await startDistributed(QUIET, 2)),
)
