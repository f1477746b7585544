import { randomUUID } from 'node:crypto'
import { test, type Test } from 'tap'
import { checkOrders, openOrderWorld } from './order-world.ts'
import { onBothDatabases, plantLot } from './stock-world.ts'
import type { Json } from './world.ts'

test('orders and shipments', async (suite) => onBothDatabases(suite, orderSuite))

interface Allocated {
  readonly why: string
  readonly reasonCode: string | null
  readonly doses: number
}
const ofLine = (order: Json | undefined) =>
  (order?.['lines'] as unknown as { allocations: Allocated[] }[] | undefined)?.[0]?.allocations ?? []
const many = (body: Json) => body['items'] as unknown as { id: string; status: string }[]

async function orderSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openOrderWorld(suite, databaseUrl)
  const { nurse, manager, stranger, penta, syringe, store, clinic, clinicRoom, storeRoom, refuses } = world
  const step = (name: string, run: (t: Test) => Promise<void>) =>
    suite.test(name, async (t) => {
      await run(t)
      await checkOrders(t, world)
    })
  const order = async (id: string, token = manager) => (await world.get(`/v1/orders/${id}`, token)).body
  const take = (id: string, action: string, token: string, body: object = {}) =>
    world.post(`/v1/orders/${id}/${action}`, token, body)
  const ofShipment = (id: string, action: string, token: string, body: object = {}) =>
    world.post(`/v1/shipments/${id}/${action}`, token, body)
  const onHand = async (facilityId: string) => {
    const { body } = await world.get(`/v1/stock?facilityId=${facilityId}&itemId=${penta.item}`, world.admin)
    return (body['items'] as unknown as { facilityId: string; doses: number }[])
      .filter((line) => line.facilityId === facilityId)
      .reduce((sum, { doses }) => sum + doses, 0)
  }
  const draft = {
    kind: 'request',
    fromFacilityId: store,
    toFacilityId: clinic,
    lines: [{ itemId: penta.item, doses: 100 }],
  }

  await step('a draft is its asker’s: the other side sees it and leaves it alone', async (t) => {
    const { status, body, headers } = await world.post('/v1/orders', nurse, draft)
    t.equal(status, 201)
    t.match(body, { status: 'draft', documentNo: 'ORD-000001', waitingFor: 'receiver', version: 1 })
    t.equal(headers['etag'], '"1"')
    const id = String(body['id'])
    t.equal((await world.get(`/v1/orders/${id}`, stranger)).status, 404)
    await refuses(t, world.patch(`/v1/orders/${id}`, stranger, { comment: 'x' }), 'resource.notFound')
    t.match(
      (await world.patch(`/v1/orders/${id}`, nurse, { comment: 'soon', neededOn: '2027-01-31' })).body,
      {
        comment: 'soon',
        neededOn: '2027-01-31',
        version: 2,
      },
    )
    const stale = world.ask('PATCH', `/v1/orders/${id}`, {
      token: nurse,
      body: { comment: 'late' },
      headers: { 'if-match': '"1"' },
    })
    await refuses(t, stale, 'request.preconditionFailed')
    await refuses(t, take(id, 'approve', manager), 'order.wrongState')
    const submitted = await take(id, 'submit', nurse)
    t.match(submitted.body, { status: 'submitted', waitingFor: 'sender' })
    await refuses(t, world.patch(`/v1/orders/${id}`, nurse, { comment: 'x' }), 'order.wrongState')
    t.equal((await take(id, 'approve', nurse)).status, 403)
    const waiting = async (token: string) => many((await world.get('/v1/orders?waitingFor=me', token)).body)
    t.same(
      (await waiting(manager)).map((one) => one.id),
      [id],
    )
    t.same(await waiting(nurse), [])
    t.same(many((await world.get('/v1/orders', stranger)).body), [])
    await world.do(`/v1/orders/${id}/cancel`, nurse, { reasonCode: 'not-needed' })
  })

  await step('bad drafts', async (t) => {
    const make = (more: object, token = nurse) => world.post('/v1/orders', token, { ...draft, ...more })
    await refuses(t, make({ toFacilityId: store }), 'order.sameFacility')
    await refuses(t, make({ toFacilityId: world.tree.b.facility }), 'resource.notFound')
    await refuses(t, make({ fromFacilityId: world.tree.b.facility }), 'resource.notFound')
    await refuses(t, make({ lines: [{ itemId: penta.item, doses: 0 }] }), 'request.invalid')
    await refuses(t, make({ lines: [{ itemId: penta.item, doses: 1.5 }] }), 'request.invalid')
    await refuses(t, make({ lines: [{ itemId: penta.item, doses: 1e12 }] }), 'request.invalid')
    await refuses(t, make({ lines: [{ itemId: randomUUID(), doses: 1 }] }), 'order.unknownItem')
    await refuses(t, make({ lines: [] }), 'request.invalid')
    await refuses(t, make({ lines: [...draft.lines, ...draft.lines] }), 'request.invalid')
    await refuses(t, make({ neededOn: 'tomorrow' }), 'request.invalid')
    await refuses(t, make({ kind: 'allocation' }), 'resource.notFound')
  })

  await step('the same order sent twice is one', async (t) => {
    const body = { ...draft, id: randomUUID() }
    const first = await world.post('/v1/orders', nurse, body)
    const again = await world.post('/v1/orders', nurse, body)
    t.same(again.body, first.body)
    t.equal(again.headers['idempotency-replayed'], 'true')
    await refuses(
      t,
      world.post('/v1/orders', nurse, { ...body, comment: 'x' }),
      'request.idempotencyMismatch',
    )
    await world.do(`/v1/orders/${body.id}/cancel`, nurse, { reasonCode: 'not-needed' })
  })

  await step('suggested is what is missing to the maximum', async (t) => {
    await world.db
      .insertInto('stockLevel')
      .values({
        facilityId: clinic,
        itemId: penta.item,
        mode: 'set',
        minDoses: 100,
        maxDoses: 500,
        leadTimeDays: 7,
        reviewDays: 30,
        safetyDays: 7,
        version: 1,
        updatedAt: 1,
      })
      .execute()
    const { id } = await world.do('/v1/orders', nurse, draft)
    const { body } = await world.get(`/v1/orders/${String(id)}/suggestion`, nurse)
    t.match(body, { items: [{ itemId: penta.item, maxDoses: 500, onHand: 0, inTransit: 0, suggested: 500 }] })
    await world.do(`/v1/orders/${String(id)}/cancel`, nurse, { reasonCode: 'not-needed' })
  })

  await step('each side reads who the other is, and who did what', async (t) => {
    const id = await world.request(40)
    const names = { fromFacilityName: 'District A', toFacilityName: 'Clinic A', toTimeZone: 'Asia/Jakarta' }
    t.match(await order(id, nurse), { ...names, mySides: ['receiver'] })
    t.match(await order(id), { ...names, mySides: ['sender', 'receiver'] })
    const { body } = await world.get(`/v1/facilities/${clinic}/resupply`, nurse)
    t.match(body['suppliers'], [{ id: store, level: 'district' }, { level: 'country' }], 'the nearest first')
    const { body: suggestion } = await world.get(`/v1/orders/${id}/suggestion`, nurse)
    t.same(body['items'], suggestion['items'], 'what it lacks, before there is an order')
    t.equal((await world.get(`/v1/facilities/${store}/resupply`, nurse)).status, 404)
    await world.do(`/v1/orders/${id}/cancel`, manager, { reasonCode: 'not-needed' })
    const { body: history } = await world.get(`/v1/orders/${id}/history`, nurse)
    t.match(history['items'], [
      { action: 'cancelled', userName: 'keeper' },
      { action: 'submitted', userName: 'nurse' },
      { action: 'made', userName: 'nurse' },
    ])
    t.equal((await world.get(`/v1/orders/${id}/history`, stranger)).status, 404)
  })

  await step('where nobody has set a level, suggested is what consumption asks for', async (t) => {
    const line = { storagePointId: clinicRoom, lotId: world.syringe.lot }
    const record = (kind: string, more: object) =>
      world.do('/v1/stock-events', nurse, { kind, facilityId: clinic, lines: [{ ...line, ...more }] })
    await record('receive', { doses: 100 })
    await record('consume', { administered: 70, wasted: 0 })
    const { id } = await world.do('/v1/orders', nurse, draft)
    const { body } = await world.get(`/v1/orders/${String(id)}/suggestion`, nurse)
    // 70 in what counts as a week, for 14 days of lead time, 7 of safety and 30 to the next order; 30 are there.
    const wanted = { itemId: world.syringe.item, maxDoses: 510, onHand: 30, inTransit: 0, suggested: 480 }
    const found = (body['items'] as unknown as { itemId: string }[]).filter(
      ({ itemId }) => itemId === world.syringe.item,
    )
    t.same(found, [wanted])
    await world.do(`/v1/orders/${String(id)}/cancel`, nurse, { reasonCode: 'not-needed' })
  })

  await step('approved in part, allocated by VVM and expiry, re-allocated by hand', async (t) => {
    const soon = await plantLot(world.db, penta, 'soon', { expiresOn: '2027-06-30' })
    await world.stock(200)
    await world.stock(60, { lotId: soon })
    await world.stock(30, { vvmStage: 2 })
    const id = await world.request(150)
    await refuses(
      t,
      take(id, 'approve', manager, { lines: [{ line: 1, doses: 120 }] }),
      'stock.reasonRequired',
    )
    await refuses(t, take(id, 'approve', manager, { lines: [{ line: 2, doses: 1 }] }), 'order.unknownLine')
    const part = { lines: [{ line: 1, doses: 120, reasonCode: 'no-stock' }] }
    t.match((await take(id, 'approve', manager, part)).body, {
      status: 'approved',
      lines: [{ approved: 120 }],
    })
    await refuses(t, take(id, 'allocate', nurse), 'order.wrongSide')
    const { body } = await take(id, 'allocate', manager)
    t.match(body, { order: { status: 'allocated', lines: [{ reserved: 120 }] } })
    const chosen = ofLine(body['order']).map(({ why, doses }) => `${why} ${doses}`)
    t.same(chosen.toSorted(), ['expiry 30', 'expiry 60', 'vvm 30'])
    t.same(ofLine(await order(id, nurse)), [], 'is the sender’s business')
    const hand = {
      line: 1,
      storagePointId: storeRoom,
      lotId: penta.lot,
      doses: 100,
      reasonCode: 'near-expiry',
    }
    await refuses(
      t,
      take(id, 'allocate', manager, { lines: [{ ...hand, reasonCode: 'broken' }] }),
      'stock.reasonRequired',
    )
    await refuses(t, take(id, 'allocate', manager, { lines: [{ ...hand, doses: 121 }] }), 'order.quantity')
    await refuses(
      t,
      take(id, 'allocate', manager, { lines: [{ ...hand, lotId: syringe.lot }] }),
      'stock.insufficient',
    )
    t.match((await take(id, 'allocate', manager, { lines: [hand] })).body, {
      order: { lines: [{ reserved: 100, allocations: [{ lotId: penta.lot, why: 'manual', doses: 100 }] }] },
    })
    // 290 on hand, 100 promised.
    const rest = {
      kind: 'issue',
      facilityId: store,
      lines: [{ storagePointId: storeRoom, lotId: penta.lot, doses: 101 }],
    }
    await refuses(t, world.post('/v1/stock-events', manager, rest), 'stock.insufficient')
    t.match((await take(id, 'cancel', manager, { reasonCode: 'no-stock' })).body, {
      status: 'cancelled',
      waitingFor: null,
    })
  })

  await step('one order, two shipments: short, broken, taken back and received again', async (t) => {
    const id = await world.allocated(100)
    await world.do(`/v1/orders/${id}/pick`, manager)
    const [{ why: _, reasonCode: __, ...allocation } = { why: '', reasonCode: null, doses: 0 }] = ofLine(
      await order(id),
    ).toSorted((one, other) => other.doses - one.doses)
    const part = {
      lines: [{ ...allocation, line: 1, doses: allocation.doses - 10 }],
      sscc: '340123451234567895',
    }
    await refuses(t, take(id, 'shipments', manager, { ...part, sscc: '340123451234567894' }), 'order.badSscc')
    await refuses(t, take(id, 'shipments', nurse, part), 'order.wrongSide')
    await refuses(
      t,
      take(id, 'shipments', manager, { lines: [{ ...allocation, line: 1, doses: 1000 }] }),
      'order.quantity',
    )
    const boxes = { coldBoxes: [{ name: 'Box 1', deviceId: world.tree.a.device }, { name: 'Box 2' }] }
    const foreign = { coldBoxes: [{ name: 'Box 1', deviceId: world.tree.b.device }] }
    await refuses(t, take(id, 'shipments', manager, { ...part, ...foreign }), 'resource.notFound')
    const first = await take(id, 'shipments', manager, { ...part, ...boxes })
    t.equal(first.status, 201)
    t.match(first.body, {
      documentNo: /^SHP-/,
      sscc: part.sscc,
      coldBoxes: [{ deviceId: world.tree.a.device }, { deviceId: null }],
    })
    const second = await world.do(`/v1/orders/${id}/shipments`, manager)
    t.match(await order(id), {
      status: 'shipped',
      waitingFor: 'receiver',
      lines: [{ reserved: 0, shipped: 100 }],
    })
    const [one, two] = [String(first.body['id']), String(second['id'])]
    t.equal((await world.get(`/v1/shipments/${part.sscc}`, nurse)).body['id'], one)
    const scan = async (token: string) =>
      (await world.post('/v1/scan', token, { code: `]C100${part.sscc}` })).body
    t.match(await scan(nurse), { shipment: { id: one, orderId: id, status: 'shipped' }, unknown: [] })
    t.match(await scan(stranger), { shipment: null, unknown: ['shipment'] })
    t.equal((await world.get(`/v1/shipments/${one}`, stranger)).status, 404)
    await refuses(t, take(id, 'close', manager), 'order.wrongState')

    const sent = allocation.doses - 10
    const found = {
      line: 1,
      storagePointId: clinicRoom,
      accepted: sent - 12,
      rejected: 5,
      reasonCode: 'rejected-broken',
    }
    await refuses(
      t,
      ofShipment(one, 'receive', manager, { lines: [{ ...found, accepted: sent }] }),
      'order.quantity',
    )
    await refuses(
      t,
      ofShipment(one, 'receive', nurse, { lines: [{ ...found, reasonCode: 'broken' }] }),
      'stock.reasonRequired',
    )
    await refuses(
      t,
      ofShipment(one, 'receive', nurse, { lines: [{ ...found, line: 9 }] }),
      'order.unknownLine',
    )
    await refuses(
      t,
      ofShipment(one, 'receive', nurse, { lines: [{ ...found, storagePointId: storeRoom }] }),
      'stock.unknownPoint',
    )
    await refuses(
      t,
      ofShipment(one, 'receive', nurse, { lines: [{ ...found, vvmStage: 3 }] }),
      'stock.vvmStage',
    )
    await refuses(t, ofShipment(one, 'receive', nurse, {}), 'request.invalid')
    const before = await onHand(clinic)
    const eventId = randomUUID()
    const body = { id: eventId, lines: [found] }
    const received = await ofShipment(one, 'receive', nurse, body)
    t.match(received, {
      status: 201,
      body: { status: 'received', lines: [{ accepted: sent - 12, rejected: 5, short: 7 }] },
    })
    t.equal(await onHand(clinic), before + sent - 12)
    const event = (await world.get(`/v1/stock-events/${eventId}`, nurse)).body
    t.match(event, {
      kind: 'deliver',
      entries: [
        { account: { kind: 'transit' }, doses: -sent },
        { account: { kind: 'point' }, doses: sent - 12 },
        { account: { kind: 'wastage' }, doses: 5, reasonCode: 'rejected-broken' },
        { account: { kind: 'adjustment' }, doses: 7, reasonCode: 'rejected-short' },
      ],
    })
    const again = await ofShipment(one, 'receive', nurse, body)
    t.match(again, { status: 201, headers: { 'idempotency-replayed': 'true' } })
    await refuses(t, ofShipment(one, 'receive', nurse, { lines: [found] }), 'order.received')
    await refuses(t, world.post(`/v1/stock-events/${eventId}/reverse`, nurse, {}), 'stock.notReversible')
    await refuses(t, ofShipment(one, 'recall', manager), 'order.wrongState')
    await refuses(t, ofShipment(one, 'reverse-receipt', world.stranger), 'resource.notFound')
    t.match((await ofShipment(one, 'reverse-receipt', nurse, { comment: 'counted wrongly' })).body, {
      status: 'shipped',
      deliverEventId: null,
    })
    t.equal(await onHand(clinic), before)
    await refuses(t, ofShipment(one, 'receive', nurse, body), 'request.idempotencyMismatch')
    t.equal((await ofShipment(one, 'receive', nurse, { storagePointId: clinicRoom })).status, 201)
    t.match(await order(id), { status: 'shipped' })

    await refuses(t, ofShipment(two, 'recall', nurse), 'order.wrongSide')
    t.match((await ofShipment(two, 'recall', manager)).body, { status: 'recalled' })
    t.match(await order(id), {
      status: 'shipped',
      waitingFor: 'sender',
      lines: [{ shipped: sent, settled: sent }],
    })
    await refuses(t, ofShipment(two, 'receive', nurse, { storagePointId: clinicRoom }), 'order.wrongState')
    t.match((await take(id, 'close', manager)).body, { status: 'closed' })
  })

  await step('what was received and is gone cannot be un-received', async (t) => {
    const id = await world.allocated(20)
    const { id: shipment } = await world.do(`/v1/orders/${id}/shipments`, manager)
    await world.do(`/v1/shipments/${String(shipment)}/receive`, nurse, { storagePointId: clinicRoom })
    t.match(await order(id), { status: 'received' })
    const all = await onHand(clinic)
    const { body } = await world.get(`/v1/stock?facilityId=${clinic}`, nurse)
    const lines = (
      body['items'] as unknown as { storagePointId: string; lotId: string; vvmStage: number; doses: number }[]
    ).map(({ storagePointId, lotId, vvmStage, doses }) => ({
      storagePointId,
      lotId,
      vvmStage,
      administered: doses,
      wasted: 0,
    }))
    await world.do('/v1/stock-events', nurse, { kind: 'consume', facilityId: clinic, lines })
    t.ok(all >= 20)
    await refuses(t, ofShipment(String(shipment), 'reverse-receipt', nurse), 'stock.insufficient')
  })

  await step(
    'a push is approved when it is submitted; a return takes back what cannot be used',
    async (t) => {
      const push = { ...draft, kind: 'allocation' }
      const { id } = await world.do('/v1/orders', manager, push)
      t.match(await world.do(`/v1/orders/${String(id)}/submit`, manager), { status: 'approved' })
      await world.do(`/v1/orders/${String(id)}/allocate`, manager)
      const { id: shipment } = await world.do(`/v1/orders/${String(id)}/shipments`, manager)
      await world.do(`/v1/shipments/${String(shipment)}/receive`, nurse, { storagePointId: clinicRoom })
      const line = { storagePointId: clinicRoom, lotId: penta.lot, doses: 5 }
      await world.do('/v1/stock-events', nurse, {
        kind: 'hold',
        facilityId: clinic,
        lines: [{ ...line, reasonCode: 'quality' }],
      })
      const back = {
        ...draft,
        kind: 'return',
        fromFacilityId: clinic,
        toFacilityId: store,
        lines: [{ itemId: penta.item, doses: 5 }],
      }
      const { id: returning } = await world.do('/v1/orders', nurse, back)
      await world.do(`/v1/orders/${String(returning)}/submit`, nurse)
      await world.do(`/v1/orders/${String(returning)}/approve`, manager)
      const byHand = { lines: [{ ...line, line: 1, held: true, reasonCode: 'unusable' }] }
      await world.do(`/v1/orders/${String(returning)}/allocate`, nurse, byHand)
      const { id: way } = await world.do(`/v1/orders/${String(returning)}/shipments`, nurse)
      t.match(
        await world.do(`/v1/shipments/${String(way)}/receive`, manager, { storagePointId: storeRoom }),
        { status: 'received' },
      )
      const { body } = await world.get(`/v1/stock?storagePointId=${storeRoom}`, manager)
      t.ok(
        (body['items'] as unknown as { held: boolean; doses: number }[]).some(
          ({ held, doses }) => held && doses === 5,
        ),
      )
    },
  )

  await step('warnings: no room, too late, a freezer', async (t) => {
    await world.db
      .updateTable('storagePoint')
      .set({ capacityMl: 0, profile: 'freezer' })
      .where('facilityId', '=', clinic)
      .execute()
    const last = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10)
    const lotId = await plantLot(world.db, penta, 'last days', { expiresOn: last })
    await world.stock(40, { lotId })
    const id = await world.allocated(40)
    const sent = await world.do(`/v1/orders/${id}/shipments`, manager)
    t.same(
      (sent['warnings'] as unknown as { code: string }[]).map(({ code }) => code),
      ['coldVolume', 'expiresBeforeUse'],
    )
    const { warnings } = await world.do(`/v1/shipments/${String(sent['id'])}/receive`, nurse, {
      storagePointId: clinicRoom,
    })
    t.match(warnings, [{ code: 'freezeRisk', line: 1 }])
  })
}
