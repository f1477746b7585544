import { test } from 'tap'
import type { MqttClient } from 'mqtt'
import { waitFor } from '../wait-for.ts'
import { connectPacket, inbox, openWorld, type World } from './world.ts'

const ATTRIBUTES = 'v1/devices/me/attributes'
const COMMANDS = 'v1/devices/me/rpc/request/+'
const SESSION = { clientId: 'fridge', clean: false }

/** Connects to a session that has messages waiting: they may come before a listener could be added from outside. */
async function resume(world: World, token: string, options: object = {}) {
  const client = world.raw()
  client.send(connectPacket(token, { ...SESSION, ...options }))
  const texts = () =>
    client.received.flatMap((packet) =>
      packet.cmd === 'publish' ? [`${packet.topic} ${String(packet.payload)}`] : [],
    )
  const connack = await waitFor(() => client.received.find(({ cmd }) => cmd === 'connack'), 'the CONNACK')
  return { ...client, texts, sessionPresent: connack.cmd === 'connack' && connack.sessionPresent }
}

async function leave(client: MqttClient): Promise<void> {
  await client.endAsync()
}

test('retained messages and sessions survive a restart of the broker', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const client = await world.connect(token, SESSION)
  await client.subscribeAsync(COMMANDS, { qos: 1 })
  await client.publishAsync(ATTRIBUTES, '{"firmware":"1.2"}', { qos: 1, retain: true })
  await leave(client)
  await world.broker.sendCommand(id, { method: 'first', params: {} })
  await world.stop()
  await world.start()
  await world.broker.sendCommand(id, { method: 'second', params: {} })
  const back = await resume(world, token)
  t.equal(back.sessionPresent, true)
  await waitFor(() => back.texts().length === 2, 'both commands')
  t.match(back.texts(), [/rpc\/request\/\d+ .*first/, /rpc\/request\/\d+ .*second/])
  const reader = await world.connect(token, { clientId: 'reader' })
  const messages = inbox(reader)
  await reader.subscribeAsync(ATTRIBUTES, { qos: 1 })
  await waitFor(() => messages.length > 0, 'the retained message')
  t.same(messages, [{ topic: ATTRIBUTES, text: '{"firmware":"1.2"}', retain: true }])
})

test('attributes are queued for a session that is away', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const client = await world.connect(token, SESSION)
  await client.subscribeAsync(ATTRIBUTES, { qos: 1 })
  await leave(client)
  const publisher = await world.connect(token, { clientId: 'publisher' })
  await publisher.publishAsync(ATTRIBUTES, '{"a":1}', { qos: 1 })
  const back = await resume(world, token)
  await waitFor(() => back.texts().length > 0, 'the message')
  t.same(back.texts(), [`${ATTRIBUTES} {"a":1}`])
})

test('what was not acknowledged comes again, what was does not', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const first = await resume(world, token)
  first.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: COMMANDS, qos: 1 }] })
  await waitFor(() => first.received.some(({ cmd }) => cmd === 'suback'), 'the SUBACK')
  await world.broker.sendCommand(id, { method: 'reboot', params: {} })
  await waitFor(() => first.texts().length === 1, 'the command')
  first.socket.destroy()
  const second = await resume(world, token)
  await waitFor(() => second.texts().length === 1, 'the command again')
  const again = second.received.find(({ cmd }) => cmd === 'publish')
  second.send({ cmd: 'puback', messageId: again?.messageId ?? 0 })
  second.send({ cmd: 'pingreq' })
  await waitFor(() => second.received.some(({ cmd }) => cmd === 'pingresp'), 'the PINGRESP')
  second.socket.destroy()
  await world.stop()
  await world.start()
  const third = await resume(world, token)
  third.send({ cmd: 'pingreq' })
  await waitFor(() => third.received.some(({ cmd }) => cmd === 'pingresp'), 'the PINGRESP')
  t.equal(third.texts().length, 0)
  t.match(second.texts(), [/rpc\/request/], 'under the same name as the first time')
})

test('a refused filter is not kept in the session: no other device is overheard', async (t) => {
  const world = await openWorld(t)
  const spy = await world.addDevice()
  const victim = await world.addDevice()
  const client = await resume(world, spy.token)
  const subscriptions = [COMMANDS, '#', `device/${victim.id}/#`, 'v1/#'].map((topic) => ({
    topic,
    qos: 1 as const,
  }))
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  await waitFor(() => client.received.some(({ cmd }) => cmd === 'suback'), 'the SUBACK')
  client.socket.destroy()
  await world.broker.sendCommand(victim.id, { method: 'secret', params: {} })
  await world.stop()
  await world.start()
  await world.broker.sendCommand(victim.id, { method: 'secret', params: {} })
  const back = await resume(world, spy.token)
  await world.broker.sendCommand(victim.id, { method: 'secret', params: {} })
  await world.broker.sendCommand(spy.id, { method: 'own', params: {} })
  await waitFor(() => back.texts().length > 0, 'its own command')
  t.match(back.texts(), [/own/])
})

