import { sql, type ExpressionBuilder } from 'kysely'
import {
  changesOf,
  keyOf,
  leastSince,
  lineKey,
  number,
  type LineChange,
  type NumberedLeg,
} from '../../domain/ledger.ts'
import { CodedError } from '../../domain/errors.ts'
import type { Leg, Line } from '../../domain/stock.ts'
import { isDuplicate } from '../dialects/duplicate.ts'
import type { StockBalanceTable, StockEventTable } from '../schema-stock.ts'
import type { DbOrTrx, Schema } from '../schema.ts'
import { nextNumber, nextNumbers } from './counter.ts'
import { insertChangeRows } from './change.ts'

/** An event as its caller knows it; its number and document number are given when it is posted. */
export type NewStockEvent = Omit<StockEventTable, 'number' | 'documentNo'>

export interface PostedEvent extends StockEventTable {
  readonly legs: readonly NumberedLeg[]
}

export interface PostOptions {
  /** What orders were promised may be taken too: for what has happened whether anybody wanted it or not. */
  readonly mayTakeAllocated: boolean
}

/**
 * Writes an event, its entries and the new balances. Call it in a transaction: at its end either all of it is there or nothing.
 * Lines are locked in sorted order by writing them; the facility's counter comes last, since everything of the facility waits for it.
 * @throws CodedError `stock.insufficient`, `stock.negativeInPast`; the database's duplicate error when the id is taken or its target is reversed already
 */
export async function postEvent(
  trx: DbOrTrx,
  event: NewStockEvent,
  legs: readonly Leg[],
  options: PostOptions,
): Promise<PostedEvent> {
  const changes = changesOf(legs)
  for (const change of changes) await changeLine(trx, event, change, options)
  const rows = await findLines(trx, changes)
  const after = new Map(rows.map((row) => [rowKey(row), row]))
  for (const change of changes) {
    const row = after.get(change.key)
    if (row && change.doses < 0 && event.occurredAt < row.lastOccurredAt)
      await checkPast(trx, event, change, row)
  }
  const value = await nextNumber(trx, event.facilityId)
  const posted = { ...numberEvent(event, value), legs: number(legs, after) }
  await insertPosted(trx, [posted])
  return posted
}

/** An event with its number among those of its facility. */
export function numberEvent(event: NewStockEvent, value: number): StockEventTable {
  return { ...event, number: value, documentNo: documentNo(event.kind, value) }
}

/** Writes events with their entries, and notes for clients that they are there. */
export async function insertPosted(trx: DbOrTrx, posted: readonly PostedEvent[]): Promise<void> {
  await trx.insertInto('stockEvent').values(posted.map(withoutLegs)).execute()
  await trx.insertInto('stockEntry').values(posted.flatMap(entriesOf)).execute()
  await insertChangeRows(
    trx,
    posted.flatMap((event) =>
      facilitiesOf(event, event.legs).map((facilityId) => ({
        at: event.recordedAt,
        facilityId,
        entity: 'stockEvent',
        entityId: event.id,
        kind: 'put' as const,
      })),
    ),
  )
}

function withoutLegs(posted: PostedEvent): StockEventTable {
  const { legs: _, ...event } = posted
  return event
}

/**
 * Locks lots against being recalled meanwhile: what puts doses onto free shelves takes this before it asks whether the lot is recalled, and
 * so does a recall before it looks for shelves. Counted, since a write that changes nothing is nothing to the other nodes of a cluster.
 */
export async function lockLots(trx: DbOrTrx, lotIds: Iterable<string>): Promise<void> {
  const names = new Map([...lotIds].map((id) => [`lot ${id}`, 1]))
  if (names.size > 0) await nextNumbers(trx, names)
}

const PREFIX: Readonly<Record<StockEventTable['kind'], string>> = {
  receive: 'RCV',
  issue: 'ISS',
  transfer: 'TRF',
  consume: 'CON',
  return: 'RET',
  adjust: 'ADJ',
  wastage: 'WST',
  count: 'CNT',
  repack: 'RPK',
  vvm: 'VVM',
  hold: 'HLD',
  release: 'REL',
  dispose: 'DSP',
  ship: 'SHP',
  deliver: 'DLV',
  reversal: 'REV',
}

function documentNo(kind: StockEventTable['kind'], value: number): string {
  return `${PREFIX[kind]}-${String(value).padStart(6, '0')}`
}

