import { sql } from 'kysely'
import type { Line } from '../../domain/stock.ts'
import type { LotTable, StockEventTable } from '../schema-stock.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'
import type { PostedEvent } from './ledger.ts'
import { withLegs } from './stock-event.ts'

export async function findLot(db: DbOrTrx, id: string): Promise<LotTable | undefined> {
  return db.selectFrom('lot').selectAll().where('id', '=', id).executeTakeFirst()
}

/** No chain of repacking is that long; a circle, if ever one came in, ends here. */
const GENERATIONS_MAX = 50

/** What a lot was repacked from, the nearest first. */
export async function findAncestors(db: DbOrTrx, lot: LotTable): Promise<LotTable[]> {
  const ancestors: LotTable[] = []
  let parentId = lot.parentLotId
  while (parentId !== null && ancestors.length < GENERATIONS_MAX) {
    const parent = await findLot(db, parentId)
    if (!parent) break
    ancestors.push(parent)
    parentId = parent.parentLotId
  }
  return ancestors
}

/** What was repacked from a lot, and from that. */
export async function findDescendants(db: DbOrTrx, lotId: string): Promise<LotTable[]> {
  const descendants: LotTable[] = []
  let parents = [lotId]
  for (let generation = 0; parents.length > 0 && generation < GENERATIONS_MAX; generation++) {
    const children = await db.selectFrom('lot').selectAll().where('parentLotId', 'in', parents).execute()
    descendants.push(...children)
    parents = children.map(({ id }) => id)
  }
  return descendants
}

/** Marks a lot as recalled. False when it was before. */
export async function markRecalled(trx: DbOrTrx, id: string, at: number, reason: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('lot')
    .set((eb) => ({ recalledAt: at, recallReason: reason, updatedAt: at, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('recalledAt', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export interface ShelfLine extends Line {
  readonly itemId: string
  readonly doses: number
  readonly lastOccurredAt: number
}

/** Every line on a shelf, anywhere, of these lots that is not on hold. */
export async function findFreeLines(db: DbOrTrx, lotIds: readonly string[]): Promise<ShelfLine[]> {
  const rows = await db
    .selectFrom('stockBalance')
    .select(['accountId', 'facilityId', 'itemId', 'lotId', 'vvmStage', 'doses', 'lastOccurredAt'])
    .where('lotId', 'in', lotIds)
    .where('doses', '>', 0)
    .where('accountKind', '=', 'point')
    .where('held', '=', 0)
    .execute()
  return rows.map(({ accountId, facilityId, ...line }) => ({
    ...line,
    held: false,
    account: { kind: 'point', id: accountId, facilityId },
  }))
}

/** Doses of lots at a facility, or in many. */
export interface LotSums {
  /** Came from the supplier, less what went back to it. */
  readonly fromSupplier: number
  readonly onHand: number
  /** Of that: on hold. */
  readonly onHold: number
  /** On the way to it. */
  readonly inTransit: number
  readonly consumed: number
  /** Written off, and waiting for disposal. */
  readonly wasted: number
  readonly disposed: number
  /** Lost by counts, shortages and other corrections, less what was found. */
  readonly adjusted: number
}

export const NO_DOSES: LotSums = {
  fromSupplier: 0,
  onHand: 0,
  onHold: 0,
  inTransit: 0,
  consumed: 0,
  wasted: 0,
  disposed: 0,
  adjusted: 0,
}

/**
 * The facilities under the path `scope` that ever had anything to do with these lots, in the order of their ids. Whoever had some has a line
 * of it, if only of nothing by now: those are a small part of the entries.
 */
export async function listLotFacilities(
  db: DbOrTrx,
  query: {
    readonly lotIds: readonly string[]
    readonly scope: string
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<{ id: string; name: string }[]> {
  return db
    .selectFrom('stockBalance as b')
    .innerJoin('facility as f', 'f.id', 'b.facilityId')
    .select(['f.id', 'f.name'])
    .distinct()
    .where('b.lotId', 'in', query.lotIds)
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.after !== undefined, (q) => q.where('b.facilityId', '>', query.after ?? ''))
    .orderBy('f.id')
    .limit(query.limit)
    .execute()
}

/** What became of these lots at each of these facilities. */
export async function sumLotsAt(
  db: DbOrTrx,
  lotIds: readonly string[],
  facilityIds: readonly string[],
): Promise<Map<string, LotSums>> {
  if (facilityIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('stockEntry')
    .select((eb) => ['facilityId', 'accountKind', 'held', eb.fn.sum<number | string>('doses').as('doses')])
    .where('lotId', 'in', lotIds)
    .where('facilityId', 'in', facilityIds)
    .groupBy(['facilityId', 'accountKind', 'held'])
    .execute()
  return new Map([...Map.groupBy(rows, ({ facilityId }) => facilityId)].map(([id, of]) => [id, sumsOf(of)]))
}

/** What became of these lots outside of the path `scope`, and at how many facilities, without their names. */
export async function sumLotsElsewhere(
  db: DbOrTrx,
  lotIds: readonly string[],
  scope: string,
): Promise<LotSums & { readonly facilities: number }> {
  const there = db
    .selectFrom('stockEntry as e')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .where('e.lotId', 'in', lotIds)
    .where('f.path', 'not like', likePrefix(scope))
  const rows = await there
    .select((eb) => ['e.accountKind', 'e.held', eb.fn.sum<number | string>('e.doses').as('doses')])
    .groupBy(['e.accountKind', 'e.held'])
    .execute()
  const { facilities } = await there
    .select(sql<number | string>`count(distinct ${sql.ref('e.facilityId')})`.as('facilities'))
    .executeTakeFirstOrThrow()
  return { facilities: Number(facilities), ...sumsOf(rows) }
}

interface Sum {
  readonly accountKind: string
  readonly held: 0 | 1
  readonly doses: number | string
}

function sumsOf(rows: readonly Sum[]): LotSums {
  const of = (kind: string, held?: 1) =>
    rows
      .filter((row) => row.accountKind === kind && (held === undefined || row.held === held))
      .reduce((sum, row) => sum + Number(row.doses), 0)
  return {
    // Negating nothing must not give -0.
    fromSupplier: 0 - of('supplier'),
    onHand: of('point'),
    onHold: of('point', 1),
    inTransit: of('transit'),
    consumed: of('consumption'),
    wasted: of('wastage'),
    disposed: of('disposed'),
    adjusted: of('adjustment'),
  }
}

/** Events that moved any of these lots, at facilities under the path `scope` or between one of them and another; by id, the oldest first. */
export async function listLotEvents(
  db: DbOrTrx,
  query: {
    readonly lotIds: readonly string[]
    readonly scope: string
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<PostedEvent[]> {
  const events: StockEventTable[] = await db
    .selectFrom('stockEvent as e')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .leftJoin('facility as o', 'o.id', 'e.otherFacilityId')
    .selectAll('e')
    .where('e.id', 'in', (eb) =>
      eb
        .selectFrom('stockEntry as s')
        .select('s.eventId')
        .where('s.lotId', 'in', query.lotIds)
        .$if(query.after !== undefined, (q) => q.where('s.eventId', '>', query.after ?? '')),
    )
    .where((eb) =>
      eb.or([eb('f.path', 'like', likePrefix(query.scope)), eb('o.path', 'like', likePrefix(query.scope))]),
    )
    .orderBy('e.id')
    .limit(query.limit)
    .execute()
  return withLegs(db, events)
}
