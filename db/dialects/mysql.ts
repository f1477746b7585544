import { MysqlDialect } from 'kysely'
import { createPool } from 'mysql2'

/**
 * Kysely on a mysql2 pool; MySQL 8.4 and MariaDB 10.11.
 * @param url `mysql://user:password@host:port/database`
 */
export function mysqlDialect(url: string): MysqlDialect {
  const pool = createPool({
    uri: url,
    charset: 'utf8mb4',
    timezone: 'Z',
    connectionLimit: 10,
    // Found rows, not changed rows: an update to the same values still says that the row is there.
    flags: ['+FOUND_ROWS'],
  })
  // What is read after a lock was waited for must be what its holder left there, not what was true when the transaction began.
  pool.on('connection', (connection) => {
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
  })
  return new MysqlDialect({ pool })
}
