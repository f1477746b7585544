import mqttPacket, { type Packet } from 'mqtt-packet'
import { test } from 'tap'
import { waitFor } from '../wait-for.ts'
import { connectPacket, openWorld } from './world.ts'

const TELEMETRY = 'v1/devices/me/telemetry'

function qos1(messageId: number): Packet {
  const payload = '{"temperature":4.2}'
  return { cmd: 'publish', topic: TELEMETRY, payload, qos: 1, messageId, dup: false, retain: false }
}

test('PUBACK comes only after the intake has made the packet durable', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const durable = Promise.withResolvers<void>()
  world.intake.answer = () => durable.promise
  const client = world.raw()
  client.send(connectPacket(token))
  client.send(qos1(7))
  await waitFor(() => world.intake.packets.length === 1, 'the hand-over')
  // A ping goes and comes back in between: the acknowledgement had every chance to be sent too early.
  client.send({ cmd: 'pingreq' })
  await waitFor(() => client.received.some(({ cmd }) => cmd === 'connack'), 'the CONNACK')
  await new Promise(setImmediate)
  t.notOk(client.received.some(({ cmd }) => cmd === 'puback'))
  durable.resolve()
  await waitFor(() => client.received.some(({ cmd }) => cmd === 'puback'), 'the PUBACK')
  const [packet] = world.intake.packets
  t.match(
    { ...packet, payload: packet?.payload.toString() },
    {
      deviceId: id,
      isGateway: false,
      topic: TELEMETRY,
      payload: '{"temperature":4.2}',
    },
  )
})

test('while acknowledgements wait pings are answered, so that no device takes the broker for gone, nor the broker it', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const durable = Promise.withResolvers<void>()
  world.intake.answer = () => durable.promise
  const client = world.raw()
  const heard = (wanted: string) => client.received.filter(({ cmd }) => cmd === wanted).length
  client.send(connectPacket(token))
  await waitFor(() => heard('connack') === 1, 'the CONNACK')
  for (let messageId = 1; messageId <= 20; messageId += 1) client.send(qos1(messageId))
  await waitFor(() => world.intake.packets.length === 20, 'the hand-overs')
  for (let pings = 1; pings <= 3; pings += 1) {
    client.send({ cmd: 'pingreq' })
    await waitFor(() => heard('pingresp') === pings, 'the PINGRESP')
  }
  t.equal(heard('puback'), 0)
  durable.resolve()
  await waitFor(() => heard('puback') === 20, 'the PUBACKs')
})

test('a hand-over that fails for a while delays the PUBACK and does not close the connection', async (t) => {
  const world = await openWorld(t, { retryDelayMs: 5 })
  const { token } = await world.addDevice()
  let failures = 3
  world.intake.answer = async () => {
    if (failures-- > 0) throw new Error('queue is down')
  }
  const client = await world.connect(token)
  await client.publishAsync(TELEMETRY, '{"temperature":4.2}', { qos: 1 })
  t.equal(world.intake.packets.length, 4)
  t.equal(client.connected, true)
  t.equal(await world.metric('coldstream_intake_retries_total'), 3)
  t.equal(await world.broker.ready(), undefined)
  t.equal(world.logLines.filter((line) => line.includes('takes no packets')).length, 1)
})

test('after the wait there is no PUBACK, the connection closes, and the client sends the packet again', async (t) => {
  const world = await openWorld(t, { retryDelayMs: 5, intakeWaitMs: 50 })
  const { token } = await world.addDevice()
  let down = true
  world.intake.answer = async () => {
    if (down) throw new Error('queue is down')
  }
  const client = await world.connect(token, { reconnectPeriod: 20, clientId: 'persistent', clean: false })
  const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)))
  let acknowledged = false
  const sent = client
    .publishAsync(TELEMETRY, '{"temperature":4.2}', { qos: 1 })
    .finally(() => (acknowledged = true))
  await closed
  t.equal(acknowledged, false)
  t.match(await world.broker.ready(), /intake/)
  const before = world.intake.packets.length
  down = false
  await sent
  t.ok(world.intake.packets.length > before)
  t.ok((await world.metric('coldstream_mqtt_packets_total{outcome="failed"}')) >= 1)
})

