import { sql, type Kysely } from 'kysely'

/**
 * Lets a column be null. SQLite (3.53) has standard SQL for it, MySQL and MariaDB want the whole type again.
 * @param column as it is in SQL, snake_case; @param type of the column, from the code, never from outside
 */
export async function dropNotNull(
  db: Kysely<unknown>,
  table: string,
  column: string,
  type: string,
): Promise<void> {
  const isMysql = !db.getExecutor().adapter.supportsReturning
  const what = isMysql
    ? sql`modify column ${sql.ref(column)} ${sql.raw(type)} null`
    : sql`alter column ${sql.ref(column)} drop not null`
  await sql`alter table ${sql.table(table)} ${what}`.execute(db)
}
