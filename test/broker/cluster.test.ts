import { test } from 'tap'
import type { IClientOptions, MqttClient } from 'mqtt'
import { COMMAND_TIMEOUT_MS } from '../../adapters/redis/connect.ts'
import { boundedSessions } from '../../broker/sessions.ts'
import { BROKER_DEFAULTS } from '../../broker/settings.ts'
import { commandTopic } from '../../broker/topics.ts'
import { updateDevice } from '../../db/queries/device.ts'
import { createMetrics } from '../../main/metrics.ts'
import { hasRedis, startRedis, type RedisServer } from '../services/redis.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { openCluster } from './cluster-world.ts'
import { inbox } from './world.ts'

const TELEMETRY = 'v1/devices/me/telemetry'
const ATTRIBUTES = 'v1/devices/me/attributes'
const COMMANDS = 'v1/devices/me/rpc/request/+'
const SESSION: IClientOptions = { clientId: 'fridge', clean: false }
const skip = skipWithout('Redis', hasRedis)

test('a command whose subscribers cannot be found is refused, not lost, and holds nothing up', async (t) => {
  const failing = { subscriptionsByTopic: () => Promise.reject(new Error('no answer')) }
  const deps = { metrics: createMetrics(), settings: BROKER_DEFAULTS, isConnected: () => false }
  const sessions = boundedSessions(failing, deps) as object as {
    subscriptionsByTopic(topic: string): Promise<object[]>
    outgoingEnqueueCombi(subscribers: object[], packet: object): Promise<void>
  }
  const topic = commandTopic('01890000-0000-7000-8000-000000000000', 1)
  const subscribers = await sessions.subscriptionsByTopic(topic)
  await t.rejects(sessions.outgoingEnqueueCombi(subscribers, { topic }), /no answer/)
})

if (skip) test('two brokers on one Redis', { skip }, async () => {})
else await testOn(await startRedis())

function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()))
}

/** What a client heard, by the method of the command. */
function methods(client: MqttClient): string[] {
  const heard: string[] = []
  client.on('message', (_topic, payload) => heard.push(JSON.parse(payload.toString()).method))
  return heard
}

