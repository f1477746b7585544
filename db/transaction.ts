import { setTimeout as sleep } from 'node:timers/promises'
import type { Transaction } from 'kysely'
import { isConflict } from './dialects/conflict.ts'
import type { Db, Schema } from './schema.ts'

const TRIES_MAX = 8
const DELAY_MS = 5
const DELAY_MS_MAX = 500

/**
 * Runs `work` in a transaction, again from the start when the database undid it for the sake of another one (deadlock, lock wait,
 * certification on Galera): at most 8 times, further and further apart. `work` must not have effects outside of the transaction.
 * @throws what `work` throws, or the last conflict
 */
export async function inTransaction<T>(db: Db, work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (tries === TRIES_MAX || !isConflict(error)) throw error
      // At random, so that those who met do not meet again.
      await sleep(Math.random() * Math.min(DELAY_MS_MAX, DELAY_MS * 2 ** tries))
    }
  }
}

/** Runs several reads on one state of the database, so that what they say fits together. */
export async function inSnapshot<T>(db: Db, read: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
  // SQLite has one connection, which a transaction keeps to itself.
  return db.transaction().setIsolationLevel('repeatable read').execute(read)
}
