import { randomUUIDv7 } from 'node:crypto'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { lockLots, postEvent, type NewStockEvent, type PostedEvent } from '../db/queries/ledger.ts'
import type { Posting } from '../db/queries/ledger-together.ts'
import { findLotFacts } from '../db/queries/stock-facts.ts'
import { findReversalOf, findStockEvent } from '../db/queries/stock-event.ts'
import type { DbOrTrx } from '../db/schema.ts'
import { inTransaction } from '../db/transaction.ts'
import { CodedError } from '../domain/errors.ts'
import { decide, reverse, type EventKind, type StockCommand } from '../domain/stock-event.ts'
import type { Leg } from '../domain/stock.ts'
import { facilityOf, found, type Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { reopenDisposal } from './disposal.ts'
import { hashOf } from './replay.ts'
import {
  commandOf,
  facilityIn,
  factsFor,
  readMentioned,
  withOnHand,
  type Mentioned,
} from './stock-event-facts.ts'
import type { NewStockEventBody } from './stock-event-schemas.ts'
import { occurredAtOf } from './time.ts'

/** They tell what has happened, whether or not somebody was promised the stock. */
const FACTS: ReadonlySet<EventKind> = new Set([
  'consume',
  'wastage',
  'count',
  'adjust',
  'vvm',
  'hold',
  'reversal',
])

/**
 * Records something that happened to stock.
 * @throws CodedError `stock.*`, and `resource.notFound` for a facility that is not the caller's
 */
export async function recordStockEvent(
  { clock }: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  body: NewStockEventBody,
): Promise<PostedEvent> {
  const recordedAt = clock.now()
  const mentioned = await readMentioned(trx, [body])
  if (body.kind !== 'count') {
    const { event, legs, options } = postingOf(mentioned, caller, body, recordedAt)
    return postEvent(trx, event, legs, options)
  }
  const { event, facts, options } = frameOf(mentioned, caller, body, recordedAt)
  const command = commandOf(body) as StockCommand<'count'>
  return postEvent(trx, event, decide(command, await withOnHand(trx, facts, command, event)), options)
}

/**
 * What an event that is no count does to the ledger, whether or not there is enough stock.
 * @throws CodedError `stock.*`, and `resource.notFound` for a facility that is not the caller's
 */
export function postingOf(
  mentioned: Mentioned,
  caller: Caller,
  body: NewStockEventBody,
  recordedAt: number,
): Posting {
  const { event, facts, options } = frameOf(mentioned, caller, body, recordedAt)
  return { event, legs: decide(commandOf(body), facts), options }
}

function frameOf(mentioned: Mentioned, caller: Caller, body: NewStockEventBody, recordedAt: number) {
  const occurredAt = occurredAtOf(body.occurredAt, recordedAt)
  const facility = facilityIn(mentioned, caller, body.facilityId)
  const event: NewStockEvent = {
    id: body.id ?? randomUUIDv7(),
    kind: body.kind,
    facilityId: facility.id,
    otherFacilityId: null,
    occurredAt,
    recordedAt,
    userId: caller.id,
    activityCode: body.activityCode ?? null,
    reasonCode: body.reasonCode ?? null,
    comment: body.comment ?? null,
    orderId: null,
    shipmentId: null,
    reversesEventId: null,
    requestHash: hashOf(body),
  }
  const facts = factsFor(mentioned, facility, body, occurredAt)
  return { event, facts, options: { mayTakeAllocated: FACTS.has(body.kind) } }
}

/**
 * Undoes an event by one of opposite entries, at the time at which the first one happened.
 * @throws CodedError `stock.notReversible`, `stock.alreadyReversed`, and what the ledger refuses
 */
export async function reverseStockEvent(
  { clock }: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  eventId: string,
  body: { readonly id?: string; readonly reasonCode?: string; readonly comment?: string },
): Promise<PostedEvent> {
  const original = found(await findStockEvent(trx, eventId, caller.scope))
  await facilityOf(trx, caller, original.facilityId)
  if (original.kind === 'reversal' || original.shipmentId !== null)
    throw new CodedError('stock.notReversible')
  if (await findReversalOf(trx, eventId)) throw new CodedError('stock.alreadyReversed')
  await lockLots(
    trx,
    original.legs.map(({ lotId }) => lotId),
  )
  const recalled = await recalledAmong(trx, original.legs)
  // A hold for the sake of a recall is not undone, whatever way it is asked for.
  if (original.kind === 'hold' && recalled.size > 0) throw new CodedError('stock.lotRecalled')
  const writing = { caller, at: clock.now() }
  if (original.kind === 'dispose') await reopenDisposal({ trx, ...writing }, eventId)
  const event = reversalOf(writing, original, { ...body, requestHash: hashOf({ ...body, eventId }) })
  const legs = await holdRecalled(trx, reverse(original.legs))
  return postEvent(trx, event, legs, { mayTakeAllocated: true }).catch((error: unknown) => {
    if (isDuplicate(error)) throw new CodedError('stock.alreadyReversed')
    throw error
  })
}

/** The event that undoes another one, at the time at which that one happened. */
export function reversalOf(
  { caller, at }: { readonly caller: Pick<Caller, 'id'>; readonly at: number },
  original: PostedEvent,
  said: {
    readonly id?: string | undefined
    readonly reasonCode?: string | undefined
    readonly comment?: string | undefined
    readonly requestHash?: string
  },
): NewStockEvent {
  const { number: _, documentNo: __, legs: ___, ...same } = original
  return {
    ...same,
    id: said.id ?? randomUUIDv7(),
    kind: 'reversal',
    recordedAt: at,
    userId: caller.id,
    reasonCode: said.reasonCode ?? null,
    comment: said.comment ?? null,
    reversesEventId: original.id,
    requestHash: said.requestHash ?? hashOf({ eventId: original.id }),
  }
}

async function recalledAmong(trx: DbOrTrx, legs: readonly Leg[]): Promise<Set<string>> {
  const lots = await findLotFacts(trx, [...new Set(legs.map(({ lotId }) => lotId))])
  return new Set([...lots].filter(([, { isRecalled }]) => isRecalled).map(([id]) => id))
}

/** The same legs, but what comes back to a shelf of a lot that was recalled meanwhile comes back on hold. */
export async function holdRecalled(trx: DbOrTrx, legs: readonly Leg[]): Promise<Leg[]> {
  const recalled = await recalledAmong(trx, legs)
  return legs.map((leg) =>
    leg.account.kind === 'point' && leg.doses > 0 && recalled.has(leg.lotId) ? { ...leg, held: true } : leg,
  )
}

/**
 * What was recorded under this id before, when the same is asked for again; undefined when there is nothing.
 * @throws CodedError `request.idempotencyMismatch` when something else was
 */
export async function recordedBefore(
  db: DbOrTrx,
  caller: Caller,
  id: string | undefined,
  request: object,
): Promise<PostedEvent | undefined> {
  if (id === undefined) return undefined
  const event = await findStockEvent(db, id, caller.scope)
  if (event && event.requestHash !== hashOf(request)) throw new CodedError('request.idempotencyMismatch')
  return event
}

/** Records, or says what was recorded under the id before. That is looked for only when recording fails: a second sending always does. */
export async function recordOrRecall(
  { db }: RouteDeps,
  caller: Caller,
  asked: { readonly id?: string | undefined },
  work: (trx: DbOrTrx) => Promise<PostedEvent>,
): Promise<{ readonly event: PostedEvent; readonly replayed: boolean }> {
  try {
    return { event: await inTransaction(db, work), replayed: false }
  } catch (error) {
    const before = await recordedBefore(db, caller, asked.id, asked)
    if (!before) throw error
    return { event: before, replayed: true }
  }
}

/** Tells live streams of an event. Call it after the commit. */
export function tellStock({ cache }: Pick<RouteDeps, 'cache'>, event: PostedEvent): void {
  const facilities = new Set(event.legs.map(({ account }) => account.facilityId)).add(event.facilityId)
  if (event.otherFacilityId !== null) facilities.add(event.otherFacilityId)
  cache.publish('stock', { eventId: event.id, kind: event.kind, facilityIds: [...facilities] })
}
