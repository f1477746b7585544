import { sql } from 'kysely'
import type { Refusal } from '../../domain/batch.ts'
import type { DbOrTrx, RefusalTable } from '../schema.ts'
import { likePrefix } from './facility.ts'

/** Keeps refusals; those that are there already stay as they are. Returns how many were new. */
export async function insertRefusals(db: DbOrTrx, refusals: readonly Refusal[]): Promise<number> {
  const byId = new Map(refusals.map((refusal) => [refusal.id, refusal]))
  for (const row of await existingIds(db, [...byId.keys()])) byId.delete(row.id)
  const rows = [...byId.values()].map((refusal) => ({ ...refusal, replayedAt: null, replayOutcome: null }))
  for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
    await db
      .insertInto('refusal')
      .values(rows.slice(i, i + ROWS_PER_INSERT))
      .execute()
  }
  return rows.length
}

// One statement of 50 refusals of a full MQTT payload stays under MySQL's smallest default of max_allowed_packet (16 MiB).
const ROWS_PER_INSERT = 50

async function existingIds(db: DbOrTrx, ids: readonly string[]): Promise<{ id: string }[]> {
  if (ids.length === 0) return []
  return db.selectFrom('refusal').select('id').where('id', 'in', ids).execute()
}

/** A refusal and where its device stands, itself or through its gateway. */
export interface PlacedRefusal extends RefusalTable {
  readonly path: string | null
  readonly deviceName: string | null
  readonly facilityName: string | null
  readonly timeZone: string | null
}

/** Newest first. `scope`: path under which the device must stand; the empty one finds all. `before`: id of the last one seen. */
export async function listRefusals(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly deviceId: string | undefined
    readonly code: string | undefined
    readonly before: string | undefined
    readonly limit: number
  },
): Promise<PlacedRefusal[]> {
  return refusalsIn(db, query.scope)
    .$if(query.deviceId !== undefined, (q) => q.where('r.deviceId', '=', query.deviceId ?? ''))
    .$if(query.code !== undefined, (q) => q.where('r.code', '=', query.code ?? ''))
    .$if(query.before !== undefined, (q) => q.where('r.id', '<', query.before ?? ''))
    .orderBy('r.id', 'desc')
    .limit(query.limit)
    .execute()
}

export async function findRefusalInScope(
  db: DbOrTrx,
  id: string,
  scope: string,
): Promise<PlacedRefusal | undefined> {
  return refusalsIn(db, scope).where('r.id', '=', id).executeTakeFirst()
}

/** @param outcome JSON of what came of it */
export async function markRefusalReplayed(
  db: DbOrTrx,
  id: string,
  at: number,
  outcome: string,
): Promise<void> {
  await db
    .updateTable('refusal')
    .set({ replayedAt: at, replayOutcome: outcome })
    .where('id', '=', id)
    .execute()
}

/** Deletes at most `limit` of the oldest that came before `time`; returns how many there were. */
export async function purgeRefusalsBefore(db: DbOrTrx, time: number, limit: number): Promise<number> {
  const oldest = db.selectFrom('refusal').select('id').where('receivedAt', '<', time)
  return deleteThese(db, await oldest.orderBy('receivedAt').limit(limit).execute())
}

/** Deletes at most `limit` of the oldest beyond the newest `kept`; returns how many there were. */
export async function purgeRefusalsBeyond(db: DbOrTrx, kept: number, limit: number): Promise<number> {
  const { count } = await db
    .selectFrom('refusal')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow()
  const surplus = Math.min(Number(count) - kept, limit)
  if (surplus <= 0) return 0
  const oldest = await db.selectFrom('refusal').select('id').orderBy('receivedAt').limit(surplus).execute()
  return deleteThese(db, oldest)
}

// By id and not by a subquery: MySQL takes no LIMIT in one.
async function deleteThese(db: DbOrTrx, rows: readonly { readonly id: string }[]): Promise<number> {
  if (rows.length === 0) return 0
  const ids = rows.map((row) => row.id)
  const result = await db.deleteFrom('refusal').where('id', 'in', ids).executeTakeFirst()
  return Number(result.numDeletedRows)
}

const placedPath = sql<string | null>`coalesce(f.path, gf.path)`

function refusalsIn(db: DbOrTrx, scope: string) {
  return db
    .selectFrom('refusal as r')
    .leftJoin('device as d', 'd.id', 'r.deviceId')
    .leftJoin('equipment as e', 'e.id', 'd.equipmentId')
    .leftJoin('facility as f', 'f.id', 'e.facilityId')
    .leftJoin('device as g', 'g.id', 'd.gatewayId')
    .leftJoin('equipment as ge', 'ge.id', 'g.equipmentId')
    .leftJoin('facility as gf', 'gf.id', 'ge.facilityId')
    .selectAll('r')
    .select([
      placedPath.as('path'),
      'd.name as deviceName',
      sql<string | null>`coalesce(f.name, gf.name)`.as('facilityName'),
      sql<string | null>`coalesce(f.time_zone, gf.time_zone)`.as('timeZone'),
    ])
    .$if(scope !== '', (q) => q.where(placedPath, 'like', likePrefix(scope)))
}
