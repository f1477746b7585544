import { randomUUIDv7 } from 'node:crypto'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { lockOnHandAt, postEvent, type NewStockEvent, type PostedEvent } from '../db/queries/ledger.ts'
import { findLotFacts, findPointsOf, findReasonKinds } from '../db/queries/stock-facts.ts'
import { findReversalOf, findStockEvent } from '../db/queries/stock-event.ts'
import type { DbOrTrx, FacilityTable } from '../db/schema.ts'
import { inTransaction } from '../db/transaction.ts'
import { CodedError } from '../domain/errors.ts'
import { decide, reverse, type EventKind, type StockCommand, type StockFacts } from '../domain/stock-event.ts'
import type { Leg, VvmStage } from '../domain/stock.ts'
import { facilityOf, found, type Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { hashOf } from './replay.ts'
import type { NewStockEventBody } from './stock-event-schemas.ts'
import { parseTime } from './time.ts'
import { dayIn } from '../domain/calendar.ts'

/** Clocks of phones are never quite right. */
const AHEAD_MS_MAX = 600_000

/** When it happened, as the client says; now, when it does not. @throws CodedError `stock.inFuture` */
export function occurredAtOf(text: string | undefined, recordedAt: number): number {
  const occurredAt = text === undefined ? recordedAt : parseTime(text, 'occurredAt')
  if (occurredAt > recordedAt + AHEAD_MS_MAX) throw new CodedError('stock.inFuture')
  return occurredAt
}

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
  const occurredAt = occurredAtOf(body.occurredAt, recordedAt)
  const facility = await facilityOf(trx, caller, body.facilityId)
  const command = commandOf(body)
  const facts = await factsFor(trx, facility, command, occurredAt)
  const event = {
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
  return postEvent(trx, event, decide(command, facts), { mayTakeAllocated: FACTS.has(body.kind) })
}

// Schemas cannot say that a stage is one of five numbers in a way that TypeScript reads.
function commandOf({ kind, lines, reasonCode }: NewStockEventBody): StockCommand {
  const own = lines.map((line) => ({ ...line, reasonCode: line.reasonCode ?? reasonCode }))
  return { kind, lines: own } as unknown as StockCommand
}

async function factsFor(
  trx: DbOrTrx,
  facility: FacilityTable,
  command: StockCommand,
  occurredAt: number,
): Promise<StockFacts> {
  const lines: readonly Mentions[] = command.lines
  const reasons = new Set(lines.map(({ reasonCode }) => reasonCode ?? DEFAULT_REASON[command.kind]))
  const facts = {
    facilityId: facility.id,
    day: dayIn(facility.timeZone, occurredAt),
    lots: await findLotFacts(
      trx,
      unique(lines, ({ lotId, toLotId }) => [lotId, toLotId]),
    ),
    points: await findPointsOf(
      trx,
      facility.id,
      unique(lines, ({ storagePointId, toStoragePointId }) => [storagePointId, toStoragePointId]),
    ),
    reasons: await findReasonKinds(
      trx,
      [...reasons].filter((code) => code !== undefined),
    ),
  }
  if (command.kind !== 'count') return facts
  return { ...facts, onHand: await lockOnHandAt(trx, countedLines(command, facts), occurredAt) }
}

// What does not exist is refused later, when it is decided.
function countedLines({ lines }: StockCommand<'count'>, { lots, points, facilityId }: StockFacts) {
  return lines.flatMap(({ storagePointId, lotId, vvmStage, held = false }) => {
    const lot = lots.get(lotId)
    const account = { kind: 'point', id: storagePointId, facilityId } as const
    const line = { account, lotId, vvmStage: vvmStage ?? (lot?.hasVvm ? 1 : 0), held } as const
    return lot && points.has(storagePointId) ? [{ ...line, itemId: lot.itemId }] : []
  })
}

const DEFAULT_REASON: Partial<Record<EventKind, string>> = { consume: 'opened', count: 'counted' }

interface Mentions {
  readonly lotId: string
  readonly toLotId?: string
  readonly storagePointId?: string
  readonly toStoragePointId?: string
  readonly vvmStage?: VvmStage | undefined
  readonly reasonCode?: string | undefined
}

function unique(
  lines: readonly Mentions[],
  of: (line: Mentions) => readonly (string | undefined)[],
): string[] {
  return [...new Set(lines.flatMap(of))].filter((id) => id !== undefined)
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
  const recalled = await recalledAmong(trx, original.legs)
  // A hold for the sake of a recall is not undone, whatever way it is asked for.
  if (original.kind === 'hold' && recalled.size > 0) throw new CodedError('stock.lotRecalled')
  const writing = { caller, at: clock.now() }
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
