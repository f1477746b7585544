import { sql } from 'kysely'
import type { SensorKey } from '../../domain/reading.ts'
import type { BreachClosing } from '../schema-people.ts'
import type { RuleTable } from '../schema-rules.ts'
import type { BreachChangeTable, BreachState, BreachTable, DbOrTrx } from '../schema.ts'
import { SILENT_RULES } from './equipment-state.ts'
import { likePrefix } from './facility.ts'

/** A breach with the names that people know things by. Names are null where the thing is gone, or never was. */
export interface BreachDetail extends Readonly<BreachTable> {
  /** Null: of a whole place. */
  readonly deviceName: string | null
  readonly equipmentName: string | null
  readonly facilityName: string | null
  /** Of the facility. */
  readonly timeZone: string | null
  readonly ruleName: string | null
  readonly quantity: RuleTable['quantity'] | null
  readonly comparator: RuleTable['comparator'] | null
  readonly threshold: number | null
  readonly durationMs: number | null
}

export interface BreachQuery {
  readonly deviceId?: string | undefined
  readonly equipmentId?: string | undefined
  /** Path of a facility: breaches there and below. Both must hold when both are given; a breach without a facility is under none. */
  readonly facilityPathPrefix?: string | undefined
  /** The part of the tree in which the asker acts; empty or left out for all of it. */
  readonly scope?: string | undefined
  readonly state?: BreachState | undefined
  readonly severity?: BreachTable['severity'] | undefined
  readonly acknowledged?: boolean | undefined
  readonly ruleId?: string | undefined
  /** The breaches that are part of this one. */
  readonly outageId?: string | undefined
  /** The last one of the page before. */
  readonly cursor?: Pick<BreachTable, 'startAt' | 'id'> | undefined
  readonly limit: number
}

/** @param scope as in `BreachQuery`: a breach outside of it is not found */
export async function findBreach(db: DbOrTrx, id: string, scope = ''): Promise<BreachDetail | undefined> {
  return breachesIn(db, scope).where('b.id', '=', id).executeTakeFirst()
}

/** Those of these breaches that there are, and that `scope` shows. */
export async function findBreaches(
  db: DbOrTrx,
  ids: readonly string[],
  scope: string,
): Promise<BreachDetail[]> {
  return ids.length === 0 ? [] : breachesIn(db, scope).where('b.id', 'in', ids).execute()
}

/** Newest first, by start and id. */
export async function listBreaches(db: DbOrTrx, query: BreachQuery): Promise<BreachDetail[]> {
  const {
    deviceId,
    equipmentId,
    facilityPathPrefix,
    scope = '',
    state,
    severity,
    acknowledged,
    ruleId,
    outageId,
    cursor,
    limit,
  } = query
  return breachesIn(db, scope)
    .$if(deviceId !== undefined, (q) => q.where('b.deviceId', '=', deviceId ?? ''))
    .$if(equipmentId !== undefined, (q) => q.where('b.equipmentId', '=', equipmentId ?? ''))
    .$if(!!facilityPathPrefix, (q) => q.where('f.path', 'like', likePrefix(facilityPathPrefix ?? '')))
    .$if(state !== undefined, (q) => q.where('b.state', '=', state ?? 'open'))
    .$if(severity !== undefined, (q) => q.where('b.severity', '=', severity ?? 'critical'))
    .$if(acknowledged !== undefined, (q) => q.where('b.acknowledgedAt', acknowledged ? 'is not' : 'is', null))
    .$if(ruleId !== undefined, (q) => q.where('b.ruleId', '=', ruleId ?? ''))
    .$if(outageId !== undefined, (q) => q.where('b.outageId', '=', outageId ?? ''))
    .$if(cursor !== undefined, (q) =>
      q.where(({ eb, or, and }) =>
        or([
          eb('b.startAt', '<', cursor?.startAt ?? 0),
          and([eb('b.startAt', '=', cursor?.startAt ?? 0), eb('b.id', '<', cursor?.id ?? '')]),
        ]),
      ),
    )
    .orderBy('b.startAt', 'desc')
    .orderBy('b.id', 'desc')
    .limit(limit)
    .execute()
}

/** Open breaches of all but silence: what waits for somebody first, then what is critical, then the oldest. */
export async function listUrgentBreaches(db: DbOrTrx, scope: string, limit: number): Promise<BreachDetail[]> {
  return breachesIn(db, scope)
    .where('b.state', '=', 'open')
    .where('b.ruleId', 'not in', SILENT_RULES)
    .orderBy(sql`case when b.acknowledged_at is null then 0 else 1 end`)
    .orderBy(sql`case b.severity when 'critical' then 0 else 1 end`)
    .orderBy('b.startAt')
    .orderBy('b.id')
    .limit(limit)
    .execute()
}

/** How many open breaches of all but silence there are, and of how many nobody has said anything. */
export async function countOpenBreaches(
  db: DbOrTrx,
  scope: string,
): Promise<{ readonly open: number; readonly waiting: number }> {
  const row = await db
    .selectFrom('breach as b')
    .innerJoin('facility as f', 'f.id', 'b.facilityId')
    .select((eb) => eb.fn.countAll<number | string>().as('open'))
    .select((eb) => eb.fn.count<number | string>('b.acknowledgedAt').as('acknowledged'))
    .where('b.state', '=', 'open')
    .where('b.ruleId', 'not in', SILENT_RULES)
    .where('f.path', 'like', likePrefix(scope))
    .executeTakeFirstOrThrow()
  return { open: Number(row.open), waiting: Number(row.open) - Number(row.acknowledged) }
}

