import type { Room } from '../../domain/shipment-warning.ts'
import type { DbOrTrx } from '../schema.ts'

export interface ItemFacts {
  readonly freezeSensitive: boolean
  readonly profile: string | null
  readonly mm3PerDose: number
}

export async function findItemFacts(db: DbOrTrx, ids: readonly string[]): Promise<Map<string, ItemFacts>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('item')
    .select(['id', 'freezeSensitive', 'profile', 'mm3PerDose'])
    .where('id', 'in', ids)
    .execute()
  return new Map(rows.map(({ id, ...row }) => [id, { ...row, freezeSensitive: row.freezeSensitive === 1 }]))
}

/** The storage points of a facility, and how much lies in each. */
export async function findRooms(db: DbOrTrx, facilityId: string): Promise<Room[]> {
  const points = await db
    .selectFrom('storagePoint')
    .select(['id', 'profile', 'capacityMl'])
    .where('facilityId', '=', facilityId)
    .execute()
  const used = await db
    .selectFrom('stockBalance as b')
    .innerJoin('item as i', 'i.id', 'b.itemId')
    .select((eb) => [
      'b.accountId',
      eb.fn.sum<number | string>(eb('b.doses', '*', eb.ref('i.mm3PerDose'))).as('mm3'),
    ])
    .where('b.facilityId', '=', facilityId)
    .where('b.doses', '>', 0)
    .where('b.accountKind', '=', 'point')
    .groupBy('b.accountId')
    .execute()
  const usedMm3 = new Map(used.map(({ accountId, mm3 }) => [accountId, Number(mm3)]))
  return points.map((point) => ({ ...point, usedMm3: usedMm3.get(point.id) ?? 0 }))
}

/** Doses of these items that a facility has consumed since a moment, by item. */
export async function findConsumed(
  db: DbOrTrx,
  facilityId: string,
  itemIds: readonly string[],
  since: number,
): Promise<Map<string, number>> {
  if (itemIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('stockEntry')
    .select((eb) => ['itemId', eb.fn.sum<number | string>('doses').as('doses')])
    .where('facilityId', '=', facilityId)
    .where('itemId', 'in', itemIds)
    .where('occurredAt', '>=', since)
    .where('accountKind', '=', 'consumption')
    .groupBy('itemId')
    .execute()
  return new Map(rows.map(({ itemId, doses }) => [itemId, Number(doses)]))
}
