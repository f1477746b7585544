import type { DbOrTrx, UserAccountTable } from '../schema.ts'
import type { Role } from '../../domain/role.ts'
import { likePrefix } from './facility.ts'
import { contains } from './filter.ts'

export interface Actor {
  readonly id: string
  readonly username: string
  readonly name: string
  readonly role: Role
  readonly facilityId: string | null
  /** Path of their facility: the prefix of everything they may see. Null for administrators. */
  readonly path: string | null
}

/**
 * Who acts in these sessions, by session, as they are now; missing when they are disabled or the session was revoked.
 * Looked up for every request, so that disabling, a new role, a move or a logout counts at once, in every process.
 */
export async function findActors(
  db: DbOrTrx,
  sessions: readonly { readonly userId: string; readonly session: string }[],
): Promise<Map<string, Actor>> {
  const families = [...new Set(sessions.map(({ session }) => session))]
  const rows = await db
    .selectFrom('refreshToken as t')
    .innerJoin('userAccount as u', 'u.id', 't.userId')
    .leftJoin('facility as f', 'f.id', 'u.facilityId')
    .select(['u.id', 'u.username', 'u.name', 'u.role', 'u.facilityId', 'f.path', 't.family'])
    .distinct()
    .where('t.family', 'in', families)
    .where('t.revokedAt', 'is', null)
    .where('u.disabledAt', 'is', null)
    .execute()
  return new Map(rows.map(({ family, ...actor }) => [family, actor]))
}

/** What people are called, by their ids. */
export async function findNames(db: DbOrTrx, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('userAccount').select(['id', 'name']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export async function findUserByName(db: DbOrTrx, username: string): Promise<UserAccountTable | undefined> {
  return db.selectFrom('userAccount').selectAll().where('username', '=', username).executeTakeFirst()
}

export async function findUser(db: DbOrTrx, id: string): Promise<UserAccountTable | undefined> {
  return db.selectFrom('userAccount').selectAll().where('id', '=', id).executeTakeFirst()
}

/** A user and where they act. */
export interface PlacedUser extends UserAccountTable {
  readonly facilityName: string | null
  readonly timeZone: string | null
}

/** A user whose facility lies under the path `scope`. Administrators have none: only the empty scope (everything) finds them. */
export async function findUserInScope(
  db: DbOrTrx,
  id: string,
  scope: string,
): Promise<PlacedUser | undefined> {
  return usersIn(db, scope).where('u.id', '=', id).executeTakeFirst()
}

/** In the order of their making, from after the id `after`. `under`: path of a facility; who acts there or below it. */
export async function listUsers(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly search: string | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<PlacedUser[]> {
  return usersIn(db, query.scope)
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(query.search !== undefined, (q) => q.where(contains(['u.name', 'u.username'], query.search ?? '')))
    .$if(query.after !== undefined, (q) => q.where('u.id', '>', query.after ?? ''))
    .orderBy('u.id')
    .limit(query.limit)
    .execute()
}

export async function insertUser(db: DbOrTrx, user: UserAccountTable): Promise<void> {
  await db.insertInto('userAccount').values(user).execute()
}

export async function updateUser(
  db: DbOrTrx,
  id: string,
  set: Partial<Omit<UserAccountTable, 'id' | 'username' | 'createdAt'>>,
): Promise<void> {
  await db.updateTable('userAccount').set(set).where('id', '=', id).execute()
}

function usersIn(db: DbOrTrx, scope: string) {
  return db
    .selectFrom('userAccount as u')
    .leftJoin('facility as f', 'f.id', 'u.facilityId')
    .selectAll('u')
    .select(['f.name as facilityName', 'f.timeZone'])
    .$if(scope !== '', (q) => q.where('f.path', 'like', likePrefix(scope)))
}

export async function administratorExists(db: DbOrTrx): Promise<boolean> {
  const row = await db
    .selectFrom('userAccount')
    .select('id')
    .where('role', '=', 'administrator')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
