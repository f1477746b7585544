import { sql } from 'kysely'
import type { EventKind } from '../../domain/stock-event.ts'
import type { IsoDate, ReasonKind } from '../../domain/stock.ts'
import type { ItemTable } from '../schema-stock.ts'
import type { DbOrTrx } from '../schema.ts'

/** The facilities and items that facts are wanted of. Naming the items lets the index of the stock card find the time as well. */
export interface Places {
  readonly facilityIds: readonly string[]
  readonly itemIds: readonly string[]
}
export interface Place {
  readonly facilityId: string
  readonly itemId: string
}
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** All items, or one; those that are archived may still be on a shelf. */
export async function listReportItems(db: DbOrTrx, itemId: string | undefined): Promise<ItemTable[]> {
  return db
    .selectFrom('item')
    .selectAll()
    .$if(itemId !== undefined, (q) => q.where('id', '=', itemId ?? ''))
    .orderBy('code')
    .execute()
}

export interface OnHandSum extends Place {
  readonly onHand: number
  readonly held: number
  readonly allocated: number
  /** Not on hold, not recalled, not expired, VVM before the discard point. */
  readonly usable: number
  /** On the way to the facility. */
  readonly inTransit: number
}

/** What facilities have of items, also of those that they have no more. */
export async function sumOnHand(db: DbOrTrx, places: Places, today: IsoDate): Promise<OnHandSum[]> {
  const rows = await db
    .selectFrom('stockBalance as b')
    .innerJoin('lot as l', 'l.id', 'b.lotId')
    .select(['b.facilityId', 'b.itemId'])
    .select((eb) => {
      const point = sql`${eb.ref('b.accountKind')} = 'point'`
      const usable = sql`${point} and b.held = 0 and ${eb.ref('b.vvmStage')} <= 2 and ${eb.ref('l.recalledAt')} is null and ${eb.ref('l.expiresOn')} >= ${today}`
      const sumIf = (condition: typeof point, of: typeof point) =>
        sql<number | string>`sum(case when ${condition} then ${of} else 0 end)`
      return [
        sumIf(point, sql`b.doses`).as('onHand'),
        sumIf(sql`${point} and b.held = 1`, sql`b.doses`).as('held'),
        sumIf(point, sql`b.allocated`).as('allocated'),
        sumIf(usable, sql`b.doses`).as('usable'),
        sumIf(sql`${eb.ref('b.accountKind')} = 'transit'`, sql`b.doses`).as('inTransit'),
      ]
    })
    .where('b.accountKind', 'in', ['point', 'transit'])
    .where('b.facilityId', 'in', places.facilityIds)
    .where('b.itemId', 'in', places.itemIds)
    .groupBy(['b.facilityId', 'b.itemId'])
    .orderBy('b.facilityId')
    .orderBy('b.itemId')
    .execute()
  return rows.map((row) => ({
    facilityId: row.facilityId,
    itemId: row.itemId,
    onHand: Number(row.onHand),
    held: Number(row.held),
    allocated: Number(row.allocated),
    usable: Number(row.usable),
    inTransit: Number(row.inTransit),
  }))
}

export interface LotOnHand extends Place {
  readonly lotId: string
  readonly lotCode: string
  readonly expiresOn: IsoDate
  readonly doses: number
}

/** What is on the shelves of facilities by lot; those that expire first come first. */
export async function sumLots(db: DbOrTrx, places: Places): Promise<LotOnHand[]> {
  const rows = await db
    .selectFrom('stockBalance as b')
    .innerJoin('lot as l', 'l.id', 'b.lotId')
    .select(['b.facilityId', 'b.itemId', 'b.lotId', 'l.code as lotCode', 'l.expiresOn'])
    .select((eb) => eb.fn.sum<number | string>('b.doses').as('doses'))
    .where('b.accountKind', '=', 'point')
    .where('b.doses', '>', 0)
    .where('b.facilityId', 'in', places.facilityIds)
    .where('b.itemId', 'in', places.itemIds)
    .groupBy(['b.facilityId', 'b.itemId', 'b.lotId', 'l.code', 'l.expiresOn'])
    .orderBy('b.facilityId')
    .orderBy('b.itemId')
    .orderBy('l.expiresOn')
    .orderBy('b.lotId')
    .execute()
  return rows.map((row) => ({ ...row, doses: Number(row.doses) }))
}

