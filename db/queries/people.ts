import type { EscalationPolicy } from '../../domain/escalation.ts'
import type { OnCallRota, OnCallShift } from '../../domain/on-call.ts'
import type { Role } from '../../domain/role.ts'
import { likePrefix } from './facility.ts'
import type { Severity } from '../../domain/rule.ts'
import type { DbOrTrx, FacilityTable, NotificationTable, UserAccountTable } from '../schema.ts'
import type {
  ContactTable,
  EscalationPolicyTable,
  OnCallListTable,
  PushSubscriptionTable,
  QuietFacilityTable,
  TestMessageTable,
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

/** Written whole: the first time, and every time after. */
export async function saveContact(trx: DbOrTrx, row: ContactTable): Promise<void> {
  await trx.deleteFrom('contact').where('userId', '=', row.userId).execute()
  await trx.insertInto('contact').values(row).execute()
}

/** Of one person, oldest first. */
export async function listPushSubscriptions(db: DbOrTrx, userId: string): Promise<PushSubscriptionTable[]> {
  return db.selectFrom('pushSubscription').selectAll().where('userId', '=', userId).orderBy('id').execute()
}

export async function countPushSubscriptions(db: DbOrTrx, userId: string): Promise<number> {
  return (await listPushSubscriptions(db, userId)).length
}

/** Takes the place of what is there of the same browser. */
export async function insertPushSubscription(trx: DbOrTrx, row: PushSubscriptionTable): Promise<void> {
  await trx.deleteFrom('pushSubscription').where('endpointHash', '=', row.endpointHash).execute()
  await trx.insertInto('pushSubscription').values(row).execute()
}

interface PlacedQuery {
  readonly scope: string
  /** Path: only there and below. */
  readonly under?: string | undefined
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

export async function findPolicy(
  db: DbOrTrx,
  id: string,
  scope: string,
): Promise<EscalationPolicyTable | undefined> {
  return policiesIn(db, { scope }).where('p.id', '=', id).executeTakeFirst()
}

/** The policy of this severity that a place once had and that counts no more. */
export async function findArchivedPolicy(
  db: DbOrTrx,
  facilityId: string,
  severity: Severity,
): Promise<EscalationPolicyTable | undefined> {
  return db
    .selectFrom('escalationPolicy')
    .selectAll()
    .where('facilityId', '=', facilityId)
    .where('severity', '=', severity)
    .where('archivedAt', 'is not', null)
    .executeTakeFirst()
}

/** In the order of their making. */
export async function listPolicies(db: DbOrTrx, query: PlacedQuery): Promise<EscalationPolicyTable[]> {
  return policiesIn(db, query)
    .$if(query.after !== undefined, (q) => q.where('p.id', '>', query.after ?? ''))
    .orderBy('p.id')
    .limit(query.limit ?? 1)
    .execute()
}

function policiesIn(db: DbOrTrx, { scope, under = '' }: PlacedQuery) {
  return db
    .selectFrom('escalationPolicy as p')
    .innerJoin('facility as f', 'f.id', 'p.facilityId')
    .selectAll('p')
    .where('f.path', 'like', likePrefix(scope))
    .where('f.path', 'like', likePrefix(under))
}

export async function insertPolicy(trx: DbOrTrx, row: EscalationPolicyTable): Promise<void> {
  await trx.insertInto('escalationPolicy').values(row).execute()
}

/** @returns false when it is no longer the version that was read */
export async function updatePolicy(
  trx: DbOrTrx,
  { id, ...row }: EscalationPolicyTable,
  version: number,
): Promise<boolean> {
  const update = trx
    .updateTable('escalationPolicy')
    .set(row)
    .where('id', '=', id)
    .where('version', '=', version)
  return (await update.executeTakeFirst()).numUpdatedRows === 1n
}

/** On-call lists with the time zones of their places, in the order of their making. */
export async function findOnCallLists(
  db: DbOrTrx,
  { scope, under = '', after, limit, ids }: PlacedQuery & { readonly ids?: readonly string[] },
): Promise<(OnCallListTable & { timeZone: string })[]> {
  return db
    .selectFrom('onCallList as l')
    .innerJoin('facility as f', 'f.id', 'l.facilityId')
    .selectAll('l')
    .select('f.timeZone')
    .where('f.path', 'like', likePrefix(scope))
    .where('f.path', 'like', likePrefix(under))
    .$if(ids !== undefined, (q) => q.where('l.id', 'in', ids ?? []))
    .$if(after !== undefined, (q) => q.where('l.id', '>', after ?? ''))
    .orderBy('l.id')
    .limit(limit ?? 1)
    .execute()
}

export async function insertOnCallList(trx: DbOrTrx, row: OnCallListTable): Promise<void> {
  await trx.insertInto('onCallList').values(row).execute()
}

/** @returns false when it is no longer the version that was read */
export async function updateOnCallList(
  trx: DbOrTrx,
  { id, ...row }: OnCallListTable,
  version: number,
): Promise<boolean> {
  const update = trx.updateTable('onCallList').set(row).where('id', '=', id).where('version', '=', version)
  return (await update.executeTakeFirst()).numUpdatedRows === 1n
}

/** Puts a place into test mode, or out of it. */
export async function setQuiet(trx: DbOrTrx, row: QuietFacilityTable, isQuietNow: boolean): Promise<void> {
  await trx.deleteFrom('quietFacility').where('facilityId', '=', row.facilityId).execute()
  if (isQuietNow) await trx.insertInto('quietFacility').values(row).execute()
}

export async function insertTestMessage(trx: DbOrTrx, row: TestMessageTable): Promise<void> {
  await trx.insertInto('testMessage').values(row).execute()
}

export interface NotificationWithName extends NotificationTable {
  readonly userName: string | null
}

/** Everything that was made of a breach, oldest first. */
export async function listNotificationsOf(db: DbOrTrx, breachId: string): Promise<NotificationWithName[]> {
  return notificationsWithNames(db)
    .where('n.breachId', '=', breachId)
    .orderBy('n.createdAt')
    .orderBy('n.id')
    .execute()
}

/** Newest first: those of one person, and those about breaches, and to people, under the path `scope`. */
export async function listNotificationsFor(
  db: DbOrTrx,
  query: {
    readonly ownId: string
    /** Undefined: only their own. */
    readonly scope: string | undefined
    readonly under: string | undefined
    readonly userId?: string | undefined
    readonly status?: NotificationTable['status'] | undefined
    readonly before: string | undefined
    readonly limit: number
  },
): Promise<NotificationWithName[]> {
  const { ownId, scope, under, userId, status, before, limit } = query
  return notificationsWithNames(db)
    .leftJoin('breach as b', 'b.id', 'n.breachId')
    .leftJoin('facility as f', 'f.id', 'b.facilityId')
    .leftJoin('facility as h', 'h.id', 'u.facilityId')
    .$if(scope === undefined, (q) => q.where('n.userId', '=', ownId))
    .$if(!!scope, (q) =>
      q.where(({ eb, or, and }) =>
        or([
          eb('n.userId', '=', ownId),
          eb('f.path', 'like', likePrefix(scope ?? '')),
          and([eb('n.breachId', 'is', null), eb('h.path', 'like', likePrefix(scope ?? ''))]),
        ]),
      ),
    )
    .$if(under !== undefined, (q) => q.where('f.path', 'like', likePrefix(under ?? '')))
    .$if(userId !== undefined, (q) => q.where('n.userId', '=', userId ?? ''))
    .$if(status !== undefined, (q) => q.where('n.status', '=', status ?? 'sent'))
    .$if(before !== undefined, (q) => q.where('n.id', '<', before ?? ''))
    .orderBy('n.id', 'desc')
    .limit(limit)
    .execute()
}

function notificationsWithNames(db: DbOrTrx) {
  return db
    .selectFrom('notification as n')
    .leftJoin('userAccount as u', 'u.id', 'n.userId')
    .selectAll('n')
    .select('u.name as userName')
}
