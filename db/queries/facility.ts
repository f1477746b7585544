import { sql } from 'kysely'
import { contains, isEqual, type Equal } from './filter.ts'
import type { DbOrTrx, FacilityTable, StoragePointTable } from '../schema.ts'

/**
 * The LIKE pattern of everything under a path. Paths are ids and slashes, so that nothing in them is a wildcard.
 * @param path empty for the whole tree
 */
export function likePrefix(path: string): string {
  return `${path}%`
}

/** Of `f.path`, the part that leads to a place directly below `under`; all of it for `under` itself. An id has 36 characters. */
export function pathBelow(under: string) {
  return sql<string>`substr(f.path, 1, ${sql.lit(under.length + 37)})`
}

/** A facility under the path `scope`; undefined when there is none, or when it lies elsewhere. */
export async function findFacility(
  db: DbOrTrx,
  id: string,
  scope: string,
): Promise<FacilityTable | undefined> {
  return db
    .selectFrom('facility')
    .selectAll()
    .where('id', '=', id)
    .where('path', 'like', likePrefix(scope))
    .executeTakeFirst()
}

/**
 * A facility under the path `scope`, as files name it: by its code, or by its id where it has none.
 */
export async function findFacilityByRef(
  db: DbOrTrx,
  ref: string,
  scope: string,
): Promise<FacilityTable | undefined> {
  return db
    .selectFrom('facility')
    .selectAll()
    .where((eb) => eb.or([eb('code', '=', ref), eb('id', '=', ref)]))
    .where('path', 'like', likePrefix(scope))
    .executeTakeFirst()
}

/** Codes (or, where there is none, ids) by id, of facilities under the path `scope`. */
export async function findFacilityRefs(
  db: DbOrTrx,
  ids: readonly (string | null)[],
  scope: string,
): Promise<Map<string, string>> {
  const asked = [...new Set(ids)].filter((id) => id !== null)
  if (asked.length === 0) return new Map()
  const rows = await db
    .selectFrom('facility')
    .select(['id', 'code'])
    .where('id', 'in', asked)
    .where('path', 'like', likePrefix(scope))
    .execute()
  return new Map(rows.map(({ id, code }) => [id, code ?? id]))
}

/** In the order of their making. `under`: only this facility and what is below it. */
export async function listFacilities(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly equal: Equal<FacilityTable>
    readonly search: string | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<FacilityTable[]> {
  return db
    .selectFrom('facility')
    .selectAll()
    .where('path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('path', 'like', likePrefix(query.under ?? '')))
    .where(isEqual('facility', query.equal))
    .$if(query.search !== undefined, (q) => q.where(contains(['name', 'code'], query.search ?? '')))
    .$if(query.after !== undefined, (q) => q.where('id', '>', query.after ?? ''))
    .orderBy('id')
    .limit(query.limit)
    .execute()
}

/** Those of these facilities that lie under the path `scope`. */
export async function findFacilities(
  db: DbOrTrx,
  ids: readonly string[],
  scope: string,
): Promise<FacilityTable[]> {
  if (ids.length === 0) return []
  return db
    .selectFrom('facility')
    .selectAll()
    .where('id', 'in', ids)
    .where('path', 'like', likePrefix(scope))
    .execute()
}

/** Where these facilities lie, by id. */
export async function findFacilityPaths(db: DbOrTrx, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('facility').select(['id', 'path']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, path }) => [id, path]))
}

export async function insertFacility(db: DbOrTrx, facility: FacilityTable): Promise<void> {
  await db.insertInto('facility').values(facility).execute()
}

/** False when it is no longer the version that was read. */
export async function updateFacility(
  db: DbOrTrx,
  id: string,
  version: number,
  set: Partial<Omit<FacilityTable, 'id' | 'path' | 'level'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('facility')
    .set(set)
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/**
 * Holds the path of a facility still until the transaction ends, by writing the row without changing it: portable, where
 * SELECT ... FOR UPDATE is not. Call it before the first read of the transaction, so that the read sees what others committed.
 */
export async function lockFacility(trx: DbOrTrx, id: string): Promise<void> {
  await trx
    .updateTable('facility')
    .set((eb) => ({ parentId: eb.ref('parentId') }))
    .where('id', '=', id)
    .execute()
}

/** One move at a time in the whole tree: two at once could each compute paths from where the other no longer is. */
export async function lockTree(trx: DbOrTrx): Promise<void> {
  await trx
    .updateTable('facility')
    .set((eb) => ({ parentId: eb.ref('parentId') }))
    .where('parentId', 'is', null)
    .execute()
}

/** Gives everything that lies under `from` (itself too) its place under `to`. */
export async function rewritePaths(trx: DbOrTrx, from: string, to: string): Promise<void> {
  await trx
    .updateTable('facility')
    .set({ path: sql<string>`concat(${to}, substr(path, ${from.length + 1}))` })
    .where('path', 'like', likePrefix(from))
    .execute()
}

export async function findStoragePoint(
  db: DbOrTrx,
  id: string,
  facilityId: string,
): Promise<StoragePointTable | undefined> {
  return db
    .selectFrom('storagePoint')
    .selectAll()
    .where('id', '=', id)
    .where('facilityId', '=', facilityId)
    .executeTakeFirst()
}

/** Those of these storage points that lie under the path `scope`. */
export async function findStoragePoints(
  db: DbOrTrx,
  ids: readonly string[],
  scope: string,
): Promise<StoragePointTable[]> {
  if (ids.length === 0) return []
  return db
    .selectFrom('storagePoint as s')
    .innerJoin('facility as f', 'f.id', 's.facilityId')
    .selectAll('s')
    .where('s.id', 'in', ids)
    .where('f.path', 'like', likePrefix(scope))
    .execute()
}

/** The places directly below one, by name; those at the top of the tree for null. */
export async function listChildren(db: DbOrTrx, parentId: string | null): Promise<FacilityTable[]> {
  return db
    .selectFrom('facility')
    .selectAll()
    .where('parentId', parentId === null ? 'is' : '=', parentId)
    .orderBy('name')
    .orderBy('id')
    .execute()
}

export interface Location {
  readonly latitude: number
  readonly longitude: number
}

/** The middle of what lies in each place directly below the path `under`, by the path of that place; a place of which no location is known is missing. */
export async function locatePlaces(db: DbOrTrx, under: string): Promise<Map<string, Location>> {
  const rows = await db
    .selectFrom('facility as f')
    .select(pathBelow(under).as('path'))
    .select((eb) => eb.fn.avg<number | string>('f.latitude').as('latitude'))
    .select((eb) => eb.fn.avg<number | string>('f.longitude').as('longitude'))
    .where('f.path', 'like', likePrefix(under))
    .where('f.latitude', 'is not', null)
    .where('f.longitude', 'is not', null)
    .groupBy(pathBelow(under))
    .execute()
  return new Map(
    rows.map(({ path, latitude, longitude }) => [
      path,
      { latitude: Number(latitude), longitude: Number(longitude) },
    ]),
  )
}