export interface Change extends Place {
  /** Null: not a change, but what is on hand now. */
  readonly occurredAt: number | null
  readonly doses: number
}

/** What is on hand now and what came and went since a moment, summed by moment: in one statement, so that they fit together. */
export async function sumChanges(db: DbOrTrx, places: Places, sinceMs: number): Promise<Change[]> {
  const rows = await db
    .selectFrom('stockBalance')
    .select((eb) => [
      'facilityId',
      'itemId',
      sql<number | null>`null`.as('occurredAt'),
      eb.fn.sum<number | string>('doses').as('doses'),
    ])
    .where('accountKind', '=', 'point')
    .where('facilityId', 'in', places.facilityIds)
    .where('itemId', 'in', places.itemIds)
    .groupBy(['facilityId', 'itemId'])
    .unionAll(
      db
        .selectFrom('stockEntry')
        .select((eb) => [
          'facilityId',
          'itemId',
          eb.ref('occurredAt').$castTo<number | null>().as('occurredAt'),
          eb.fn.sum<number | string>('doses').as('doses'),
        ])
        .where('accountKind', '=', 'point')
        .where('facilityId', 'in', places.facilityIds)
        .where('itemId', 'in', places.itemIds)
        .where('occurredAt', '>=', sinceMs)
        .groupBy(['facilityId', 'itemId', 'occurredAt']),
    )
    .execute()
  return rows.map((row) => ({
    ...row,
    occurredAt: row.occurredAt === null ? null : Number(row.occurredAt),
    doses: Number(row.doses),
  }))
}

/** Where there was an entry of the item before a moment. */
export async function listKept(db: DbOrTrx, places: Places, beforeMs: number): Promise<Place[]> {
  const pairs = db
    .selectFrom('stockBalance')
    .select(['facilityId', 'itemId'])
    .distinct()
    .where('facilityId', 'in', places.facilityIds)
    .where('itemId', 'in', places.itemIds)
    .as('p')
  return db
    .selectFrom(pairs)
    .select(['p.facilityId', 'p.itemId'])
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('stockEntry as e')
          .select('e.line')
          .whereRef('e.facilityId', '=', 'p.facilityId')
          .whereRef('e.itemId', '=', 'p.itemId')
          .where('e.occurredAt', '<', beforeMs)
          .where('e.accountKind', '=', 'point'),
      ),
    )
    .execute()
}

export interface Use extends Place {
  readonly activityCode: string | null
  /** Of what happened: of a reversal, the kind of what it undoes. */
  readonly kind: EventKind
  readonly accountKind: 'consumption' | 'wastage'
  readonly reasonCode: string | null
  readonly occurredAt: number
  readonly doses: number
}

/** What was used and what was wasted, by moment; what a reversal undid is taken off where it happened. */
export async function sumUse(
  db: DbOrTrx,
  places: Places,
  query: Span & { readonly activityCode?: string | undefined },
): Promise<Use[]> {
  const rows = await db
    .selectFrom('stockEntry as e')
    .innerJoin('stockEvent as v', 'v.id', 'e.eventId')
    .leftJoin('stockEvent as r', 'r.id', 'v.reversesEventId')
    .select(['e.facilityId', 'e.itemId', 'v.activityCode', 'e.accountKind', 'e.reasonCode', 'e.occurredAt'])
    .select((eb) => [
      eb.fn.coalesce('r.kind', 'v.kind').as('kind'),
      eb.fn.sum<number | string>('e.doses').as('doses'),
    ])
    .where('e.facilityId', 'in', places.facilityIds)
    .where('e.itemId', 'in', places.itemIds)
    .where('e.occurredAt', '>=', query.fromMs)
    .where('e.occurredAt', '<', query.toMs)
    .where('e.accountKind', 'in', ['consumption', 'wastage'])
    // What is destroyed was wasted before.
    .where((eb) => eb(eb.fn.coalesce('r.kind', 'v.kind'), '<>', 'dispose'))
    .$if(query.activityCode !== undefined, (q) => q.where('v.activityCode', '=', query.activityCode ?? ''))
    .groupBy([
      'e.facilityId',
      'e.itemId',
      'v.activityCode',
      'e.accountKind',
      'e.reasonCode',
      'e.occurredAt',
      'r.kind',
      'v.kind',
    ])
    .orderBy('e.facilityId')
    .orderBy('e.itemId')
    .orderBy('e.occurredAt')
    .execute()
  return rows.map((row) => ({
    ...row,
    accountKind: row.accountKind as Use['accountKind'],
    doses: Number(row.doses),
  }))
}