function breachesIn(db: DbOrTrx, scope: string) {
  return db
    .selectFrom('breach as b')
    .leftJoin('device as d', 'd.id', 'b.deviceId')
    .leftJoin('equipment as e', 'e.id', 'b.equipmentId')
    .leftJoin('facility as f', 'f.id', 'b.facilityId')
    .leftJoin('rule as r', 'r.id', 'b.ruleId')
    .selectAll('b')
    .select(['d.name as deviceName', 'e.name as equipmentName', 'f.name as facilityName', 'f.timeZone'])
    .select(['r.name as ruleName', 'r.quantity', 'r.comparator', 'r.threshold', 'r.durationMs'])
    .$if(scope !== '', (q) => q.where('f.path', 'like', likePrefix(scope)))
}

/** Ids of the breaches that are part of an outage and not acknowledged yet, in their order. */
export async function listOutageMembers(db: DbOrTrx, outageId: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('breach')
    .select('id')
    .where('outageId', '=', outageId)
    .where('state', 'in', ['open', 'ended'])
    .where('acknowledgedAt', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

/** A change with the name of whoever made it; null where it was no person. */
export interface BreachChangeWithName extends Readonly<BreachChangeTable> {
  readonly actorName: string | null
}

/** The audit trail of a breach, oldest first. */
export async function listBreachChanges(db: DbOrTrx, breachId: string): Promise<BreachChangeWithName[]> {
  return db
    .selectFrom('breachChange as c')
    .leftJoin('userAccount as u', 'u.id', 'c.actor')
    .selectAll('c')
    .select('u.name as actorName')
    .where('c.breachId', '=', breachId)
    .orderBy('c.at')
    .orderBy('c.id')
    .execute()
}

/** The breach of a sensor that begins at this very reading, withdrawn or not. */
export async function findBreachByStart(
  db: DbOrTrx,
  key: SensorKey & Pick<BreachTable, 'ruleId' | 'startAt'>,
): Promise<BreachTable | undefined> {
  return db
    .selectFrom('breach')
    .selectAll()
    .where('deviceId', '=', key.deviceId)
    .where('sensor', '=', key.sensor)
    .where('ruleId', '=', key.ruleId)
    .where('startAt', '=', key.startAt)
    .executeTakeFirst()
}

/**
 * All breaches of a sensor that reach into [from, to]: those that begin there, withdrawn or not, and those that began
 * before and had not ended at `from`.
 */
export async function listBreachesWithin(
  db: DbOrTrx,
  { deviceId, sensor }: SensorKey,
  from: number,
  to: number,
): Promise<BreachTable[]> {
  return db
    .selectFrom('breach')
    .selectAll()
    .where('deviceId', '=', deviceId)
    .where('sensor', '=', sensor)
    .where('startAt', '<=', to)
    .where(({ eb, or, and }) =>
      or([
        eb('startAt', '>=', from),
        and([eb('state', '!=', 'withdrawn'), or([eb('endAt', 'is', null), eb('endAt', '>=', from)])]),
      ]),
    )
    .orderBy('startAt')
    .execute()
}

/** As `listBreachesWithin`, of one rule and whatever sensor. */
export async function listBreachesOfRule(
  db: DbOrTrx,
  query: { readonly deviceId: string; readonly ruleId: string; readonly from: number; readonly to: number },
): Promise<BreachTable[]> {
  return db
    .selectFrom('breach')
    .selectAll()
    .where('deviceId', '=', query.deviceId)
    .where('ruleId', '=', query.ruleId)
    .where('startAt', '<=', query.to)
    .where(({ eb, or, and }) =>
      or([
        eb('startAt', '>=', query.from),
        and([eb('state', '!=', 'withdrawn'), or([eb('endAt', 'is', null), eb('endAt', '>', query.from)])]),
      ]),
    )
    .orderBy('startAt')
    .execute()
}

/** The sensors of a device that have had a breach. */
export async function listBreachSensors(db: DbOrTrx, deviceId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('breach')
    .select('sensor')
    .distinct()
    .where('deviceId', '=', deviceId)
    .execute()
  return rows.map(({ sensor }) => sensor)
}

export async function insertBreach(db: DbOrTrx, row: BreachTable): Promise<void> {
  await db.insertInto('breach').values(row).execute()
}

export type BreachUpdate = Partial<
  Pick<
    BreachTable,
    | 'state'
    | 'startAt'
    | 'endAt'
    | 'peak'
    | 'peakAt'
    | 'lastAt'
    | 'readings'
    | 'updatedAt'
    | 'acknowledgedAt'
    | keyof BreachClosing
    | 'outageId'
    | 'cause'
  >
>

/** Of a breach that nobody has closed. */
export const NOT_CLOSED: BreachClosing = {
  closedAt: null,
  closedBy: null,
  closeReason: null,
  closeComment: null,
}

/** @returns false when there is no such breach */
export async function updateBreach(db: DbOrTrx, id: string, set: BreachUpdate): Promise<boolean> {
  const result = await db.updateTable('breach').set(set).where('id', '=', id).executeTakeFirst()
  return Number(result.numUpdatedRows) > 0
}

/** The one update that happens for every reading. @returns false when there is no such breach, or it is not open */
export async function extendOpenBreach(db: DbOrTrx, id: string, set: BreachUpdate): Promise<boolean> {
  const result = await db
    .updateTable('breach')
    .set(set)
    .where('id', '=', id)
    .where('state', '=', 'open')
    .executeTakeFirst()
  return Number(result.numUpdatedRows) > 0
}

export async function insertBreachChanges(db: DbOrTrx, rows: readonly BreachChangeTable[]): Promise<void> {
  if (rows.length > 0) await db.insertInto('breachChange').values(rows).execute()
}
