import { callbackify } from 'node:util'
import type { MysqlPool, MysqlPoolConnection } from 'kysely'
import { createPool, type Pool, type PoolConnection } from 'mysql2'
import { CodedError } from '../../domain/errors.ts'
import { GuardedConnection } from './mysql-connection.ts'

const CONNECTIONS_MAX = 10
/** Statements and transactions that wait for a connection; one more is refused. */
const WAITING_MAX = 1000
const CONNECT_MS_MAX = 3000
const WAIT_MS_MAX = 15_000
/** A host that vanished without a word is noticed even on a connection that waits. */
const KEEP_ALIVE_MS = 10_000
const END_MS_MAX = 2000

/** What every connection is told, once. */
const SETUP = [
  // A read sees what others have committed, also after a wait for a lock, and an update locks no gaps, which Galera would not replicate anyway.
  'set session transaction isolation level read committed',
  // Shorter than a statement may take, so that the server gives up first and the connection is still good.
  'set session innodb_lock_wait_timeout = 10',
  // Galera: a statement waits until this node has seen what any node committed before. Unknown to a server without Galera.
  'set session wsrep_sync_wait = 7',
]
const ER_UNKNOWN_SYSTEM_VARIABLE = 1193

/**
 * Connections to the first host that answers, as long as it does; then to the next one. Connections that were open when a host failed are
 * not used again. Whatever it answers, it does so within a bounded time.
 * @param url with one or several hosts
 */
export function createFailoverPool(url: string): MysqlPool {
  const hosts = hostUrls(url).map((one) => new Host(one))
  let current = 0
  const acquire = async (): Promise<MysqlPoolConnection> => {
    let last: unknown
    for (const _ of hosts) {
      const host = hosts[current % hosts.length]
      try {
        if (host) return await host.connect()
      } catch (error) {
        last = error
        if (error instanceof Busy) break
        // Others may have turned from it meanwhile.
        if (hosts[current % hosts.length] === host) current += 1
      }
    }
    throw new CodedError('service.unavailable', 'The database does not answer.', { cause: last })
  }
  return {
    getConnection: callbackify(acquire),
    end: callbackify(async () => void (await Promise.all(hosts.map((host) => host.end())))),
  }
}

/**
 * One address for each host of `mysql://user:password@host1:3306,host2,host3/database`. User and password are percent-encoded, as in any
 * address.
 */
function hostUrls(url: string): string[] {
  const [, before = '', hosts = '', after = ''] = /^(mysql:\/\/(?:[^@/]*@)?)([^/?]*)(.*)$/s.exec(url) ?? []
  return hosts.split(',').map((host) => before + host.trim() + after)
}

/** The host answers, and this process asks too much of it: another host is no remedy. */
class Busy extends Error {}

class Host {
  readonly #pool: Pool
  /** When each connection was set up. */
  readonly #born = new WeakMap<PoolConnection, number>()
  #failedAt = -1

  constructor(url: string) {
    this.#pool = createPool({
      uri: url,
      charset: 'utf8mb4',
      timezone: 'Z',
      connectionLimit: CONNECTIONS_MAX,
      queueLimit: WAITING_MAX,
      connectTimeout: CONNECT_MS_MAX,
      enableKeepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      // Found rows, not changed rows: an update to the same values still says that the row is there.
      flags: ['+FOUND_ROWS'],
    })
  }

  /** A connection that is set up and younger than the last failure of the host. */
  async connect(): Promise<MysqlPoolConnection> {
    for (;;) {
      const raw = await this.#take()
      const connection = new GuardedConnection(raw, () => (this.#failedAt = performance.now()))
      const born = this.#born.get(raw)
      if (born === undefined) {
        await this.#setUp(connection)
        this.#born.set(raw, performance.now())
        return connection
      }
      if (born > this.#failedAt) return connection
      raw.destroy()
    }
  }

  async end(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    // One that stands still would not say goodbye.
    const timer = setTimeout(resolve, END_MS_MAX)
    this.#pool.end(() => resolve())
    await promise
    clearTimeout(timer)
  }

  async #take(): Promise<PoolConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<PoolConnection>()
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(new Busy('no connection became free'))
    }, WAIT_MS_MAX)
    this.#pool.getConnection((error, connection) => {
      if (error) reject(error)
      else if (isLate) connection.release()
      else resolve(connection)
    })
    return promise.finally(() => clearTimeout(timer))
  }

  async #setUp(connection: GuardedConnection): Promise<void> {
    for (const sql of SETUP) {
      try {
        await connection.run(sql)
      } catch (error) {
        if ((error as { readonly errno?: unknown }).errno === ER_UNKNOWN_SYSTEM_VARIABLE) continue
        connection.destroy()
        throw error
      }
    }
    // A node that is cut off from the others takes connections, and these settings.
    await connection.probe()
  }
}
