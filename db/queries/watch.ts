import { sql, type RawBuilder } from 'kysely'
import type { CadenceSetting } from '../../domain/cadence.ts'
import type { TimeSpan } from '../../domain/silence.ts'
import { isDuplicate } from '../dialects/duplicate.ts'
import type { DeviceWatchTable } from '../schema-watch.ts'
import type { DbOrTrx } from '../schema.ts'

/** Rows in one statement. */
const BATCH_MAX = 100

export async function findWatched(db: DbOrTrx, deviceIds: readonly string[]): Promise<DeviceWatchTable[]> {
  if (deviceIds.length === 0) return []
  return db.selectFrom('deviceWatch').selectAll().where('deviceId', 'in', deviceIds).execute()
}

/** Of one that somebody else has made meanwhile that one stays. */
export async function insertWatched(db: DbOrTrx, rows: readonly DeviceWatchTable[]): Promise<void> {
  if (rows.length === 0) return
  try {
    await db.insertInto('deviceWatch').values(rows).execute()
  } catch (error) {
    if (!isDuplicate(error)) throw error
    if (rows.length > 1) for (const row of rows) await insertWatched(db, [row])
  }
}

/** Locks these rows until the transaction ends, in their order, so that two who lock several never wait for each other. */
export async function lockWatched(trx: DbOrTrx, deviceIds: readonly string[]): Promise<void> {
  for (const deviceId of deviceIds.toSorted())
    await trx
      .updateTable('deviceWatch')
      .set(({ ref }) => ({ limitMs: ref('limitMs') }))
      .where('deviceId', '=', deviceId)
      .execute()
}

/** What was heard of a device. */
export type Heard = Omit<DeviceWatchTable, 'checkFrom' | 'checkTo' | 'checkBy'>

/** Writes down what was heard of many devices, but for those of which somebody has heard later. */
export async function updateHeard(db: DbOrTrx, heard: readonly Heard[]): Promise<void> {
  for (let at = 0; at < heard.length; at += BATCH_MAX) await updateSome(db, heard.slice(at, at + BATCH_MAX))
}

async function updateSome(db: DbOrTrx, heard: readonly Heard[]): Promise<void> {
  const rows = await findWatched(
    db,
    heard.map(({ deviceId }) => deviceId),
  )
  const before = new Map(rows.map((row) => [row.deviceId, row]))
  const newer = heard.filter((one) => one.arrivedAt >= (before.get(one.deviceId)?.arrivedAt ?? Infinity))
  if (newer.length === 0) return
  // One statement for all of them: this is written for every device that speaks, every few seconds.
  const each = <T>(of: (one: Heard) => T): RawBuilder<T> => {
    const cases = newer.map((one) => sql`when ${one.deviceId} then ${of(one)}`)
    return sql<T>`case device_id ${sql.join(cases, sql` `)} end`
  }
  await db
    .updateTable('deviceWatch')
    .set({
      newestAt: each((one) => Math.max(one.newestAt, before.get(one.deviceId)?.newestAt ?? 0)),
      arrivedAt: each((one) => one.arrivedAt),
      cadenceMs: each((one) => one.cadenceMs),
      pauseMs: each((one) => one.pauseMs),
      limitMs: each((one) => one.limitMs),
      dueAt: each((one) => one.dueAt),
      powerLostAt: each((one) => one.powerLostAt),
      clockOffMs: each((one) => one.clockOffMs),
    })
    .where(
      'deviceId',
      'in',
      newer.map(({ deviceId }) => deviceId),
    )
    .execute()
}

/** A span of event time of a device that is to be looked at again, once everything accepted by `by` is stored. */
export interface Check {
  from: number
  to: number
  by: number
  newestAt: number
  arrivedAt: number
}

/** Adds to what is to be looked at again. In a transaction. */
export async function addChecks(trx: DbOrTrx, checks: ReadonlyMap<string, Check>): Promise<void> {
  const ids = [...checks.keys()]
  await lockWatched(trx, ids)
  for (const row of await findWatched(trx, ids)) {
    const check = checks.get(row.deviceId)
    if (check === undefined) continue
    await updateWatched(trx, row.deviceId, {
      checkFrom: Math.min(check.from, row.checkFrom ?? Infinity),
      checkTo: Math.max(check.to, row.checkTo ?? -Infinity),
      checkBy: Math.max(check.by, row.checkBy ?? -Infinity),
      newestAt: Math.max(check.newestAt, row.newestAt),
      arrivedAt: Math.max(check.arrivedAt, row.arrivedAt),
    })
  }
}

export async function updateWatched(
  db: DbOrTrx,
  deviceId: string,
  set: Partial<Omit<DeviceWatchTable, 'deviceId'>>,
): Promise<void> {
  await db.updateTable('deviceWatch').set(set).where('deviceId', '=', deviceId).execute()
}

/** Devices with readings to be looked at, all of them accepted before `storedBy`. */
export async function listChecks(db: DbOrTrx, storedBy: number, limit: number): Promise<DeviceWatchTable[]> {
  return db
    .selectFrom('deviceWatch')
    .selectAll()
    .where('checkBy', '<', storedBy)
    .orderBy('checkBy')
    .limit(limit)
    .execute()
}

