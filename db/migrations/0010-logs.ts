import type { Kysely } from 'kysely'
import { createLogTable } from '../log-table.ts'

export async function up(db: Kysely<unknown>): Promise<void> {
  await createLogTable(db)
  // In which request, and in which part of the tree whoever did it could act then.
  await db.schema.alterTable('audit').addColumn('requestId', 'varchar(36)').execute()
  await db.schema.alterTable('audit').addColumn('scope', 'varchar(400)').execute()
  await db.schema.alterTable('breachChange').addColumn('traceparent', 'varchar(55)').execute()
}
