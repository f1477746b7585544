import { randomUUIDv7 } from 'node:crypto'
import { get as httpGet, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { insertBreach, NOT_CLOSED } from '../../db/queries/breach.ts'
import { waitFor } from '../wait-for.ts'
import { openStockWorld } from './stock-world.ts'
import { ADMIN_PASSWORD, openWorld, plantTree, type World } from './world.ts'

interface Listener {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  text(): string
  /** How many bytes came so far. */
  bytes(): number
  /** The data of every event of this name so far. */
  events(name: string): unknown[]
  closed(): boolean
  stop(): void
}

async function listen(world: World): Promise<number> {
  await world.app.listen({ port: 0, host: '127.0.0.1' })
  return (world.app.server.address() as AddressInfo).port
}

async function open(t: Test, port: number, token: string, query = ''): Promise<Listener> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      path: `/v1/stream${query}`,
      headers: { authorization: `Bearer ${token}` },
    }
    httpGet({ ...options, agent: false }, resolve).once('error', reject)
  })
  let text = ''
  let bytes = 0
  let closed = false
  response.setEncoding('utf8').on('data', (chunk: string) => {
    bytes += chunk.length
    // What is sent in bulk is only counted.
    if (text.length < 1_000_000) text += chunk
  })
  response.on('close', () => (closed = true)).on('error', () => undefined)
  t.teardown(() => response.destroy())
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => text,
    bytes: () => bytes,
    events: (name) =>
      text
        .split('\n\n')
        .filter((block) => block.startsWith(`event: ${name}\n`))
        .map((block) => JSON.parse(block.slice(block.indexOf('data: ') + 6)) as unknown),
    closed: () => closed,
    stop: () => void response.destroy(),
  }
}

const reading = (deviceId: string, temperature: number) => ({
  deviceId,
  sensor: 'main',
  time: 1_732_233_600_000,
  values: { temperature },
})

/** How the same reading looks on the stream. */
const shown = (deviceId: string, temperature: number) => ({
  deviceId,
  sensor: 'main',
  time: '2024-11-22T00:00:00.000Z',
  values: { temperature },
})

async function gauge(world: World): Promise<number> {
  const line = /^coldstream_stream_clients (\d+)$/m.exec(await world.metrics.scrape())
  return Number(line?.[1] ?? 0)
}

test('the live stream shows readings and breaches of the own part of the tree, and no others', async (suite) => {
  const world = await openWorld(suite, { settings: { streamHeartbeatMs: 50 } })
  const { a, b } = await plantTree(world)
  const port = await listen(world)
  const viewer = await open(suite, port, await world.person('viewer', 'viewer', a.facility))
  const everything = await open(suite, port, world.admin)
  const oneDevice = await open(suite, port, world.admin, `?deviceId=${b.device}`)
  const onePlace = await open(suite, port, world.admin, `?facilityId=${a.district}`)
  suite.equal(viewer.status, 200)
  suite.match(viewer.headers, { 'content-type': /^text\/event-stream/, 'cache-control': 'no-store' })
  await waitFor(() => viewer.text().includes('retry: 3000\n\n'), 'the retry time')
  await waitFor(() => /^: /m.test(viewer.text()), 'a heartbeat')

  world.cache.publish('readings', [reading(a.device, 4), reading(b.device, 5), reading(randomUUIDv7(), 6)])
  await waitFor(() => everything.events('readings').length === 1, 'the readings')
  suite.equal(
    (everything.events('readings')[0] as unknown[]).length,
    3,
    'also those of a device that stands nowhere',
  )
  suite.same(viewer.events('readings'), [[shown(a.device, 4)]])
  suite.same(oneDevice.events('readings'), [[shown(b.device, 5)]])
  suite.same(onePlace.events('readings'), [[shown(a.device, 4)]])

  const breach = async (site: typeof a) => {
    const id = randomUUIDv7()
    await insertBreach(world.db, {
      id,
      deviceId: site.device,
      sensor: 'main',
      ruleId: 'who-30dtr-high',
      equipmentId: site.equipment,
      facilityId: site.facility,
      state: 'open',
      severity: 'critical',
      startAt: 1000,
      endAt: null,
      peak: 12,
      peakAt: 2000,
      lastAt: 3000,
      readings: 3,
      acknowledgedAt: null,
      ...NOT_CLOSED,
      outageId: null,
      cause: null,
      recordedAt: 3000,
      updatedAt: 3000,
    })
    world.cache.publish('breaches', { breachId: id, facilityId: site.facility, kind: 'opened' })
    return id
  }
  world.cache.publish('breaches', { breachId: randomUUIDv7(), facilityId: null, kind: 'opened' })
  const ofB = await breach(b)
  const ofA = await breach(a)
  await waitFor(() => everything.events('breaches').length === 2, 'both breaches')
  suite.match(viewer.events('breaches'), [{ kind: 'opened', breach: { id: ofA, state: 'open' } }])
  suite.equal(viewer.events('breaches').length, 1)
  suite.match(oneDevice.events('breaches'), [{ breach: { id: ofB } }])

  await suite.test(
    'thousands of breaches at once do not end the stream; extensions are left out',
    async (t) => {
      for (let i = 0; i < 3000; i++)
        world.cache.publish('breaches', { breachId: randomUUIDv7(), facilityId: null, kind: 'opened' })
      world.cache.publish('breaches', { breachId: ofB, facilityId: null, kind: 'extended' })
      world.cache.publish('breaches', { breachId: ofA, facilityId: null, kind: 'ended' })
      await waitFor(() => viewer.events('breaches').length === 2, 'the end of the breach')
      t.match(viewer.events('breaches')[1], { kind: 'ended', breach: { id: ofA } })
      t.equal(everything.events('breaches').length, 3)
    },
  )

  await suite.test('a device that moves is seen where it is now', async (t) => {
    await world.patch(`/v1/devices/${b.device}`, world.admin, { equipmentId: a.equipment })
    world.cache.publish('readings', [reading(b.device, 7)])
    await waitFor(() => viewer.events('readings').length === 2, 'a reading of the device that moved in')
    t.same(viewer.events('readings')[1], [shown(b.device, 7)])
  })

  await suite.test('a person who is disabled is disconnected', async (t) => {
    const { id } = await world.db
      .selectFrom('userAccount')
      .select('id')
      .where('username', '=', 'viewer')
      .executeTakeFirstOrThrow()
    await world.patch(`/v1/users/${id}`, world.admin, { disabled: true })
    await waitFor(() => viewer.closed(), 'the end of the stream')
    t.same(viewer.events('end'), [{ reason: 'auth.required' }])
  })

  await suite.test('who hangs up is forgotten', async (t) => {
    for (const listener of [everything, oneDevice, onePlace]) listener.stop()
    await waitFor(async () => (await gauge(world)) === 0, 'nobody to be left')
    t.pass()
  })
})

