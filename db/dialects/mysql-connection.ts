import { callbackify } from 'node:util'
import type { MysqlPoolConnection } from 'kysely'
import type { PoolConnection } from 'mysql2'
import { CodedError } from '../../domain/errors.ts'
import { CONFLICT_TRIES_MAX, isConflict, waitAfterTry } from './conflict.ts'

/** Longer than a cluster needs to shut out a node that stands still (5 s and a little): it answers nothing meanwhile. */
const STATEMENT_MS_MAX = 15_000
/** Of a migration: a large table is rewritten. */
const SCHEMA_CHANGE_MS_MAX = 3_600_000
const SCHEMA_CHANGE = /^(create|alter|drop) /i

const ER_LOCK_WAIT_TIMEOUT = 1205

/** The table, the column or the index is there already. */
const MADE_BEFORE: ReadonlySet<unknown> = new Set([1050, 1060, 1061])

/**
 * Errors of the server after which its connection is of no more use: it shuts down (1053), killed the connection (1927, 4031), is a node of
 * Galera that is cut off from the greater part (1047), or was cut off in the middle of a commit (1180).
 */
const OUTAGES: ReadonlySet<unknown> = new Set([1047, 1053, 1180, 1927, 4031])

type Result = Parameters<NonNullable<Parameters<MysqlPoolConnection['query']>[2]>>[1]
const NOTHING: Result = { affectedRows: 0, changedRows: 0, insertId: 0 }

/**
 * A connection on which everything is answered within a bounded time. When its server goes away or stands still it is ended, with
 * `service.unavailable`. A statement outside of a transaction is tried again here when it was undone for the sake of another one;
 * inside, that is the business of `inTransaction`.
 */
export class GuardedConnection implements MysqlPoolConnection {
  readonly config: object
  readonly threadId: number
  readonly #raw: PoolConnection
  readonly #onOutage: () => void
  #isEnded = false
  #isInTransaction = false

  /** @param onOutage told when the server went away or stands still */
  constructor(raw: PoolConnection, onOutage: () => void) {
    this.#raw = raw
    this.#onOutage = onOutage
    this.config = raw.config
    this.threadId = raw.threadId ?? 0
  }

  query(
    sql: string,
    parameters: readonly unknown[],
    callback?: (error: unknown, result: Result) => void,
  ): ReturnType<MysqlPoolConnection['query']> {
    if (callback) callbackify(() => this.run(sql, parameters))(callback)
    return { stream: (options) => this.#raw.query(sql, [...parameters]).stream(options) }
  }

  async run(sql: string, parameters: readonly unknown[] = []): Promise<Result> {
    // The transaction ended with the connection.
    if (this.#isEnded && sql === 'rollback') return NOTHING
    const isAlone = this.#isAlone(sql)
    for (let tries = 1; ; tries++) {
      try {
        return await this.#runWithin(sql, parameters)
      } catch (error) {
        if (isMadeBefore(sql, error)) return NOTHING
        const mayTryAgain = isAlone && isConflict(error) && tries < CONFLICT_TRIES_MAX
        if (!mayTryAgain) throw error
        if (error.errno === ER_LOCK_WAIT_TIMEOUT) await this.probe()
        await waitAfterTry(tries)
      }
    }
  }

  /** @throws CodedError `service.unavailable` on a node of Galera that is cut off, which says 1205 to a read and 1047 only to this. */
  async probe(): Promise<void> {
    await this.#runWithin('begin')
    await this.#runWithin('rollback')
  }

  /** Whether the statement is a transaction of its own. */
  #isAlone(sql: string): boolean {
    if (sql === 'begin') this.#isInTransaction = true
    const isAlone = !this.#isInTransaction
    if (sql === 'commit' || sql === 'rollback') this.#isInTransaction = false
    return isAlone
  }

  async #runWithin(sql: string, parameters: readonly unknown[] = []): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const timeMsMax = SCHEMA_CHANGE.test(sql) ? SCHEMA_CHANGE_MS_MAX : STATEMENT_MS_MAX
    const timer = setTimeout(() => reject(new NoAnswer(`no answer for ${timeMsMax} ms`)), timeMsMax)
    this.#raw.query(sql, [...parameters], (error: unknown, result: unknown) => {
      if (error) reject(error)
      else resolve(result as Result)
    })
    try {
      return await promise
    } catch (error) {
      if (!isOutage(error)) throw error
      this.destroy()
      this.#onOutage()
      throw new CodedError('service.unavailable', 'The database does not answer.', { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  connect(callback?: (error: unknown) => void): void {
    this.#raw.connect(callback)
  }

  release(): void {
    this.#raw.release()
  }

  destroy(): void {
    this.#isEnded = true
    this.#raw.destroy()
  }
}

class NoAnswer extends Error {}

function isOutage(error: unknown): boolean {
  if (error instanceof NoAnswer) return true
  // `fatal` is the driver's word for what ended the connection.
  const { errno, fatal } = error as { readonly errno?: unknown; readonly fatal?: unknown }
  return fatal === true || OUTAGES.has(errno)
}

// MySQL commits each change of a schema by itself. A migration that was cut short begins again, and finds what it made.
function isMadeBefore(sql: string, error: unknown): boolean {
  return SCHEMA_CHANGE.test(sql) && MADE_BEFORE.has((error as { readonly errno?: unknown }).errno)
}
