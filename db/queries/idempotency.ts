import type { DbOrTrx, IdempotencyKeyTable } from '../schema.ts'

/** A reservation is known by user, key and the moment it was made: whoever comes after it was taken over no longer matches. */
export type Reservation = Pick<IdempotencyKeyTable, 'userId' | 'key' | 'createdAt'>

export async function findIdempotencyKey(
  db: DbOrTrx,
  userId: string,
  key: string,
): Promise<IdempotencyKeyTable | undefined> {
  return db
    .selectFrom('idempotencyKey')
    .selectAll()
    .where('userId', '=', userId)
    .where('key', '=', key)
    .executeTakeFirst()
}

/** Throws the database's own error when the key is taken: see `isDuplicate`. */
export async function insertIdempotencyKey(db: DbOrTrx, row: IdempotencyKeyTable): Promise<void> {
  await db.insertInto('idempotencyKey').values(row).execute()
}

/** Keeps the answer. False when the reservation is not ours any more: then nothing of the request may stay. */
export async function completeIdempotencyKey(
  db: DbOrTrx,
  reservation: Reservation,
  answer: { readonly status: number; readonly body: string },
): Promise<boolean> {
  const result = await db
    .updateTable('idempotencyKey')
    .set(answer)
    .where('userId', '=', reservation.userId)
    .where('key', '=', reservation.key)
    .where('createdAt', '=', reservation.createdAt)
    .where('status', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Gives the key back as long as it has no answer yet (or, with `answered`, even then). */
export async function releaseIdempotencyKey(
  db: DbOrTrx,
  reservation: Reservation,
  answered = false,
): Promise<void> {
  await db
    .deleteFrom('idempotencyKey')
    .where('userId', '=', reservation.userId)
    .where('key', '=', reservation.key)
    .where('createdAt', '=', reservation.createdAt)
    .$if(!answered, (q) => q.where('status', 'is', null))
    .execute()
}

export async function deleteOldIdempotencyKeys(db: DbOrTrx, before: number): Promise<void> {
  await db.deleteFrom('idempotencyKey').where('createdAt', '<', before).execute()
}
