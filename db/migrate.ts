import { Migrator, type Migration } from 'kysely/migration'
import type { Db } from './schema.ts'
import * as m0001 from './migrations/0001-cold-chain.ts'
import { SHIPPED_RULES } from '../domain/rule.ts'

const migrations: Record<string, Migration> = {
  '0001-cold-chain': m0001,
}

/** Brings the schema up to date and the shipped rules in. Throws at the first failure: nothing starts on a half-migrated database. */
export async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error) throw new Error('migration failed', { cause: error })
  await keepShippedRules(db)
}

async function keepShippedRules(db: Db): Promise<void> {
  const known = new Set((await db.selectFrom('rule').select('id').execute()).map((row) => row.id))
  const missing = SHIPPED_RULES.filter((rule) => !known.has(rule.id))
  if (missing.length > 0) await db.insertInto('rule').values(missing).execute()
}
