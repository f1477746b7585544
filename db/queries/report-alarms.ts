import type { Severity } from '../../domain/rule.ts'
import type { BreachState, DbOrTrx } from '../schema.ts'
import type { Span } from './report.ts'

export interface Alarm {
  readonly id: string
  readonly facilityId: string
  readonly severity: Severity
  readonly state: BreachState
  readonly startAt: number
  readonly endAt: number | null
  readonly recordedAt: number
  readonly acknowledgedAt: number | null
  /** Who acknowledged it first. */
  readonly userId: string | null
  readonly userName: string | null
}

/** Breaches that began in some time in these facilities, but for those that never were, in the order of their starts. */
export async function listAlarms(
  db: DbOrTrx,
  facilityIds: readonly string[],
  { fromMs, toMs }: Span,
  severity: Severity | undefined,
  limit: number,
): Promise<Alarm[]> {
  const rows = await db
    .selectFrom('breach as b')
    .leftJoin('userAccount as u', (join) =>
      join.on((eb) =>
        eb(
          'u.id',
          '=',
          eb
            .selectFrom('acknowledgement as a')
            .select('a.userId')
            .whereRef('a.breachId', '=', 'b.id')
            .orderBy('a.at')
            .orderBy('a.id')
            .limit(1),
        ),
      ),
    )
    .select(['b.id', 'b.facilityId', 'b.severity', 'b.state', 'b.startAt', 'b.endAt', 'b.recordedAt'])
    .select(['b.acknowledgedAt', 'u.id as userId', 'u.name as userName'])
    .where('b.facilityId', 'in', facilityIds)
    .where('b.startAt', '>=', fromMs)
    .where('b.startAt', '<', toMs)
    // What is part of an outage is told with it.
    .where('b.outageId', 'is', null)
    .where('b.state', '<>', 'withdrawn')
    .$if(severity !== undefined, (q) => q.where('b.severity', '=', severity ?? 'critical'))
    .orderBy('b.startAt')
    .orderBy('b.id')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ ...row, facilityId: row.facilityId ?? '' }))
}

export interface Placed {
  readonly facilityId: string
  readonly createdAt: number
}

/** The equipment of facilities. */
export async function listPlacedEquipment(db: DbOrTrx, facilityIds: readonly string[]): Promise<Placed[]> {
  return db
    .selectFrom('equipment')
    .select(['facilityId', 'createdAt'])
    .where('facilityId', 'in', facilityIds)
    .execute()
}

/** The devices in the equipment of facilities that are to report. */
export async function listPlacedDevices(db: DbOrTrx, facilityIds: readonly string[]): Promise<Placed[]> {
  return db
    .selectFrom('device as d')
    .innerJoin('equipment as e', 'e.id', 'd.equipmentId')
    .select(['e.facilityId', 'd.createdAt'])
    .where('e.facilityId', 'in', facilityIds)
    .where('d.disabledAt', 'is', null)
    .where('d.isGateway', '=', 0)
    .execute()
}

/** The rule that finds devices silent, where there is one. */
const SILENCE = 'silence'

/** Whether silence is watched for at all. */
export async function watchesSilence(db: DbOrTrx): Promise<boolean> {
  return (await db.selectFrom('rule').select('id').where('id', '=', SILENCE).executeTakeFirst()) !== undefined
}

/** The silences of devices that reach into some time. */
export async function listSilences(
  db: DbOrTrx,
  facilityIds: readonly string[],
  { fromMs, toMs }: Span,
): Promise<{ readonly facilityId: string; readonly startAt: number; readonly endAt: number | null }[]> {
  const rows = await db
    .selectFrom('breach')
    .select(['facilityId', 'startAt', 'endAt'])
    .where('facilityId', 'in', facilityIds)
    .where('ruleId', '=', SILENCE)
    .where('state', '<>', 'withdrawn')
    .where('startAt', '<', toMs)
    .where(({ eb, or }) => or([eb('endAt', 'is', null), eb('endAt', '>', fromMs)]))
    .execute()
  return rows.map((row) => ({ ...row, facilityId: row.facilityId ?? '' }))
}
