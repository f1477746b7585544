import { sql, type Expression, type SqlBool } from 'kysely'

/** Columns that have to have a value; those that are undefined are not asked about. */
export type Equal<Row> = { readonly [K in keyof Row]?: Row[K] | undefined }

/**
 * The condition that columns of a table, or of its alias, have these values.
 * @param table a name from the code, never from outside
 */
export function isEqual<Row>(table: string, equal: Equal<Row>): Expression<SqlBool> {
  const asked = Object.entries(equal).filter(([, value]) => value !== undefined)
  const conditions = asked.map(([column, value]) =>
    value === null
      ? sql<SqlBool>`${sql.ref(`${table}.${column}`)} is null`
      : sql<SqlBool>`${sql.ref(`${table}.${column}`)} = ${value}`,
  )
  return sql<SqlBool>`(${sql.join([sql`1 = 1`, ...conditions], sql` and `)})`
}

/**
 * The condition that a text is part of one of these columns, in capitals or not. Wildcards in it stand for themselves.
 * @param columns names from the code, never from outside
 */
export function contains(columns: readonly string[], text: string): Expression<SqlBool> {
  const pattern = `%${text.replaceAll(/[!%_]/g, '!$&')}%`
  const conditions = columns.map(
    (column) => sql<SqlBool>`lower(${sql.ref(column)}) like lower(${pattern}) escape '!'`,
  )
  return sql<SqlBool>`(${sql.join(conditions, sql` or `)})`
}
