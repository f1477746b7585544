import { randomUUIDv7 } from 'node:crypto'
import { test, type Test } from 'tap'
import { insertBreach, NOT_CLOSED } from '../../db/queries/breach.ts'
import { addDays } from '../../domain/calendar.ts'
import { openOrderWorld, type OrderWorld } from './order-world.ts'
import { onBothDatabases, plantLot } from './stock-world.ts'
import type { Site } from './world.ts'

test('what needs somebody now', async (suite) => onBothDatabases(suite, overviewSuite))

interface Opened {
  readonly ruleId?: string
  readonly severity?: 'critical' | 'warning'
  readonly acknowledgedAt?: number
}

async function plantBreach(world: OrderWorld, site: Site, startAt: number, opened: Opened = {}) {
  const id = randomUUIDv7()
  const { device: deviceId, equipment: equipmentId, facility: facilityId } = site
  await insertBreach(world.db, {
    id,
    deviceId,
    equipmentId,
    facilityId,
    ruleId: 'who-30dtr-high',
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
    ...opened,
  })
  return id
}

async function overviewSuite(t: Test, databaseUrl: string): Promise<void> {
  const world = await openOrderWorld(t, databaseUrl)
  const { tree, penta, syringe, manager, stranger, nurse } = world
  const { a, b, country } = tree
  const overview = async (token: string, query = '') => (await world.get(`/v1/overview${query}`, token)).body
  const calm = { breaches: { count: 0, items: [] }, stockOuts: { count: 0 }, expiring: { count: 0 } }
  t.match(await overview(manager), {
    ...calm,
    place: { id: a.district, name: 'District A', parents: [] },
    silent: { items: [] },
    orders: { count: 0, items: [] },
  })

  const now = Date.now()
  const handled = await plantBreach(world, a, now - 9000, { acknowledgedAt: now })
  const mild = await plantBreach(world, a, now - 5000, { severity: 'warning' })
  const urgent = await plantBreach(world, a, now - 1000)
  await plantBreach(world, a, now - 1000, { ruleId: 'silence' })
  await plantBreach(world, b, now - 1000)
  const today = new Date().toISOString().slice(0, 10)
  const soon = await plantLot(world.db, penta, 'SOON', { expiresOn: addDays(today, 20) })
  const past = await plantLot(world.db, penta, 'PAST')
  const receive = (facility: string, storagePointId: string, lotId: string, doses: number) =>
    world.do('/v1/stock-events', world.admin, {
      kind: 'receive',
      facilityId: facility,
      lines: [{ storagePointId, lotId, doses }],
    })
  await receive(a.facility, a.storagePoint, soon, 30)
  await receive(a.facility, world.secondPoint, past, 7)
  const expiresOn = addDays(today, -3)
  await world.db.updateTable('lot').set({ expiresOn }).where('id', '=', past).execute()
  await receive(a.facility, a.storagePoint, penta.lot, 100)
  await receive(b.facility, b.storagePoint, soon, 5)
  for (const place of [a.facility, b.facility])
    await world.patch(`/v1/stock-levels/${place}/${syringe.item}`, world.admin, { maxDoses: 10 })
  await world.patch(`/v1/stock-levels/${a.facility}/${penta.item}`, world.admin, { maxDoses: 1000 })
  // What nobody should have is not missed.
  await world.patch(`/v1/stock-levels/${a.district}/${penta.item}`, world.admin, { maxDoses: 0 })
  const order = await world.request(50)

  const shown = await overview(manager)
  t.match(shown, {
    breaches: { count: 3, waiting: 2, dosesAtRisk: 130 },
    silent: { items: [] },
    stockOuts: { count: 1, items: [{ facilityName: 'Clinic A', itemName: 'syringe' }] },
    expiring: {
      count: 2,
      items: [
        { lotCode: 'PAST', doses: 7 },
        { lotCode: 'SOON', doses: 30 },
      ],
    },
    orders: {
      count: 1,
      items: [{ id: order, status: 'submitted', fromFacilityName: 'District A', toFacilityName: 'Clinic A' }],
    },
  })
  const ids = ((shown['breaches']?.['items'] as unknown as { id: string }[] | undefined) ?? []).map(
    ({ id }) => id,
  )
  t.same(ids, [urgent, mild, handled], 'who waits first, then what is critical')
  t.notMatch(JSON.stringify(shown), new RegExp([b.facility, b.district, b.equipment].join('|')))

  t.match(await overview(manager, `?facilityId=${a.facility}`), {
    place: { id: a.facility, parents: [{ id: a.district, name: 'District A' }] },
    breaches: { count: 3 },
    orders: { count: 0 },
  })
  t.match(await overview(nurse), { place: { id: a.facility, parents: [] }, orders: { count: 0 } })
  t.match(await overview(stranger), {
    breaches: { count: 1, dosesAtRisk: 5 },
    expiring: { count: 1 },
    stockOuts: { count: 1 },
    orders: { count: 0 },
  })
  t.match(await overview(world.admin), { place: null, breaches: { count: 4 }, stockOuts: { count: 2 } })
  t.match(await overview(world.admin, `?facilityId=${country}`), { place: { parents: [] } })
  t.equal((await world.get(`/v1/overview?facilityId=${b.facility}`, manager)).status, 404)

  await world.patch(`/v1/facilities/${a.facility}`, world.admin, { latitude: -6.6, longitude: 106.8 })
  const places = async (query: string) =>
    (await world.get(`/v1/equipment-states/places${query}`, world.admin)).body['items']
  t.match(await places(`?facilityId=${country}`), [
    { name: 'District A', latitude: -6.6, longitude: 106.8, states: { warm: 1 } },
    { name: 'District B', latitude: null, longitude: null, states: { warm: 1 } },
  ])
  await world.patch(`/v1/facilities/${a.district}`, world.admin, { latitude: -6.5, longitude: 106.7 })
  t.match(await places(`?facilityId=${country}`), [{ latitude: -6.5, longitude: 106.7 }, {}])
}
