import { isDuplicate } from '../dialects/duplicate.ts'
import type { Consumption, StockOnHand } from '../../domain/stock-level.ts'
import type { StockLevelTable } from '../schema-stock.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'

/** A facility and an item. */
export type Place = Pick<StockLevelTable, 'facilityId' | 'itemId'>

export async function findStockLevel(
  db: DbOrTrx,
  { facilityId, itemId }: Place,
): Promise<StockLevelTable | undefined> {
  return db
    .selectFrom('stockLevel')
    .selectAll()
    .where('facilityId', '=', facilityId)
    .where('itemId', '=', itemId)
    .executeTakeFirst()
}

/** In the order of facility and item. */
export async function listStockLevels(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly itemId: string | undefined
    readonly after: Place | undefined
    readonly limit: number
  },
): Promise<(StockLevelTable & { readonly timeZone: string })[]> {
  return db
    .selectFrom('stockLevel as s')
    .innerJoin('facility as f', 'f.id', 's.facilityId')
    .selectAll('s')
    .select('f.timeZone')
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(query.itemId !== undefined, (q) => q.where('s.itemId', '=', query.itemId ?? ''))
    .$if(query.after !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('s.facilityId', '>', query.after?.facilityId ?? ''),
          eb.and([
            eb('s.facilityId', '=', query.after?.facilityId ?? ''),
            eb('s.itemId', '>', query.after?.itemId ?? ''),
          ]),
        ]),
      ),
    )
    .orderBy('s.facilityId')
    .orderBy('s.itemId')
    .limit(query.limit)
    .execute()
}

/** False when there is one already. */
export async function insertStockLevel(db: DbOrTrx, row: StockLevelTable): Promise<boolean> {
  try {
    await db.insertInto('stockLevel').values(row).execute()
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

/** Holds it still until the transaction ends. Call it before the first read of the transaction. */
export async function lockStockLevel(trx: DbOrTrx, { facilityId, itemId }: Place): Promise<void> {
  await trx
    .updateTable('stockLevel')
    .set((eb) => ({ version: eb.ref('version') }))
    .where('facilityId', '=', facilityId)
    .where('itemId', '=', itemId)
    .execute()
}

/** False when it is no longer the version before this one. */
export async function updateStockLevel(db: DbOrTrx, row: StockLevelTable): Promise<boolean> {
  const { facilityId, itemId, ...set } = row
  const { numUpdatedRows } = await db
    .updateTable('stockLevel')
    .set(set)
    .where('facilityId', '=', facilityId)
    .where('itemId', '=', itemId)
    .where('version', '=', row.version - 1)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** The lines of stock on the shelves of these facilities, of these items. */
export async function findOnHand(db: DbOrTrx, places: readonly Place[]): Promise<(Place & StockOnHand)[]> {
  if (places.length === 0) return []
  const rows = await db
    .selectFrom('stockBalance as b')
    .innerJoin('lot as l', 'l.id', 'b.lotId')
    .select(['b.facilityId', 'b.itemId', 'b.doses', 'b.held', 'b.vvmStage', 'l.expiresOn', 'l.recalledAt'])
    .where('b.accountKind', '=', 'point')
    .where('b.doses', '>', 0)
    .where('b.facilityId', 'in', [...new Set(places.map(({ facilityId }) => facilityId))])
    .where('b.itemId', 'in', [...new Set(places.map(({ itemId }) => itemId))])
    .execute()
  return rows.map(({ held, recalledAt, ...row }) => ({
    ...row,
    held: held === 1,
    isRecalled: recalledAt !== null,
  }))
}

/**
 * What facilities consumed of items from a moment on, in event time: the entries of their consumption accounts, reversals taken off. And
 * since when each has a record of the item. Places without an entry are missing.
 */
export async function findConsumption(
  db: DbOrTrx,
  places: readonly Place[],
  fromMs: number,
): Promise<(Place & Consumption)[]> {
  if (places.length === 0) return []
  const facilityIds = [...new Set(places.map(({ facilityId }) => facilityId))]
  const itemIds = [...new Set(places.map(({ itemId }) => itemId))]
  const consumed = await db
    .selectFrom('stockEntry')
    .select(['facilityId', 'itemId'])
    .select((eb) => eb.fn.sum<number | string>('doses').as('doses'))
    .where('facilityId', 'in', facilityIds)
    .where('itemId', 'in', itemIds)
    .where('occurredAt', '>=', fromMs)
    .where('accountKind', '=', 'consumption')
    .groupBy(['facilityId', 'itemId'])
    .execute()
  const since = await db
    .selectFrom('stockEntry')
    .select(['facilityId', 'itemId'])
    .select((eb) => eb.fn.min<number>('occurredAt').as('sinceMs'))
    .where('facilityId', 'in', facilityIds)
    .where('itemId', 'in', itemIds)
    .groupBy(['facilityId', 'itemId'])
    .execute()
  return since.map(({ facilityId, itemId, sinceMs }) => {
    const sum = consumed.find((row) => row.facilityId === facilityId && row.itemId === itemId)
    return { facilityId, itemId, sinceMs: Number(sinceMs), doses: Number(sum?.doses ?? 0) }
  })
}
