import { randomUUIDv7 } from 'node:crypto'
import type { Static } from 'typebox'
import { insertAcknowledgement } from '../db/queries/acknowledgement.ts'
import {
  findBreach,
  insertBreachChanges,
  listOutageMembers,
  updateBreach,
  type BreachDetail,
  type BreachUpdate,
} from '../db/queries/breach.ts'
import { insertChanges } from '../db/queries/change.ts'
import { lockBreach } from '../db/queries/notification.ts'
import type { BreachChangeKind, BreachTable, DbOrTrx } from '../db/schema.ts'
import type { CloseReason } from '../domain/closing.ts'
import { CodedError } from '../domain/errors.ts'
import { acknowledgementView, type Acknowledged, type Acknowledgement } from './breach-view.ts'
import { found, type Caller } from './caller.ts'
import { audit } from './write.ts'

/** Parts of an outage that one call acknowledges. */
const MEMBERS_MAX = 500

interface Said {
  readonly breachId: string
  readonly action: string
  readonly comment: string
  readonly at: number
}

/**
 * Writes down who did what about a breach, in its audit trail too. A breach can be acknowledged again (the next shift does more);
 * the time of the first one stays, since that is what the time to acknowledge is counted by.
 * @throws CodedError `breach.closed`, `breach.withdrawn`
 */
export async function acknowledge(
  trx: DbOrTrx,
  caller: Caller,
  { breachId, action, comment, at }: Said,
): Promise<Static<typeof Acknowledgement>> {
  const before = await breachToChange(trx, caller, breachId)
  await change(
    trx,
    caller,
    { kind: 'acknowledged', before, at },
    { acknowledgedAt: before.acknowledgedAt ?? at },
  )
  const row = { id: randomUUIDv7(), breachId, userId: caller.id, action, comment, at }
  await insertAcknowledgement(trx, row)
  const view = acknowledgementView(row)
  await audit(trx, caller, at, {
    action: 'breach.acknowledged',
    entity: 'breach',
    entityId: breachId,
    after: view,
  })
  return view
}

/** Acknowledges a breach and, when asked, what is part of it: one outage is one matter, however many devices it took. */
export async function acknowledgeAll(
  trx: DbOrTrx,
  caller: Caller,
  { members = false, ...said }: Said & { readonly members?: boolean | undefined },
): Promise<Static<typeof Acknowledged>> {
  const view = await acknowledge(trx, caller, said)
  const ids = members ? await listOutageMembers(trx, said.breachId, MEMBERS_MAX) : []
  // In the order of their ids, as everybody locks.
  for (const breachId of ids) await acknowledge(trx, caller, { ...said, breachId })
  return { ...view, members: ids.length }
}

interface Closing {
  readonly breachId: string
  readonly reason: CloseReason
  readonly comment: string
  readonly at: number
}

/**
 * Closes a breach: one that cannot resolve, or one that is over and was looked at. Nobody is reminded of it any more.
 * @throws CodedError `breach.closed` the second time, `breach.withdrawn`, `breach.notOver` for the review of one that goes on
 */
export async function closeBreach(
  trx: DbOrTrx,
  caller: Caller,
  { breachId, reason, comment, at }: Closing,
): Promise<void> {
  const before = await breachToChange(trx, caller, breachId)
  if (reason === 'reviewed' && before.state !== 'ended') throw new CodedError('breach.notOver')
  const closing = { closedAt: at, closedBy: caller.id, closeReason: reason, closeComment: comment }
  await change(trx, caller, { kind: 'closed', before, at }, { state: 'closed', ...closing })
  const after = { state: 'closed', reason, comment }
  const what = { action: 'breach.closed', entity: 'breach', entityId: breachId }
  await audit(trx, caller, at, { ...what, before: { state: before.state }, after })
}

/** The breach as it is, held still until the transaction ends: of two people who do the same at the same moment one is too late. */
async function breachToChange(trx: DbOrTrx, caller: Caller, breachId: string): Promise<BreachTable> {
  await lockBreach(trx, breachId)
  const breach = rowOf(found(await findBreach(trx, breachId, caller.scope)))
  if (breach.state === 'closed') throw new CodedError('breach.closed')
  if (breach.state === 'withdrawn') throw new CodedError('breach.withdrawn')
  return breach
}

async function change(
  trx: DbOrTrx,
  caller: Caller,
  {
    kind,
    before,
    at,
  }: { readonly kind: BreachChangeKind; readonly before: BreachTable; readonly at: number },
  set: BreachUpdate,
): Promise<void> {
  const { id, facilityId } = before
  const after = { ...before, ...set, updatedAt: at }
  await updateBreach(trx, id, { ...set, updatedAt: at })
  const states = { before: JSON.stringify(before), after: JSON.stringify(after) }
  const row = { id: randomUUIDv7(), breachId: id, kind, at, actor: caller.id, ...states, toldAt: null }
  await insertBreachChanges(trx, [row])
  if (facilityId !== null) await insertChanges(trx, at, [facilityId], 'breach', id)
}

// The trail keeps the row, not the names that its look-up adds.
function rowOf({
  deviceName: _d,
  equipmentName: _e,
  facilityName: _f,
  timeZone: _z,
  ruleName: _r,
  quantity: _q,
  comparator: _c,
  threshold: _t,
  durationMs: _m,
  ...row
}: BreachDetail): BreachTable {
  return row
}
