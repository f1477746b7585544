import { sql } from 'kysely'
import { createHash } from 'node:crypto'
import { isDuplicate } from '../dialects/duplicate.ts'
import type { DbOrTrx, DeviceAttributeTable, DeviceTable } from '../schema.ts'
import { insertChanges } from './change.ts'
import { contains } from './filter.ts'
import { likePrefix } from './facility.ts'

/** How an access token is kept: SHA-256, hex. Tokens are long and random, so that a slow hash would only slow the broker down. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export async function findDeviceByToken(db: DbOrTrx, token: string): Promise<DeviceTable | undefined> {
  return db.selectFrom('device').selectAll().where('tokenHash', '=', hashToken(token)).executeTakeFirst()
}

export async function findDevice(db: DbOrTrx, id: string): Promise<DeviceTable | undefined> {
  return db.selectFrom('device').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Those of the devices that exist. */
export async function findDevices(db: DbOrTrx, ids: readonly string[]): Promise<DeviceTable[]> {
  if (ids.length === 0) return []
  return db.selectFrom('device').selectAll().where('id', 'in', ids).execute()
}

export async function insertDevice(db: DbOrTrx, device: DeviceTable): Promise<void> {
  await db.insertInto('device').values(device).execute()
}

/** Those of a gateway's devices that have one of these names. */
export async function findChildren(
  db: DbOrTrx,
  gatewayId: string,
  names: readonly string[],
): Promise<DeviceTable[]> {
  if (names.length === 0) return []
  return db
    .selectFrom('device')
    .selectAll()
    .where('gatewayId', '=', gatewayId)
    .where('name', 'in', names)
    .execute()
}

