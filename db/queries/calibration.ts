import type { CalibrationTable } from '../schema-watch.ts'
import type { DbOrTrx } from '../schema.ts'

/** Of a device, the newest first. */
export async function listCalibrations(
  db: DbOrTrx,
  query: { readonly deviceId: string; readonly before: string | undefined; readonly limit: number },
): Promise<CalibrationTable[]> {
  return db
    .selectFrom('calibration')
    .selectAll()
    .where('deviceId', '=', query.deviceId)
    .$if(query.before !== undefined, (q) => q.where('id', '<', query.before ?? ''))
    .orderBy('id', 'desc')
    .limit(query.limit)
    .execute()
}

/** Keeps a calibration. The last one of a sensor says when the next is due, in whatever order they are entered. The caller holds the lock on the device. */
export async function insertCalibration(
  trx: DbOrTrx,
  row: Omit<CalibrationTable, 'isNewest' | 'breachId'>,
): Promise<CalibrationTable> {
  const others = await trx
    .selectFrom('calibration')
    .select(['id', 'calibratedAt'])
    .where('deviceId', '=', row.deviceId)
    .where('sensor', '=', row.sensor)
    .where('isNewest', '=', 1)
    .execute()
  const isNewest = others.every(({ calibratedAt }) => calibratedAt <= row.calibratedAt)
  if (isNewest && others.length > 0)
    await trx
      .updateTable('calibration')
      .set({ isNewest: 0 })
      .where(
        'id',
        'in',
        others.map(({ id }) => id),
      )
      .execute()
  const kept: CalibrationTable = { ...row, isNewest: isNewest ? 1 : 0, breachId: null }
  await trx.insertInto('calibration').values(kept).execute()
  return kept
}

/** Calibrations that are overdue and not said to be, and those that are said to be and were done again since. */
export async function listCalibrationNews(
  db: DbOrTrx,
  now: number,
  limit: number,
): Promise<CalibrationTable[]> {
  const overdue = await db
    .selectFrom('calibration')
    .selectAll()
    .where('isNewest', '=', 1)
    .where('dueAt', '<=', now)
    .where('breachId', 'is', null)
    .orderBy('dueAt')
    .limit(limit)
    .execute()
  const done = await db
    .selectFrom('calibration')
    .selectAll()
    .where('breachId', 'is not', null)
    .where('isNewest', '=', 0)
    .limit(limit)
    .execute()
  return [...done, ...overdue]
}

export async function findCalibration(db: DbOrTrx, id: string): Promise<CalibrationTable | undefined> {
  return db.selectFrom('calibration').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The last one of the same sensor. */
export async function findNewestCalibration(
  db: DbOrTrx,
  { deviceId, sensor }: Pick<CalibrationTable, 'deviceId' | 'sensor'>,
): Promise<CalibrationTable | undefined> {
  return db
    .selectFrom('calibration')
    .selectAll()
    .where('deviceId', '=', deviceId)
    .where('sensor', '=', sensor)
    .where('isNewest', '=', 1)
    .executeTakeFirst()
}

export async function setCalibrationBreach(trx: DbOrTrx, id: string, breachId: string | null): Promise<void> {
  await trx.updateTable('calibration').set({ breachId }).where('id', '=', id).execute()
}
