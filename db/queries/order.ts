import type { OrderKind, OrderState, OrderStatus, Side } from '../../domain/order.ts'
import type { OrderAllocationTable, OrderLineTable, StockOrderTable } from '../schema-orders.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'

/** What both sides of an order or a shipment are called, and what their clocks show: each side reads of the other, which it may not see otherwise. */
export interface SideNames {
  readonly fromFacilityName: string
  readonly toFacilityName: string
  readonly fromTimeZone: string
  readonly toTimeZone: string
}

export interface Order extends StockOrderTable, SideNames {
  readonly lines: readonly OrderLineTable[]
  readonly allocations: readonly OrderAllocationTable[]
  /** The part of the tree that each side lies in. */
  readonly fromPath: string
  readonly toPath: string
}

function orders(db: DbOrTrx) {
  return db
    .selectFrom('stockOrder as o')
    .innerJoin('facility as f', 'f.id', 'o.fromFacilityId')
    .innerJoin('facility as t', 't.id', 'o.toFacilityId')
    .selectAll('o')
    .select(['f.path as fromPath', 't.path as toPath'])
    .select(['f.name as fromFacilityName', 't.name as toFacilityName'])
    .select(['f.timeZone as fromTimeZone', 't.timeZone as toTimeZone'])
}

/** An order, if one of its sides lies under the path `scope`. */
export async function findOrder(db: DbOrTrx, id: string, scope: string): Promise<Order | undefined> {
  const row = await orders(db)
    .where('o.id', '=', id)
    .where((eb) => eb.or([eb('f.path', 'like', likePrefix(scope)), eb('t.path', 'like', likePrefix(scope))]))
    .executeTakeFirst()
  if (!row) return undefined
  const [order] = await withLines(db, [row])
  return order
}

export interface OrderQuery {
  readonly scope: string
  readonly under: string | undefined
  readonly kind: OrderKind | undefined
  readonly status: OrderStatus | undefined
  /** Only those whose next step is for somebody under the scope. */
  readonly isWaitingForMe: boolean
  readonly after: string | undefined
  readonly limit: number
}

/** The newest first, by id. */
export async function listOrders(db: DbOrTrx, query: OrderQuery): Promise<Order[]> {
  const rows = await orders(db)
    .where((eb) =>
      eb.or([eb('f.path', 'like', likePrefix(query.scope)), eb('t.path', 'like', likePrefix(query.scope))]),
    )
    .$if(query.under !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('f.path', 'like', likePrefix(query.under ?? '')),
          eb('t.path', 'like', likePrefix(query.under ?? '')),
        ]),
      ),
    )
    .$if(query.isWaitingForMe, (q) =>
      q.where((eb) =>
        eb.or([
          eb.and([eb('o.waitingFor', '=', 'sender'), eb('f.path', 'like', likePrefix(query.scope))]),
          eb.and([eb('o.waitingFor', '=', 'receiver'), eb('t.path', 'like', likePrefix(query.scope))]),
        ]),
      ),
    )
    .$if(query.kind !== undefined, (q) => q.where('o.kind', '=', query.kind ?? 'request'))
    .$if(query.status !== undefined, (q) => q.where('o.status', '=', query.status ?? 'draft'))
    .$if(query.after !== undefined, (q) => q.where('o.id', '<', query.after ?? ''))
    .orderBy('o.id', 'desc')
    .limit(query.limit)
    .execute()
  return withLines(db, rows)
}

async function withLines(
  db: DbOrTrx,
  rows: readonly Omit<Order, 'lines' | 'allocations'>[],
): Promise<Order[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const lines = await db
    .selectFrom('orderLine')
    .selectAll()
    .where('orderId', 'in', ids)
    .orderBy('line')
    .execute()
  const allocations = await db
    .selectFrom('orderAllocation')
    .selectAll()
    .where('orderId', 'in', ids)
    .orderBy('line')
    .orderBy('storagePointId')
    .orderBy('lotId')
    .orderBy('vvmStage')
    .orderBy('held')
    .execute()
  const linesOf = Map.groupBy(lines, ({ orderId }) => orderId)
  const allocationsOf = Map.groupBy(allocations, ({ orderId }) => orderId)
  return rows.map((row) => ({
    ...row,
    lines: linesOf.get(row.id) ?? [],
    allocations: allocationsOf.get(row.id) ?? [],
  }))
}

/** The order as its rules see it. */
export function stateOf({ status, lines }: Pick<Order, 'status' | 'lines'>): OrderState {
  return {
    status,
    lines: lines.map((row) => ({
      line: row.line,
      itemId: row.itemId,
      doses: row.doses,
      approved: row.approved ?? 0,
      reasonCode: row.reasonCode ?? undefined,
      reserved: row.reserved,
      shipped: row.shipped,
      settled: row.settled,
    })),
  }
}

export async function insertOrder(
  trx: DbOrTrx,
  order: StockOrderTable,
  lines: readonly OrderLineTable[],
): Promise<void> {
  await trx.insertInto('stockOrder').values(order).execute()
  await trx.insertInto('orderLine').values(lines).execute()
}

/** Holds an order still until the transaction ends. Call it before the first read of it. */
export async function lockOrder(trx: DbOrTrx, id: string): Promise<void> {
  await trx
    .updateTable('stockOrder')
    .set((eb) => ({ version: eb.ref('version') }))
    .where('id', '=', id)
    .execute()
}

export type OrderChange = Partial<
  Omit<StockOrderTable, 'id' | 'documentNo' | 'kind' | 'requestHash' | 'version'>
> & { readonly status: OrderStatus; readonly waitingFor: Side | null; readonly updatedAt: number }

/** Writes what a step made of an order that is locked. */
export async function updateOrder(
  trx: DbOrTrx,
  id: string,
  change: OrderChange,
  lines: readonly OrderLineTable[],
): Promise<void> {
  await trx
    .updateTable('stockOrder')
    .set((eb) => ({ ...change, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute()
  for (const { line, orderId, itemId: _, ...set } of lines)
    await trx
      .updateTable('orderLine')
      .set(set)
      .where('orderId', '=', orderId)
      .where('line', '=', line)
      .execute()
}

/** Puts other lines in the place of a draft's. */
export async function replaceOrderLines(
  trx: DbOrTrx,
  orderId: string,
  lines: readonly OrderLineTable[],
): Promise<void> {
  await trx.deleteFrom('orderLine').where('orderId', '=', orderId).execute()
  await trx.insertInto('orderLine').values(lines).execute()
}
