import { randomUUID } from 'node:crypto'
import { test, type Test } from 'tap'
import { checkLedger } from './ledger-check.ts'
import { onBothDatabases, openStockWorld, plantLot, type StockWorld } from './stock-world.ts'
import type { Answer } from './world.ts'

// P4: the ledger always adds up; P6: twice is once.
test('stock events', async (suite) => onBothDatabases(suite, ledgerSuite))

const HOUR_MS = 3_600_000
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString()

async function ledgerSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openStockWorld(suite, databaseUrl)
  const { a, b } = world.tree
  const place = { facilityId: a.facility }

  const record = (kind: string, line: object, more: object = {}): Promise<Answer> =>
    world.post('/v1/stock-events', world.admin, {
      kind,
      ...place,
      lines: [{ storagePointId: a.storagePoint, lotId: world.penta.lot, ...line }],
      ...more,
    })
  const session = (activityCode: string) =>
    record('consume', { administered: 1, wasted: 0 }, { activityCode, occurredAt: ago(89) })
  const dispose = (doses: number) =>
    world.post('/v1/stock-events', world.admin, {
      kind: 'dispose',
      ...place,
      lines: [{ lotId: world.penta.lot, doses }],
    })
  const onHand = async (query = `lotId=${world.penta.lot}`) => {
    const { body } = await world.get(`/v1/stock?facilityId=${a.facility}&${query}`, world.admin)
    return (
      body['items'] as unknown as { storagePointId: string; vvmStage: number; held: boolean; doses: number }[]
    )
      .map(({ storagePointId, vvmStage, held, doses }) =>
        [storagePointId === a.storagePoint ? 'room' : 'box', vvmStage, held ? 'held' : 'free', doses].join(
          ' ',
        ),
      )
      .toSorted()
  }
  const refuses = async (t: Test, asked: Promise<Answer>, code: string) => {
    const before = await everything(world)
    const { status, body } = await asked
    t.match(body, { code }, `${code}: ${JSON.stringify(body)}`)
    t.ok(status >= 400)
    t.same(await everything(world), before, `${code} changed nothing`)
  }
  const step = (name: string, run: (t: Test) => Promise<void>) =>
    suite.test(name, async (t) => {
      await run(t)
      await checkLedger(t, world.db)
    })

  await step('stock that is received is there, with its entries', async (t) => {
    const { status, body } = await record('receive', { doses: 1000 }, { occurredAt: ago(100) })
    t.equal(status, 201)
    t.match(body, { kind: 'receive', documentNo: /^RCV-\d{6}$/, facilityId: a.facility })
    t.match(body['entries'], [
      { account: { kind: 'supplier' }, doses: -1000, opening: null, closing: null },
      { account: { kind: 'point' }, doses: 1000, opening: 0, closing: 1000, vvmStage: 1 },
    ])
    t.same(await onHand(), ['room 1 free 1000'])
  })

  await step('a session consumes what was given, and wastes what was left in the vials', async (t) => {
    const { body } = await record('consume', { administered: 17, wasted: 3 }, { occurredAt: ago(90) })
    t.match(body['entries'], [
      { account: { kind: 'point' }, doses: -20, opening: 1000, closing: 980 },
      { account: { kind: 'consumption' }, doses: 17 },
      { account: { kind: 'wastage' }, doses: 3, reasonCode: 'opened', opening: 0, closing: 3 },
    ])
  })

  await step('an activity is one of the register', async (t) => {
    await refuses(t, session('campaign'), 'stock.unknownActivity')
    await world.post('/v1/activities', world.admin, { code: 'campaign', name: 'Campaign' })
    const { status, body } = await session('campaign')
    t.match({ status, body }, { status: 201, body: { activityCode: 'campaign' } })
    t.equal((await world.post(`/v1/stock-events/${String(body['id'])}/reverse`, world.admin, {})).status, 201)
    await world.patch('/v1/activities/campaign', world.admin, { archived: true })
    await refuses(t, session('campaign'), 'stock.unknownActivity')
  })

  await step('transfer, hold, release, VVM and repack move doses between lines', async (t) => {
    t.equal((await record('transfer', { doses: 80, toStoragePointId: world.secondPoint })).status, 201)
    t.equal((await record('hold', { doses: 300, reasonCode: 'breach' })).status, 201)
    t.equal((await record('vvm', { doses: 100, toVvmStage: 2 })).status, 201)
    t.same(await onHand(), ['box 1 free 80', 'room 1 free 500', 'room 1 held 300', 'room 2 free 100'])
    t.equal((await record('release', { doses: 300, reasonCode: 'breach' })).status, 201)
    const child = await plantLot(world.db, world.penta, 'penta-1-a', { parentLotId: world.penta.lot })
    t.equal((await record('repack', { doses: 50, toLotId: child })).status, 201)
    t.same(await onHand(`lotId=${child}`), ['room 1 free 50'])
    t.same(await onHand(), ['box 1 free 80', 'room 1 free 750', 'room 2 free 100'])
  })

  await step('a count sets what is there, also when it comes late', async (t) => {
    const counted = await record('count', { counted: 745, expected: 750 })
    t.match(counted.body['entries'], [
      { doses: 5 },
      { doses: -5, opening: 750, closing: 745, reasonCode: 'counted' },
    ])
    // 95 hours ago there were 1000.
    const late = await record('count', { counted: 990 }, { occurredAt: ago(95) })
    t.match(late.body['entries'], [{ doses: 10 }, { doses: -10, opening: 745, closing: 735 }])
    t.match((await record('count', { counted: 735 })).body['entries'], [
      { doses: 0 },
      { doses: 0, closing: 735 },
    ])
    await refuses(t, record('count', { counted: 700, expected: 745 }), 'stock.moved')
  })

  await step('wastage waits for a disposal, which nobody records alone', async (t) => {
    t.equal((await record('wastage', { doses: 10, reasonCode: 'broken' })).status, 201)
    await refuses(t, dispose(13), 'request.invalid')
  })

  await step('an event is undone once, by one of opposite entries', async (t) => {
    const before = await onHand()
    const { body: wasted } = await record('wastage', { doses: 5, reasonCode: 'missing' })
    const undo = () => world.post(`/v1/stock-events/${String(wasted['id'])}/reverse`, world.admin, {})
    const { status, body: reversal } = await undo()
    t.equal(status, 201)
    t.match(reversal, { kind: 'reversal', reversesEventId: wasted['id'], occurredAt: wasted['occurredAt'] })
    t.same(await onHand(), before)
    await refuses(t, undo(), 'stock.alreadyReversed')
    const again = world.post(`/v1/stock-events/${String(reversal['id'])}/reverse`, world.admin, {})
    await refuses(t, again, 'stock.notReversible')
  })

  await step('what cannot be is refused', async (t) => {
    const expired = await plantLot(world.db, world.penta, 'old', { expiresOn: '2020-01-31' })
    const young = await plantLot(world.db, world.penta, 'young', {
      manufacturedOn: new Date().toISOString().slice(0, 10),
    })
    await refuses(t, record('issue', { doses: 100_000 }), 'stock.insufficient')
    await refuses(t, record('receive', { doses: 0 }), 'request.invalid')
    await refuses(t, record('receive', { doses: -1 }), 'request.invalid')
    await refuses(t, record('receive', { doses: 1.5 }), 'request.invalid')
    await refuses(t, record('receive', { doses: 1e15 }), 'request.invalid')
    await refuses(t, record('receive', { doses: 1, lotId: randomUUID() }), 'stock.unknownLot')
    await refuses(t, record('receive', { doses: 1, lotId: expired }), 'stock.lotExpired')
    await refuses(t, record('receive', { doses: 1, storagePointId: b.storagePoint }), 'stock.unknownPoint')
    await refuses(t, record('receive', { doses: 1, vvmStage: 0 }), 'stock.vvmStage')
    await refuses(t, record('receive', { doses: 1, vvmStage: 3 }), 'stock.vvmStage')
    await refuses(t, record('vvm', { doses: 1, vvmStage: 2, toVvmStage: 1 }), 'stock.vvmStage')
    await refuses(t, record('wastage', { doses: 1 }), 'stock.reasonRequired')
    await refuses(t, record('wastage', { doses: 1, reasonCode: 'surplus' }), 'stock.reasonRequired')
    await refuses(t, record('receive', { doses: 1 }, { occurredAt: ago(-1) }), 'stock.inFuture')
    await refuses(
      t,
      record('receive', { doses: 1, lotId: young }, { occurredAt: ago(72) }),
      'stock.beforeLot',
    )
    await refuses(t, record('repack', { doses: 1, toLotId: expired }), 'stock.notItsLot')
    await refuses(t, record('issue', { doses: 700 }, { occurredAt: ago(200) }), 'stock.negativeInPast')
  })

  await step('another part of the tree is not there', async (t) => {
    const token = await world.person('a-operator', 'operator', a.facility)
    const foreign = {
      kind: 'receive',
      facilityId: b.facility,
      lines: [{ storagePointId: b.storagePoint, lotId: world.penta.lot, doses: 1 }],
    }
    await refuses(t, world.post('/v1/stock-events', token, foreign), 'resource.notFound')
    const { body } = await world.post('/v1/stock-events', world.admin, foreign)
    t.equal((await world.get(`/v1/stock-events/${String(body['id'])}`, token)).status, 404)
    const { body: seen } = await world.get('/v1/stock', token)
    t.ok(
      (seen['items'] as unknown as { facilityId: string }[]).every(
        ({ facilityId }) => facilityId === a.facility,
      ),
    )
    const reverse = world.post(`/v1/stock-events/${String(body['id'])}/reverse`, token, {})
    await refuses(t, reverse, 'resource.notFound')
  })

  await step('the same event sent twice is recorded once', async (t) => {
    const id = randomUUID()
    const first = await record('receive', { doses: 7 }, { id })
    const before = await everything(world)
    const second = await record('receive', { doses: 7 }, { id })
    t.same(second.body, first.body)
    t.equal(second.headers['idempotency-replayed'], 'true')
    await refuses(t, record('receive', { doses: 8 }, { id }), 'request.idempotencyMismatch')
    t.same(await everything(world), before)
    const many = await Promise.all(
      Array.from({ length: 8 }, () => record('issue', { doses: 7 }, { id: second.body['id'] })),
    )
    t.ok(many.every(({ status }) => status === 422))
  })

  await step('many at once: nothing goes below zero, and everything adds up', async (t) => {
    const before = Number((await onHand()).find((line) => line.startsWith('room 1 free'))?.split(' ')[3])
    const answers = await Promise.all(Array.from({ length: 60 }, () => record('issue', { doses: 20 })))
    const taken = answers.filter(({ status }) => status === 201).length
    t.equal(taken, Math.min(60, Math.floor(before / 20)))
    t.ok(answers.every(({ status }) => status === 201 || status === 409))
  })
}

async function everything({ db }: StockWorld): Promise<unknown> {
  const [events, entries, balances, changes] = await Promise.all([
    db.selectFrom('stockEvent').select('id').orderBy('id').execute(),
    db.selectFrom('stockEntry').selectAll().orderBy('eventId').orderBy('line').execute(),
    db
      .selectFrom('stockBalance')
      .selectAll()
      .orderBy('accountId')
      .orderBy('lotId')
      .orderBy('vvmStage')
      .orderBy('held')
      .execute(),
    db.selectFrom('change').select('id').orderBy('id').execute(),
  ])
  return { events, entries, balances, changes }
}