function facilitiesOf(event: NewStockEvent, legs: readonly Leg[]): string[] {
  const facilities = new Set([event.facilityId, ...legs.map(({ account }) => account.facilityId)])
  if (event.otherFacilityId !== null) facilities.add(event.otherFacilityId)
  return [...facilities]
}

async function changeLine(trx: DbOrTrx, event: NewStockEvent, change: LineChange, options: PostOptions) {
  if (await tryChange(trx, event, change, options)) return
  // There is too little, or the line has never been there.
  if (change.doses >= 0) {
    await insertLine(trx, change, event.recordedAt)
    if (await tryChange(trx, event, change, options)) return
  }
  throw new CodedError('stock.insufficient', `Lot ${change.lotId}: ${-change.doses} doses are wanted.`)
}

async function tryChange(
  trx: DbOrTrx,
  event: NewStockEvent,
  change: LineChange,
  options: PostOptions,
): Promise<boolean> {
  const { doses, entries } = change
  const { occurredAt, recordedAt } = event
  const result = await trx
    .updateTable('stockBalance')
    .set((eb) => ({
      doses: eb('doses', '+', doses),
      version: eb('version', '+', entries),
      lastOccurredAt: sql<number>`case when ${eb.ref('lastOccurredAt')} > ${occurredAt} then ${eb.ref('lastOccurredAt')} else ${occurredAt} end`,
      updatedAt: recordedAt,
    }))
    .where((eb) => isLine(eb, change))
    .$if(doses < 0, (q) =>
      q.where((eb) =>
        eb('doses', '>=', options.mayTakeAllocated ? eb.lit(-doses) : eb('allocated', '+', -doses)),
      ),
    )
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** A line with nothing on it. */
export function emptyLine(line: Line & { readonly itemId: string }, at: number): StockBalanceTable {
  return {
    accountId: line.account.id,
    lotId: line.lotId,
    vvmStage: line.vvmStage,
    held: line.held ? 1 : 0,
    accountKind: line.account.kind,
    facilityId: line.account.facilityId,
    itemId: line.itemId,
    doses: 0,
    allocated: 0,
    version: 0,
    lastOccurredAt: 0,
    updatedAt: at,
  }
}

/** Somebody else may have made it meanwhile. */
async function insertLine(trx: DbOrTrx, line: Line & { readonly itemId: string }, at: number): Promise<void> {
  try {
    await trx.insertInto('stockBalance').values(emptyLine(line, at)).execute()
  } catch (error) {
    if (!isDuplicate(error)) throw error
  }
}

export function isLine(
  eb: ExpressionBuilder<Schema, 'stockBalance'>,
  { account, lotId, vvmStage, held }: Line,
) {
  return eb.and({ accountId: account.id, lotId, vvmStage, held: held ? 1 : 0 })
}

/** The balances of these lines, as this transaction sees them; lines that never were are missing. */
export async function findLines(db: DbOrTrx, lines: readonly Line[]): Promise<StockBalanceTable[]> {
  if (lines.length === 0) return []
  return db
    .selectFrom('stockBalance')
    .selectAll()
    .where((eb) => eb.or(lines.map((line) => isLine(eb, line))))
    .execute()
}

/** The key of a balance, as `lineKey` makes it. */
export function rowKey({
  accountKind,
  accountId,
  facilityId,
  lotId,
  vvmStage,
  held,
}: StockBalanceTable): string {
  return lineKey({ kind: accountKind, id: accountId, facilityId }, lotId, vvmStage, held === 1)
}

// An event that comes late may not take what was not there yet, or what others have taken since on the strength of it.
async function checkPast(
  trx: DbOrTrx,
  event: NewStockEvent,
  change: LineChange,
  row: StockBalanceTable,
): Promise<void> {
  const later = await findLater(trx, change, event.occurredAt)
  if (leastSince(row.doses, later) < 0)
    throw new CodedError('stock.negativeInPast', `Lot ${change.lotId}: ${-change.doses} doses are wanted.`)
}

/** What came to and went from a line after a moment, summed by moment, the newest first. */
async function findLater(
  db: DbOrTrx,
  line: Line,
  after: number,
): Promise<{ occurredAt: number; doses: number }[]> {
  const rows = await db
    .selectFrom('stockEntry')
    .select((eb) => ['occurredAt', eb.fn.sum<number | string>('doses').as('doses')])
    .where('lotId', '=', line.lotId)
    .where('facilityId', '=', line.account.facilityId)
    .where('occurredAt', '>', after)
    .where('accountId', '=', line.account.id)
    .where('accountKind', '=', line.account.kind)
    .where('vvmStage', '=', line.vvmStage)
    .where('held', '=', line.held ? 1 : 0)
    .groupBy('occurredAt')
    .orderBy('occurredAt', 'desc')
    .execute()
  return rows.map(({ occurredAt, doses }) => ({ occurredAt, doses: Number(doses) }))
}

function inOrderOfLocks<L extends Line>(lines: readonly L[]): L[] {
  return lines.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** Locks lines until the transaction ends, by writing them without changing them. What is read of them after that is true until then. */
export async function lockLines(trx: DbOrTrx, lines: readonly Line[]): Promise<void> {
  for (const line of inOrderOfLocks(lines)) await lockLine(trx, line)
}

export interface Reservation extends Line {
  readonly doses: number
}

/**
 * Promises doses on the shelves to an order: nothing moves, so there is no event, but nobody else can take them.
 * @throws CodedError `stock.insufficient` when they are not there, or promised already
 */
export async function reserve(trx: DbOrTrx, reservations: readonly Reservation[]): Promise<void> {
  for (const line of inOrderOfLocks(reservations)) {
    const result = await trx
      .updateTable('stockBalance')
      .set((eb) => ({ allocated: eb('allocated', '+', line.doses) }))
      .where((eb) => isLine(eb, line))
      .where((eb) => eb('doses', '>=', eb('allocated', '+', line.doses)))
      .executeTakeFirst()
    if (result.numUpdatedRows !== 1n)
      throw new CodedError('stock.insufficient', `Lot ${line.lotId}: ${line.doses} doses are wanted.`)
  }
}

/** Takes promises back: because they are kept now, by an event in the same transaction, or because they will not be. */
export async function unreserve(trx: DbOrTrx, reservations: readonly Reservation[]): Promise<void> {
  for (const line of inOrderOfLocks(reservations)) {
    const result = await trx
      .updateTable('stockBalance')
      .set((eb) => ({ allocated: eb('allocated', '-', line.doses) }))
      .where((eb) => isLine(eb, line))
      .where('allocated', '>=', line.doses)
      .executeTakeFirst()
    if (result.numUpdatedRows !== 1n)
      throw new Error(`lot ${line.lotId}: more was promised than was allocated`)
  }
}

/**
 * Locks lines until the transaction ends, and says what was on hand in each at a moment, in order: now, less what came since.
 * A line that has never been there is made, since nothing else could be locked.
 */
export async function lockOnHandAt(
  trx: DbOrTrx,
  lines: readonly (Line & { readonly itemId: string })[],
  occurredAt: number,
): Promise<number[]> {
  for (const line of inOrderOfLocks(lines))
    if (!(await lockLine(trx, line))) {
      await insertLine(trx, line, occurredAt)
      await lockLine(trx, line)
    }
  const rows = new Map((await findLines(trx, lines)).map((row) => [rowKey(row), row]))
  const onHand: number[] = []
  for (const line of lines) {
    const row = rows.get(keyOf(line))
    const isLate = row !== undefined && occurredAt < row.lastOccurredAt
    const later = isLate ? await findLater(trx, line, occurredAt) : []
    onHand.push(later.reduce((doses, one) => doses - one.doses, row?.doses ?? 0))
  }
  return onHand
}

async function lockLine(trx: DbOrTrx, line: Line): Promise<boolean> {
  const result = await trx
    .updateTable('stockBalance')
    .set((eb) => ({ version: eb.ref('version') }))
    .where((eb) => isLine(eb, line))
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

function entriesOf(event: PostedEvent) {
  const { occurredAt, recordedAt } = event
  return event.legs.map((leg, line) => ({
    eventId: event.id,
    line,
    accountKind: leg.account.kind,
    accountId: leg.account.id,
    facilityId: leg.account.facilityId,
    itemId: leg.itemId,
    lotId: leg.lotId,
    vvmStage: leg.vvmStage,
    held: leg.held ? (1 as const) : (0 as const),
    doses: leg.doses,
    opening: leg.opening,
    closing: leg.closing,
    version: leg.version,
    reasonCode: leg.reasonCode ?? null,
    occurredAt,
    recordedAt,
  }))
}