/** Devices that somebody has to look at by now. */
export async function listDue(db: DbOrTrx, now: number, limit: number): Promise<DeviceWatchTable[]> {
  return db
    .selectFrom('deviceWatch')
    .selectAll()
    .where('dueAt', '<=', now)
    .orderBy('dueAt')
    .limit(limit)
    .execute()
}

/** What people have set, by device. */
export async function findCadenceSettings(
  db: DbOrTrx,
  deviceIds: readonly string[],
): Promise<Map<string, CadenceSetting[]>> {
  if (deviceIds.length === 0) return new Map()
  const rows = await db.selectFrom('deviceCadence').selectAll().where('deviceId', 'in', deviceIds).execute()
  return Map.groupBy(rows, ({ deviceId }) => deviceId)
}

/** From `validFrom` on. The device is looked at again at once. */
export async function setCadence(
  trx: DbOrTrx,
  deviceId: string,
  validFrom: number,
  cadenceMs: number | null,
): Promise<void> {
  const key = { deviceId, validFrom }
  await trx
    .deleteFrom('deviceCadence')
    .where('deviceId', '=', deviceId)
    .where('validFrom', '=', validFrom)
    .execute()
  await trx
    .insertInto('deviceCadence')
    .values({ ...key, cadenceMs })
    .execute()
  await lookAgain(trx, deviceId, validFrom)
}

/** Has the end of a device's readings looked at again, since what holds for it has changed. */
export async function lookAgain(trx: DbOrTrx, deviceId: string, at: number): Promise<void> {
  const [row] = await findWatched(trx, [deviceId])
  if (row === undefined) return
  const { newestAt, arrivedAt } = row
  await addChecks(trx, new Map([[deviceId, { from: newestAt, to: newestAt, by: at, newestAt, arrivedAt }]]))
}

const ABSENCES_MAX = 1000

/** The last times that nobody listened, newest first. */
export async function listAbsences(db: DbOrTrx): Promise<TimeSpan[]> {
  const rows = await db
    .selectFrom('watchAbsence')
    .selectAll()
    .orderBy('fromAt', 'desc')
    .limit(ABSENCES_MAX)
    .execute()
  return rows.map(({ fromAt, toAt }) => ({ from: fromAt, to: toAt }))
}

/** Notes that nobody listened from then on, until then at least. In a transaction that has the beat. */
export async function keepAbsence(trx: DbOrTrx, { from, to }: TimeSpan): Promise<void> {
  const result = await trx
    .updateTable('watchAbsence')
    .set({ toAt: to })
    .where('fromAt', '=', from)
    .executeTakeFirst()
  if (Number(result.numUpdatedRows) === 0)
    await trx.insertInto('watchAbsence').values({ fromAt: from, toAt: to }).execute()
}

const BEAT = 'watch'

/** When a watcher last looked, and when anything last came. Whoever takes it holds it until the transaction ends. */
export async function takeBeat(
  trx: DbOrTrx,
  now: number,
): Promise<{ readonly at: number; readonly arrivedAt: number } | undefined> {
  await trx
    .updateTable('watchBeat')
    .set(({ ref }) => ({ at: ref('at') }))
    .where('id', '=', BEAT)
    .execute()
  const beat = await trx
    .selectFrom('watchBeat')
    .select(['at', 'arrivedAt'])
    .where('id', '=', BEAT)
    .executeTakeFirst()
  if (beat) return beat
  await trx.insertInto('watchBeat').values({ id: BEAT, at: now, arrivedAt: now }).execute()
  return undefined
}

export async function keepBeat(trx: DbOrTrx, at: number, arrivedAt: number): Promise<void> {
  await trx.updateTable('watchBeat').set({ at, arrivedAt }).where('id', '=', BEAT).execute()
}

/** How many messages a second are to be expected from devices that are not silent, and from how many places. */
export async function findExpectedRate(
  db: DbOrTrx,
): Promise<{ readonly perSecond: number; readonly facilities: number }> {
  const row = await db
    .selectFrom('deviceWatch as w')
    .innerJoin('device as d', 'd.id', 'w.deviceId')
    .innerJoin('equipment as e', 'e.id', 'd.equipmentId')
    .select([
      sql<number | string | null>`sum(1000.0 / coalesce(w.pause_ms, w.cadence_ms, w.limit_ms))`.as('rate'),
      sql<number | string>`count(distinct e.facility_id)`.as('facilities'),
    ])
    .where('w.dueAt', 'is not', null)
    .executeTakeFirstOrThrow()
  return { perSecond: Number(row.rate ?? 0), facilities: Number(row.facilities) }
}

/** For the metrics. */
export async function countOpenBreaches(db: DbOrTrx, ruleId: string): Promise<number> {
  const { count } = await db
    .selectFrom('breach')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('ruleId', '=', ruleId)
    .where('state', '=', 'open')
    .executeTakeFirstOrThrow()
  return Number(count)
}
