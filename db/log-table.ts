import { sql, type ColumnDefinitionBuilder, type Kysely } from 'kysely'

const id = 'varchar(36)'
const some = (c: ColumnDefinitionBuilder) => c.notNull()

/** Makes the table of log entries, where it is missing. Few indexes: it is written more than it is read, and searches go by time, which is the key. */
export async function createLogTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('logEntry')
    .ifNotExists()
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('at', 'bigint', some)
    .addColumn('level', 'integer', some)
    .addColumn('part', 'varchar(32)', some)
    .addColumn('message', sql`longtext`, some)
    .addColumn('requestId', id)
    .addColumn('deviceId', id)
    .addColumn('userId', id)
    .addColumn('traceId', 'varchar(32)')
    .addColumn('data', sql`longtext`)
    .addColumn('bytes', 'integer', some)
    .execute()
}
