import { DatabaseSync } from 'node:sqlite'
import { SqliteDialect, type SqliteDatabase } from 'kysely'

/**
 * Kysely on `node:sqlite`. WAL with `synchronous=FULL`: a commit that has returned survives a power cut.
 * @param file path of the database, or `:memory:`
 * @param synchronous `NORMAL`: without that, for what is not worth a wait for the disk
 */
export function sqliteDialect(file: string, synchronous: 'FULL' | 'NORMAL' = 'FULL'): SqliteDialect {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: true })
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA busy_timeout = 5000`)
  return new SqliteDialect({ database: asKyselyDatabase(db) })
}

// Kysely's dialect is written for better-sqlite3: it asks whether a statement is a reader and passes parameters as one array.
function asKyselyDatabase(db: DatabaseSync): SqliteDatabase {
  return {
    close: () => db.close(),
    prepare(sql) {
      const statement = db.prepare(sql)
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...bindable(parameters)),
        run: (parameters) => statement.run(...bindable(parameters)),
        iterate: (parameters) => statement.iterate(...bindable(parameters)) as IterableIterator<unknown>,
      }
    },
  }
}

type Bindable = Parameters<ReturnType<DatabaseSync['prepare']>['run']>

function bindable(parameters: readonly unknown[]): Bindable {
  return parameters as Bindable
}
