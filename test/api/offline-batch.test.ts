import { randomUUID } from 'node:crypto'
import { test, type Test } from 'tap'
import { checkLedger } from './ledger-check.ts'
import { onBothDatabases, openStockWorld } from './stock-world.ts'

interface Outcome {
  readonly id: string | null
  readonly status: number
  readonly replayed: boolean
  readonly event?: { readonly id: string }
  readonly problem?: { readonly code: string; readonly errors?: readonly { readonly path: string }[] }
}

test('what was recorded offline comes in a batch', async (suite) => onBothDatabases(suite, batchSuite))

async function batchSuite(t: Test, databaseUrl: string): Promise<void> {
  const world = await openStockWorld(t, databaseUrl)
  const { a, b } = world.tree
  const token = await world.person('clinic-a', 'operator', a.facility)
  const event = (kind: string, doses: number, more: object = {}) => ({
    id: randomUUID(),
    kind,
    facilityId: a.facility,
    lines: [{ storagePointId: a.storagePoint, lotId: world.penta.lot, doses }],
    ...more,
  })
  const send = async (events: unknown) => {
    const { status, body } = await world.post('/v1/stock-events/batch', token, { events })
    return { status, items: body['items'] as unknown as Outcome[] }
  }
  const twice = event('issue', 5)
  const events = [
    event('receive', 100),
    event('issue', 1000),
    event('issue', 30),
    event('issue', 1, { facilityId: b.facility }),
    event('issue', 1.5),
    event('issue', 1, { id: undefined }),
    event('nonsense', 1),
    'not an event',
    null,
    event('issue', 1, { id: "'; drop table stock_event; --" }),
    twice,
    twice,
    { ...twice, comment: 'another' },
  ]
  const { status, items } = await send(events)
  t.equal(status, 200)
  t.same(
    items.map((item) => item.problem?.code ?? item.status),
    [
      201,
      'stock.insufficient',
      201,
      'resource.notFound',
      'request.invalid',
      'request.invalid',
      'request.invalid',
      'request.invalid',
      'request.invalid',
      'request.invalid',
      201,
      201,
      'request.idempotencyMismatch',
    ],
  )
  t.same(
    items.map(({ status: one }) => one),
    [201, 409, 201, 404, 400, 400, 400, 400, 400, 400, 201, 201, 422],
  )
  t.same(items[4]?.problem?.errors, [{ path: '/body/events/4/lines/0/doses', message: 'must be integer' }])
  t.equal(items[2]?.id, items[2]?.event?.id)
  t.same(items.map(({ replayed }) => replayed).filter(Boolean).length, 1, 'the second of the same')
  await checkLedger(t, world.db)

  const again = await send(events)
  t.same(
    again.items.map(({ event: one, problem }) => one ?? problem?.code),
    items.map(({ event: one, problem }) => one ?? problem?.code),
  )
  t.ok(again.items.every((item) => item.status !== 201 || item.replayed))
  const { body: stock } = await world.get(`/v1/stock?lotId=${world.penta.lot}`, token)
  t.match(stock['items'], [{ doses: 65 }])
  await checkLedger(t, world.db)

  for (const bad of [[], Array.from({ length: 101 }, () => event('receive', 1)), {}, undefined])
    t.equal((await send(bad)).status, 400)
}
