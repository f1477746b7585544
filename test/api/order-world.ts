import type { Test } from 'tap'
import { checkLedger } from './ledger-check.ts'
import { openStockWorld, type StockWorld } from './stock-world.ts'
import type { Answer, Json } from './world.ts'

/** A district store that supplies a clinic, and the people of both: none but the administrator and the district's manager see both sides. */
export interface OrderWorld extends StockWorld {
  readonly store: string
  readonly storeRoom: string
  readonly clinic: string
  readonly clinicRoom: string
  /** Keeps the store, and sees what is below it. */
  readonly manager: string
  /** Works in the clinic. */
  readonly nurse: string
  /** Works in a clinic of another district. */
  readonly stranger: string
  /** Takes doses of a lot into the store from the supplier. */
  stock(doses: number, more?: object): Promise<void>
  /** Posts and expects success; gives what came back. */
  do(url: string, token: string, body?: object): Promise<Json>
  /** An order of the clinic from the store for the vaccine, submitted. */
  request(doses: number): Promise<string>
  /** The same, approved and allocated. */
  allocated(doses: number): Promise<string>
  refuses(t: Test, asked: Promise<Answer>, code: string): Promise<void>
}

export async function openOrderWorld(t: Test, databaseUrl: string): Promise<OrderWorld> {
  const world = await openStockWorld(t, databaseUrl)
  const { tree, post, admin } = world
  const store = tree.a.district
  const storeRoom = await world.make('/v1/storage-points', { facilityId: store, name: 'Cold room' })
  const manager = await world.person('keeper', 'manager', store)
  const nurse = await world.person('nurse', 'operator', tree.a.facility)
  const stranger = await world.person('stranger', 'manager', tree.b.district)
  const act = async (url: string, token: string, body: object = {}) => {
    const answer = await post(url, token, body)
    if (answer.status >= 300) throw new Error(`${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const request = async (doses: number) => {
    const lines = [{ itemId: world.penta.item, doses }]
    const sides = { fromFacilityId: store, toFacilityId: tree.a.facility }
    const { id } = await act('/v1/orders', nurse, { kind: 'request', ...sides, lines })
    await act(`/v1/orders/${String(id)}/submit`, nurse)
    return String(id)
  }
  return {
    ...world,
    store,
    storeRoom,
    clinic: tree.a.facility,
    clinicRoom: tree.a.storagePoint,
    manager,
    nurse,
    stranger,
    do: act,
    request,
    async stock(doses, more = {}) {
      const line = { storagePointId: storeRoom, lotId: world.penta.lot, doses, ...more }
      await act('/v1/stock-events', admin, { kind: 'receive', facilityId: store, lines: [line] })
    },
    async allocated(doses) {
      const id = await request(doses)
      await act(`/v1/orders/${id}/approve`, manager)
      await act(`/v1/orders/${id}/allocate`, manager)
      return id
    },
    async refuses(of, asked, code) {
      const before = await everything(world)
      const { status, body } = await asked
      of.match(body, { code }, `${code}: ${JSON.stringify(body)}`)
      of.ok(status >= 400)
      of.same(await everything(world), before, `${code} changed nothing`)
    },
  }
}

async function everything({ db }: StockWorld): Promise<unknown> {
  return Promise.all([
    db.selectFrom('stockEvent').select('id').orderBy('id').execute(),
    db
      .selectFrom('stockBalance')
      .select(['accountId', 'doses', 'allocated'])
      .orderBy('accountId')
      .orderBy('lotId')
      .orderBy('vvmStage')
      .orderBy('held')
      .execute(),
    db.selectFrom('stockOrder').select(['id', 'status', 'version']).orderBy('id').execute(),
    db.selectFrom('orderLine').selectAll().orderBy('orderId').orderBy('line').execute(),
    db.selectFrom('shipment').select(['id', 'status', 'version']).orderBy('id').execute(),
    db.selectFrom('disposal').select(['id', 'status', 'version']).orderBy('id').execute(),
    db.selectFrom('audit').select('id').orderBy('id').execute(),
    db.selectFrom('change').select('id').orderBy('id').execute(),
  ])
}

/**
 * Orders and stock tell one story: what is allocated is what orders were promised, what is in transit is what was sent and not received,
 * and the sums of an order are those of its shipments.
 */
export async function checkOrders(t: Test, { db }: Pick<StockWorld, 'db'>): Promise<void> {
  await checkLedger(t, db)
  const balances = await db.selectFrom('stockBalance').selectAll().execute()
  const allocations = await db.selectFrom('orderAllocation').selectAll().execute()
  const shipments = await db.selectFrom('shipment').selectAll().execute()
  const sent = await db.selectFrom('shipmentLine').selectAll().execute()
  const promised = Map.groupBy(allocations, (one) =>
    [one.storagePointId, one.lotId, one.vvmStage, one.held].join(' '),
  )
  for (const one of balances) {
    const key = [one.accountId, one.lotId, one.vvmStage, one.held].join(' ')
    const sum = total(promised.get(key) ?? [])
    if (sum !== one.allocated) t.fail(`${key}: ${one.allocated} are allocated, ${sum} promised`)
    promised.delete(key)
  }
  t.equal(promised.size, 0, 'nothing is promised of what never was there')
  for (const { id, status } of shipments) {
    const inTransit = total(balances.filter(({ accountId }) => accountId === id))
    const lines = sent.filter(({ shipmentId }) => shipmentId === id)
    t.equal(inTransit, status === 'shipped' ? total(lines) : 0, `in transit of a ${status} shipment`)
    for (const { doses, accepted, rejected, short } of lines)
      t.equal(accepted + rejected + short, status === 'received' ? doses : 0)
  }
  const known = new Set(shipments.map(({ id }) => id))
  t.same(
    balances.filter((one) => one.accountKind === 'transit' && !known.has(one.accountId)),
    [],
    'no orphan',
  )
  const lines = await db.selectFrom('orderLine').selectAll().execute()
  for (const { orderId, line, reserved, shipped, settled } of lines) {
    const of = (...statuses: string[]) =>
      total(
        sent.filter(
          (one) =>
            one.orderLine === line &&
            shipments.some(
              (shipment) =>
                shipment.id === one.shipmentId &&
                shipment.orderId === orderId &&
                statuses.includes(shipment.status),
            ),
        ),
      )
    const sums = {
      reserved: total(allocations.filter((one) => one.orderId === orderId && one.line === line)),
      shipped: of('shipped', 'received'),
      settled: of('received'),
    }
    t.same({ reserved, shipped, settled }, sums, 'the sums of an order are those of its parts')
  }
}

function total(rows: readonly { readonly doses: number }[]): number {
  return rows.reduce((sum, { doses }) => sum + doses, 0)
}
