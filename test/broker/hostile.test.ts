import { once } from 'node:events'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import mqttPacket from 'mqtt-packet'
import { test } from 'tap'
import { waitFor } from '../wait-for.ts'
import { connectPacket, openWorld, type World } from './world.ts'
import { skipWithout } from '../services/required.ts'

const TELEMETRY = 'v1/devices/me/telemetry'

/** An exception that nobody caught would have failed the test by now; that the broker also still works is what this shows. */
async function stillWorks(world: World, token: string): Promise<boolean> {
  const client = await world.connect(token, { clientId: 'witness' })
  await client.publishAsync(TELEMETRY, '{"temperature":4.2}', { qos: 1 })
  await client.endAsync()
  return true
}

const CONNECT = mqttPacket.generate(connectPacket('no such token'))

const MALFORMED: Record<string, Buffer> = {
  HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n'),
  'a TLS ClientHello': Buffer.from('16030100c8010000c40303', 'hex'),
  'a wrong protocol name': Buffer.from(CONNECT.toString('latin1').replace('MQTT', 'MQTX'), 'latin1'),
  'protocol level 77': Buffer.from(CONNECT.toString('latin1').replace('MQTT\x04', 'MQTT\x4d'), 'latin1'),
  'a CONNECT with lengths beyond its end': Buffer.from('100c00044d5154540402003cffff6162', 'hex'),
  'a CONNECT that ends in its flags': Buffer.from('100700044d51545404', 'hex').fill(0, 8),
  'an empty CONNECT': Buffer.from('1000', 'hex'),
  'the reserved flag of CONNECT': Buffer.from(
    CONNECT.toString('latin1').replace('MQTT\x04\x82', 'MQTT\x04\x83'),
    'latin1',
  ),
  'a length of five bytes': Buffer.from('10ffffffffff7f', 'hex'),
  'packet type 0': Buffer.from('0000', 'hex'),
  'packet type 15': Buffer.from('f000', 'hex'),
  'PUBLISH before CONNECT': mqttPacket.generate({
    cmd: 'publish',
    topic: TELEMETRY,
    payload: 'x',
    qos: 0,
    dup: false,
    retain: false,
  }),
  'SUBSCRIBE before CONNECT': mqttPacket.generate({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: '#', qos: 0 }],
  }),
  'PINGREQ before CONNECT': Buffer.from('c000', 'hex'),
  'CONNACK from a client': Buffer.from('20020000', 'hex'),
}

test('what is not MQTT is closed', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  for (const [what, bytes] of Object.entries(MALFORMED)) {
    const client = world.raw()
    client.socket.write(bytes)
    await client.closed
    t.same(client.received, [], what)
  }
  t.ok(await stillWorks(world, token))
})

const MALFORMED_LATER: Record<string, Buffer> = {
  'a second CONNECT': CONNECT,
  'PUBLISH at QoS 3': Buffer.from('3605000178ffff', 'hex'),
  'PUBLISH without a topic': Buffer.from('3000', 'hex'),
  'PUBLISH with an empty topic': Buffer.from('30020000', 'hex'),
  'PUBLISH with a topic beyond its end': Buffer.from('3004ffff6162', 'hex'),
  'PUBLISH to a wildcard': mqttPacket.generate({
    cmd: 'publish',
    topic: 'v1/devices/me/+',
    payload: 'x',
    qos: 0,
    dup: false,
    retain: false,
  }),
  'PUBLISH with a NUL in its topic': Buffer.from('3005000361006278', 'hex'),
  'SUBSCRIBE without filters': Buffer.from('82020001', 'hex'),
  'SUBSCRIBE with wrong flags': Buffer.from('80060001000178ff', 'hex'),
  'SUBSCRIBE at QoS 3': Buffer.from('8206000100017803', 'hex'),
  'UNSUBSCRIBE without filters': Buffer.from('a2020001', 'hex'),
  'PUBREL with wrong flags': Buffer.from('60020001', 'hex'),
  'AUTH of MQTT 5': Buffer.from('f00118', 'hex'),
}

test('a device that stops speaking MQTT is closed', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  for (const [what, bytes] of Object.entries(MALFORMED_LATER)) {
    const client = world.raw()
    client.send(connectPacket(token))
    await waitFor(() => client.received.length > 0, 'the CONNACK')
    client.socket.end(bytes)
    await client.closed
    t.notOk(
      client.received.some(({ cmd }) => cmd === 'puback'),
      what,
    )
  }
  t.equal(world.intake.packets.length, 0)
  t.ok(await stillWorks(world, token))
})

test('acknowledgements for what was never sent do no harm', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  for (const clean of [true, false]) {
    const client = world.raw()
    client.send(connectPacket(token, { clean }))
    for (const cmd of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const) client.send({ cmd, messageId: 99 })
    client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['never/subscribed', '#'] })
    client.socket.end()
    await client.closed
  }
  t.ok(await stillWorks(world, token))
})

test('random bytes, before and after the CONNECT, end at most their own connection', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  let seed = 20_261_123
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 4_294_967_296) * below)
  }
  const hello = mqttPacket.generate(connectPacket(token))
  const publish = mqttPacket.generate({
    cmd: 'publish',
    topic: TELEMETRY,
    payload: '{"temperature":4.2}',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
  })
  for (let round = 0; round < 300; round++) {
    const client = world.raw()
    const bytes = Buffer.concat(round % 2 ? [hello, publish, publish] : [hello])
    for (let flips = 0; flips <= random(4); flips++) bytes[random(bytes.length)] = random(256)
    client.socket.end(bytes)
    await client.closed
  }
  t.ok(await stillWorks(world, token))
})

