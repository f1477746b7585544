import { sql, type ColumnDefinitionBuilder, type Kysely } from 'kysely'

const id = 'varchar(36)'
const hash = 'varchar(64)'
const long = sql`longtext`
const some = (c: ColumnDefinitionBuilder) => c.notNull()

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('facility').addColumn('gln', 'varchar(13)').execute()
  await db.schema.createIndex('facilityGln').unique().on('facility').column('gln').execute()
  // In the order of recording, as EPCIS queries are read.
  await db.schema.createIndex('stockEventRecorded').on('stockEvent').columns(['recordedAt', 'id']).execute()
  await db.schema.createIndex('breachUpdated').on('breach').columns(['updatedAt', 'id']).execute()
  await db.schema
    .createTable('epcisCapture')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('userId', id, some)
    .addColumn('facilityId', id)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('finishedAt', 'bigint')
    .addColumn('outcomes', long)
    .execute()
  await db.schema
    .createTable('epcisEvent')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('identity', hash, (c) => c.notNull().unique())
    .addColumn('eventId', 'varchar(200)', some)
    .addColumn('captureId', id, (c) => c.notNull().references('epcisCapture.id'))
    .addColumn('facilityId', id)
    .addColumn('eventTime', 'bigint', some)
    .addColumn('recordedAt', 'bigint', some)
    .addColumn('body', long, some)
    .addColumn('bodyHash', hash, some)
    .addColumn('stockEventId', id, (c) => c.unique().references('stockEvent.id'))
    .addColumn('errorCode', 'varchar(64)')
    .execute()
  await db.schema.createIndex('epcisEventRecorded').on('epcisEvent').columns(['recordedAt', 'id']).execute()
}
