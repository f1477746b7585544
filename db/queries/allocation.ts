import type { Candidate } from '../../domain/allocation.ts'
import type { OrderAllocationTable } from '../schema-orders.ts'
import type { DbOrTrx } from '../schema.ts'

/** Everything of these items on the shelves of a facility, with what is promised to nobody. */
export async function findCandidates(
  db: DbOrTrx,
  facilityId: string,
  itemIds: readonly string[],
): Promise<Candidate[]> {
  if (itemIds.length === 0) return []
  const rows = await db
    .selectFrom('stockBalance as b')
    .innerJoin('lot as l', 'l.id', 'b.lotId')
    .innerJoin('tradeItem as t', 't.id', 'l.tradeItemId')
    .select([
      'b.itemId',
      'b.accountId',
      'b.lotId',
      'b.vvmStage',
      'b.held',
      'b.doses',
      'b.allocated',
      'l.expiresOn',
      'l.recalledAt',
      't.dosesPerPack',
    ])
    .where('b.facilityId', '=', facilityId)
    .where('b.doses', '>', 0)
    .where('b.accountKind', '=', 'point')
    .where('b.itemId', 'in', itemIds)
    .execute()
  return rows.map(({ accountId, recalledAt, doses, allocated, held, ...row }) => ({
    ...row,
    storagePointId: accountId,
    held: held === 1,
    available: Math.max(0, doses - allocated),
    isRecalled: recalledAt !== null,
  }))
}

/** The allocations of an order from now on. The balances are changed beside it, by `reserve` and `unreserve`. */
export async function replaceAllocations(
  trx: DbOrTrx,
  orderId: string,
  allocations: readonly OrderAllocationTable[],
): Promise<void> {
  await trx.deleteFrom('orderAllocation').where('orderId', '=', orderId).execute()
  if (allocations.length > 0) await trx.insertInto('orderAllocation').values(allocations).execute()
}
