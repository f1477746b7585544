import type { OutageMemberTable, OutageReason } from '../schema-watch.ts'
import type { BreachTable, DbOrTrx } from '../schema.ts'

/** A watched device with what there is to know of it for an outage. */
export interface AreaDevice {
  readonly deviceId: string
  readonly gatewayId: string | null
  readonly equipmentId: string
  readonly facilityId: string
  readonly newestAt: number
  readonly arrivedAt: number
  readonly limitMs: number
  readonly dueAt: number | null
  readonly checkBy: number | null
  readonly powerLostAt: number | null
  /** Its silence that is open. */
  readonly silenceId: string | null
  readonly silentSince: number | null
}

/** The devices that stand in the children of a place, or in the place itself. */
export async function listAreaDevices(
  db: DbOrTrx,
  areaId: string,
  scope: 'children' | 'itself',
): Promise<AreaDevice[]> {
  return db
    .selectFrom('facility as f')
    .innerJoin('equipment as e', 'e.facilityId', 'f.id')
    .innerJoin('device as d', 'd.equipmentId', 'e.id')
    .innerJoin('deviceWatch as w', 'w.deviceId', 'd.id')
    .leftJoin('breach as b', (join) =>
      join.onRef('b.deviceId', '=', 'd.id').on('b.ruleId', '=', 'silence').on('b.state', '=', 'open'),
    )
    .select(['d.id as deviceId', 'd.gatewayId', 'e.id as equipmentId', 'f.id as facilityId'])
    .select(['w.newestAt', 'w.arrivedAt', 'w.limitMs', 'w.dueAt', 'w.checkBy', 'w.powerLostAt'])
    .select(['b.id as silenceId', 'b.startAt as silentSince'])
    .where(scope === 'children' ? 'f.parentId' : 'f.id', '=', areaId)
    .where('d.disabledAt', 'is', null)
    .execute()
}

/** Where devices stand: their facility and the place above it. Those that stand nowhere or are disabled are left out. */
export async function findSites(
  db: DbOrTrx,
  deviceIds: readonly string[],
): Promise<{ readonly deviceId: string; readonly facilityId: string; readonly parentId: string | null }[]> {
  if (deviceIds.length === 0) return []
  return db
    .selectFrom('device as d')
    .innerJoin('equipment as e', 'e.id', 'd.equipmentId')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .select(['d.id as deviceId', 'f.id as facilityId', 'f.parentId'])
    .where('d.id', 'in', deviceIds)
    .where('d.disabledAt', 'is', null)
    .execute()
}

export async function countChildren(db: DbOrTrx, facilityId: string): Promise<number> {
  const { count } = await db
    .selectFrom('facility')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('parentId', '=', facilityId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Lets one watcher at a time decide what is an outage there. First thing in a transaction. */
export async function lockArea(trx: DbOrTrx, facilityId: string): Promise<void> {
  await trx
    .updateTable('facility')
    .set(({ ref }) => ({ version: ref('version') }))
    .where('id', '=', facilityId)
    .execute()
}

/** Outages that are open, in the order of their ids, from beyond `after`. */
export async function listOpenOutages(db: DbOrTrx, after: string, limit: number): Promise<BreachTable[]> {
  return db
    .selectFrom('breach')
    .selectAll()
    .where('ruleId', '=', 'site-outage')
    .where('state', '=', 'open')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** Of these places. */
export async function listOpenOutagesAt(db: DbOrTrx, facilityIds: readonly string[]): Promise<BreachTable[]> {
  if (facilityIds.length === 0) return []
  return db
    .selectFrom('breach')
    .selectAll()
    .where('ruleId', '=', 'site-outage')
    .where('state', '=', 'open')
    .where('facilityId', 'in', facilityIds)
    .execute()
}

/** What is a part of an outage: silences and losses of power of its devices; of an area, the outages of its places. */
export async function listParts(db: DbOrTrx, outageId: string): Promise<BreachTable[]> {
  return db
    .selectFrom('breach')
    .selectAll()
    .where('outageId', '=', outageId)
    .orderBy('startAt')
    .orderBy('id')
    .execute()
}

/** Open breaches of these devices that say that there is no power. */
export async function listPowerBreaches(db: DbOrTrx, deviceIds: readonly string[]): Promise<BreachTable[]> {
  if (deviceIds.length === 0) return []
  return db
    .selectFrom('breach as b')
    .innerJoin('rule as r', 'r.id', 'b.ruleId')
    .selectAll('b')
    .where('b.deviceId', 'in', deviceIds)
    .where('b.state', '=', 'open')
    .where('r.quantity', 'in', ['powerOn', 'powerGoodSeconds'])
    .execute()
}

export async function insertMembers(
  trx: DbOrTrx,
  breachId: string,
  members: readonly { readonly deviceId: string; readonly reason: OutageReason; readonly since: number }[],
): Promise<void> {
  const known = new Set((await listMembers(trx, breachId)).map(({ deviceId }) => deviceId))
  const rows = members
    .filter(({ deviceId }) => !known.has(deviceId))
    .map((one) => ({ ...one, breachId, backAt: null }))
  if (rows.length > 0) await trx.insertInto('outageMember').values(rows).execute()
}

export interface Member extends OutageMemberTable {
  readonly deviceName: string
  readonly arrivedAt: number | null
  readonly powerLostAt: number | null
  readonly silenceId: string | null
}

/** The devices of an outage, and how they are now. */
export async function listMembers(db: DbOrTrx, breachId: string): Promise<Member[]> {
  return db
    .selectFrom('outageMember as m')
    .innerJoin('device as d', 'd.id', 'm.deviceId')
    .leftJoin('deviceWatch as w', 'w.deviceId', 'm.deviceId')
    .leftJoin('breach as b', (join) =>
      join.onRef('b.deviceId', '=', 'm.deviceId').on('b.ruleId', '=', 'silence').on('b.state', '=', 'open'),
    )
    .selectAll('m')
    .select(['d.name as deviceName', 'w.arrivedAt', 'w.powerLostAt', 'b.id as silenceId'])
    .where('m.breachId', '=', breachId)
    .orderBy('m.since')
    .orderBy('m.deviceId')
    .execute()
}

export async function updateBackAt(
  trx: DbOrTrx,
  { breachId, deviceId }: Pick<OutageMemberTable, 'breachId' | 'deviceId'>,
  backAt: number | null,
): Promise<void> {
  await trx
    .updateTable('outageMember')
    .set({ backAt })
    .where('breachId', '=', breachId)
    .where('deviceId', '=', deviceId)
    .execute()
}
