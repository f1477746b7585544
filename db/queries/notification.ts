import { sql, type SqlBool } from 'kysely'
import type {
  BreachChangeKind,
  BreachTable,
  Db,
  DbOrTrx,
  EquipmentTable,
  FacilityTable,
  NotificationTable,
  RuleTable,
} from '../schema.ts'

/** The changes of one breach that nobody has been told of yet. */
export interface Untold {
  readonly breachId: string
  readonly changes: readonly { readonly id: string; readonly kind: BreachChangeKind; readonly at: number }[]
}

/** All that a message needs to know of a breach. What was deleted since is null. */
export interface BreachFacts {
  readonly breach: Readonly<BreachTable>
  /** Empty: the breach is of a whole place. */
  readonly deviceName: string
  readonly equipment: Pick<EquipmentTable, 'id' | 'name' | 'kind'> | null
  readonly facility: Pick<FacilityTable, 'id' | 'name' | 'timeZone' | 'path'> | null
  readonly rule: Pick<
    RuleTable,
    'id' | 'name' | 'quantity' | 'comparator' | 'threshold' | 'durationMs'
  > | null
}

/** Somebody who was told of a breach: a receiver at a destination. */
export interface Listener {
  readonly breachId: string
  readonly channel: string
  readonly destination: string
  readonly recipient: string
  /** Reminders made so far. */
  readonly reminders: number
}

/** The oldest changes that the notifier has not looked at, by breach. */
export async function listUntold(db: DbOrTrx, limit: number): Promise<Untold[]> {
  const rows = await db
    .selectFrom('breachChange')
    .select(['id', 'breachId', 'kind', 'at'])
    .where('toldAt', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
  return [...Map.groupBy(rows, (row) => row.breachId)].map(([breachId, changes]) => ({ breachId, changes }))
}

/**
 * Lets one notifier at a time make notifications of a breach. First thing in a transaction: it then holds the row (MySQL) or the file (SQLite) before
 * anything is read, and in the same order as the judge, breach before changes.
 */
export async function lockBreach(trx: DbOrTrx, breachId: string): Promise<void> {
  await trx
    .updateTable('breach')
    .set(({ ref }) => ({ state: ref('state') }))
    .where('id', '=', breachId)
    .execute()
}

/** Marks changes as dealt with. Answers how many were not yet: with 0 another notifier has them. */
export async function takeChanges(trx: DbOrTrx, ids: readonly string[], now: number): Promise<number> {
  const result = await trx
    .updateTable('breachChange')
    .set({ toldAt: now })
    .where('id', 'in', ids)
    .where('toldAt', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

export async function findBreachFacts(db: DbOrTrx, breachId: string): Promise<BreachFacts | undefined> {
  const breach = await db.selectFrom('breach').selectAll().where('id', '=', breachId).executeTakeFirst()
  if (!breach) return undefined
  const device = await db
    .selectFrom('device')
    .select('name')
    .where('id', '=', breach.deviceId ?? '')
    .executeTakeFirst()
  const equipment = await db
    .selectFrom('equipment')
    .select(['id', 'name', 'kind'])
    .where('id', '=', breach.equipmentId)
    .executeTakeFirst()
  const facility = await db
    .selectFrom('facility')
    .select(['id', 'name', 'timeZone', 'path'])
    .where('id', '=', breach.facilityId)
    .executeTakeFirst()
  const rule = await db
    .selectFrom('rule')
    .select(['id', 'name', 'quantity', 'comparator', 'threshold', 'durationMs'])
    .where('id', '=', breach.ruleId)
    .executeTakeFirst()
  return {
    breach,
    deviceName: device?.name ?? breach.deviceId ?? '',
    equipment: equipment ?? null,
    facility: facility ?? null,
    rule: rule ?? null,
  }
}

/**
 * E-mail addresses of the people responsible for a facility: operators and managers of it or of any place above it, lower case, each once.
 * @param path of the facility: ids from the root down, each followed by `/`
 */
export async function listResponsible(db: DbOrTrx, path: string): Promise<string[]> {
  return [...new Set((await listResponsibleByPlace(db, path)).map(({ email }) => email))]
}

/** The same, with the place that each of them is responsible for. */
export async function listResponsibleByPlace(
  db: DbOrTrx,
  path: string,
): Promise<{ readonly email: string; readonly facilityId: string }[]> {
  const places = path.split('/').filter((id) => id !== '')
  if (places.length === 0) return []
  const rows = await db
    .selectFrom('userAccount')
    .select(['email', 'facilityId'])
    .where('facilityId', 'in', places)
    .where('role', 'in', ['operator', 'manager'])
    .where('disabledAt', 'is', null)
    .where('email', 'is not', null)
    .orderBy('id')
    .execute()
  return rows
    .map((row) => ({ email: row.email?.trim().toLowerCase() ?? '', facilityId: row.facilityId ?? '' }))
    .filter(({ email }) => email !== '')
}

/**
 * Breaches that are open and not acknowledged, with a reading out of range since `lastSince`, of which nothing was ever made though their
 * changes were looked at. In the order of their ids, from beyond `after`.
 */
export async function listUnannounced(
  db: DbOrTrx,
  lastSince: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('breach as b')
    .select('b.id')
    .where('b.state', '=', 'open')
    .where('b.acknowledgedAt', 'is', null)
    .where('b.lastAt', '>=', lastSince)
    .where(isToldByItself)
    .where('b.id', '>', after)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('notification as n').select('n.id').whereRef('n.breachId', '=', 'b.id'))),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('breachChange as c')
            .select('c.id')
            .whereRef('c.breachId', '=', 'b.id')
            .where('c.toldAt', 'is', null),
        ),
      ),
    )
    .orderBy('b.id')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

