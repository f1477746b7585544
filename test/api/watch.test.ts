import { test } from 'tap'
import { insertBreach, NOT_CLOSED } from '../../db/queries/breach.ts'
import { insertMembers } from '../../db/queries/outage.ts'
import { insertWatched } from '../../db/queries/watch.ts'
import { newRow } from '../../notifier/watch-heard.ts'
import { openWorld, plantTree } from './world.ts'

const SILENCE = '01920000-0000-7000-8000-000000000001'
const OUTAGE = '01920000-0000-7000-8000-000000000002'

test('a device says when it was heard, how often it is expected, and since when it is silent', async (t) => {
  const world = await openWorld(t)
  const { a } = await plantTree(world)
  const url = `/v1/devices/${a.device}`
  t.match((await world.get(url, world.admin)).body, { watch: null }, 'nothing was heard of it')
  const row = {
    ...newRow(a.device, { newestAt: 1_000, arrivedAt: 2_000 }),
    cadenceMs: 600_000,
    limitMs: 1_800_000,
  }
  await insertWatched(world.db, [row])
  const fine = {
    cadenceSeconds: 600,
    cadenceIs: 'learned',
    silentAfterSeconds: 1800,
    silentSince: null,
    cause: null,
  }
  t.match((await world.get(url, world.admin)).body['watch'], {
    ...fine,
    lastHeardAt: '1970-01-01T00:00:02.000Z',
  })

  t.equal((await world.patch(url, world.admin, { expectedCadenceSeconds: 59 })).status, 400)
  t.equal((await world.patch(url, world.admin, { expectedCadenceSeconds: 3600 })).status, 200)
  const set = { cadenceSeconds: 3600, cadenceIs: 'set', silentAfterSeconds: 10_800 }
  t.match((await world.get(url, world.admin)).body['watch'], set)
  const watched = await world.db.selectFrom('deviceWatch').selectAll().executeTakeFirstOrThrow()
  t.match(watched, { checkFrom: 1_000, checkTo: 1_000 }, 'the watcher looks again')
  const audit = await world.db
    .selectFrom('audit')
    .selectAll()
    .where('action', '=', 'device.changed')
    .execute()
  t.match(audit.at(-1)?.after, /"expectedCadenceSeconds":3600/)
  t.equal((await world.patch(url, world.admin, { expectedCadenceSeconds: null })).status, 200)
  t.match((await world.get(url, world.admin)).body['watch'], fine)
})

test('silences and outages, and what is part of them', async (t) => {
  const world = await openWorld(t)
  const { a, b } = await plantTree(world)
  const common = {
    sensor: '*',
    state: 'open' as const,
    severity: 'warning' as const,
    startAt: 1000,
    endAt: null,
    peak: 1,
    peakAt: 1000,
    lastAt: 1000,
    readings: 0,
    acknowledgedAt: null,
    ...NOT_CLOSED,
    recordedAt: 1,
    updatedAt: 1,
  }
  const outage = { id: OUTAGE, deviceId: null, ruleId: 'site-outage', equipmentId: null, outageId: null }
  await insertBreach(world.db, { ...common, ...outage, facilityId: a.facility, cause: 'power' })
  const silence = {
    id: SILENCE,
    deviceId: a.device,
    ruleId: 'silence',
    equipmentId: a.equipment,
    outageId: OUTAGE,
  }
  await insertBreach(world.db, { ...common, ...silence, facilityId: a.facility, cause: 'power' })
  await insertMembers(world.db, OUTAGE, [{ deviceId: a.device, reason: 'silent', since: 1000 }])

  const mine = await world.person('mine', 'operator', a.facility)
  const other = await world.person('other', 'operator', b.facility)
  t.match((await world.get('/v1/silences', mine)).body, {
    items: [{ id: SILENCE, outageId: OUTAGE, cause: 'power' }],
  })
  t.match((await world.get('/v1/silences?state=ended', mine)).body, { items: [] })
  t.same((await world.get('/v1/silences', other)).body['items'], [])
  const detail = (await world.get(`/v1/breaches/${OUTAGE}`, mine)).body
  t.match(detail, { deviceId: null, deviceName: null, ruleId: 'site-outage', quantity: 'site-outage' })
  t.match(detail['members'], [{ deviceId: a.device, reason: 'silent', backAt: null }])
  t.match((await world.get(`/v1/breaches?outageId=${OUTAGE}`, mine)).body, { items: [{ id: SILENCE }] })
  t.match((await world.get(`/v1/devices/${a.device}`, mine)).body, { watch: null })
  const acknowledged = await world.post(`/v1/breaches/${OUTAGE}/acknowledge`, mine, {
    action: 'called',
    comment: 'x',
  })
  t.equal(acknowledged.status, 201)
  const profiles = (await world.get('/v1/profiles', mine)).body['items'] as unknown as { id: string }[]
  t.notOk(
    profiles.some(({ id }) => id === 'watch'),
    'the rules of the watchdog are no storage profile',
  )
})

test('calibrations are entered in any order, and the last one counts', async (t) => {
  const world = await openWorld(t)
  const { a } = await plantTree(world)
  const url = `/v1/devices/${a.device}/calibrations`
  const operator = await world.person('op', 'operator', a.facility)
  const enter = (day: string, more = {}) =>
    world.post(url, operator, { calibratedAt: `${day}T00:00:00Z`, intervalDays: 365, ...more })
  t.match(await enter('2025-06-01', { certificate: 'C-1' }), {
    status: 201,
    body: { sensor: 'main', dueAt: '2026-06-01T00:00:00.000Z', isNewest: true, certificate: 'C-1' },
  })
  t.match(await enter('2024-06-01'), { status: 201, body: { isNewest: false } })
  t.match(await enter('2025-07-01', { sensor: 'freezer' }), { status: 201, body: { isNewest: true } })
  t.match(await enter('2025-08-01'), { status: 201, body: { isNewest: true } })
  t.match(await enter('2199-01-01'), { status: 400 })
  const items = (await world.get(url, operator)).body['items'] as unknown as {
    calibratedAt: string
    isNewest: boolean
  }[]
  t.same(
    items.map(({ calibratedAt, isNewest }) => [calibratedAt.slice(0, 10), isNewest]),
    [
      ['2025-08-01', true],
      ['2025-07-01', true],
      ['2024-06-01', false],
      ['2025-06-01', false],
    ],
  )
  const audit = await world.db
    .selectFrom('audit')
    .selectAll()
    .where('action', '=', 'calibration.added')
    .execute()
  t.equal(audit.length, 4)
})
