import type { EscalationPolicy } from '../../domain/escalation.ts'
import type { OnCallRota, OnCallShift } from '../../domain/on-call.ts'
import type { Role } from '../../domain/role.ts'
import type { Severity } from '../../domain/rule.ts'
import type { DbOrTrx, FacilityTable, UserAccountTable } from '../schema.ts'
import type {
  ContactTable,
  EscalationPolicyTable,
  OnCallListTable,
  PushSubscriptionTable,
} from '../schema-people.ts'

/** Ids of the places of a path, from the root down. */
export function placesOf(path: string): string[] {
  return path.split('/').filter((id) => id !== '')
}

/** The places of a path with their levels, from the root down. */
export async function listPlaces(db: DbOrTrx, path: string): Promise<Pick<FacilityTable, 'id' | 'level'>[]> {
  const ids = placesOf(path)
  if (ids.length === 0) return []
  const rows = await db.selectFrom('facility').select(['id', 'level']).where('id', 'in', ids).execute()
  return rows.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
}

/** The policy that holds at a place: its own, else the one of the nearest place above. */
export async function findPolicyFor(
  db: DbOrTrx,
  path: string,
  severity: Severity,
): Promise<EscalationPolicyTable | undefined> {
  const ids = placesOf(path)
  if (ids.length === 0) return undefined
  const rows = await db
    .selectFrom('escalationPolicy')
    .selectAll()
    .where('facilityId', 'in', ids)
    .where('severity', '=', severity)
    .where('archivedAt', 'is', null)
    .execute()
  return rows.toSorted((a, b) => ids.indexOf(b.facilityId) - ids.indexOf(a.facilityId))[0]
}

export function policyOf(row: Pick<EscalationPolicyTable, 'body'>): EscalationPolicy {
  return JSON.parse(row.body) as EscalationPolicy
}

/** Whether a place, or one above it, is in test mode. */
export async function isQuiet(db: DbOrTrx, path: string): Promise<boolean> {
  const ids = placesOf(path)
  if (ids.length === 0) return false
  const row = await db
    .selectFrom('quietFacility')
    .select('facilityId')
    .where('facilityId', 'in', ids)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Somebody who can be told: the account, how they want it, and the browsers that take Web Push for them. */
export interface Person {
  readonly user: Pick<UserAccountTable, 'id' | 'name' | 'email' | 'role' | 'facilityId'>
  readonly contact: ContactTable | undefined
  readonly pushSubscriptionIds: readonly string[]
}

/** The people with these roles at these places, and those with these ids; nobody whose account is disabled. In the order of their ids. */
export async function listPeople(
  db: DbOrTrx,
  {
    places,
    roles,
    ids,
  }: { readonly places: readonly string[]; readonly roles: readonly Role[]; readonly ids: readonly string[] },
): Promise<Person[]> {
  const byPlace = places.length > 0 && roles.length > 0
  if (!byPlace && ids.length === 0) return []
  const users = await db
    .selectFrom('userAccount')
    .select(['id', 'name', 'email', 'role', 'facilityId'])
    .where('disabledAt', 'is', null)
    .where(({ eb, or, and }) =>
      or([
        ...(byPlace ? [and([eb('facilityId', 'in', places), eb('role', 'in', roles)])] : []),
        ...(ids.length > 0 ? [eb('id', 'in', ids)] : []),
      ]),
    )
    .orderBy('id')
    .execute()
  if (users.length === 0) return []
  const userIds = users.map(({ id }) => id)
  const contacts = await db.selectFrom('contact').selectAll().where('userId', 'in', userIds).execute()
  const subscriptions = await db
    .selectFrom('pushSubscription')
    .select(['id', 'userId'])
    .where('userId', 'in', userIds)
    .orderBy('id')
    .execute()
  const contactOf = new Map(contacts.map((row) => [row.userId, row]))
  const pushOf = Map.groupBy(subscriptions, ({ userId }) => userId)
  return users.map((user) => ({
    user,
    contact: contactOf.get(user.id),
    pushSubscriptionIds: (pushOf.get(user.id) ?? []).map(({ id }) => id),
  }))
}

export interface OnCall {
  readonly id: string
  readonly timeZone: string
  readonly rota: OnCallRota | null
  readonly shifts: readonly OnCallShift[]
}

/** On-call lists with the time zones of their places. */
export async function findOnCall(db: DbOrTrx, ids: readonly string[]): Promise<OnCall[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('onCallList as l')
    .innerJoin('facility as f', 'f.id', 'l.facilityId')
    .select(['l.id', 'l.rota', 'l.shifts', 'f.timeZone'])
    .where('l.id', 'in', ids)
    .execute()
  return rows.map(({ id, timeZone, ...list }) => ({ id, timeZone, ...onCallOf(list) }))
}

export function onCallOf(row: Pick<OnCallListTable, 'rota' | 'shifts'>): Pick<OnCall, 'rota' | 'shifts'> {
  return { rota: JSON.parse(row.rota) as OnCallRota | null, shifts: JSON.parse(row.shifts) as OnCallShift[] }
}

export async function findContact(db: DbOrTrx, userId: string): Promise<ContactTable | undefined> {
  return db.selectFrom('contact').selectAll().where('userId', '=', userId).executeTakeFirst()
}

export async function findPushSubscription(
  db: DbOrTrx,
  id: string,
): Promise<PushSubscriptionTable | undefined> {
  return db.selectFrom('pushSubscription').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Forgets a browser that takes no more pushes. */
export async function deletePushSubscription(db: DbOrTrx, id: string): Promise<void> {
  await db.deleteFrom('pushSubscription').where('id', '=', id).execute()
}