export async function countChildren(db: DbOrTrx, gatewayId: string): Promise<number> {
  const { count } = await db
    .selectFrom('device')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('gatewayId', '=', gatewayId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Inserts devices behind gateways; of one that somebody else has made in the meantime, that one stays. */
export async function insertChildren(db: DbOrTrx, children: readonly DeviceTable[]): Promise<void> {
  if (children.length === 0) return
  try {
    await db.insertInto('device').values(children).execute()
  } catch (error) {
    if (!isDuplicate(error)) throw error
    // One row that is there already fails the statement for all of them; alone, it needs nothing.
    if (children.length > 1) for (const child of children) await insertChildren(db, [child])
  }
}

/** A device and where it stands: itself, or the gateway that it speaks through. */
export interface PlacedDevice extends DeviceTable {
  readonly facilityId: string | null
  readonly facilityName: string | null
  readonly equipmentName: string | null
  readonly path: string | null
}

/** A device whose equipment (or whose gateway's) stands under the path `scope`. One that stands nowhere is found by the empty scope only. */
export async function findDeviceInScope(
  db: DbOrTrx,
  id: string,
  scope: string,
): Promise<PlacedDevice | undefined> {
  return devicesIn(db, scope).where('d.id', '=', id).executeTakeFirst()
}

/** Those of these devices that `findDeviceInScope` would find. */
export async function findDevicesInScope(
  db: DbOrTrx,
  ids: readonly string[],
  scope: string,
): Promise<PlacedDevice[]> {
  return ids.length === 0 ? [] : devicesIn(db, scope).where('d.id', 'in', ids).execute()
}

/** In the order of their making. `under`: path of a facility; what stands in it or below it. */
export async function listDevices(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly equipmentId: string | undefined
    readonly gatewayId: string | undefined
    /** Those alone that are in no equipment: a gateway has named them, and nobody has said what they watch. */
    readonly isUnplaced: boolean
    readonly search: string | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<PlacedDevice[]> {
  return devicesIn(db, query.scope)
    .$if(query.under !== undefined, (q) => q.where(placedPath, 'like', likePrefix(query.under ?? '')))
    .$if(query.equipmentId !== undefined, (q) => q.where('d.equipmentId', '=', query.equipmentId ?? ''))
    .$if(query.gatewayId !== undefined, (q) => q.where('d.gatewayId', '=', query.gatewayId ?? ''))
    .$if(query.isUnplaced, (q) => q.where('d.equipmentId', 'is', null))
    .$if(query.search !== undefined, (q) => q.where(contains(['d.name', 'e.name'], query.search ?? '')))
    .$if(query.after !== undefined, (q) => q.where('d.id', '>', query.after ?? ''))
    .orderBy('d.id')
    .limit(query.limit)
    .execute()
}

/** Where devices stand, for those that are known and stand somewhere. */
export async function findDevicePaths(
  db: DbOrTrx,
  ids: readonly string[],
): Promise<{ readonly id: string; readonly path: string | null }[]> {
  if (ids.length === 0) return []
  return devicesIn(db, '').where('d.id', 'in', ids).execute()
}

/** Ids of the devices of one piece of equipment. */
export async function listDeviceIdsOfEquipment(db: DbOrTrx, equipmentId: string): Promise<string[]> {
  const rows = await db.selectFrom('device').select('id').where('equipmentId', '=', equipmentId).execute()
  return rows.map((row) => row.id)
}

/** The devices of each of these pieces of equipment. */
export async function listDeviceIdsByEquipment(
  db: DbOrTrx,
  equipmentIds: readonly string[],
): Promise<Map<string, string[]>> {
  if (equipmentIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('device')
    .select(['id', 'equipmentId'])
    .where('equipmentId', 'in', equipmentIds)
    .execute()
  const of = new Map<string, string[]>()
  for (const { id, equipmentId } of rows)
    of.set(equipmentId ?? '', [...(of.get(equipmentId ?? '') ?? []), id])
  return of
}

/** The devices of one piece of equipment, in the order of their making. */
export async function listDevicesOfEquipment(
  db: DbOrTrx,
  equipmentId: string,
): Promise<Pick<DeviceTable, 'id' | 'name'>[]> {
  return db
    .selectFrom('device')
    .select(['id', 'name'])
    .where('equipmentId', '=', equipmentId)
    .orderBy('id')
    .execute()
}

/** Notes a change of a device, and of the devices that speak through it: they stand where it does. */
export async function insertDeviceChanges(
  trx: DbOrTrx,
  at: number,
  facilities: readonly (string | null)[],
  id: string,
): Promise<void> {
  const known = facilities.filter((facilityId) => facilityId !== null)
  const children = await trx.selectFrom('device').select('id').where('gatewayId', '=', id).execute()
  for (const deviceId of [id, ...children.map((child) => child.id)])
    await insertChanges(trx, at, known, 'device', deviceId)
}

/** Ids of the devices that stand under a path. */
export async function listDeviceIdsUnder(db: DbOrTrx, path: string): Promise<string[]> {
  const rows = await devicesIn(db, path).execute()
  return rows.map((row) => row.id)
}

export async function updateDevice(
  db: DbOrTrx,
  id: string,
  set: Partial<Pick<DeviceTable, 'name' | 'equipmentId' | 'disabledAt' | 'tokenHash'>>,
): Promise<void> {
  await db.updateTable('device').set(set).where('id', '=', id).execute()
}

/** What a device has said of itself, by key. */
export async function listDeviceAttributes(
  db: DbOrTrx,
  deviceId: string,
  limit: number,
): Promise<DeviceAttributeTable[]> {
  return db
    .selectFrom('deviceAttribute')
    .selectAll()
    .where('deviceId', '=', deviceId)
    .orderBy('key')
    .limit(limit)
    .execute()
}

const placedPath = sql<string | null>`coalesce(f.path, gf.path)`

function devicesIn(db: DbOrTrx, scope: string) {
  return db
    .selectFrom('device as d')
    .leftJoin('equipment as e', 'e.id', 'd.equipmentId')
    .leftJoin('facility as f', 'f.id', 'e.facilityId')
    .leftJoin('device as g', 'g.id', 'd.gatewayId')
    .leftJoin('equipment as ge', 'ge.id', 'g.equipmentId')
    .leftJoin('facility as gf', 'gf.id', 'ge.facilityId')
    .selectAll('d')
    .select([
      placedPath.as('path'),
      sql<string | null>`coalesce(f.id, gf.id)`.as('facilityId'),
      sql<string | null>`coalesce(f.name, gf.name)`.as('facilityName'),
      'e.name as equipmentName',
    ])
    .$if(scope !== '', (q) => q.where(placedPath, 'like', likePrefix(scope)))
}
