import type { OrderStatus } from '../../domain/order.ts'
import type { DbOrTrx } from '../schema.ts'
import type { Place, Places, Span } from './report.ts'

export interface OrderedLine extends Place {
  readonly orderId: string
  readonly submittedAt: number
  readonly ordered: number
  readonly approved: number | null
  readonly shipped: number
  /** Arrived, and was taken. */
  readonly accepted: number
}

/** The lines that these facilities requested in a span of time, by when they were submitted, but for what was cancelled. */
export async function listRequestedLines(db: DbOrTrx, places: Places, span: Span): Promise<OrderedLine[]> {
  const rows = await db
    .selectFrom('stockOrder as o')
    .innerJoin('orderLine as l', 'l.orderId', 'o.id')
    .select(['o.id as orderId', 'o.toFacilityId as facilityId', 'l.itemId', 'o.submittedAt'])
    .select(['l.doses as ordered', 'l.approved', 'l.shipped'])
    .select((eb) =>
      eb
        .selectFrom('shipmentLine as s')
        .innerJoin('shipment as h', 'h.id', 's.shipmentId')
        .select((of) => of.fn.sum<number | string | null>('s.accepted').as('accepted'))
        .whereRef('h.orderId', '=', 'o.id')
        .whereRef('s.orderLine', '=', 'l.line')
        .where('h.status', '=', 'received')
        .as('accepted'),
    )
    .where('o.kind', '=', 'request')
    .where('o.status', '<>', 'cancelled')
    .where('o.toFacilityId', 'in', places.facilityIds)
    .where('l.itemId', 'in', places.itemIds)
    .where('o.submittedAt', '>=', span.fromMs)
    .where('o.submittedAt', '<', span.toMs)
    .orderBy('o.toFacilityId')
    .orderBy('l.itemId')
    .orderBy('o.submittedAt')
    .execute()
  return rows.map((row) => ({
    ...row,
    submittedAt: row.submittedAt ?? 0,
    accepted: Number(row.accepted ?? 0),
  }))
}

export interface ReceivedOrder {
  readonly facilityId: string
  readonly submittedAt: number
  readonly receivedAt: number
}

const ARRIVED: readonly OrderStatus[] = ['received', 'closed']

/** The requests of these facilities of which everything has arrived, by when they were submitted. */
export async function listReceivedOrders(
  db: DbOrTrx,
  facilityIds: readonly string[],
  span: Span,
): Promise<ReceivedOrder[]> {
  const rows = await db
    .selectFrom('stockOrder')
    .select(['toFacilityId as facilityId', 'submittedAt', 'receivedAt'])
    .where('kind', '=', 'request')
    .where('status', 'in', ARRIVED)
    .where('receivedAt', 'is not', null)
    .where('toFacilityId', 'in', facilityIds)
    .where('submittedAt', '>=', span.fromMs)
    .where('submittedAt', '<', span.toMs)
    .orderBy('toFacilityId')
    .orderBy('submittedAt')
    .execute()
  return rows.map((row) => ({
    ...row,
    submittedAt: row.submittedAt ?? 0,
    receivedAt: row.receivedAt ?? 0,
  }))
}
