import { randomUUIDv7 } from 'node:crypto'
import { test } from 'tap'
import { NOT_CLOSED } from '../../db/queries/breach.ts'
import { insertBreach, insertBreachChanges } from '../../db/queries/breach.ts'
import type { BreachTable } from '../../db/schema.ts'
import { waitFor } from '../wait-for.ts'
import { openWorld, plantTree, type Json } from './world.ts'

const START = Date.UTC(2024, 10, 22)
const MINUTE = 60_000
const iso = (time: number) => new Date(time).toISOString()
const itemsOf = (body: Json) => body['items'] as unknown as Json[]

test('readings: raw in pages, or in buckets', async (suite) => {
  const world = await openWorld(suite)
  const { get, admin } = world
  const { a } = await plantTree(world)
  const readings = Array.from({ length: 120 }, (_, i) => ({
    deviceId: a.device,
    sensor: 'main',
    time: START + i * MINUTE,
    values: { temperature: i / 10, ...(i % 2 === 0 ? { humidity: 50 } : {}) },
  }))
  await world.series.write(readings)
  const ask = (query: string) => get(`/v1/devices/${a.device}/readings?${query}`, admin)
  const span = `from=${iso(START)}&to=${iso(START + 120 * MINUTE)}`

  await suite.test('pages give every reading once, in order', async (t) => {
    const times: unknown[] = []
    let cursor = ''
    do {
      const { status, body } = await ask(`${span}&limit=50${cursor}`)
      t.equal(status, 200)
      times.push(...itemsOf(body).map((item) => item['time']))
      cursor = body['nextCursor'] ? `&cursor=${String(body['nextCursor'])}` : ''
    } while (cursor !== '')
    t.same(
      times,
      readings.map(({ time }) => iso(time)),
    )
  })

  await suite.test('a quantity narrows them down', async (t) => {
    const items = itemsOf((await ask(`${span}&quantity=humidity`)).body)
    t.equal(items.length, 60)
    t.same(items[0], { sensor: 'main', time: iso(START), values: { humidity: 50 } })
  })

  await suite.test('buckets', async (t) => {
    for (const every of ['1h', '60m', 'PT1H', '3600s']) {
      const { body } = await ask(`${span}&every=${every}`)
      t.match(body, {
        nextCursor: null,
        items: [
          { start: iso(START), count: 60, min: 0, max: 5.9, last: 5.9 },
          { start: iso(START + 60 * MINUTE), count: 60 },
        ],
      })
      t.ok(Math.abs(Number(itemsOf(body)[0]?.['mean']) - 2.95) < 1e-9)
    }
  })

  await suite.test('times with an offset mean the same moment', async (t) => {
    const { body } = await ask(`from=2024-11-22T07:00:00%2B07:00&to=2024-11-22T07:02:00%2B07:00`)
    t.equal(itemsOf(body).length, 2)
  })

  await suite.test('without times: the last 24 hours', async (t) => {
    t.same(itemsOf((await ask('')).body), [])
    await world.series.write([
      { deviceId: a.device, sensor: 'main', time: Date.now() - MINUTE, values: { temperature: 4 } },
    ])
    t.equal(itemsOf((await ask('')).body).length, 1)
    t.equal(itemsOf((await ask('sensor=other')).body).length, 0)
  })

  await suite.test('what makes no sense is refused', async (t) => {
    const bad = [
      'from=yesterday',
      'from=2024-02-30T00:00:00Z',
      'from=2024-11-22T00:00:00',
      'from=1732233600000',
      `from=${iso(START)}&to=${iso(START)}`,
      `${span}&every=0m`,
      `${span}&every=10`,
      `${span}&every=1ms`,
      `${span}&every=P`,
      `${span}&every=1s`,
      'from=2000-01-01T00:00:00Z&every=1m',
      'quantity=happiness',
      'limit=0',
      'limit=5001',
      'limit=ten',
      'cursor=!!',
      'cursor=bm90IGEgdGltZQ',
      'color=blue',
      `sensor=${'x'.repeat(65)}`,
    ]
    for (const query of bad)
      t.match(await ask(query), { status: 400, body: { code: /^request\.invalid$/ } }, query)
  })
})