async function testOn(server: RedisServer): Promise<void> {
  test('a device that connects to another broker is disconnected from the first [MQTT-3.1.4-2]', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server)
    const device = await addDevice()
    const neighbour = await addDevice()
    const first = await a.connect(device.token, { clientId: 'fridge' })
    const other = await a.connect(neighbour.token, { clientId: 'fridge' })
    const firstClosed = closed(first)
    const second = await b.connect(device.token, { clientId: 'fridge' })
    await firstClosed
    t.equal(other.connected, true, 'the same client id of another device is another session')
    await second.publishAsync(TELEMETRY, '{"temperature":4}', { qos: 1 })
    t.equal(b.intake.packets.length, 1)
  })

  test('a queued command is delivered wherever the device comes back, and only its own', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server)
    const [device, neighbour] = [await addDevice(), await addDevice()]
    for (const { token } of [device, neighbour]) {
      const client = await a.connect(token, SESSION)
      await client.subscribeAsync(COMMANDS, { qos: 1 })
      await client.endAsync()
    }
    await a.broker.sendCommand(neighbour.id, { method: 'secret', params: {} })
    await a.broker.sendCommand(device.id, { method: 'one', params: {} })
    await b.broker.sendCommand(device.id, { method: 'two', params: {} })
    const { client, heard } = await resume(b, device.token)
    await waitFor(() => heard.length === 2, 'both commands')
    await a.broker.sendCommand(device.id, { method: 'three', params: {} })
    await waitFor(() => heard.length === 3, 'a command through the other broker')
    t.same(heard, ['one', 'two', 'three'])
    await client.endAsync()
    const again = await resume(a, device.token)
    await again.client.publishAsync(TELEMETRY, '{}', { qos: 1 })
    t.same(again.heard, [], 'what was acknowledged does not come again')
  })

  test('a command through either broker reaches a connected device without a session', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server)
    const device = await addDevice()
    const client = await b.connect(device.token)
    const heard = methods(client)
    await client.subscribeAsync(COMMANDS, { qos: 1 })
    for (const [n, { broker }] of [a, b, a, b].entries())
      await broker.sendCommand(device.id, { method: `m${n}`, params: {} })
    await waitFor(() => heard.length === 4, 'four commands')
    t.same(heard.toSorted(), ['m0', 'm1', 'm2', 'm3'])
    await client.unsubscribeAsync(COMMANDS)
    await a.broker.sendCommand(device.id, { method: 'unheard', params: {} })
    await client.publishAsync(TELEMETRY, '{}', { qos: 1 })
    t.equal(heard.length, 4)
  })

  test('a process without a broker sends commands, and is refused in bounded time while Redis does not answer', async (t) => {
    const { a, b, addDevice, startSender } = await openCluster(t, server)
    const { sendCommand } = await startSender()
    const [device, away] = [await addDevice(), await addDevice()]
    const client = await b.connect(device.token)
    const heard = methods(client)
    await client.subscribeAsync(COMMANDS, { qos: 1 })
    const session = await a.connect(away.token, SESSION)
    await session.subscribeAsync(COMMANDS, { qos: 1 })
    await session.endAsync()
    for (const { id } of [device, away]) await sendCommand(id, { method: 'one', params: {} })
    const back = await resume(b, away.token)
    await waitFor(() => heard.length > 0 && back.heard.length > 0, 'the commands')
    t.same([heard, back.heard], [['one'], ['one']])
    server.pause()
    const startedAt = performance.now()
    for (const { id } of [device, away])
      await t.rejects(sendCommand(id, { method: 'two', params: {} }), { code: 'service.unavailable' })
    const waitedMs = performance.now() - startedAt
    server.resume()
    t.ok(waitedMs < 2 * 2 * COMMAND_TIMEOUT_MS, `${waitedMs} ms`)
  })

  test('a session has one limit of messages on all brokers together, and room again once they are acknowledged', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server, { sessionMessagesMax: 3 })
    const device = await addDevice()
    const first = await a.connect(device.token, SESSION)
    await first.subscribeAsync(COMMANDS, { qos: 1 })
    await first.endAsync()
    const send = ({ broker }: typeof a, method: string) =>
      broker.sendCommand(device.id, { method, params: {} })
    await Promise.all([send(a, '1'), send(a, '2')])
    await send(b, '3')
    for (const side of [a, b]) await t.rejects(send(side, '4'), { code: 'service.unavailable' })
    const results = await Promise.allSettled(['5', '6'].map((method) => send(a, method)))
    t.same(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    const { heard } = await resume(b, device.token)
    await waitFor(() => heard.length === 3, 'three commands')
    // Many more than the limit pass through a session that takes them.
    for (let n = 10; n < 20; n++) {
      await waitFor(
        () =>
          send(a, String(n)).then(
            () => true,
            () => false,
          ),
        'room',
      )
      await waitFor(() => heard.includes(String(n)), 'the command')
    }
    t.same(
      heard.toSorted(),
      ['1', '2', '3', ...Array.from({ length: 10 }, (_, n) => String(n + 10))].toSorted(),
    )
  })

  test('sessions of one device are limited over all brokers, and the one resumed longest ago goes', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server, { sessionsPerDeviceMax: 2 })
    const { token } = await addDevice()
    for (const [side, clientId] of [
      [a, 'one'],
      [b, 'two'],
      [a, 'three'],
    ] as const) {
      const client = await side.connect(token, { clientId, clean: false })
      await client.subscribeAsync(COMMANDS, { qos: 1 })
      await client.endAsync()
    }
    const found = await Promise.all(['one', 'two', 'three'].map((id) => sessionPresent(b, token, id)))
    t.same(found, [false, true, true])
  })

  test('retained attributes are there on every broker, for their own device', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server)
    const [device, neighbour] = [await addDevice(), await addDevice()]
    const writer = await a.connect(device.token)
    await writer.publishAsync(ATTRIBUTES, '{"firmware":"1.2"}', { qos: 1, retain: true })
    const reader = await b.connect(device.token, { clientId: 'reader' })
    const stranger = await b.connect(neighbour.token)
    const [messages, nothing] = [inbox(reader), inbox(stranger)]
    await waitFor(async () => {
      await reader.subscribeAsync(ATTRIBUTES, { qos: 1 })
      return messages.length > 0
    }, 'the retained message')
    t.match(messages[0], { topic: ATTRIBUTES, text: '{"firmware":"1.2"}', retain: true })
    await stranger.subscribeAsync([ATTRIBUTES, COMMANDS], { qos: 1 })
    await writer.publishAsync(ATTRIBUTES, '{"live":1}', { qos: 1 })
    await waitFor(() => messages.some(({ text }) => text === '{"live":1}'), 'what is published now')
    await writer.publishAsync(ATTRIBUTES, '', { qos: 1, retain: true })
    await waitFor(async () => {
      const late = await b.connect(device.token, { clientId: 'late' })
      const found = inbox(late)
      await late.subscribeAsync(ATTRIBUTES, { qos: 1 })
      await late.publishAsync(TELEMETRY, '{}', { qos: 1 })
      return found.length === 0
    }, 'the end of the retained message')
    t.same(nothing, [])
  })

  test('a disabled device is disconnected from both brokers', async (t) => {
    const { a, b, db, addDevice } = await openCluster(t, server)
    const device = await addDevice()
    const other = await addDevice()
    const both = [
      await a.connect(device.token, { clientId: 'one' }),
      await b.connect(device.token, { clientId: 'two' }),
    ]
    const stays = await b.connect(other.token)
    const bothClosed = Promise.all(both.map(closed))
    await updateDevice(db, device.id, { disabledAt: Date.now() })
    a.cache.publish('registry', { deviceId: device.id })
    await bothClosed
    t.equal(stays.connected, true)
  })

  test('a device that was disabled while the hint could not travel is disconnected when it can', async (t) => {
    const { b, db, addDevice } = await openCluster(t, server)
    const [device, other] = [await addDevice(), await addDevice()]
    const client = await b.connect(device.token)
    const stays = await b.connect(other.token)
    const clientClosed = closed(client)
    await server.kill()
    await updateDevice(db, device.id, { disabledAt: Date.now() })
    await server.restart()
    await clientClosed
    t.equal(stays.connected, true)
  })

  test('telemetry does not travel through Redis', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server)
    const [device, other] = [await addDevice(), await addDevice()]
    const clients = [await a.connect(device.token), await b.connect(other.token)]
    for (const client of clients) await client.subscribeAsync(COMMANDS, { qos: 1 })
    await server.commands()
    for (let sent = 0; sent < 10_000; sent += 500) {
      const client = clients[(sent / 500) % 2]
      const some = Array.from({ length: 500 }, () =>
        client?.publishAsync(TELEMETRY, '{"temperature":4}', { qos: 1 }),
      )
      await Promise.all(some)
    }
    t.equal(a.intake.packets.length + b.intake.packets.length, 10_000)
    t.same(await server.commands(), {}, 'not one command')
  })

  test('the will of a device whose broker died is published by another, once, unless the device is back', async (t) => {
    const settings = { heartbeatMs: 25 }
    const { a, b, startOne, addDevice } = await openCluster(t, server, settings)
    const c = await startOne()
    t.teardown(() => c.stop())
    const [gone, back, polite] = [await addDevice(), await addDevice(), await addDevice()]
    const will = { topic: TELEMETRY, payload: Buffer.from('{"online":0}'), qos: 1 as const, retain: false }
    for (const { token } of [gone, back]) await a.connect(token, { clientId: 'fridge', will })
    const leaving = await a.connect(polite.token, { clientId: 'fridge', will })
    await leaving.endAsync()
    // It tells nobody of the devices that it loses, as one that was killed.
    await a.stop()
    await b.connect(back.token, { clientId: 'fridge', will })
    const wills = () => [...b.intake.packets, ...c.intake.packets]
    await waitFor(() => wills().length > 0, 'the will')
    let sweeps = 0
    await waitFor(
      async () => (sweeps += (await server.commands())['hscan'] ?? 0) >= 6,
      'sweeps that find no will',
    )
    t.same(
      wills().map(({ deviceId }) => deviceId),
      [gone.id],
    )
  })

  test('Redis killed and started again: readings go on, and everything else comes back by itself', async (t) => {
    const { a, b, addDevice } = await openCluster(t, server)
    const [clean, kept, away, fresh] = [
      await addDevice(),
      await addDevice(),
      await addDevice(),
      await addDevice(),
    ]
    const sleeper = await a.connect(away.token, SESSION)
    await sleeper.subscribeAsync(COMMANDS, { qos: 1 })
    await sleeper.endAsync()
    await b.broker.sendCommand(away.id, { method: 'before', params: {} })
    const plain = await a.connect(clean.token)
    const heard = methods(plain)
    await plain.subscribeAsync(COMMANDS, { qos: 1 })
    const session = await b.connect(kept.token, SESSION)
    const heardInSession = methods(session)
    await session.subscribeAsync(COMMANDS, { qos: 1 })

    await server.kill()
    for (const client of [plain, session]) {
      for (let n = 0; n < 20; n++) await client.publishAsync(TELEMETRY, '{"temperature":4}', { qos: 1 })
      await client.publishAsync(ATTRIBUTES, '{"door":1}', { qos: 1, retain: true })
      await client.publishAsync(TELEMETRY, '{"temperature":5}', { qos: 1 })
    }
    t.equal(a.intake.packets.length + b.intake.packets.length, 44, 'acknowledged and handed over')
    await t.rejects(a.broker.sendCommand(kept.id, { method: 'lost', params: {} }), {
      code: 'service.unavailable',
    })
    await t.rejects(b.connect(away.token, SESSION), { code: 3 })
    const will = { topic: TELEMETRY, payload: Buffer.from('{"online":0}'), qos: 1 as const, retain: false }
    const newcomer = await b.connect(fresh.token, { clientId: 'new', will })
    const heardByNewcomer = methods(newcomer)
    await newcomer.subscribeAsync([COMMANDS, ATTRIBUTES], { qos: 1 })
    await newcomer.publishAsync(TELEMETRY, '{"temperature":4}', { qos: 1 })
    t.same([plain.connected, session.connected, newcomer.connected], [true, true, true])

    await server.restart()
    const send = ({ broker }: typeof a, id: string, method: string) =>
      broker.sendCommand(id, { method, params: {} }).then(
        () => true,
        () => false,
      )
    await waitFor(() => send(a, clean.id, 'after'), 'a command that goes out')
    // Each broker finds Redis again by itself, one before the other.
    await waitFor(async () => {
      const sent = [
        await send(b, clean.id, 'plain'),
        await send(a, kept.id, 'session'),
        await send(a, fresh.id, 'newcomer'),
      ]
      const isHeard = heard.includes('plain') && heardInSession.length > 0 && heardByNewcomer.length > 0
      return sent.every(Boolean) && isHeard
    }, 'commands to all who are connected')
    const { heard: waited } = await resume(b, away.token)
    await waitFor(() => waited.length > 0, 'what was queued before')
    t.same(waited, ['before'])
    const plainClosed = closed(plain)
    await b.connect(clean.token, { clientId: plain.options.clientId })
    await plainClosed
  })

  test('Redis that answers nothing holds up no reading', async (t) => {
    const { a, addDevice } = await openCluster(t, server)
    const [device, other] = [await addDevice(), await addDevice()]
    const client = await a.connect(device.token)
    server.pause()
    try {
      const started = performance.now()
      for (let n = 0; n < 20; n++) await client.publishAsync(TELEMETRY, '{"temperature":4}', { qos: 1 })
      t.ok(performance.now() - started < 1000)
      await client.publishAsync(ATTRIBUTES, '{"door":1}', { qos: 1 })
      await client.publishAsync(TELEMETRY, '{"temperature":4}', { qos: 1 })
      const newcomer = await a.connect(other.token)
      await newcomer.publishAsync(TELEMETRY, '{"temperature":4}', { qos: 1 })
    } finally {
      server.resume()
    }
    await waitFor(
      () =>
        a.connect(other.token, SESSION).then(
          () => true,
          () => false,
        ),
      'a session',
    )
  })

  test('stop', async () => server.stop())
}

type Side = Awaited<ReturnType<typeof openCluster>>['a']

/** Connects to a session that may have messages waiting: a listener is there before the first of them. */
async function resume(side: Side, token: string) {
  const client = side.open(token, SESSION)
  const heard = methods(client)
  await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  return { client, heard }
}

async function sessionPresent(side: Side, token: string, clientId: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  side.open(token, { clientId, clean: false }).once('connect', (connack) => resolve(connack.sessionPresent))
  return promise
}