// What is part of an outage is told with it; an outage that is part of a greater one has people of its own.
const isToldByItself = sql<SqlBool>`(b.outage_id is null or b.rule_id = 'site-outage')`

/** Everything that was made of a breach, oldest first. */
export async function listNotifications(db: DbOrTrx, breachId: string): Promise<NotificationTable[]> {
  return db
    .selectFrom('notification')
    .selectAll()
    .where('breachId', '=', breachId)
    .orderBy('createdAt')
    .orderBy('id')
    .execute()
}

export async function insertNotification(db: DbOrTrx, row: NotificationTable): Promise<void> {
  await db.insertInto('notification').values(row).execute()
}

/**
 * Pending notifications of one destination whose time has come. One that was made before for the same breach and receiver
 * goes first: what waits behind it is left out.
 */
export async function listDue(
  db: DbOrTrx,
  destination: string,
  now: number,
  limit: number,
): Promise<NotificationTable[]> {
  return db
    .selectFrom('notification as n')
    .selectAll('n')
    .where('n.status', '=', 'pending')
    .where('n.destination', '=', destination)
    .where('n.nextAttemptAt', '<=', now)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('notification as e')
            .select('e.id')
            .whereRef('e.breachId', '=', 'n.breachId')
            .whereRef('e.destination', '=', 'n.destination')
            .whereRef('e.recipient', '=', 'n.recipient')
            .whereRef('e.createdAt', '<', 'n.createdAt')
            .where('e.status', '=', 'pending'),
        ),
      ),
    )
    .orderBy('n.nextAttemptAt')
    .orderBy('n.id')
    .limit(limit)
    .execute()
}

/** Due notifications that were made before `createdBefore` for destinations that are none of these. */
export async function listOrphaned(
  db: DbOrTrx,
  destinations: readonly string[],
  createdBefore: number,
  now: number,
  limit: number,
): Promise<NotificationTable[]> {
  return db
    .selectFrom('notification')
    .selectAll()
    .where('status', '=', 'pending')
    .where('nextAttemptAt', '<=', now)
    .where('createdAt', '<', createdBefore)
    .$if(destinations.length > 0, (query) => query.where('destination', 'not in', destinations))
    .orderBy('id')
    .limit(limit)
    .execute()
}

/**
 * Claims a due notification for one attempt, until `leaseUntil`: as long as that, no other notifier sends it.
 * @returns false when another one was faster
 */
export async function claimNotification(
  db: DbOrTrx,
  row: Pick<NotificationTable, 'id' | 'attempts' | 'nextAttemptAt'>,
  leaseUntil: number,
): Promise<boolean> {
  const result = await db
    .updateTable('notification')
    .set({ attempts: row.attempts + 1, nextAttemptAt: leaseUntil })
    .where('id', '=', row.id)
    .where('status', '=', 'pending')
    .where('attempts', '=', row.attempts)
    .where('nextAttemptAt', '=', row.nextAttemptAt)
    .executeTakeFirst()
  return Number(result.numUpdatedRows) === 1
}

export async function markSent(db: DbOrTrx, id: string, now: number): Promise<void> {
  await db
    .updateTable('notification')
    .set({ status: 'sent', sentAt: now, lastError: null })
    .where('id', '=', id)
    .execute()
}

export async function markFailed(db: DbOrTrx, id: string, reason: string): Promise<void> {
  await db
    .updateTable('notification')
    .set({ status: 'failed', lastError: reason })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .execute()
}

export async function markRetry(db: DbOrTrx, id: string, reason: string, nextAttemptAt: number) {
  await db
    .updateTable('notification')
    .set({ lastError: reason, nextAttemptAt })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .execute()
}

/**
 * Who is due for a reminder: told of a breach that is still open and not acknowledged, last before `lastBefore`, reminded fewer than
 * `remindersMax` times, and with nothing still on the way to them.
 */
export async function listReminderDue(
  db: Db,
  destinations: readonly string[],
  lastBefore: number,
  remindersMax: number,
  limit: number,
): Promise<Listener[]> {
  const rows = await db
    .selectFrom('breach as b')
    .innerJoin('notification as n', 'n.breachId', 'b.id')
    .select(['n.breachId', 'n.channel', 'n.destination', 'n.recipient'])
    .select((eb) =>
      eb.fn.sum(eb.case().when('n.step', '=', 'reminder').then(1).else(0).end()).as('reminders'),
    )
    .where('b.state', '=', 'open')
    .where('b.acknowledgedAt', 'is', null)
    .where('n.destination', 'in', destinations)
    .where(isToldByItself)
    .groupBy(['n.breachId', 'n.channel', 'n.destination', 'n.recipient'])
    .having((eb) => eb.fn.max(eb.fn.coalesce('n.sentAt', 'n.createdAt')), '<=', lastBefore)
    .having((eb) => eb.fn.sum(eb.case().when('n.status', '=', 'pending').then(1).else(0).end()), '=', 0)
    .having(
      (eb) => eb.fn.sum(eb.case().when('n.step', '=', 'reminder').then(1).else(0).end()),
      '<',
      remindersMax,
    )
    .limit(limit)
    .execute()
  // MySQL sums integers to decimals, which come as text.
  return rows.map((row) => ({ ...row, reminders: Number(row.reminders) }))
}
