import { test } from 'tap'
import { waitFor } from '../wait-for.ts'
import { connectPacket, inbox, openWorld } from './world.ts'

const ATTRIBUTES = 'v1/devices/me/attributes'
const COMMANDS = 'v1/devices/me/rpc/request/+'

test('a device publishes to its own topics', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice({ isGateway: 1 })
  const client = await world.connect(token)
  const topics = ['v1/devices/me/telemetry', ATTRIBUTES, 'v1/gateway/telemetry', 'v1/gateway/attributes']
  for (const topic of topics) await client.publishAsync(topic, '{}', { qos: 1 })
  t.same(
    world.intake.packets.map(({ topic }) => topic),
    topics,
  )
  t.ok(world.intake.packets.every(({ deviceId, isGateway }) => deviceId === id && isGateway))
})

test('questions of the ThingsBoard API that have no data in them are acknowledged and go nowhere', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const client = await world.connect(token)
  const topics = ['v1/gateway/connect', 'v1/devices/me/attributes/request/1']
  for (const topic of topics) await client.publishAsync(topic, '{}', { qos: 1 })
  t.equal(world.intake.packets.length, 0)
  t.equal(await world.metric('coldstream_mqtt_packets_total{outcome="ignored"}'), topics.length)
})

test('data of that API in a form that is not known is handed over, to be kept as a refusal', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const client = await world.connect(token)
  await client.publishAsync('v1/devices/me/telemetry/proto', 'x', { qos: 1 })
  t.equal(world.intake.packets[0]?.topic, 'v1/devices/me/telemetry/proto')
})

test('any other topic closes the connection without an acknowledgement', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const other = await world.addDevice()
  const topics = [
    `v1/devices/${other.id}/telemetry`,
    `device/${other.id}/v1/devices/me/attributes`,
    '$SYS/broker/new/clients',
    'foo',
    '/',
    `v1/devices/me/${'a/'.repeat(1000)}`,
    'a/'.repeat(1000),
  ]
  for (const topic of topics) {
    const client = world.raw()
    client.send(connectPacket(token))
    client.send({ cmd: 'publish', topic, payload: '{}', qos: 1, messageId: 1, dup: false, retain: true })
    await client.closed
    t.same(
      client.received.map(({ cmd }) => cmd),
      ['connack'],
      topic.slice(0, 50),
    )
  }
  t.equal(world.intake.packets.length, 0)
  t.equal(await world.metric('coldstream_mqtt_denied_total{reason="publish-topic"}'), 5)
  t.equal(
    world.logLines.filter((line) => line.includes('publish denied')).length <= 2,
    true,
    'one burst, one line',
  )
})

test('a filter that is not granted gets 0x80, and the connection stays', async (t) => {
  const world = await openWorld(t)
  const { token, id } = await world.addDevice()
  const client = world.raw()
  client.send(connectPacket(token))
  const filters = [
    COMMANDS,
    '#',
    '+/devices/me/attributes',
    ATTRIBUTES,
    '$SYS/#',
    `device/${id}/#`,
    'v1/devices/me/rpc/request/5',
    'a/'.repeat(1000),
  ]
  client.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: filters.map((topic) => ({ topic, qos: 2 as const })),
  })
  const suback = await waitFor(() => client.received.find(({ cmd }) => cmd === 'suback'), 'the SUBACK')
  t.match(suback, { granted: [1, 128, 128, 1, 128, 128, 1, 128] })
  client.send({ cmd: 'pingreq' })
  await waitFor(() => client.received.some(({ cmd }) => cmd === 'pingresp'), 'the PINGRESP')
  t.equal(await world.metric('coldstream_mqtt_denied_total{reason="subscribe-topic"}'), 5)
})

