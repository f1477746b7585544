import { Migrator, type Migration } from 'kysely/migration'
import { isDuplicate } from './dialects/duplicate.ts'
import { withMigrationLock } from './migration-lock.ts'
import type { Db } from './schema.ts'
import { keepShippedProfiles } from './shipped-profiles.ts'
import * as m0001 from './migrations/0001-cold-chain.ts'
import * as m0002 from './migrations/0002-stock.ts'
import * as m0003 from './migrations/0003-orders.ts'
import * as m0004 from './migrations/0004-epcis.ts'
import * as m0005 from './migrations/0005-profiles.ts'
import * as m0006 from './migrations/0006-watch.ts'
import * as m0007 from './migrations/0007-people.ts'
import * as m0008 from './migrations/0008-numbers.ts'
import * as m0009 from './migrations/0009-grafana.ts'
import * as m0010 from './migrations/0010-logs.ts'
import * as m0011 from './migrations/0011-said-end.ts'
import { SHIPPED_REASONS } from '../domain/stock.ts'
import { WATCH_RULES } from '../domain/watch-rule.ts'

const migrations: Record<string, Migration> = {
  '0001-cold-chain': m0001,
  '0002-stock': m0002,
  '0003-orders': m0003,
  '0004-epcis': m0004,
  '0005-profiles': m0005,
  '0006-watch': m0006,
  '0007-people': m0007,
  '0008-numbers': m0008,
  '0009-grafana': m0009,
  '0010-logs': m0010,
  '0011-said-end': m0011,
}

/**
 * Brings the schema up to date and the shipped profiles and reasons in. Throws at the first failure: nothing starts on a half-migrated database. Of several
 * processes that start at once one migrates and the others wait. A migration that was cut short begins again: on MySQL what it made is
 * then there, so that a step that changes rows must be fit to run twice.
 */
export async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await withMigrationLock(db, () => migrator.migrateToLatest())
  if (error) throw new Error('migration failed', { cause: error })
  await keepShippedProfiles(db, Date.now())
  await keepWatchRules(db)
  await keepShippedReasons(db)
}

async function keepWatchRules(db: Db): Promise<void> {
  const known = new Set((await db.selectFrom('rule').select('id').execute()).map((row) => row.id))
  for (const rule of WATCH_RULES.filter(({ id }) => !known.has(id)))
    await tolerateDuplicate(
      db
        .insertInto('rule')
        .values({ ...rule, version: 1, measure: 'value', hysteresis: 0 })
        .execute(),
    )
}

async function keepShippedReasons(db: Db): Promise<void> {
  const known = new Set((await db.selectFrom('reason').select('code').execute()).map((row) => row.code))
  const row = { version: 1, createdAt: 0, updatedAt: 0, archivedAt: null }
  for (const reason of SHIPPED_REASONS.filter(({ code }) => !known.has(code)))
    await tolerateDuplicate(
      db
        .insertInto('reason')
        .values({ ...reason, ...row })
        .execute(),
    )
}

// One by one: of two processes that start at once each finds the other's rows there.
async function tolerateDuplicate(inserted: Promise<unknown>): Promise<void> {
  await inserted.catch((error: unknown) => {
    if (!isDuplicate(error)) throw error
  })
}
