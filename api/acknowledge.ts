import { randomUUIDv7 } from 'node:crypto'
import type { Static } from 'typebox'
import { insertAcknowledgement } from '../db/queries/acknowledgement.ts'
import { findBreach, insertBreachChanges, updateBreach, type BreachDetail } from '../db/queries/breach.ts'
import { insertChanges } from '../db/queries/change.ts'
import type { BreachTable, DbOrTrx } from '../db/schema.ts'
import { acknowledgementView, type Acknowledgement } from './breach-view.ts'
import { found, type Caller } from './caller.ts'
import { audit } from './write.ts'

interface Said {
  readonly breachId: string
  readonly action: string
  readonly comment: string
  readonly at: number
}

/**
 * Writes down who did what about a breach, in its audit trail too. A breach can be acknowledged again (the next shift does more);
 * the time of the first one stays, since that is what the time to acknowledge is counted by.
 */
export async function acknowledge(
  trx: DbOrTrx,
  caller: Caller,
  { breachId, action, comment, at }: Said,
): Promise<Static<typeof Acknowledgement>> {
  const before = rowOf(found(await findBreach(trx, breachId, caller.scope)))
  const after = { ...before, acknowledgedAt: before.acknowledgedAt ?? at, updatedAt: at }
  await updateBreach(trx, breachId, { acknowledgedAt: after.acknowledgedAt, updatedAt: at })
  const row = { id: randomUUIDv7(), breachId, userId: caller.id, action, comment, at }
  await insertAcknowledgement(trx, row)
  await insertBreachChanges(trx, [
    {
      id: randomUUIDv7(),
      breachId,
      kind: 'acknowledged',
      at,
      actor: caller.id,
      before: JSON.stringify(before),
      after: JSON.stringify(after),
      toldAt: null,
    },
  ])
  if (after.facilityId !== null) await insertChanges(trx, at, [after.facilityId], 'breach', breachId)
  const view = acknowledgementView(row)
  await audit(trx, caller, at, {
    action: 'breach.acknowledged',
    entity: 'breach',
    entityId: breachId,
    after: view,
  })
  return view
}

// The trail keeps the row, not the names that its look-up adds.
function rowOf({
  deviceName: _d,
  equipmentName: _e,
  facilityName: _f,
  ruleName: _r,
  quantity: _q,
  comparator: _c,
  threshold: _t,
  durationMs: _m,
  ...row
}: BreachDetail): BreachTable {
  return row
}
