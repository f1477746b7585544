import { CamelCasePlugin, Kysely } from 'kysely'
import { mysqlDialect } from './dialects/mysql.ts'
import { sqliteDialect } from './dialects/sqlite.ts'
import type { Db, Schema } from './schema.ts'

/**
 * Opens the relational database. Close it with `db.destroy()`.
 * @param url `sqlite:<path>`, `sqlite::memory:` or `mysql://user:password@host:port/database`
 */
export function openDb(url: string): Db {
  const dialect = url.startsWith('mysql:') ? mysqlDialect(url) : sqliteDialect(url.replace(/^sqlite:/, ''))
  return new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] })
}
