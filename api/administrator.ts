import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { administratorExists, insertUser } from '../db/queries/user.ts'
import type { Db } from '../db/schema.ts'
import { systemClock, type Clock } from '../ports/clock.ts'
import { checkPassword, hashPassword } from './password.ts'

interface Options {
  /** Empty or undefined: a random one is made. */
  readonly password?: string | undefined
  readonly clock?: Clock | undefined
}

/**
 * Makes the user `admin` when there is no administrator yet: the first start. Of two processes that start at once, one makes it.
 * @returns `password` only when it was made here: print it once, it is kept nowhere
 */
export async function ensureAdministrator(
  db: Db,
  { password, clock = systemClock }: Options = {},
): Promise<{ readonly created: boolean; readonly password?: string }> {
  if (await administratorExists(db)) return { created: false }
  const chosen = password || randomBytes(15).toString('base64url')
  checkPassword(chosen, 'admin')
  const user = {
    id: randomUUIDv7(),
    username: 'admin',
    name: 'Administrator',
    email: null,
    passwordHash: await hashPassword(chosen),
    role: 'administrator' as const,
    facilityId: null,
    disabledAt: null,
    createdAt: clock.now(),
  }
  try {
    await insertUser(db, user)
  } catch (error) {
    if (isDuplicate(error)) return { created: false }
    throw error
  }
  return password ? { created: true } : { created: true, password: chosen }
}