test('an intake that throws at once is treated like one that rejects', async (t) => {
  const world = await openWorld(t, { retryDelayMs: 5 })
  const { token } = await world.addDevice()
  const accept = world.intake.accept
  let thrown = 0
  world.intake.accept = (packet) => {
    if (thrown++ < 2) throw new Error('broken')
    return accept(packet)
  }
  const client = await world.connect(token)
  await client.publishAsync(TELEMETRY, '{}', { qos: 1 })
  t.equal(thrown, 3)
})

test('QoS 0 and QoS 2 go the same way; QoS 2 completes', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const client = await world.connect(token)
  await client.publishAsync(TELEMETRY, 'zero', { qos: 0 })
  await client.publishAsync(TELEMETRY, 'two', { qos: 2 })
  await client.publishAsync(TELEMETRY, 'two again', { qos: 2 })
  t.same(
    world.intake.packets.map(({ payload }) => payload.toString()),
    ['zero', 'two', 'two again'],
  )
})

test('a connection is read no further than the limit; a packet that came in pieces meanwhile is not left lying', async (t) => {
  const world = await openWorld(t, { handOversPerConnectionMax: 2 })
  const { token } = await world.addDevice()
  const durable = Promise.withResolvers<void>()
  world.intake.answer = () => durable.promise
  const client = world.raw()
  client.send(connectPacket(token))
  client.socket.setNoDelay()
  const count = 50
  for (let messageId = 1; messageId <= count; messageId++) {
    for (const byte of mqttPacket.generate(qos1(messageId))) {
      client.socket.write(Buffer.from([byte]))
      if (messageId % 10 === 0) await new Promise(setImmediate)
    }
  }
  await waitFor(() => world.intake.packets.length >= 2, 'the first hand-overs')
  for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate)
  t.ok(world.intake.packets.length < count / 2, `${world.intake.packets.length} handed over at once`)
  durable.resolve()
  await waitFor(
    () => client.received.filter(({ cmd }) => cmd === 'puback').length === count,
    'every PUBACK',
    3000,
  )
  t.equal(world.intake.packets.length, count)
})

test('empty and binary payloads are handed over as they are', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const client = await world.connect(token)
  const binary = Buffer.from([0, 255, 254, 0, 195, 40])
  await client.publishAsync(TELEMETRY, Buffer.alloc(0), { qos: 1 })
  await client.publishAsync(TELEMETRY, binary, { qos: 1 })
  t.same(
    world.intake.packets.map(({ payload }) => Buffer.from(payload).toString('hex')),
    ['', '00fffe00c328'],
  )
})

test('a stop waits for the hand-over in flight, and its PUBACK still arrives', async (t) => {
  const world = await openWorld(t, { stopTimeoutMs: 5000 })
  const { token } = await world.addDevice()
  const durable = Promise.withResolvers<void>()
  world.intake.answer = () => durable.promise
  const client = await world.connect(token)
  const sent = client.publishAsync(TELEMETRY, '{}', { qos: 1 })
  await waitFor(() => world.intake.packets.length === 1, 'the hand-over')
  const { broker } = world
  const stopped = world.stop()
  t.match(await broker.ready(), /stopping/)
  durable.resolve()
  await sent
  await stopped
})

test('a stop does not wait for ever', async (t) => {
  const world = await openWorld(t, { stopTimeoutMs: 50 })
  const { token } = await world.addDevice()
  world.intake.answer = () => new Promise(() => {})
  const client = await world.connect(token)
  client.publish(TELEMETRY, '{}', { qos: 1 })
  await waitFor(() => world.intake.packets.length === 1, 'the hand-over')
  await world.stop()
  t.ok(world.logLines.some((line) => line.includes('before every packet was durable')))
})
