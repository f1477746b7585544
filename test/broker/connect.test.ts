import mqttPacket from 'mqtt-packet'
import { test } from 'tap'
import { randomUUIDv7 } from 'node:crypto'
import { hashToken } from '../../db/queries/device.ts'
import { connectionKey } from '../../ports/cache.ts'
import { waitFor } from '../wait-for.ts'
import { connectPacket, openWorld, type RawClient, type World } from './world.ts'

/** The code of the CONNACK; undefined when the connection closes without one. */
async function returnCode(world: World, token: string | undefined, fields: object = {}) {
  const client = world.raw()
  client.send(connectPacket(token ?? '', token === undefined ? { username: undefined, ...fields } : fields))
  return answer(client)
}

async function answer(client: RawClient): Promise<number | undefined> {
  let closed = false
  void client.closed.then(() => (closed = true))
  await waitFor(() => closed || client.received.length > 0, 'the CONNACK')
  const [connack] = client.received
  if (connack?.cmd !== 'connack') return undefined
  if (connack.returnCode !== 0) await client.closed
  return connack.returnCode
}

test('CONNACK says why a device is not let in', async (t) => {
  const world = await openWorld(t)
  const good = await world.addDevice()
  const disabled = await world.addDevice({ disabledAt: 1 })
  t.equal(await returnCode(world, good.token), 0, 'a known token')
  t.equal(
    await returnCode(world, good.token, { password: Buffer.from('any') }),
    0,
    'the password means nothing',
  )
  t.equal(await returnCode(world, 'unknown'), 4, 'an unknown token')
  t.equal(await returnCode(world, undefined), 4, 'no user name')
  t.equal(await returnCode(world, ''), 4, 'an empty user name')
  t.equal(await returnCode(world, 'x'.repeat(60_000)), 4, 'an endless user name')
  t.equal(await returnCode(world, disabled.token), 5, 'a disabled device')
  const nameless = world.raw()
  const bytes = mqttPacket.generate(connectPacket(good.token, { clientId: '' }))
  // The generator refuses to leave out "clean session" here. The flags follow the fixed header, the protocol name and its level.
  const flagsAt = bytes.indexOf('MQTT') + 5
  nameless.socket.write(bytes.fill((bytes[flagsAt] ?? 0) & ~2, flagsAt, flagsAt + 1))
  t.equal(await answer(nameless), 2, 'a session without a name')
  t.equal(await returnCode(world, good.token, { clientId: 'x'.repeat(500) }), 2, 'an endless client id')
  t.equal(await returnCode(world, good.token, { clientId: '' }), 0, 'no client id')
  t.equal(await returnCode(world, good.token, { protocolVersion: 5 }), 1, 'MQTT 5')
  t.equal(await world.metric('coldstream_mqtt_connects_total{outcome="credentials"}'), 4)
  t.equal(await world.metric('coldstream_mqtt_connects_total{outcome="disabled"}'), 1)
  const everything = world.logLines.join('\n')
  t.notOk(everything.includes(good.token) || everything.includes(disabled.token), 'no token in the log')
})

test('CONNACK 3 when the database does not answer', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  await world.db.schema.dropTable('device').execute()
  t.equal(await returnCode(world, token), 3)
})

test('MQTT 3.1 devices are let in', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  t.equal(await returnCode(world, token, { protocolId: 'MQIsdp', protocolVersion: 3 }), 0)
})

test('failures of one address come late beyond the limit; a valid token still passes', async (t) => {
  const world = await openWorld(t, { authFailuresMax: 3, authFailureDelayMs: 300 })
  const { token } = await world.addDevice()
  for (let tries = 0; tries < 3; tries++) t.equal(await returnCode(world, `guess ${tries}`), 4)
  const startedAt = performance.now()
  const late = returnCode(world, 'one more guess')
  t.equal(await returnCode(world, token), 0)
  t.ok(performance.now() - startedAt < 290, 'the valid token did not wait')
  t.equal(await late, 4)
  t.ok(performance.now() - startedAt >= 290, 'the guess did')
})

test('a second connection of the same device and client id takes over; another client id does not', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const first = await world.connect(token, { clientId: 'one' })
  const other = await world.connect(token, { clientId: 'other' })
  const closed = new Promise((resolve) => first.once('close', () => resolve(undefined)))
  const second = await world.connect(token, { clientId: 'one' })
  await closed
  await second.publishAsync('v1/devices/me/telemetry', '{}', { qos: 1 })
  t.equal(other.connected, true)
  await waitFor(async () => (await world.metric('coldstream_mqtt_connections')) === 2, 'the gauge at 2')
})