test('a client that never reads is cut off, and the others go on', async (t) => {
  const world = await openWorld(t, { settings: { streamBufferBytesMax: 65_536 } })
  const { a } = await plantTree(world)
  const port = await listen(world)
  const reader = await open(t, port, world.admin)
  const frozen = connect(port, '127.0.0.1')
  frozen.on('error', () => undefined).pause()
  t.teardown(() => frozen.destroy())
  frozen.write(`GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.admin}\r\n\r\n`)
  await waitFor(async () => (await gauge(world)) === 2, 'two clients')

  const many = Array.from({ length: 1500 }, (_, i) => reading(a.device, i / 10))
  const rssBefore = process.memoryUsage().rss
  world.cache.publish('readings', many)
  await waitFor(() => reader.text().endsWith(']\n\n'), 'the first batch')
  const perBatch = reader.bytes()
  let published = 1
  await waitFor(
    async () => {
      // The reader keeps up, since it is never left behind: only the frozen one is.
      if (reader.bytes() >= published * (perBatch - 100)) {
        published++
        world.cache.publish('readings', many)
      }
      return (await gauge(world)) === 1
    },
    'the frozen client to be cut off',
    30_000,
  )
  t.notOk(reader.closed())
  t.match(await world.metrics.scrape(), /coldstream_stream_dropped_total 1/)
  t.ok(process.memoryUsage().rss - rssBefore < 200_000_000, 'what waits for it is bounded')
})

test('streams are counted, and end with the token and with the server', async (t) => {
  const world = await openWorld(t, { settings: { streamsPerUserMax: 2, accessTokenTtlMs: 4000 } })
  const port = await listen(world)
  const token = await world.login('admin', ADMIN_PASSWORD)
  const [first] = await Promise.all([open(t, port, token), open(t, port, token)])
  const third = await open(t, port, token)
  t.equal(third.status, 429)
  t.match(third.headers, { 'content-type': /application\/problem\+json/ })
  await waitFor(() => first.closed(), 'the token to expire')
  t.same(first.events('end'), [{ reason: 'auth.tokenExpired' }])
  const next = await open(t, port, await world.login('admin', ADMIN_PASSWORD))
  await world.app.close()
  await waitFor(() => next.closed(), 'the server to let go')
  t.same(next.events('end'), [{ reason: 'stopping' }])
})

test('stock events reach those who may see their facilities', async (t) => {
  const world = await openStockWorld(t, 'sqlite::memory:')
  const { a, b } = world.tree
  const port = await listen(world)
  const receive = async (site: typeof a) => {
    const { body } = await world.post('/v1/stock-events', world.admin, {
      kind: 'receive',
      facilityId: site.facility,
      lines: [{ storagePointId: site.storagePoint, lotId: world.penta.lot, doses: 10 }],
    })
    return { kind: 'receive', eventId: String(body['id']) }
  }
  const everything = await open(t, port, world.admin)
  const ofDevice = await open(t, port, world.admin, `?deviceId=${a.device}`)
  const clinicA = await open(t, port, await world.person('clinic-a', 'viewer', a.facility))
  const first = await receive(a)
  const foreign = await receive(b)
  const last = await receive(a)
  await waitFor(() => clinicA.events('stock').length >= 2, 'both events of clinic A')
  await waitFor(() => everything.events('stock').length >= 3, 'all events')
  t.same(clinicA.events('stock'), [first, last])
  t.same(everything.events('stock'), [first, foreign, last])
  t.same(ofDevice.events('stock'), [])
  for (const listener of [everything, ofDevice, clinicA]) listener.stop()
})
