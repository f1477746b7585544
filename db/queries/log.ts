import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LogEntryTable } from '../schema-logs.ts'
import type { AuditTable, Db, DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'
import { contains, isEqual } from './filter.ts'

/** Keeps entries; those that are there already are in the way, so that ids must be new. */
export async function insertLogEntries(db: DbOrTrx, rows: readonly LogEntryTable[]): Promise<void> {
  if (rows.length > 0) await db.insertInto('logEntry').values(rows).execute()
}

export interface LogQuery {
  /** Ids below it only: the newest first, page by page. */
  readonly before: string | undefined
  readonly from: number | undefined
  readonly to: number | undefined
  readonly levelMin: number | undefined
  readonly part: string | undefined
  readonly requestId: string | undefined
  readonly deviceId: string | undefined
  readonly userId: string | undefined
  readonly traceId: string | undefined
  readonly text: string | undefined
  readonly limit: number
}

/** Rows that one statement looks at. SQLite works in the thread of everything else: a search must not hold up acknowledgements. */
const ROWS_PER_LOOK = 1000

/** The newest entries that fit, from the newest on. Looks at a thousand at a time. */
export async function findLogEntries(db: Db, query: LogQuery): Promise<LogEntryTable[]> {
  const { requestId, deviceId, userId, traceId, part, limit } = query
  const found: LogEntryTable[] = []
  let before = upperId(query)
  for (;;) {
    const last = await lastOfNext(db, before, query.from)
    if (last === undefined) return found
    const rows = await db
      .selectFrom('logEntry')
      .selectAll()
      .where('id', '>=', last)
      .where(isEqual<LogEntryTable>('logEntry', { requestId, deviceId, userId, traceId, part }))
      .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
      .$if(query.levelMin !== undefined, (q) => q.where('level', '>=', query.levelMin ?? 0))
      .$if(query.text !== undefined, (q) => q.where(contains(['message', 'data'], query.text ?? '')))
      .orderBy('id', 'desc')
      .limit(limit - found.length)
      .execute()
    found.push(...rows)
    if (found.length >= limit) return found
    before = last
    await nextTurn()
  }
}

/** Id of the last of the next thousand before this one; undefined when there are none. */
async function lastOfNext(
  db: Db,
  before: string | undefined,
  from: number | undefined,
  table: 'logEntry' | 'audit' = 'logEntry',
): Promise<string | undefined> {
  const next = db
    .selectFrom(table)
    .select('id')
    .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
    .$if(from !== undefined, (q) => q.where('id', '>=', lowestIdAt(from ?? 0)))
    .orderBy('id', 'desc')
    .limit(ROWS_PER_LOOK)
  const { id } = await db
    .selectFrom(next.as('next'))
    .select(({ fn }) => fn.min<string | null>('id').as('id'))
    .executeTakeFirstOrThrow()
  return id ?? undefined
}

export interface AuditQuery extends Pick<
  LogQuery,
  'before' | 'from' | 'to' | 'requestId' | 'deviceId' | 'userId' | 'text' | 'limit'
> {
  /** Path: what was done by those who could act there or below; the empty one finds all. */
  readonly scope: string
}

/** The newest rows of the audit that fit, from the newest on. */
export async function findAuditEntries(db: Db, query: AuditQuery): Promise<AuditTable[]> {
  const { requestId, userId, deviceId, scope, limit } = query
  const ofDevice = deviceId === undefined ? {} : { entity: 'device', entityId: deviceId }
  const found: AuditTable[] = []
  let before = upperId(query)
  for (;;) {
    const last = await lastOfNext(db, before, query.from, 'audit')
    if (last === undefined) return found
    const rows = await db
      .selectFrom('audit')
      .selectAll()
      .where('id', '>=', last)
      .where(isEqual<AuditTable>('audit', { requestId, userId, ...ofDevice }))
      .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
      .$if(scope !== '', (q) => q.where('scope', 'like', likePrefix(scope)))
      .$if(query.text !== undefined, (q) =>
        q.where(contains(['action', 'before', 'after'], query.text ?? '')),
      )
      .orderBy('id', 'desc')
      .limit(limit - found.length)
      .execute()
    found.push(...rows)
    if (found.length >= limit) return found
    before = last
    await nextTurn()
  }
}

function upperId({ before, to }: Pick<LogQuery, 'before' | 'to'>): string | undefined {
  const end = to === undefined ? undefined : lowestIdAt(to)
  return before !== undefined && end !== undefined ? (before < end ? before : end) : (before ?? end)
}

/** What no UUIDv7 of this millisecond or later is below. */
export function lowestIdAt(timeMs: number): string {
  const hex = Math.max(0, Math.trunc(timeMs)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}`
}

/** Deletes at most `limit` of the oldest that are from before `time`; returns how many there were. */
export async function purgeLogEntriesBefore(db: Db, time: number, limit: number): Promise<number> {
  return deleteUpTo(db, lowestIdAt(time), limit)
}

/** Deletes at most `limit` of the oldest beyond the newest `bytesMax` bytes; returns how many there were. */
export async function purgeLogEntriesBeyond(db: Db, bytesMax: number, limit: number): Promise<number> {
  let bytes = 0
  let before: string | undefined
  for (;;) {
    const last = await lastOfNext(db, before, undefined)
    if (last === undefined) return 0
    const { sum } = await db
      .selectFrom('logEntry')
      .select(({ fn }) => fn.sum<number | string | null>('bytes').as('sum'))
      .where('id', '>=', last)
      .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
      .executeTakeFirstOrThrow()
    bytes += Number(sum)
    // In whole steps: to be right to the row would be no use to anybody.
    if (bytes > bytesMax) return deleteUpTo(db, before ?? last, limit)
    before = last
    await nextTurn()
  }
}

async function deleteUpTo(db: Db, end: string, limit: number): Promise<number> {
  const oldest = await db
    .selectFrom('logEntry')
    .select('id')
    .where('id', '<', end)
    .orderBy('id')
    .limit(limit)
    .execute()
  const [first, last] = [oldest[0], oldest.at(-1)]
  if (!first || !last) return 0
  const deleted = await db
    .deleteFrom('logEntry')
    .where('id', '>=', first.id)
    .where('id', '<=', last.id)
    .executeTakeFirst()
  return Number(deleted.numDeletedRows)
}
