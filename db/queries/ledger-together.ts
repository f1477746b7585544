import { sql } from 'kysely'
import { changesOf, number, type LineChange } from '../../domain/ledger.ts'
import type { Leg } from '../../domain/stock.ts'
import type { StockBalanceTable } from '../schema-stock.ts'
import type { DbOrTrx } from '../schema.ts'
import { nextNumbers } from './counter.ts'
import {
  emptyLine,
  findLines,
  insertPosted,
  isLine,
  numberEvent,
  rowKey,
  type NewStockEvent,
  type PostedEvent,
  type PostOptions,
} from './ledger.ts'

export interface Posting {
  readonly event: NewStockEvent
  readonly legs: readonly Leg[]
  readonly options: PostOptions
}

/**
 * Writes several events as `postEvent` does one, one after the other as they are given, in about as many statements as that takes for one.
 * Only what is plain is written here: what takes more than there is, or comes late, is left out (undefined), and `postEvent` says what becomes
 * of it. Locks are taken in the order of `postEvent`: lines, then the counters of facilities.
 * @throws the database's duplicate error, for all, when an id is taken or somebody else has made a line meanwhile
 */
export async function postTogether(
  trx: DbOrTrx,
  postings: readonly Posting[],
): Promise<(PostedEvent | undefined)[]> {
  const shelf = await lockShelf(trx, postings)
  const written = postings.map((posting) => place(shelf, posting))
  const accepted = postings.filter((_, index) => written[index])
  if (accepted.length === 0) return written.map(() => undefined)
  await saveShelf(trx, shelf)
  const wanted = new Map<string, number>()
  for (const { event } of accepted) wanted.set(event.facilityId, (wanted.get(event.facilityId) ?? 0) + 1)
  const next = await nextNumbers(trx, wanted)
  for (const [facilityId, count] of wanted) next.set(facilityId, (next.get(facilityId) ?? 0) - count)
  const posted = postings.map(({ event }, index) => {
    const legs = written[index]
    if (!legs) return undefined
    const value = (next.get(event.facilityId) ?? 0) + 1
    next.set(event.facilityId, value)
    return { ...numberEvent(event, value), legs }
  })
  await insertPosted(
    trx,
    posted.filter((one) => one !== undefined),
  )
  return posted
}

/** The lines that a group of events changes, by key, as they are after those of them that were placed. */
interface Shelf {
  readonly lines: Map<string, StockBalanceTable>
  /** Keys of those that the database has, and this transaction holds. */
  readonly locked: ReadonlySet<string>
  readonly changed: Set<string>
}

async function lockShelf(trx: DbOrTrx, postings: readonly Posting[]): Promise<Shelf> {
  const wanted = new Map<string, { change: LineChange; at: number }>()
  for (const { event, legs } of postings)
    for (const change of changesOf(legs)) wanted.set(change.key, { change, at: event.recordedAt })
  const changes = [...wanted.values()].map(({ change }) => change)
  await trx
    .updateTable('stockBalance')
    .set((eb) => ({ version: eb.ref('version') }))
    .where((eb) => eb.or(changes.map((line) => isLine(eb, line))))
    .execute()
  const rows = new Map((await findLines(trx, changes)).map((row) => [rowKey(row), row]))
  const lines = new Map(
    [...wanted].map(([key, { change, at }]) => [key, rows.get(key) ?? emptyLine(change, at)]),
  )
  return { lines, locked: new Set(rows.keys()), changed: new Set() }
}

/** Puts an event onto the shelf; undefined, and nothing changed, when it is not plain. */
function place({ lines, changed }: Shelf, { event, legs, options }: Posting) {
  const after = new Map<string, StockBalanceTable>()
  for (const { key, doses, entries } of changesOf(legs)) {
    const line = lines.get(key)
    if (!line) return undefined
    const left = line.doses + doses
    const promised = options.mayTakeAllocated ? 0 : line.allocated
    if (doses < 0 && (left < promised || event.occurredAt < line.lastOccurredAt)) return undefined
    after.set(key, {
      ...line,
      doses: left,
      version: line.version + entries,
      lastOccurredAt: Math.max(line.lastOccurredAt, event.occurredAt),
      updatedAt: event.recordedAt,
    })
  }
  for (const [key, line] of after) {
    lines.set(key, line)
    changed.add(key)
  }
  return number(legs, after)
}

async function saveShelf(trx: DbOrTrx, { lines, locked, changed }: Shelf): Promise<void> {
  const rows = [...changed].map((key) => ({ key, row: lines.get(key) })).filter(({ row }) => row)
  const old = rows.flatMap(({ key, row }) => (row && locked.has(key) ? [row] : []))
  const made = rows.flatMap(({ key, row }) => (row && !locked.has(key) ? [row] : []))
  if (old.length > 0) await updateLines(trx, old)
  if (made.length > 0) await trx.insertInto('stockBalance').values(made).execute()
}

async function updateLines(trx: DbOrTrx, rows: readonly StockBalanceTable[]): Promise<void> {
  const lines = rows.map((row) => ({
    key: rowKey(row),
    account: { kind: row.accountKind, id: row.accountId, facilityId: row.facilityId },
    ...row,
    held: row.held === 1,
  }))
  // As `lineKey` writes it.
  const key = sql`concat(account_id, ' ', lot_id, ' ', vvm_stage, ' ', held)`
  const byLine = (pick: (row: StockBalanceTable) => number) => {
    const cases = rows.map((row) => sql`when ${rowKey(row)} then ${pick(row)}`)
    return sql<number>`case ${key} ${sql.join(cases, sql` `)} end`
  }
  await trx
    .updateTable('stockBalance')
    .set({
      doses: byLine((row) => row.doses),
      version: byLine((row) => row.version),
      lastOccurredAt: byLine((row) => row.lastOccurredAt),
      updatedAt: byLine((row) => row.updatedAt),
    })
    .where((eb) => eb.or(lines.map((line) => isLine(eb, line))))
    .execute()
}
