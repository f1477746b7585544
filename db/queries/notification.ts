import { sql, type SqlBool } from 'kysely'
import { listMembers } from './outage.ts'
import type {
  BreachChangeKind,
  BreachTable,
  DbOrTrx,
  EquipmentTable,
  FacilityTable,
  NotificationTable,
} from '../schema.ts'
import type { TestMessageTable } from '../schema-people.ts'
import type { RuleTable } from '../schema-rules.ts'

/** The changes of one breach that nobody has been told of yet. */
export interface Untold {
  readonly breachId: string
  readonly changes: readonly { readonly id: string; readonly kind: BreachChangeKind; readonly at: number }[]
}

/** All that a message needs to know of a breach. What was deleted since is null. */
export interface BreachFacts {
  readonly breach: Readonly<BreachTable>
  /** Of an outage: what it cuts off, by name. */
  readonly members: readonly string[]
  /** Empty: the breach is of a whole place. */
  readonly deviceName: string
  readonly equipment: Pick<EquipmentTable, 'id' | 'name' | 'kind'> | null
  readonly facility: Pick<FacilityTable, 'id' | 'name' | 'timeZone' | 'path'> | null
  readonly rule: Pick<
    RuleTable,
    'id' | 'name' | 'quantity' | 'measure' | 'comparator' | 'threshold' | 'durationMs'
  > | null
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

/** Where the trace of a breach goes on: after its newest change that was traced. */
export async function findTraceparent(db: DbOrTrx, breachId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('breachChange')
    .select('traceparent')
    .where('breachId', '=', breachId)
    .where('traceparent', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.traceparent ?? undefined
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
  // One question: it is asked twice for each message, and on a database over the network each question takes its time.
  const row = await db
    .selectFrom('breach as b')
    .leftJoin('device as d', 'd.id', 'b.deviceId')
    .leftJoin('equipment as e', 'e.id', 'b.equipmentId')
    .leftJoin('facility as f', 'f.id', 'b.facilityId')
    .leftJoin('rule as r', 'r.id', 'b.ruleId')
    .selectAll('b')
    .select(['d.name as deviceName', 'e.id as eId', 'e.name as eName', 'e.kind as eKind'])
    .select(['f.id as fId', 'f.name as fName', 'f.timeZone as fTimeZone', 'f.path as fPath'])
    .select(['r.id as rId', 'r.name as rName', 'r.quantity as rQuantity', 'r.comparator as rComparator'])
    .select(['r.threshold as rThreshold', 'r.durationMs as rDurationMs', 'r.measure as rMeasure'])
    .where('b.id', '=', breachId)
    .executeTakeFirst()
  if (!row) return undefined
  const { deviceName, eId, eName, eKind, fId, fName, fTimeZone, fPath, ...others } = row
  const { rId, rName, rQuantity, rComparator, rThreshold, rDurationMs, rMeasure, ...breach } = others
  return {
    breach,
    members:
      breach.ruleId === 'site-outage'
        ? (await listMembers(db, breachId)).map((member) => member.deviceName)
        : [],
    deviceName: deviceName ?? breach.deviceId ?? '',
    equipment: whole({ id: eId, name: eName, kind: eKind }),
    facility: whole({ id: fId, name: fName, timeZone: fTimeZone, path: fPath }),
    rule: whole({
      id: rId,
      name: rName,
      quantity: rQuantity,
      comparator: rComparator,
      threshold: rThreshold,
      durationMs: rDurationMs,
      measure: rMeasure,
    }),
  }
}

/** What a left join has found; null where there was nothing to join. */
function whole<T extends { readonly id: unknown }>(
  joined: T,
): { [K in keyof T]: Exclude<T[K], null> } | null {
  return joined.id === null ? null : (joined as { [K in keyof T]: Exclude<T[K], null> })
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
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('breachEscalation as w').select('w.nextAt').whereRef('w.breachId', '=', 'b.id'))),
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

/** What a message says of its breach: nothing when it is about none. */
export type Said = Pick<NotificationTable, 'saidState' | 'saidEndAt'>

export async function markSent(db: DbOrTrx, id: string, said: Said, now: number): Promise<void> {
  await db
    .updateTable('notification')
    .set({ status: 'sent', sentAt: now, ...said, lastError: null })
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

/** Breaches that are to be looked at again by now, those that waited longest first. */
export async function listAwaited(db: DbOrTrx, now: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('breachEscalation')
    .select('breachId')
    .where('nextAt', '<=', now)
    .orderBy('nextAt')
    .limit(limit)
    .execute()
  return rows.map((row) => row.breachId)
}

/** Says when a breach is to be looked at again though nothing happens to it; null: not at all. The caller holds the lock on the breach. */
export async function awaitBreach(trx: DbOrTrx, breachId: string, nextAt: number | null): Promise<void> {
  if (nextAt === null) {
    await trx.deleteFrom('breachEscalation').where('breachId', '=', breachId).execute()
    return
  }
  const { numUpdatedRows } = await trx
    .updateTable('breachEscalation')
    .set({ nextAt })
    .where('breachId', '=', breachId)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) await trx.insertInto('breachEscalation').values({ breachId, nextAt }).execute()
}

/** A breach that is looked at again anyhow is looked at now: somebody could not be told. */
export async function hastenBreach(db: DbOrTrx, breachId: string, now: number): Promise<void> {
  await db
    .updateTable('breachEscalation')
    .set({ nextAt: now })
    .where('breachId', '=', breachId)
    .where('nextAt', '>', now)
    .execute()
}

/** Test messages of which no notifications were made yet, oldest first. */
export async function listTestMessages(db: DbOrTrx, limit: number): Promise<TestMessageTable[]> {
  return db
    .selectFrom('testMessage')
    .selectAll()
    .where('toldAt', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** @returns false when another notifier has it */
export async function takeTestMessage(trx: DbOrTrx, id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('testMessage')
    .set({ toldAt: now })
    .where('id', '=', id)
    .where('toldAt', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}
