import type { DbOrTrx, RefreshTokenTable } from '../schema.ts'

export async function insertRefreshToken(db: DbOrTrx, token: RefreshTokenTable): Promise<void> {
  await db.insertInto('refreshToken').values(token).execute()
}

export async function findRefreshToken(
  db: DbOrTrx,
  tokenHash: string,
): Promise<RefreshTokenTable | undefined> {
  return db.selectFrom('refreshToken').selectAll().where('tokenHash', '=', tokenHash).executeTakeFirst()
}

/** Marks the token as used, if nobody did before: of two at the same moment, one gets true. */
export async function useRefreshToken(db: DbOrTrx, id: string, at: number): Promise<boolean> {
  const result = await db
    .updateTable('refreshToken')
    .set({ usedAt: at })
    .where('id', '=', id)
    .where('usedAt', 'is', null)
    .where('revokedAt', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Ends a session: none of its tokens works from now on, nor do access tokens that name it. */
export async function revokeFamily(db: DbOrTrx, family: string, at: number): Promise<void> {
  await db
    .updateTable('refreshToken')
    .set({ revokedAt: at })
    .where('family', '=', family)
    .where('revokedAt', 'is', null)
    .execute()
}

/** Ends every session of a user, but for the family `except` if given. */
export async function revokeSessions(
  db: DbOrTrx,
  userId: string,
  at: number,
  except?: string,
): Promise<void> {
  await db
    .updateTable('refreshToken')
    .set({ revokedAt: at })
    .where('userId', '=', userId)
    .where('revokedAt', 'is', null)
    .$if(except !== undefined, (q) => q.where('family', '!=', except ?? ''))
    .execute()
}

/**
 * The newest token of each of these users, by user. Its id says when it was given: people get one at the login and every few minutes while they work.
 * Missing: they have none that has not expired.
 */
export async function findNewestTokens(
  db: DbOrTrx,
  userIds: readonly string[],
): Promise<Map<string, string>> {
  if (userIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('refreshToken')
    .select(({ fn }) => ['userId', fn.max('id').as('id')])
    .where('userId', 'in', userIds)
    .groupBy('userId')
    .execute()
  return new Map(rows.map(({ userId, id }) => [userId, id]))
}

export async function deleteExpiredRefreshTokens(db: DbOrTrx, before: number): Promise<void> {
  await db.deleteFrom('refreshToken').where('expiresAt', '<', before).execute()
}
