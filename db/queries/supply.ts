import type { StockLevelTable } from '../schema-stock.ts'
import type { DbOrTrx } from '../schema.ts'

/** How much of each item a facility should have, by item. */
export async function findLevels(db: DbOrTrx, facilityId: string): Promise<StockLevelTable[]> {
  return db
    .selectFrom('stockLevel')
    .selectAll()
    .where('facilityId', '=', facilityId)
    .orderBy('itemId')
    .execute()
}

/** Items that were ever on the shelves of a facility, by id. */
export async function findItemsOf(db: DbOrTrx, facilityId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('stockBalance')
    .select('itemId')
    .distinct()
    .where('facilityId', '=', facilityId)
    .where('accountKind', '=', 'point')
    .orderBy('itemId')
    .execute()
  return rows.map(({ itemId }) => itemId)
}

export interface Supply {
  /** On the shelves, and not on hold. */
  readonly onHand: number
  /** On the way here. */
  readonly inTransit: number
}

/** What a facility has of these items, and what is coming; items of which there is nothing are missing. */
export async function findSupply(
  db: DbOrTrx,
  facilityId: string,
  itemIds: readonly string[],
): Promise<Map<string, Supply>> {
  if (itemIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('stockBalance')
    .select((eb) => ['itemId', 'accountKind', eb.fn.sum<number | string>('doses').as('doses')])
    .where('facilityId', '=', facilityId)
    .where('doses', '>', 0)
    .where('held', '=', 0)
    .where('itemId', 'in', itemIds)
    .where('accountKind', 'in', ['point', 'transit'])
    .groupBy(['itemId', 'accountKind'])
    .execute()
  const supply = new Map<string, Supply>()
  for (const { itemId, accountKind, doses } of rows) {
    const before = supply.get(itemId) ?? { onHand: 0, inTransit: 0 }
    supply.set(itemId, { ...before, [accountKind === 'point' ? 'onHand' : 'inTransit']: Number(doses) })
  }
  return supply
}
