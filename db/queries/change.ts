import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'kysely'
import type { ChangeTable } from '../schema-stock.ts'
import type { DbOrTrx, FacilityTable } from '../schema.ts'
import { nextNumber } from './counter.ts'
import { likePrefix } from './facility.ts'

/** Changes that one transaction numbers. */
const BATCH_MAX = 500
/** A part of the tree with no more facilities than this is looked up by facility, a larger one by going through all changes. */
const FACILITIES_MAX = 100

type Unnumbered = Omit<ChangeTable, 'seq'>

/** Notes for clients that something changed, once for each facility that may see it; `[null]`: everybody may. Call it in the transaction of the change. */
export async function insertChanges(
  trx: DbOrTrx,
  at: number,
  facilities: readonly (string | null)[],
  entity: string,
  entityId: string,
  kind: 'put' | 'delete' = 'put',
): Promise<void> {
  const seen = [...new Set(facilities)]
  await insertChangeRows(
    trx,
    seen.map((facilityId) => ({ entity, entityId, facilityId, kind, at })),
  )
}

/** The same of several things. */
export async function insertChangeRows(
  trx: DbOrTrx,
  changes: readonly Omit<Unnumbered, 'id'>[],
): Promise<void> {
  const rows = changes.map((change) => ({ ...change, id: randomUUIDv7(), seq: null }))
  if (rows.length > 0) await trx.insertInto('change').values(rows).execute()
}

/**
 * Tells clients of a facility that was moved: those who see it now learn everything in and below it, by giving its changes new numbers, and
 * those who saw it where it was that it went away.
 * @param from its parent before
 */
export async function announceMove(
  trx: DbOrTrx,
  at: number,
  { id, path }: Pick<FacilityTable, 'id' | 'path'>,
  from: string | null,
): Promise<void> {
  await trx
    .updateTable('change')
    .set({ seq: null })
    .where('facilityId', 'in', (eb) =>
      eb.selectFrom('facility').select('id').where('path', 'like', likePrefix(path)),
    )
    .execute()
  if (from !== null) await insertChanges(trx, at, [from], 'facility', id)
}

export async function hasUnnumberedChanges(db: DbOrTrx): Promise<boolean> {
  const row = await db.selectFrom('change').select('id').where('seq', 'is', null).limit(1).executeTakeFirst()
  return row !== undefined
}

/**
 * Numbers changes that are committed and have no number yet. Whoever does so holds the counter's row from before it looks until it commits, so
 * that numbers become visible in their order: a reader who has seen n never finds a smaller one afterwards, however late its change was
 * committed. Of the changes of one thing in one facility only the last is kept, so that there are never more than things.
 * @returns false when some may be left
 */
export async function numberChanges(trx: DbOrTrx): Promise<boolean> {
  const last = await nextNumber(trx, 'change', 0)
  const rows = await trx
    .selectFrom('change')
    .select(['id', 'entity', 'entityId', 'facilityId', 'kind', 'at'])
    .where('seq', 'is', null)
    .limit(BATCH_MAX)
    .execute()
  if (rows.length === 0) return true
  const inOrder = rows.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  const kept = new Map(inOrder.map((row) => [keyOf(row), row]))
  await deleteOlder(trx, rows, kept)
  const ids = [...kept.values()].map(({ id }) => id)
  const cases = sql.join(
    ids.map((id, index) => sql`when ${id} then ${last + 1 + index}`),
    sql` `,
  )
  await trx
    .updateTable('change')
    .set({ seq: sql<number>`case id ${cases} end` })
    .where('id', 'in', ids)
    .execute()
  await nextNumber(trx, 'change', ids.length)
  return rows.length < BATCH_MAX
}

function keyOf({ entity, entityId, facilityId }: Pick<Unnumbered, 'entity' | 'entityId' | 'facilityId'>) {
  return `${entity} ${entityId} ${facilityId ?? ''}`
}

