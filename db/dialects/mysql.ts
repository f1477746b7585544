import { MysqlAdapter, MysqlDialect, type DialectAdapter } from 'kysely'
import { createFailoverPool } from './mysql-pool.ts'

/**
 * Kysely on mysql2; MySQL 8.4, MariaDB 10.11 and Galera.
 * @param url `mysql://user:password@host:port/database`; of a cluster several hosts, separated by commas, in the order in which they are tried
 */
export function mysqlDialect(url: string): MysqlDialect {
  return new UnlockedDialect({ pool: createFailoverPool(url) })
}

class UnlockedDialect extends MysqlDialect {
  override createAdapter(): DialectAdapter {
    return new UnlockedAdapter()
  }
}

// GET_LOCK, which Kysely would take, ends at the node that it was taken on; Percona XtraDB refuses it. See db/migration-lock.ts.
class UnlockedAdapter extends MysqlAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}
