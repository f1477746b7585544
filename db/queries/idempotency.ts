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

/** Which of these keys of these users are taken. */
export async function findIdempotencyKeys(
  db: DbOrTrx,
  keys: readonly Pick<Reservation, 'userId' | 'key'>[],
): Promise<Pick<Reservation, 'userId' | 'key'>[]> {
  if (keys.length === 0) return []
  return db
    .selectFrom('idempotencyKey')
    .select(['userId', 'key'])
    .where((eb) => eb.or(keys.map(({ userId, key }) => eb.and({ userId, key }))))
    .execute()
}

/** Throws the database's own error when the key is taken: see `isDuplicate`. */
export async function insertIdempotencyKey(db: DbOrTrx, row: IdempotencyKeyTable): Promise<void> {
  await insertIdempotencyKeys(db, [row])
}

/** The same for several. */
export async function insertIdempotencyKeys(
  db: DbOrTrx,
  rows: readonly IdempotencyKeyTable[],
): Promise<void> {
  if (rows.length > 0) await db.insertInto('idempotencyKey').values(rows).execute()
}

/** Keeps the answer of a reservation, unless somebody has taken it over. */
export async function completeIdempotencyKey(
  db: DbOrTrx,
  reservation: Reservation,
  answer: { readonly status: number; readonly body: string },
): Promise<void> {
  await db
    .updateTable('idempotencyKey')
    .set(answer)
    .where('userId', '=', reservation.userId)
    .where('key', '=', reservation.key)
    .where('createdAt', '=', reservation.createdAt)
    .where('status', 'is', null)
    .execute()
}

/** Frees a key, as long as what is there is what was seen: a reservation that was answered or taken over since stays. */
export async function deleteIdempotencyKey(
  db: DbOrTrx,
  { userId, key, createdAt, status }: Reservation & Pick<IdempotencyKeyTable, 'status'>,
): Promise<void> {
  await db
    .deleteFrom('idempotencyKey')
    .where('userId', '=', userId)
    .where('key', '=', key)
    .where('createdAt', '=', createdAt)
    .where('status', status === null ? 'is' : '=', status)
    .execute()
}

export async function deleteOldIdempotencyKeys(db: DbOrTrx, before: number): Promise<void> {
  await db.deleteFrom('idempotencyKey').where('createdAt', '<', before).execute()
}