export async function listReasonKinds(db: DbOrTrx): Promise<Map<string, ReasonKind>> {
  const rows = await db.selectFrom('reason').select(['code', 'kind']).execute()
  return new Map(rows.map(({ code, kind }) => [code, kind]))
}

export interface CountedLine extends Place {
  readonly occurredAt: number
  readonly expected: number
  readonly difference: number
}

/** Lines of counts that nobody undid: what should have been there at their time, as the ledger knew it when they were recorded. */
export async function listCounts(db: DbOrTrx, places: Places, span: Span): Promise<CountedLine[]> {
  const rows = await db
    .selectFrom('stockEntry as e')
    .innerJoin('stockEvent as v', 'v.id', 'e.eventId')
    .select(['e.facilityId', 'e.itemId', 'e.occurredAt', 'e.opening', 'e.doses as difference'])
    .select((eb) =>
      // A count that comes late was compared with what was there then, not with what was there when it came.
      eb
        .selectFrom('stockEntry as l')
        .select((of) => of.fn.sum<number | string | null>('l.doses').as('doses'))
        .whereRef('l.lotId', '=', 'e.lotId')
        .whereRef('l.facilityId', '=', 'e.facilityId')
        .whereRef('l.occurredAt', '>', 'e.occurredAt')
        .whereRef('l.accountId', '=', 'e.accountId')
        .whereRef('l.vvmStage', '=', 'e.vvmStage')
        .whereRef('l.held', '=', 'e.held')
        .whereRef('l.version', '<', 'e.version')
        .as('later'),
    )
    .where('e.facilityId', 'in', places.facilityIds)
    .where('e.itemId', 'in', places.itemIds)
    .where('e.occurredAt', '>=', span.fromMs)
    .where('e.occurredAt', '<', span.toMs)
    .where('e.accountKind', '=', 'point')
    .where('v.kind', '=', 'count')
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('stockEvent as r').select('r.id').whereRef('r.reversesEventId', '=', 'v.id')),
      ),
    )
    .orderBy('e.facilityId')
    .orderBy('e.itemId')
    .orderBy('e.occurredAt')
    .execute()
  return rows.map(({ opening, later, ...row }) => ({
    ...row,
    expected: (opening ?? 0) - Number(later ?? 0),
  }))
}

// All zones differ from UTC by whole quarters of an hour, so that no quarter lies in two days.
const QUARTER_MS = 900_000

/** The quarters of an hour in which something happened in these facilities, by their first moment. */
export async function listActiveQuarters(
  db: DbOrTrx,
  facilityIds: readonly string[],
  span: Span,
): Promise<{ readonly facilityId: string; readonly atMs: number }[]> {
  const rows = await db
    .selectFrom('stockEvent')
    .select('facilityId')
    .select((eb) =>
      sql<number | string>`${eb.ref('occurredAt')} - ${eb.ref('occurredAt')} % ${sql.lit(QUARTER_MS)}`.as(
        'atMs',
      ),
    )
    .distinct()
    .where('facilityId', 'in', facilityIds)
    .where('occurredAt', '>=', span.fromMs)
    .where('occurredAt', '<', span.toMs)
    .execute()
  return rows.map(({ facilityId, atMs }) => ({ facilityId, atMs: Number(atMs) }))
}

/** Which of these keep stock: those with a storage point. */
export async function listKeeping(db: DbOrTrx, facilityIds: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('storagePoint')
    .select('facilityId')
    .distinct()
    .where('facilityId', 'in', facilityIds)
    .execute()
  return new Set(rows.map(({ facilityId }) => facilityId))
}
