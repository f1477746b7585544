import { randomUUID } from 'node:crypto'
import { test, type Test } from 'tap'
import { checkOrders, openOrderWorld } from './order-world.ts'
import { onBothDatabases, plantLot } from './stock-world.ts'
import type { Json } from './world.ts'

test('recall, trace and disposal of lots', async (suite) => onBothDatabases(suite, recallSuite))

/** Of events against a recall. */
const ROUNDS = 5

const items = (body: Json) =>
  body['items'] as unknown as { facilityId: string; onHand: number; onHold: number }[]

async function recallSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openOrderWorld(suite, databaseUrl)
  const { admin, manager, nurse, stranger, penta, store, storeRoom, clinic, clinicRoom, refuses } = world
  const { b } = world.tree
  const step = (name: string, run: (t: Test) => Promise<void>) =>
    suite.test(name, async (t) => {
      await run(t)
      await checkOrders(t, world)
    })
  const event = (token: string, kind: string, facilityId: string, line: object) =>
    world.post('/v1/stock-events', token, { kind, facilityId, lines: [{ lotId: penta.lot, ...line }] })
  const recall = (token: string, lotId = penta.lot) =>
    world.post(`/v1/lots/${lotId}/recall`, token, { reason: 'Particles seen' })
  const trace = async (token: string, query = '') =>
    (await world.get(`/v1/lots/${penta.lot}/trace${query}`, token)).body

  let under = ''
  let promised = ''
  const child = await plantLot(world.db, penta, 'penta-1-child', { parentLotId: penta.lot })

  await step('a trace says where a lot came from, where it is and what became of it', async (t) => {
    await world.stock(500)
    await world.do('/v1/stock-events', manager, {
      kind: 'repack',
      facilityId: store,
      lines: [{ storagePointId: storeRoom, lotId: penta.lot, toLotId: child, doses: 40 }],
    })
    await event(admin, 'receive', b.facility, { storagePointId: b.storagePoint, doses: 70 })
    await event(admin, 'issue', b.facility, { storagePointId: b.storagePoint, doses: 20 })
    const first = await world.allocated(100)
    const { id } = await world.do(`/v1/orders/${first}/shipments`, manager)
    await world.do(`/v1/shipments/${String(id)}/receive`, nurse, { storagePointId: clinicRoom })
    await event(nurse, 'consume', clinic, { storagePointId: clinicRoom, administered: 27, wasted: 3 })
    const second = await world.allocated(50)
    under = String((await world.do(`/v1/orders/${second}/shipments`, manager))['id'])
    promised = await world.allocated(30)
    const body = await trace(manager)
    t.match(body['lot'], { id: penta.lot, recalledAt: null })
    t.match(body['repackedInto'], [{ id: child, parentLotId: penta.lot }])
    t.match(
      new Map(items(body).map((one) => [one.facilityId, one])),
      new Map([
        [store, { fromSupplier: 500, onHand: 350, inTransit: 0, consumed: 0 }],
        [clinic, { fromSupplier: 0, onHand: 70, inTransit: 50, consumed: 27, wasted: 3 }],
      ]),
    )
    t.match(body['elsewhere'], { facilities: 1, fromSupplier: 70, onHand: 50, consumed: 20 })
    t.notOk(JSON.stringify(body).includes(b.facility), 'others are not named')
    t.equal(items(await trace(admin)).length, 3)
    t.equal((await trace(admin))['elsewhere'], null)
    const page = await trace(admin, '?limit=2')
    t.equal(items(page).length, 2)
    t.equal(items(await trace(admin, `?limit=2&cursor=${String(page['nextCursor'])}`)).length, 1)
    const ofChild = (await world.get(`/v1/lots/${child}/trace`, manager)).body
    t.match(ofChild['repackedFrom'], [{ id: penta.lot }])
    t.match(items(ofChild), [{ facilityId: store, onHand: 40 }])
    const kinds = async (token: string) =>
      (
        (await world.get(`/v1/lots/${child}/trace/events`, token)).body['items'] as unknown as {
          kind: string
        }[]
      ).map(({ kind }) => kind)
    t.same((await kinds(manager)).toSorted(), ['consume', 'deliver', 'receive', 'repack', 'ship', 'ship'])
    t.same((await kinds(stranger)).toSorted(), ['issue', 'receive'])
    t.equal((await world.get(`/v1/lots/${randomUUID()}/trace`, manager)).status, 404)
  })

  await step('a recall is national', async (t) => {
    await refuses(t, recall(manager), 'auth.forbidden')
    await refuses(t, recall(nurse), 'auth.forbidden')
    await refuses(t, recall(admin, randomUUID()), 'resource.notFound')
    await refuses(t, world.post(`/v1/lots/${penta.lot}/recall`, admin, {}), 'request.invalid')
  })

  await step('a recall holds all of it, everywhere, in one step', async (t) => {
    const national = await world.person('national', 'manager', world.tree.country)
    const { status, body } = await recall(national)
    t.equal(status, 200)
    t.match(body['lot'], { recallReason: 'Particles seen' })
    t.ok(items(body).every(({ onHand, onHold }) => onHand === onHold))
    t.same(
      items(body)
        .map(({ onHand }) => onHand)
        .toSorted((x, y) => x - y),
      [50, 70, 350],
    )
    await refuses(t, recall(admin), 'lot.recalled')
    await refuses(t, recall(admin, child), 'lot.recalled')
    const held = { storagePointId: storeRoom, doses: 1 }
    await refuses(t, event(manager, 'issue', store, held), 'stock.lotRecalled')
    await refuses(
      t,
      event(manager, 'release', store, { ...held, reasonCode: 'quality' }),
      'stock.lotRecalled',
    )
    const { body: events } = await world.get(`/v1/stock-events?kind=hold&facilityId=${store}`, manager)
    const [hold] = events['items'] as unknown as { id: string }[]
    await refuses(
      t,
      world.post(`/v1/stock-events/${String(hold?.id)}/reverse`, manager, {}),
      'stock.lotRecalled',
    )
  })

  await step('what was promised of it is not sent; what is on the road goes on hold', async (t) => {
    await refuses(t, world.post(`/v1/orders/${promised}/shipments`, manager, {}), 'stock.lotRecalled')
    const other = await plantLot(world.db, penta, 'other')
    await world.stock(30, { lotId: other })
    const { body } = await world.post(`/v1/orders/${promised}/allocate`, manager, {})
    t.match(body, { order: { lines: [{ reserved: 30, allocations: [{ lotId: other }] }] } })
    t.ok(
      (body['passedOver'] as unknown as { obstacle: string }[]).every(
        ({ obstacle }) => obstacle === 'recalled',
      ),
    )
    await world.do(`/v1/shipments/${under}/receive`, nurse, { storagePointId: clinicRoom })
    const at = items(await trace(admin)).find(({ facilityId }) => facilityId === clinic)
    t.match(at, { onHand: 120, onHold: 120, inTransit: 0 })
    await event(admin, 'receive', b.facility, { storagePointId: b.storagePoint, doses: 5 })
    t.match(
      items(await trace(admin)).find(({ facilityId }) => facilityId === b.facility),
      { onHand: 55, onHold: 55 },
    )
  })

  await step('what is called back of a recalled lot comes back on hold', async (t) => {
    const lotId = await plantLot(world.db, penta, 'late recall', { expiresOn: '2030-01-01' })
    await world.stock(20, { lotId })
    const id = await world.allocated(20)
    const { id: shipment } = await world.do(`/v1/orders/${id}/shipments`, manager)
    t.equal((await recall(admin, lotId)).status, 200)
    await world.do(`/v1/shipments/${String(shipment)}/recall`, manager)
    const { body } = await world.get(`/v1/stock?lotId=${lotId}`, manager)
    t.match(body['items'], [{ doses: 20, held: true }])
  })

  await step('a lot that somebody’s clock has ahead is recalled all the same', async (t) => {
    const lotId = await plantLot(world.db, penta, 'ahead')
    const lines = [{ lotId, storagePointId: storeRoom, doses: 10 }]
    const occurredAt = new Date(Date.now() + 300_000).toISOString()
    await world.do('/v1/stock-events', manager, { kind: 'receive', facilityId: store, occurredAt, lines })
    t.equal((await recall(admin, lotId)).status, 200)
    const { body } = await world.get(`/v1/stock?lotId=${lotId}`, admin)
    t.match(body['items'], [{ doses: 10, held: true }])
  })

  await step('what arrives while its lot is recalled is on hold, whoever comes first', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const lotId = await plantLot(world.db, penta, `race ${round}`)
      const arrive = (facilityId: string, storagePointId: string) =>
        event(admin, 'receive', facilityId, { storagePointId, lotId, doses: 10 })
      const places = [
        [store, storeRoom],
        [clinic, clinicRoom],
        [clinic, world.secondPoint],
        [b.facility, b.storagePoint],
      ] as const
      const answers = await Promise.all([
        ...places.map(([facility, point]) => arrive(facility, point)),
        recall(admin, lotId),
        ...places.map(([facility, point]) => arrive(facility, point)),
      ])
      for (const { status, body } of answers) t.ok(status < 300, JSON.stringify(body))
      const { body } = await world.get(`/v1/stock?lotId=${lotId}`, admin)
      const lines = body['items'] as unknown as { doses: number; held: boolean }[]
      t.equal(
        lines.reduce((sum, { doses }) => sum + doses, 0),
        80,
      )
      t.ok(
        lines.every(({ held }) => held),
        JSON.stringify(lines),
      )
    }
  })

  await step('a disposal is approved by another person, and carried out with papers', async (t) => {
    const lines = [{ lotId: penta.lot, doses: 3 }]
    const make = (more: object = {}) =>
      world.post('/v1/disposals', nurse, { facilityId: clinic, lines, ...more })
    await refuses(t, make({ lines: [{ lotId: penta.lot, doses: 4 }] }), 'stock.insufficient')
    await refuses(t, make({ lines: [...lines, { lotId: penta.lot, doses: 1 }] }), 'stock.insufficient')
    await refuses(t, make({ lines: [{ lotId: randomUUID(), doses: 1 }] }), 'stock.unknownLot')
    await refuses(t, make({ facilityId: b.facility }), 'resource.notFound')
    const own = { id: randomUUID() }
    const { body } = await make(own)
    t.match(body, { status: 'draft', documentNo: 'DIS-000001' })
    t.equal((await make(own)).headers['idempotency-replayed'], 'true')
    const of = (action: string, token: string, said: object = {}) =>
      world.post(`/v1/disposals/${own.id}/${action}`, token, said)
    const done = { method: 'Incineration', witness: 'Sri', certificateNo: 'C-17' }
    await refuses(t, of('carry-out', nurse, done), 'order.wrongState')
    await refuses(t, of('approve', nurse), 'auth.forbidden')
    await refuses(t, of('approve', stranger), 'resource.notFound')
    t.match((await of('approve', manager)).body, { status: 'approved' })
    await refuses(t, of('carry-out', nurse, { ...done, witness: ' ' }), 'request.invalid')
    const { body: carried } = await of('carry-out', nurse, done)
    t.match(carried, { status: 'done', ...done })
    const posted = await world.get(`/v1/stock-events/${String(carried['eventId'])}`, nurse)
    t.match(posted.body, {
      kind: 'dispose',
      entries: [{ account: { kind: 'wastage' }, doses: -3 }, { account: { kind: 'disposed' } }],
    })
    await refuses(t, of('carry-out', nurse, done), 'order.wrongState')
    const undone = await world.post(`/v1/stock-events/${String(carried['eventId'])}/reverse`, nurse, {})
    t.equal(undone.status, 201)
    const open = { status: 'approved', doneAt: null, eventId: null, certificateNo: null }
    t.match((await world.get(`/v1/disposals/${own.id}`, nurse)).body, open, 'it waits again')
    t.match((await of('carry-out', nurse, done)).body, { status: 'done', ...done })
    const hers = await world.post('/v1/disposals', manager, {
      facilityId: clinic,
      lines: [{ lotId: penta.lot, doses: 1 }],
    })
    t.equal(hers.body['code'], 'stock.insufficient')
    await event(manager, 'wastage', clinic, {
      storagePointId: clinicRoom,
      doses: 2,
      held: true,
      reasonCode: 'recalled',
    })
    const { id } = await world.do('/v1/disposals', manager, {
      facilityId: clinic,
      lines: [{ lotId: penta.lot, doses: 2 }],
    })
    await refuses(t, world.post(`/v1/disposals/${String(id)}/approve`, manager, {}), 'disposal.samePerson')
    t.match(await world.do(`/v1/disposals/${String(id)}/cancel`, manager), { status: 'cancelled' })
    const listed = (await world.get('/v1/disposals?status=done', nurse)).body
    t.match(listed['items'], [{ id: own.id }])
  })
}