test('two devices with the same client id leave each other alone', async (t) => {
  const world = await openWorld(t)
  const one = await world.addDevice()
  const two = await world.addDevice()
  const first = await world.connect(one.token, { clientId: 'fridge' })
  const second = await world.connect(two.token, { clientId: 'fridge' })
  await second.publishAsync('v1/devices/me/telemetry', '{"n":2}', { qos: 1 })
  await first.publishAsync('v1/devices/me/telemetry', '{"n":1}', { qos: 1 })
  t.same(
    world.intake.packets.map(({ deviceId }) => deviceId),
    [two.id, one.id],
  )
})

test('a device that is disabled or gets another token is disconnected at once', async (t) => {
  const world = await openWorld(t)
  const changes = [{ disabledAt: Date.now() }, { tokenHash: hashToken(randomUUIDv7()) }]
  for (const change of changes) {
    const { id, token } = await world.addDevice()
    const bystander = await world.connect((await world.addDevice()).token)
    const will = {
      topic: 'v1/devices/me/telemetry',
      payload: Buffer.from('{"online":false}'),
      qos: 1,
      retain: false,
    } as const
    const client = await world.connect(token, { will })
    const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)))
    await world.db.updateTable('device').set(change).where('id', '=', id).execute()
    world.cache.publish('registry', { deviceId: id })
    await closed
    t.equal(bystander.connected, true)
    t.equal(world.intake.packets.length, 0, 'what may no longer speak leaves no will')
  }
})

test('a device that becomes a gateway is one at once', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const client = await world.connect(token)
  await client.publishAsync('v1/gateway/telemetry', '{}', { qos: 1 })
  await world.db.updateTable('device').set({ isGateway: 1 }).where('id', '=', id).execute()
  world.cache.publish('registry', { deviceId: id })
  await waitFor(async () => {
    await client.publishAsync('v1/gateway/telemetry', '{}', { qos: 1 })
    return world.intake.packets.at(-1)?.isGateway
  }, 'a packet from a gateway')
  t.equal(world.intake.packets[0]?.isGateway, false)
})

test('no more than the limit of connections, whether or not they say anything', async (t) => {
  const world = await openWorld(t, { connectionsMax: 3 })
  const { token } = await world.addDevice()
  const silent = [world.raw(), world.raw(), world.raw()]
  await waitFor(() => silent.every(({ socket }) => !socket.connecting), 'three connections')
  const fourth = world.raw()
  await fourth.closed
  await waitFor(
    async () => (await world.metric('coldstream_mqtt_connects_total{outcome="connections-max"}')) > 0,
    'the count',
  )
  silent[0]?.socket.destroy()
  await waitFor(async () => (await returnCode(world, token)) === 0, 'room again')
})

test('no device is let in while too much waits for the intake', async (t) => {
  const world = await openWorld(t, { handOverBytesMax: 1000 })
  const { token } = await world.addDevice()
  const durable = Promise.withResolvers<void>()
  world.intake.answer = () => durable.promise
  const client = await world.connect(token)
  const sent = client.publishAsync('v1/devices/me/telemetry', Buffer.alloc(2000), { qos: 1 })
  await waitFor(() => world.intake.packets.length === 1, 'the hand-over')
  t.equal(await returnCode(world, token), 3)
  durable.resolve()
  await sent
  t.equal(await returnCode(world, token), 0)
})

test('keep-alive is enforced at 1.5 times; without one there is an idle limit', async (t) => {
  const world = await openWorld(t, { keepaliveSecondsMax: 1 })
  const { token } = await world.addDevice()
  for (const keepalive of [1, 0, 60_000]) {
    const client = world.raw()
    client.send(connectPacket(token, { keepalive, clientId: `keepalive ${keepalive}` }))
    const startedAt = performance.now()
    await client.closed
    const lastedMs = performance.now() - startedAt
    t.ok(
      lastedMs > 1400 && lastedMs < 3000,
      `keep-alive ${keepalive}: closed after ${Math.round(lastedMs)} ms`,
    )
  }
})

test('it is remembered how the last connection of a device ended', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const how = (expected: string) =>
    waitFor(
      async () => (await world.cache.get(connectionKey(id))) === expected,
      `the connection to be ${expected}`,
    )
  for (const end of ['closed', 'lost'] as const) {
    const client = world.raw()
    client.send(connectPacket(token))
    await how('open')
    if (end === 'closed') client.send({ cmd: 'disconnect' })
    else client.socket.destroy()
    await how(end)
  }
  t.pass('both ends are told apart')
})
