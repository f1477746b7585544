import { randomUUIDv7 } from 'node:crypto'
import { test } from 'tap'
import { insertBreach, NOT_CLOSED } from '../../db/queries/breach.ts'
import { openWorld, plantTree, type Site, type World } from './world.ts'

const MINUTE_MS = 60_000

async function plantBreach(world: World, site: Site, ruleId: string, startAt: number): Promise<string> {
  const id = randomUUIDv7()
  const { device: deviceId, equipment: equipmentId, facility: facilityId } = site
  await insertBreach(world.db, {
    id,
    deviceId,
    equipmentId,
    facilityId,
    ruleId,
    startAt,
    ...NOT_CLOSED,
    sensor: 'main',
    state: 'open',
    severity: 'critical',
    endAt: null,
    peak: 12,
    readings: 3,
    peakAt: startAt,
    lastAt: startAt,
    recordedAt: startAt,
    updatedAt: startAt,
    acknowledgedAt: null,
    outageId: null,
    cause: null,
  })
  return id
}

test('equipment by state: what needs somebody comes first', async (t) => {
  const world = await openWorld(t)
  const { a, b, country } = await plantTree(world)
  const idle = await world.make('/v1/equipment', {
    name: 'Spare',
    kind: 'freezer',
    profile: 'who-30dtr',
    facilityId: a.facility,
  })
  const list = async (query = '', token = world.admin) =>
    (await world.get(`/v1/equipment-states${query}`, token)).body
  const now = Date.now()
  const reading = { sensor: 'main', time: now - MINUTE_MS, values: { temperature: 4.5 } }
  await world.series.write([{ deviceId: b.device, ...reading }])
  t.match((await list()).items, [{ state: 'unknown' }, { state: 'unknown' }, { state: 'unknown' }])

  await world.db
    .insertInto('deviceWatch')
    .values({
      deviceId: b.device,
      newestAt: now,
      arrivedAt: now,
      cadenceMs: null,
      pauseMs: null,
      limitMs: now,
      dueAt: null,
      checkFrom: null,
      checkTo: null,
      checkBy: null,
      powerLostAt: null,
      clockOffMs: null,
    })
    .execute()
  await plantBreach(world, a, 'silence', now - 5 * MINUTE_MS)
  await plantBreach(world, a, 'calibration-overdue', now - 9 * MINUTE_MS)
  t.match((await list()).items, [
    { id: a.equipment, state: 'silent', celsius: null, doses: 0, facilityName: 'Clinic A' },
    { id: idle, state: 'unknown', since: null, doses: null },
    { id: b.equipment, state: 'in-range', celsius: 4.5, celsiusAt: new Date(now - MINUTE_MS).toISOString() },
  ])
  const warm = await plantBreach(world, a, 'who-30dtr-high', now - 2 * MINUTE_MS)
  t.match((await list('?state=warm')).items, [
    { id: a.equipment, breachId: warm, since: new Date(now - 2 * MINUTE_MS).toISOString() },
  ])
  t.match((await list('?q=clinic%20b')).items, [{ id: b.equipment }])

  const first = await list('?limit=2')
  t.same(
    [first, await list(`?limit=2&cursor=${String(first.nextCursor)}`)].flatMap((page) =>
      (page.items as unknown as { id: string }[]).map(({ id }) => id),
    ),
    [a.equipment, idle, b.equipment],
    'pages follow each other',
  )
  t.match((await world.get('/v1/equipment-states?cursor=eA', world.admin)).status, 400)

  const places = async (query: string, token = world.admin) =>
    (await world.get(`/v1/equipment-states/places${query}`, token)).body.items
  t.match(await places(''), [{ facilityId: country, states: { warm: 1, unknown: 1, 'in-range': 1 } }])
  t.match(await places(`?facilityId=${country}`), [
    { name: 'District A', isItself: false, states: { warm: 1, unknown: 1, 'in-range': 0 } },
    { name: 'District B', states: { warm: 0, 'in-range': 1 } },
  ])
  const operator = await world.person('op', 'operator', b.facility)
  t.match(await places('', operator), [{ facilityId: b.facility, isItself: true, states: { 'in-range': 1 } }])
  t.same((await list('', operator)).items?.length, 1)
})
