import type { Kysely } from 'kysely'

/** What was said of the end, so that those who were told hear when late data moves it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('notification').addColumn('saidEndAt', 'bigint').execute()
}
