import { MysqlAdapter, sql, type Kysely } from 'kysely'

/**
 * Lets a column be null. SQLite (3.53) drops the condition, MySQL wants the whole column said again.
 * @param names from the code, never from outside
 */
export async function dropNotNull(
  db: Kysely<unknown>,
  { table, column, type }: { readonly table: string; readonly column: string; readonly type: string },
): Promise<void> {
  const [t, c] = [sql.table(table), sql.ref(column)]
  if (db.getExecutor().adapter instanceof MysqlAdapter)
    await sql`alter table ${t} modify column ${c} ${sql.raw(type)} null`.execute(db)
  else await sql`alter table ${t} alter column ${c} drop not null`.execute(db)
}