test('a device hears its own attributes and commands, under the names that it knows', async (t) => {
  const world = await openWorld(t)
  const one = await world.addDevice()
  const two = await world.addDevice()
  const [first, second] = [
    await world.connect(one.token, { clientId: 'x' }),
    await world.connect(two.token, { clientId: 'x' }),
  ]
  const [firstInbox, secondInbox] = [inbox(first), inbox(second)]
  for (const client of [first, second]) await client.subscribeAsync([COMMANDS, ATTRIBUTES], { qos: 1 })
  await first.publishAsync(ATTRIBUTES, '{"of":"one"}', { qos: 2, retain: true })
  await world.broker.sendCommand(two.id, { method: 'reboot', params: { in: 5 } })
  await waitFor(() => firstInbox.length > 0 && secondInbox.length > 0, 'both messages')
  const late = inbox(second)
  await second.unsubscribeAsync(ATTRIBUTES)
  await second.subscribeAsync(ATTRIBUTES, { qos: 1 })
  await world.broker.sendCommand(two.id, { method: 'last', params: null })
  await waitFor(() => late.length > 0, 'the last command')
  t.same(firstInbox, [{ topic: ATTRIBUTES, text: '{"of":"one"}', retain: false }])
  t.match(secondInbox[0]?.topic ?? '', /^v1\/devices\/me\/rpc\/request\/\d+$/)
  t.equal(secondInbox[0]?.text, '{"method":"reboot","params":{"in":5}}')
  t.equal(secondInbox.length, 2, 'nothing of the other device')
})

test('after UNSUBSCRIBE nothing more comes', async (t) => {
  const world = await openWorld(t)
  const { token } = await world.addDevice()
  const client = await world.connect(token)
  const messages = inbox(client)
  await client.subscribeAsync([ATTRIBUTES, COMMANDS], { qos: 1 })
  await client.publishAsync(ATTRIBUTES, 'heard', { qos: 1 })
  await client.unsubscribeAsync(ATTRIBUTES)
  await client.publishAsync(ATTRIBUTES, 'not heard', { qos: 1 })
  await world.broker.sendCommand(world.intake.packets[0]?.deviceId ?? '', { method: 'last', params: null })
  await waitFor(() => messages.some(({ text }) => text.includes('last')), 'the command')
  t.same(
    messages.map(({ text }) => text.slice(0, 9)),
    ['heard', '{"method"'],
  )
})

test('filters sent before the CONNACK are those of the device too', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const client = world.raw()
  client.send(connectPacket(token))
  client.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [
      { topic: COMMANDS, qos: 1 },
      { topic: '#', qos: 1 },
    ],
  })
  const suback = await waitFor(() => client.received.find(({ cmd }) => cmd === 'suback'), 'the SUBACK')
  t.match(suback, { granted: [1, 128] })
  await world.broker.sendCommand(id, { method: 'reboot', params: {} })
  await waitFor(() => client.received.some(({ cmd }) => cmd === 'publish'), 'the command')
})

test('the filters of one connection are limited', async (t) => {
  const world = await openWorld(t, { subscriptionsMax: 3 })
  const { token } = await world.addDevice()
  const client = world.raw()
  client.send(connectPacket(token))
  const subscriptions = [1, 2, 3, 4, 5].map((n) => ({
    topic: `v1/devices/me/rpc/request/${n}`,
    qos: 1 as const,
  }))
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['v1/devices/me/rpc/request/1'] })
  client.send({ cmd: 'subscribe', messageId: 3, subscriptions: subscriptions.slice(3) })
  const subacks = await waitFor(() => {
    const found = client.received.filter(({ cmd }) => cmd === 'suback')
    return found.length === 2 && found
  }, 'both SUBACKs')
  t.match(subacks, [{ granted: [1, 1, 1, 128, 128] }, { granted: [1, 128] }])
})

test('an empty retained message takes the retained one back, and is not handed over', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const client = await world.connect(token)
  await client.publishAsync(ATTRIBUTES, 'kept', { qos: 1, retain: true })
  await client.publishAsync(ATTRIBUTES, '', { qos: 1, retain: true })
  t.equal(world.intake.packets.length, 1)
  const messages = inbox(client)
  await client.subscribeAsync([ATTRIBUTES, COMMANDS], { qos: 1 })
  await world.broker.sendCommand(id, { method: 'last', params: null })
  await waitFor(() => messages.length > 0, 'the command')
  t.match(messages, [{ text: /last/ }])
})