async function deleteOlder(
  trx: DbOrTrx,
  rows: readonly Unnumbered[],
  kept: ReadonlyMap<string, Unnumbered>,
): Promise<void> {
  const byEntity = Map.groupBy(rows, ({ entity }) => entity)
  const numbered = await trx
    .selectFrom('change')
    .select(['id', 'entity', 'entityId', 'facilityId'])
    .where('seq', 'is not', null)
    .where((eb) =>
      eb.or(
        [...byEntity].map(([entity, of]) =>
          eb.and([
            eb('entity', '=', entity),
            eb('entityId', 'in', [...new Set(of.map(({ entityId }) => entityId))]),
          ]),
        ),
      ),
    )
    .execute()
  const older = [
    ...numbered.filter((row) => kept.has(keyOf(row))),
    ...rows.filter((row) => kept.get(keyOf(row)) !== row),
  ].map(({ id }) => id)
  // Piece by piece: what was announced again can be many rows of one thing.
  for (let i = 0; i < older.length; i += BATCH_MAX)
    await trx
      .deleteFrom('change')
      .where('id', 'in', older.slice(i, i + BATCH_MAX))
      .execute()
}

/** The last number that was given. Read it in the transaction of `listChanges` and before: what has no greater number is then there. */
export async function lastChangeNumber(trx: DbOrTrx): Promise<number> {
  const row = await trx.selectFrom('counter').select('value').where('name', '=', 'change').executeTakeFirst()
  return Number(row?.value ?? 0)
}

interface ChangeQuery {
  readonly scope: string
  readonly after: number
  readonly limit: number
}

/** Numbered changes after a number that may be seen under the path `scope`, in their order. */
export async function listChanges(
  trx: DbOrTrx,
  query: ChangeQuery,
): Promise<(ChangeTable & { readonly seq: number })[]> {
  const some = await facilitiesUnder(trx, query.scope)
  const rows = await (some ? changesIn(trx, some, query) : changesUnder(trx, query))
  return rows.map((row) => ({ ...row, seq: Number(row.seq) }))
}

/** Of a large part of the tree, or all of it: through all changes in their order. */
function changesUnder(trx: DbOrTrx, { scope, after, limit }: ChangeQuery): Promise<ChangeTable[]> {
  return trx
    .selectFrom('change as c')
    .selectAll()
    .where('c.seq', '>', after)
    .$if(scope !== '', (q) =>
      q.where((eb) =>
        eb.or([
          eb('c.facilityId', 'is', null),
          eb.exists(
            eb
              .selectFrom('facility as f')
              .select('f.id')
              .whereRef('f.id', '=', 'c.facilityId')
              .where('f.path', 'like', likePrefix(scope)),
          ),
        ]),
      ),
    )
    .orderBy('c.seq')
    .limit(limit)
    .execute()
}

/** Of a few facilities: the first of each along its own index, and of those the first, so that it costs as much however many there are. */
async function changesIn(
  trx: DbOrTrx,
  facilityIds: readonly string[],
  { after, limit }: ChangeQuery,
): Promise<ChangeTable[]> {
  const of = (facilityId: string | null) =>
    trx
      .selectFrom((eb) =>
        eb
          .selectFrom('change')
          .selectAll()
          .where('facilityId', facilityId === null ? 'is' : '=', facilityId)
          .where('seq', '>', after)
          .orderBy('seq')
          .limit(limit)
          .as('c'),
      )
      .selectAll('c')
  const all = facilityIds.reduce((query, id) => query.unionAll(of(id)), of(null))
  return trx.selectFrom(all.as('c')).selectAll('c').orderBy('c.seq').limit(limit).execute()
}

// Undefined when they are too many to be named, or all.
async function facilitiesUnder(trx: DbOrTrx, scope: string): Promise<string[] | undefined> {
  if (scope === '') return undefined
  const rows = await trx
    .selectFrom('facility')
    .select('id')
    .where('path', 'like', likePrefix(scope))
    .limit(FACILITIES_MAX + 1)
    .execute()
  return rows.length > FACILITIES_MAX ? undefined : rows.map(({ id }) => id)
}
