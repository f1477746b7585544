import { CamelCasePlugin, Kysely, type MysqlDialect } from 'kysely'
import { sqliteDialect } from './dialects/sqlite.ts'
import { createLogTable } from './log-table.ts'
import type { Db, Schema } from './schema.ts'

/**
 * Opens the relational database. Close it with `db.destroy()`.
 * @param url `sqlite:<path>`, `sqlite::memory:` or `mysql://user:password@host:port/database` (of a cluster several hosts, separated by commas)
 */
export async function openDb(url: string): Promise<Db> {
  const dialect = url.startsWith('mysql:') ? await mysql(url) : sqliteDialect(url.replace(/^sqlite:/, ''))
  return new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] })
}

/** Opens the file of the log, a database with that one table. What was said in the second before a power cut may be lost. */
export async function openLogDb(file: string): Promise<Db> {
  const db = new Kysely<Schema>({
    dialect: sqliteDialect(file, 'NORMAL'),
    plugins: [new CamelCasePlugin()],
  })
  await createLogTable(db as Kysely<unknown>)
  return db
}

// The driver is loaded by those who need it: 20 MiB that a facility's box does without.
async function mysql(url: string): Promise<MysqlDialect> {
  const { mysqlDialect } = await import('./dialects/mysql.ts')
  return mysqlDialect(url)
}