test('breaches: list, detail, acknowledgement', async (t) => {
  const world = await openWorld(t)
  const { get, post, admin } = world
  const { a, b, country } = await plantTree(world)
  const operator = await world.person('op', 'operator', a.district)
  const breach = (i: number, site: typeof a, state: BreachTable['state']): BreachTable => ({
    id: randomUUIDv7(),
    deviceId: site.device,
    sensor: 'main',
    ruleId: 'who-30dtr-high',
    equipmentId: site.equipment,
    facilityId: site.facility,
    state,
    severity: 'critical',
    startAt: START + i * MINUTE,
    endAt: state === 'open' ? null : START + (i + 5) * MINUTE,
    peak: 12.5,
    peakAt: START,
    lastAt: START + (i + 4) * MINUTE,
    readings: 5,
    acknowledgedAt: null,
    ...NOT_CLOSED,
    outageId: null,
    cause: null,
    recordedAt: START,
    updatedAt: START,
  })
  const ofA = Array.from({ length: 5 }, (_, i) => breach(i, a, i === 4 ? 'open' : 'ended'))
  const ofB = breach(9, b, 'open')
  for (const row of [...ofA, ofB]) await insertBreach(world.db, row)
  const last = ofA[4] ?? ofB
  const opened = {
    id: randomUUIDv7(),
    breachId: last.id,
    kind: 'opened' as const,
    at: START,
    actor: 'judge',
    before: null,
  }
  await insertBreachChanges(world.db, [{ ...opened, after: JSON.stringify(last), toldAt: START }])

  const ids = async (query: string, token = admin) =>
    itemsOf((await get(`/v1/breaches?${query}`, token)).body).map((item) => item['id'])
  const newestFirst = ofA.map(({ id }) => id).toReversed()
  t.same(await ids(''), [ofB.id, ...newestFirst])
  t.same(await ids('', operator), newestFirst)
  t.same(await ids('state=open'), [ofB.id, last.id])
  t.same(await ids(`deviceId=${a.device}&state=ended`), newestFirst.slice(1))
  t.same(await ids(`equipmentId=${b.equipment}`), [ofB.id])
  t.same(await ids(`facilityId=${country}`), [ofB.id, ...newestFirst])
  t.same(await ids(`facilityId=${a.district}`), newestFirst)
  t.match(await get('/v1/breaches?state=sad', admin), { status: 400 })

  const paged: unknown[] = []
  for (let cursor = ''; ;) {
    const { body } = await get(`/v1/breaches?limit=2${cursor}`, admin)
    paged.push(...itemsOf(body).map((item) => item['id']))
    // What comes in between goes to the front: it moves nothing on the later pages.
    await insertBreach(world.db, breach(100 + paged.length, a, 'ended'))
    if (!body['nextCursor']) break
    cursor = `&cursor=${String(body['nextCursor'])}`
  }
  t.same(paged, [ofB.id, ...newestFirst])

  const url = `/v1/breaches/${last.id}`
  const heard: unknown[] = []
  world.cache.subscribe('breaches', (message) => void heard.push(message))
  const comment = 'Moved the vaccines to the other refrigerator; "door" was open 🚪'
  for (const body of [
    {},
    { action: 'x' },
    { action: ' ', comment: 'c' },
    { action: 'x', comment: '\n ' },
    { action: 'x', comment: 'c', extra: 1 },
  ])
    t.match(await post(`${url}/acknowledge`, operator, body), {
      status: 400,
      body: { code: 'request.invalid' },
    })
  const acknowledged = await post(`${url}/acknowledge`, operator, { action: 'moved', comment })
  t.match(acknowledged, { status: 201, body: { breachId: last.id, action: 'moved', comment } })
  t.same(heard, [{ breachId: last.id, facilityId: a.facility, kind: 'acknowledged' }])

  const { body } = await get(url, operator)
  t.match(body, {
    state: 'open',
    deviceName: 'Logger A',
    equipmentName: 'Fridge A',
    facilityName: 'Clinic A',
    peak: 12.5,
    startAt: iso(last.startAt),
    endAt: null,
    durationSeconds: 240,
    acknowledgedAt: acknowledged.body['at'],
    changes: [
      { kind: 'opened', actor: 'judge', before: null, after: { startAt: iso(last.startAt) } },
      { kind: 'acknowledged', before: { acknowledgedAt: null } },
    ],
    acknowledgements: [{ action: 'moved', comment }],
    notifications: [],
  })
  await post(`${url}/acknowledge`, operator, { action: 'repaired', comment: 'new seal' })
  const twice = (await get(url, operator)).body
  t.equal(twice['acknowledgedAt'], body['acknowledgedAt'], 'the first one counts')
  t.equal((twice['acknowledgements'] as unknown as Json[]).length, 2)
})

test('a refusal is replayed once its cause is mended, and never multiplies', async (t) => {
  let now = Date.UTC(2024, 10, 22)
  const world = await openWorld(t, { clock: { now: () => now } })
  const { get, post, admin } = world
  const { a } = await plantTree(world)
  const packet = { deviceId: a.device, isGateway: false, topic: 'v1/devices/me/telemetry', receivedAt: now }
  const ahead = now + 3_600_000
  await world.ingest.intake.accept({
    ...packet,
    payload: Buffer.from(`{"ts":${ahead},"values":{"temperature":4}}`),
  })
  await world.ingest.intake.accept({ ...packet, payload: Buffer.from([0xff, 0x00, 0x7b]) })
  const listed = () => get('/v1/refusals', admin).then(({ body }) => itemsOf(body))
  await waitFor(async () => (await listed()).length === 2, 'both refusals')
  const byCode = async (code: string) =>
    itemsOf((await get(`/v1/refusals?code=${code}&deviceId=${a.device}`, admin)).body)[0]

  const future = await byCode('reading.timeInFuture')
  const broken = await byCode('packet.notJson')
  t.match(broken, {
    deviceId: a.device,
    topic: packet.topic,
    receivedAt: iso(now),
    replayedAt: null,
    replayOutcome: null,
  })
  t.notOk('payload' in (broken ?? {}), 'bytes only on request')
  t.match((await get(`/v1/refusals/${String(broken?.['id'])}`, admin)).body, { payload: '/wB7' })

  const replay = (of: Json | undefined) => post(`/v1/refusals/${String(of?.['id'])}/replay`, admin, undefined)
  for (let i = 0; i < 3; i++)
    t.match(await replay(broken), {
      status: 200,
      body: { replayOutcome: { readings: 0, refused: [{ code: 'packet.notJson' }] } },
    })
  await waitFor(() => world.queue.depth('store').batches === 0, 'the store to be done')
  t.equal((await listed()).length, 2, 'refused again is the same refusal')

  now = ahead
  const { status, body } = await replay(future)
  t.equal(status, 200)
  t.match(body, { replayedAt: iso(now) })
  t.ok(body['replayOutcome'])
  t.match(await post(`/v1/refusals/${randomUUIDv7()}/replay`, admin, undefined), { status: 404 })
})
