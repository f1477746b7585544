import { sql, type Kysely } from 'kysely'
import { dropNotNull } from '../dialects/nullable.ts'

// Portable, as those before.
const id = 'varchar(36)'

export async function up(db: Kysely<unknown>): Promise<void> {
  await dropNotNull(db, { table: 'breach', column: 'deviceId', type: id })
  await db.schema.alterTable('breach').addColumn('outageId', id).execute()
  await db.schema.alterTable('breach').addColumn('cause', 'varchar(32)').execute()
  await db.schema.createIndex('breachOutage').on('breach').column('outageId').execute()
  await db.schema.createIndex('breachRule').on('breach').columns(['ruleId', 'state', 'id']).execute()
  await createWatch(db)
  await createCalibrations(db)
}

async function createWatch(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deviceWatch')
    .addColumn('deviceId', id, (c) => c.primaryKey().references('device.id'))
    .addColumn('newestAt', 'bigint', (c) => c.notNull())
    .addColumn('arrivedAt', 'bigint', (c) => c.notNull())
    .addColumn('cadenceMs', 'bigint')
    .addColumn('pauseMs', 'bigint')
    .addColumn('limitMs', 'bigint', (c) => c.notNull())
    .addColumn('dueAt', 'bigint')
    .addColumn('checkFrom', 'bigint')
    .addColumn('checkTo', 'bigint')
    .addColumn('checkBy', 'bigint')
    .addColumn('powerLostAt', 'bigint')
    .addColumn('clockOffMs', 'bigint')
    .execute()
  await db.schema.createIndex('deviceWatchDue').on('deviceWatch').column('dueAt').execute()
  await db.schema.createIndex('deviceWatchCheck').on('deviceWatch').column('checkBy').execute()
  await db.schema.createIndex('deviceWatchClock').on('deviceWatch').column('clockOffMs').execute()
  await db.schema
    .createTable('deviceCadence')
    .addColumn('deviceId', id, (c) => c.notNull().references('device.id'))
    .addColumn('validFrom', 'bigint', (c) => c.notNull())
    .addColumn('cadenceMs', 'bigint')
    .addPrimaryKeyConstraint('deviceCadencePrimary', ['deviceId', 'validFrom'])
    .execute()
  await db.schema
    .createTable('watchAbsence')
    .addColumn('fromAt', 'bigint', (c) => c.primaryKey())
    .addColumn('toAt', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('watchBeat')
    .addColumn('id', 'varchar(16)', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('arrivedAt', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('outageMember')
    .addColumn('breachId', id, (c) => c.notNull().references('breach.id'))
    .addColumn('deviceId', id, (c) => c.notNull().references('device.id'))
    .addColumn('reason', 'varchar(16)', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('backAt', 'bigint')
    .addPrimaryKeyConstraint('outageMemberPrimary', ['breachId', 'deviceId'])
    .execute()
}

async function createCalibrations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('calibration')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('deviceId', id, (c) => c.notNull().references('device.id'))
    .addColumn('sensor', 'varchar(64)', (c) => c.notNull())
    .addColumn('calibratedAt', 'bigint', (c) => c.notNull())
    .addColumn('dueAt', 'bigint', (c) => c.notNull())
    .addColumn('certificate', 'varchar(200)')
    .addColumn('performedBy', 'varchar(200)')
    .addColumn('comment', sql`longtext`)
    .addColumn('isNewest', 'integer', (c) => c.notNull())
    .addColumn('breachId', id)
    .addColumn('createdBy', id, (c) => c.notNull())
    .addColumn('createdAt', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createIndex('calibrationSensor')
    .on('calibration')
    .columns(['deviceId', 'sensor', 'calibratedAt'])
    .execute()
  await db.schema.createIndex('calibrationDue').on('calibration').columns(['isNewest', 'dueAt']).execute()
  await db.schema.createIndex('calibrationBreach').on('calibration').column('breachId').execute()
}
