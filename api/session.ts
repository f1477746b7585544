import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { hashToken } from '../db/queries/device.ts'
import { findRefreshToken, insertRefreshToken, revokeFamily, useRefreshToken } from '../db/queries/session.ts'
import { findUser, findUserByName } from '../db/queries/user.ts'
import type { DbOrTrx, RefreshTokenTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import type { RouteDeps } from './deps.ts'
import { verifyPassword } from './password.ts'
import { inTransaction } from '../db/transaction.ts'

/** A session that was opened or carried on: what the access token names, and the refresh token, which is nowhere else in clear. */
export interface Session {
  readonly userId: string
  readonly family: string
  readonly refreshToken: string
}

/** Opens a session. @throws CodedError `auth.invalidCredentials`, the same for a wrong name, a wrong password and a disabled user */
export async function openSession(deps: RouteDeps, username: string, password: string): Promise<Session> {
  const user = await findUserByName(deps.db, username)
  const right = await verifyPassword(password, user?.passwordHash)
  if (!user || !right || user.disabledAt !== null) throw new CodedError('auth.invalidCredentials')
  return issue(deps, deps.db, user.id, randomUUIDv7())
}

/**
 * Trades a refresh token for the next one of its family. A token that was used before shows that somebody has a copy:
 * nobody can say who is the thief, so the whole family ends.
 * @throws CodedError `auth.refreshInvalid`
 */
export async function refreshSession(deps: RouteDeps, token: string): Promise<Session> {
  const session = await inTransaction(deps.db, async (trx) => {
    const row = await findRefreshToken(trx, hashToken(token))
    if (!row || !(await mayRefresh(deps, trx, row))) return undefined
    if (await useRefreshToken(trx, row.id, deps.clock.now())) return issue(deps, trx, row.userId, row.family)
    await revokeFamily(trx, row.family, deps.clock.now())
    return undefined
  })
  if (!session) throw new CodedError('auth.refreshInvalid')
  return session
}

/** Ends the session that the token belongs to. Says nothing of whether there was one. */
export async function closeSession(deps: RouteDeps, token: string): Promise<void> {
  const row = await findRefreshToken(deps.db, hashToken(token))
  if (row) await revokeFamily(deps.db, row.family, deps.clock.now())
}

async function mayRefresh(deps: RouteDeps, trx: DbOrTrx, row: RefreshTokenTable): Promise<boolean> {
  if (row.revokedAt !== null || row.expiresAt <= deps.clock.now()) return false
  const user = await findUser(trx, row.userId)
  return user?.disabledAt === null
}

async function issue(deps: RouteDeps, db: DbOrTrx, userId: string, family: string): Promise<Session> {
  const refreshToken = `csr_${randomBytes(32).toString('base64url')}`
  await insertRefreshToken(db, {
    id: randomUUIDv7(),
    userId,
    family,
    tokenHash: hashToken(refreshToken),
    expiresAt: deps.clock.now() + deps.settings.refreshTokenTtlMs,
    usedAt: null,
    revokedAt: null,
  })
  return { userId, family, refreshToken }
}
