import type { Transaction } from 'kysely'
import { CodedError } from '../domain/errors.ts'
import { CONFLICT_TRIES_MAX, isConflict, waitAfterTry } from './dialects/conflict.ts'
import type { Db, Schema } from './schema.ts'

/** After an outage, no try is begun later than this; a conflict is tried again in any case. */
const OUTAGE_MS_MAX = 10_000

/**
 * Runs `work` in a transaction, again from the start when the database undid it for the sake of another one (deadlock, lock wait,
 * certification on Galera) or went away before the commit: at most 8 times, further and further apart. `work` must not have effects outside
 * of the transaction.
 *
 * A connection that is lost during the commit leaves open whether it took place. That is not tried again here: it may have. It throws
 * `service.unavailable`, and whoever tries again must be idempotent: a queue's consumer is (P6), a request with an `Idempotency-Key` is.
 * @throws what `work` throws, the last conflict, or `service.unavailable`
 */
export async function inTransaction<T>(db: Db, work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
  const begun = performance.now()
  for (let tries = 1; ; tries++) {
    let isCommitting = false
    try {
      return await db.transaction().execute(async (trx) => {
        const result = await work(trx)
        isCommitting = true
        return result
      })
    } catch (error) {
      const mayTryAgain = isConflict(error) || (isOutage(error) && !isCommitting && !isOver(begun))
      if (tries === CONFLICT_TRIES_MAX || !mayTryAgain) throw error
      await waitAfterTry(tries)
    }
  }
}

/** Runs several reads on one state of the database, so that what they say fits together. */
export async function inSnapshot<T>(db: Db, read: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
  // SQLite has one connection, which a transaction keeps to itself.
  return db.transaction().setIsolationLevel('repeatable read').execute(read)
}

function isOver(begun: number): boolean {
  return performance.now() - begun > OUTAGE_MS_MAX
}

function isOutage(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'service.unavailable'
}
