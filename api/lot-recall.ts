import { randomUUIDv7 } from 'node:crypto'
import { insertChanges } from '../db/queries/change.ts'
import { lockLines, lockLots, postEvent } from '../db/queries/ledger.ts'
import {
  findDescendants,
  findFreeLines,
  findLot,
  markRecalled,
  type ShelfLine,
} from '../db/queries/lot-trace.ts'
import type { LotTable } from '../db/schema-stock.ts'
import type { DbOrTrx } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import { keyOf } from '../domain/ledger.ts'
import type { Leg } from '../domain/stock.ts'
import { found, type Caller } from './caller.ts'
import { hashOf } from './replay.ts'
import { audit, type Writing } from './write.ts'

const REASON = 'recall'

/**
 * Recalls a lot for the whole country: it and what was repacked from it are marked, and all of it on every shelf goes on hold, in one
 * transaction. What is on the road goes on hold when it arrives.
 * @returns the lots that are recalled by this
 * @throws CodedError `auth.forbidden`, `lot.recalled`
 */
export async function recallLot(writing: Writing, id: string, reason: string): Promise<LotTable[]> {
  const { trx, caller, at } = writing
  const lot = found(await findLot(trx, id))
  await lockLots(trx, [id, ...(await findDescendants(trx, id)).map((child) => child.id)])
  if (!isNational(caller)) throw new CodedError('auth.forbidden', 'A lot is recalled by the national level.')
  if (!(await markRecalled(trx, id, at, reason))) throw new CodedError('lot.recalled')
  const descendants = await findDescendants(trx, id)
  const recalled = [lot]
  for (const child of descendants) if (await markRecalled(trx, child.id, at, reason)) recalled.push(child)
  for (const { id: lotId } of recalled) {
    const entry = { action: 'lot.recalled', entity: 'lot', entityId: lotId, after: { reason } }
    await audit(trx, caller, at, entry)
    await insertChanges(trx, at, [null], 'lot', lotId)
  }
  await holdEverywhere(
    writing,
    [lot, ...descendants].map((one) => one.id),
  )
  return recalled
}

/** Administrators, and those whose part is a whole country. */
function isNational({ scope }: Caller): boolean {
  return scope.split('/').length <= 2
}

async function holdEverywhere(writing: Writing, lotIds: readonly string[]): Promise<void> {
  const lines = await lockFreeLines(writing.trx, lotIds)
  const byFacility = [...Map.groupBy(lines, ({ account }) => account.facilityId)]
  for (const [facilityId, of] of byFacility.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    await holdAt(writing, facilityId, of)
}

// Locked in order and read again, until nothing came to where it was not: what others move at this moment is either gone or on hold.
async function lockFreeLines(trx: DbOrTrx, lotIds: readonly string[]): Promise<ShelfLine[]> {
  const locked = new Set<string>()
  for (;;) {
    const lines = await findFreeLines(trx, lotIds)
    const others = lines.filter((line) => !locked.has(keyOf(line)))
    if (others.length === 0) return lines
    await lockLines(trx, others)
    for (const line of others) locked.add(keyOf(line))
  }
}

async function holdAt(
  { trx, caller, at }: Writing,
  facilityId: string,
  lines: readonly ShelfLine[],
): Promise<void> {
  // What came while the recall waited for it, or from a clock that is ahead, is held after it came.
  const occurredAt = Math.max(at, ...lines.map(({ lastOccurredAt }) => lastOccurredAt))
  const event = {
    id: randomUUIDv7(),
    kind: 'hold' as const,
    facilityId,
    otherFacilityId: null,
    occurredAt,
    recordedAt: at,
    userId: caller.id,
    activityCode: null,
    reasonCode: REASON,
    comment: null,
    orderId: null,
    shipmentId: null,
    reversesEventId: null,
    requestHash: hashOf({ facilityId, lines }),
  }
  const legs = lines.flatMap(({ doses, ...line }): Leg[] => [
    { ...line, doses: -doses, reasonCode: REASON },
    { ...line, doses, held: true, reasonCode: REASON },
  ])
  // Whoever was promised some of it gets other stock.
  await postEvent(trx, event, legs, { mayTakeAllocated: true })
}