test('a session keeps a limited number of messages, and the sender is told', async (t) => {
  const world = await openWorld(t, { sessionMessagesMax: 3 })
  const { id, token } = await world.addDevice()
  const client = await world.connect(token, SESSION)
  await client.subscribeAsync(COMMANDS, { qos: 1 })
  await leave(client)
  for (let n = 1; n <= 3; n++) await world.broker.sendCommand(id, { method: `m${n}`, params: {} })
  await t.rejects(world.broker.sendCommand(id, { method: 'm4', params: {} }), { code: 'service.unavailable' })
  await world.stop()
  await world.start()
  await t.rejects(world.broker.sendCommand(id, { method: 'm5', params: {} }), { code: 'service.unavailable' })
  const back = await resume(world, token)
  await waitFor(() => back.texts().length === 3, 'three commands')
  for (const packet of back.received)
    if (packet.cmd === 'publish') back.send({ cmd: 'puback', messageId: packet.messageId ?? 0 })
  await waitFor(
    () =>
      world.broker.sendCommand(id, { method: 'm6', params: {} }).then(
        () => true,
        () => false,
      ),
    'room again',
  )
  await waitFor(() => back.texts().length === 4, 'the command that found room')
})

test('one device keeps a limited number of sessions; the next one ends an abandoned one', async (t) => {
  const world = await openWorld(t, { sessionsPerDeviceMax: 2 })
  const { token } = await world.addDevice()
  const neighbour = await world.addDevice()
  for (const [who, clientId] of [
    [neighbour.token, 'n'],
    [token, 'a'],
    [token, 'b'],
    [token, 'c'],
  ] as const) {
    const client = await world.connect(who, { clientId, clean: false })
    await client.subscribeAsync(COMMANDS, { qos: 1 })
    await leave(client)
  }
  const present = async (who: string, clientId: string) =>
    (await resume(world, who, { clientId })).sessionPresent
  t.equal(await present(neighbour.token, 'n'), true)
  t.equal(await present(token, 'c'), true)
  t.same([await present(token, 'a'), await present(token, 'b')].filter(Boolean).length, 1)
})

test('a command to a device that is not there is no error; one that is too large is', async (t) => {
  const world = await openWorld(t)
  const { id } = await world.addDevice()
  await world.broker.sendCommand(id, { method: 'x', params: {} })
  await t.rejects(world.broker.sendCommand(id, { method: 'x', params: 'y'.repeat(70_000) }), {
    code: 'request.tooLarge',
  })
})

test('a will is handed over when the connection breaks, not when it is closed', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const will = {
    topic: 'v1/devices/me/telemetry',
    payload: Buffer.from('{"online":0}'),
    qos: 1,
    retain: false,
  }
  const polite = world.raw()
  polite.send(connectPacket(token, { will }))
  await waitFor(() => polite.received.length > 0, 'the CONNACK')
  polite.send({ cmd: 'disconnect' })
  await polite.closed
  const broken = world.raw()
  broken.send(connectPacket(token, { will }))
  await waitFor(() => broken.received.length > 0, 'the CONNACK')
  broken.socket.resetAndDestroy()
  await waitFor(() => world.intake.packets.length > 0, 'the will')
  t.match(world.intake.packets, [{ deviceId: id, topic: 'v1/devices/me/telemetry' }])
})

test('a will for a topic of somebody else is left out, and the device let in', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const client = world.raw()
  client.send(
    connectPacket(token, { will: { topic: 'device/x/y', payload: Buffer.from('x'), qos: 1, retain: true } }),
  )
  await waitFor(() => client.received.length > 0, 'the CONNACK')
  t.match(client.received, [{ cmd: 'connack', returnCode: 0 }])
  client.socket.resetAndDestroy()
  await waitFor(
    async () => (await world.metric('coldstream_mqtt_connections')) === 0,
    'the end of the connection',
  )
  t.equal(await world.metric('coldstream_mqtt_denied_total{reason="will-topic"}'), 1)
  t.equal(world.intake.packets.length, 0)
})

test('the will of a device that was connected when the broker stopped is published after the restart', async (t) => {
  const world = await openWorld(t, { heartbeatMs: 25, retryDelayMs: 5, intakeWaitMs: 20 })
  const { id, token } = await world.addDevice({ isGateway: 1 })
  const client = world.raw()
  const will = { topic: 'v1/gateway/telemetry', payload: Buffer.from('{"A":[]}'), qos: 1, retain: false }
  client.send(connectPacket(token, { will }))
  await waitFor(() => client.received.length > 0, 'the CONNACK')
  await world.stop()
  t.equal(world.intake.packets.length, 0, 'our own stop is no failure of the device')
  let down = true
  world.intake.answer = async () => {
    if (down) throw new Error('queue is down')
  }
  await world.start()
  await waitFor(() => world.intake.packets.length > 2, 'attempts that fail')
  down = false
  const before = world.intake.packets.length
  await waitFor(() => world.intake.packets.length > before, 'the will')
  t.match(world.intake.packets.at(-1), { deviceId: id, isGateway: true, topic: 'v1/gateway/telemetry' })
})
