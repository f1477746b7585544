import { sql } from 'kysely'
import type { DbOrTrx, Schema } from '../schema.ts'
import { likePrefix } from './facility.ts'
import { contains, isEqual, type Equal } from './filter.ts'

/** Tables of what people agree on before they move stock: one row each, with a `version`. */
export type ReferenceTable =
  | 'manufacturer'
  | 'item'
  | 'tradeItem'
  | 'lot'
  | 'activity'
  | 'reason'
  | 'storagePoint'

/** The column that names a row. */
export type ReferenceKey = 'id' | 'code'

export interface ReferenceQuery<T extends ReferenceTable> {
  readonly key: ReferenceKey
  readonly equal: Equal<Schema[T]>
  /** Left out: archived or not. */
  readonly isArchived?: boolean | undefined
  readonly search?: { readonly columns: readonly string[]; readonly text: string } | undefined
  /** Only rows whose facility lies under all of these paths. */
  readonly under?: readonly string[] | undefined
  readonly after: string | undefined
  readonly limit: number
}

// Kysely cannot see that every table of the union has the columns that are used here; `item` stands for all of them.
const like = (table: ReferenceTable) => table as 'item'

/** The first row with these values. */
export async function findReference<T extends ReferenceTable>(
  db: DbOrTrx,
  table: T,
  equal: Equal<Schema[T]>,
): Promise<Schema[T] | undefined> {
  const row = await db
    .selectFrom(like(table))
    .selectAll()
    .where(isEqual(table, equal))
    .limit(1)
    .executeTakeFirst()
  return row as Schema[T] | undefined
}

/** In the order of their key. */
export async function listReference<T extends ReferenceTable>(
  db: DbOrTrx,
  table: T,
  query: ReferenceQuery<T>,
): Promise<Schema[T][]> {
  const { key, isArchived, search, under = [], after } = query
  let rows = db.selectFrom(like(table)).selectAll().where(isEqual(table, query.equal))
  if (isArchived !== undefined) rows = rows.where('archivedAt', isArchived ? 'is not' : 'is', null)
  if (search) rows = rows.where(contains(search.columns, search.text))
  if (under.length > 0)
    rows = rows.where((eb) =>
      eb.exists(
        eb
          .selectFrom('facility')
          .select('facility.id')
          .where('facility.id', '=', sql.ref<string>(`${table}.facilityId`))
          .where((of) => of.and(under.map((path) => of('facility.path', 'like', likePrefix(path))))),
      ),
    )
  if (after !== undefined) rows = rows.where(key, '>', after)
  return (await rows.orderBy(key).limit(query.limit).execute()) as unknown as Schema[T][]
}

/** Rows by id, of those that exist. */
export async function findReferences<T extends ReferenceTable>(
  db: DbOrTrx,
  table: T,
  ids: readonly (string | null)[],
): Promise<Map<string, Schema[T]>> {
  const asked = [...new Set(ids)].filter((id) => id !== null)
  if (asked.length === 0) return new Map()
  const rows = await db.selectFrom(like(table)).selectAll().where('id', 'in', asked).execute()
  return new Map(rows.map((row) => [row.id, row as unknown as Schema[T]]))
}

export async function insertReference<T extends ReferenceTable>(
  db: DbOrTrx,
  table: T,
  row: Schema[T],
): Promise<void> {
  await db
    .insertInto(like(table))
    .values(row as Schema['item'])
    .execute()
}

/** Holds a row still until the transaction ends. Call it before the first read of the transaction, so that the read sees what others committed. */
export async function lockReference(
  trx: DbOrTrx,
  table: ReferenceTable,
  key: ReferenceKey,
  value: string,
): Promise<void> {
  await trx
    .updateTable(like(table))
    .set((eb) => ({ version: eb.ref('version') }))
    .where(key, '=', value)
    .execute()
}

/** False when it is no longer the version that was read. */
export async function updateReference<T extends ReferenceTable>(
  db: DbOrTrx,
  table: T,
  key: ReferenceKey,
  value: string,
  version: number,
  set: Partial<Schema[T]>,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable(like(table))
    .set(set as Partial<Schema['item']>)
    .where(key, '=', value)
    .where('version', '=', version)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Whether stock of an item was ever recorded. */
export async function hasStock(db: DbOrTrx, itemId: string): Promise<boolean> {
  const row = await db
    .selectFrom('lot as l')
    .innerJoin('stockBalance as b', 'b.lotId', 'l.id')
    .select('l.id')
    .where('l.itemId', '=', itemId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
