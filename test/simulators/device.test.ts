import { test } from 'tap'
import { DeviceError, SimulatedDevice } from '../../simulators/device.ts'
import { waitFor } from '../wait-for.ts'
import { startTestBroker } from './broker.ts'

test('a device sends what it took, in order, and counts the acknowledgements', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  const device = new SimulatedDevice({ url: broker.url, token: 'one', inFlightMax: 4 })
  t.teardown(() => device.close())
  await device.connect()
  for (let n = 0; n < 100; n++) t.ok(device.send(String(n)))
  await device.drain()
  t.same(device.stats, { sent: 100, acknowledged: 100, reconnects: 0 })
  t.same(
    broker.received.map(({ payload }) => payload),
    Array.from({ length: 100 }, (_, n) => String(n)),
  )
  t.same(new Set(broker.received.map(({ topic }) => topic)), new Set(['v1/devices/me/telemetry']))
})

test('a device keeps what it has while there is no broker, up to its limit', async (t) => {
  const first = await startTestBroker()
  const device = new SimulatedDevice({ url: first.url, token: 'one', bufferMax: 10, reconnectMs: 20 })
  t.teardown(() => device.close())
  await device.connect()
  await first.close()
  await waitFor(() => !device.connected, 'the device to notice')
  const taken = Array.from({ length: 15 }, (_, n) => device.send(String(n)))
  t.same(taken.filter(Boolean).length, 10)
  const second = await startTestBroker(first.port)
  t.teardown(() => second.close())
  await device.drain()
  t.same(new Set(second.received.map(({ payload }) => payload)).size, 10)
  t.equal(device.stats.reconnects, 1)
})

test('what was in flight when the connection broke arrives all the same', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  const device = new SimulatedDevice({ url: broker.url, token: 'one', reconnectMs: 20 })
  t.teardown(() => device.close())
  await device.connect()
  for (let n = 0; n < 500; n++) device.send(String(n))
  await waitFor(() => broker.received.length > 50, 'some messages')
  broker.disconnectAll()
  await device.drain()
  t.equal(new Set(broker.received.map(({ payload }) => payload)).size, 500)
  t.ok(device.stats.reconnects >= 1)
})

test('a refused token is an error that says so, and ends the attempts', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  const device = new SimulatedDevice({ url: broker.url, token: 'bad', reconnectMs: 20 })
  t.teardown(() => device.close())
  const error = await device.connect().catch((reason: unknown) => reason)
  t.ok(error instanceof DeviceError && error.reason === 'unauthorized', String(error))
})

test('a broker that is not there is an error that says so, at the deadline', async (t) => {
  const broker = await startTestBroker()
  await broker.close()
  const device = new SimulatedDevice({ url: broker.url, token: 'one', reconnectMs: 20 })
  t.teardown(() => device.close())
  const error = await device.connect(200).catch((reason: unknown) => reason)
  t.ok(error instanceof DeviceError && error.reason === 'unreachable', String(error))
  t.match(String(error), /ECONNREFUSED/)
})