test('a packet beyond the limit is refused on its fixed header', async (t) => {
  const world = await openWorld(t, { packetBytesMax: 65_536 })
  const { token } = await world.addDevice()
  const announced = world.raw()
  announced.send(connectPacket(token))
  await waitFor(() => announced.received.length > 0, 'the CONNACK')
  // 256 MB announced, one byte sent: only the fixed header can have been the reason.
  announced.socket.write(Buffer.from('32ffffff7f00', 'hex'))
  await announced.closed
  const early = world.raw()
  early.socket.write(Buffer.from('10ffffff7f00', 'hex'))
  await early.closed
  const sent = world.raw()
  sent.send(connectPacket(token))
  sent.send({
    cmd: 'publish',
    topic: TELEMETRY,
    payload: Buffer.alloc(10_000_000),
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
  })
  await sent.closed
  t.equal(world.intake.packets.length, 0)
  const largest = 65_536 - 2 - TELEMETRY.length - 2
  const client = await world.connect(token)
  await client.publishAsync(TELEMETRY, Buffer.alloc(largest), { qos: 1 })
  t.equal(world.intake.packets[0]?.payload.byteLength, largest)
  const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)))
  client.publish(TELEMETRY, Buffer.alloc(largest + 1), { qos: 1 })
  await closed
  t.equal(world.intake.packets.length, 1)
})

test('a client that never reads is closed, and holds nobody up', async (t) => {
  const world = await openWorld(t, { drainTimeoutMs: 300 })
  const { id, token } = await world.addDevice()
  const deaf = world.raw()
  deaf.send(connectPacket(token))
  deaf.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: 'v1/devices/me/rpc/request/+', qos: 1 }],
  })
  await waitFor(() => deaf.received.some(({ cmd }) => cmd === 'suback'), 'the SUBACK')
  deaf.socket.pause()
  const params = 'x'.repeat(60_000)
  const commands = Array.from({ length: 200 }, () => world.broker.sendCommand(id, { method: 'm', params }))
  t.ok(await stillWorks(world, (await world.addDevice()).token))
  await Promise.all(commands)
  await waitFor(
    async () => (await world.metric('coldstream_mqtt_connections')) === 0,
    'the end of the connection',
  )
})

test('connections that send nothing are closed in time', async (t) => {
  const world = await openWorld(t, { connectTimeoutMs: 500 })
  const { token } = await world.addDevice()
  const silent = Array.from({ length: 1000 }, () => world.raw())
  await waitFor(() => silent.every(({ socket }) => !socket.connecting), 'a thousand connections')
  t.ok(await stillWorks(world, token), 'works beside them')
  await Promise.all(silent.map(({ closed }) => closed))
  t.ok(await stillWorks(world, token), 'works after them')
})

test('a CONNECT in drops does not hold a connection open', async (t) => {
  const world = await openWorld(t, { connectTimeoutMs: 300 })
  const { token } = await world.addDevice()
  const client = world.raw()
  const bytes = mqttPacket.generate(connectPacket(token))
  const drip = setInterval(() => void client.socket.write(bytes.subarray(0, 1)), 50)
  t.teardown(() => clearInterval(drip))
  await once(client.socket, 'connect')
  await client.closed
})

test('more packets than the limit before the CONNACK close the connection', async (t) => {
  const world = await openWorld(t, { earlyPacketsMax: 10 })
  const { token } = await world.addDevice()
  const client = world.raw()
  const ping = Buffer.from('c000', 'hex')
  client.socket.write(
    Buffer.concat([mqttPacket.generate(connectPacket(token)), ...Array.from({ length: 50 }, () => ping)]),
  )
  await client.closed
  t.ok(await stillWorks(world, token))
})

test('half-finished QoS 2 publishes are limited', async (t) => {
  const world = await openWorld(t, { inflightMax: 5 })
  const { token } = await world.addDevice()
  const client = world.raw()
  client.send(connectPacket(token, { clean: false }))
  await waitFor(() => client.received.length > 0, 'the CONNACK')
  for (let messageId = 1; messageId <= 10; messageId++)
    client.send({
      cmd: 'publish',
      topic: TELEMETRY,
      payload: 'x',
      qos: 2,
      messageId,
      dup: false,
      retain: false,
    })
  await client.closed
  t.ok(client.received.filter(({ cmd }) => cmd === 'pubrec').length <= 5)
})

const MOSQUITTO = '/usr/bin/mosquitto_pub'

test(
  'a client that nobody here wrote',
  { skip: skipWithout('mosquitto_pub', existsSync(MOSQUITTO)) },
  async (t) => {
    const world = await openWorld(t)
    const { token } = await world.addDevice()
    const run = (user: string) =>
      promisify(execFile)(MOSQUITTO, [
        '-h',
        '127.0.0.1',
        '-p',
        String(world.broker.ports.mqtt),
        '-q',
        '1',
        '-u',
        user,
        '-t',
        TELEMETRY,
        '-m',
        '{"temperature":4.2}',
      ])
    await run(token)
    t.equal(String(world.intake.packets[0]?.payload), '{"temperature":4.2}')
    await t.rejects(run('wrong'), { code: 4 })
  },
)
