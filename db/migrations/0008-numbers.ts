import type { ColumnDefinitionBuilder, Kysely } from 'kysely'

const id = 'varchar(36)'
const some = (c: ColumnDefinitionBuilder) => c.notNull()

export async function up(db: Kysely<unknown>): Promise<void> {
  // Reports ask for what began in some time.
  await db.schema.createIndex('breachFacilityStart').on('breach').columns(['facilityId', 'startAt']).execute()
  await db.schema
    .createTable('timeToBreach')
    .addColumn('equipmentId', id, (c) => c.primaryKey().references('equipment.id'))
    .addColumn('facilityId', id, (c) => c.notNull().references('facility.id'))
    .addColumn('deviceId', id, some)
    .addColumn('sensor', 'varchar(64)', some)
    .addColumn('state', 'varchar(16)', some)
    .addColumn('basis', 'varchar(16)')
    .addColumn('since', 'bigint')
    .addColumn('powerOutSince', 'bigint')
    .addColumn('asOf', 'bigint', some)
    .addColumn('celsius', 'double precision', some)
    .addColumn('limitCelsius', 'double precision', some)
    .addColumn('lowAt', 'bigint')
    .addColumn('medianAt', 'bigint')
    .addColumn('highAt', 'bigint')
    .addColumn('urgentAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .execute()
  await db.schema
    .createIndex('timeToBreachUrgent')
    .on('timeToBreach')
    .columns(['urgentAt', 'equipmentId'])
    .execute()
  await db.schema.createIndex('timeToBreachUpdated').on('timeToBreach').column('updatedAt').execute()
}
