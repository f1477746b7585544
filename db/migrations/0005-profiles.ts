import { sql, type ColumnDefinitionBuilder, type Kysely } from 'kysely'

const id = 'varchar(36)'
const code = 'varchar(64)'
const ruleId = 'varchar(64)'
const name = 'varchar(200)'
const time = 'varchar(5)'
const long = sql`longtext`
const some = (c: ColumnDefinitionBuilder) => c.notNull()

export async function up(db: Kysely<unknown>): Promise<void> {
  await extendRules(db)
  await createProfiles(db)
  await createUses(db)
  await adoptRules(db as Kysely<Before>)
}

async function extendRules(db: Kysely<unknown>): Promise<void> {
  const rule = () => db.schema.alterTable('rule')
  await rule()
    .addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
    .execute()
  await rule()
    .addColumn('measure', 'varchar(20)', (c) => c.notNull().defaultTo('value'))
    .execute()
  await rule().addColumn('windowKind', 'varchar(10)').execute()
  await rule().addColumn('windowMs', 'bigint').execute()
  await rule()
    .addColumn('hysteresis', 'double precision', (c) => c.notNull().defaultTo(0))
    .execute()
  await rule().addColumn('activeFrom', time).execute()
  await rule().addColumn('activeTo', time).execute()
  await rule().addColumn('validFrom', 'bigint').execute()
  await rule().addColumn('validTo', 'bigint').execute()
}

async function createProfiles(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('profile')
    .addColumn('code', code, (c) => c.primaryKey())
    .addColumn('name', name, some)
    .addColumn('description', long, some)
    .addColumn('facilityId', id, (c) => c.references('facility.id'))
    .addColumn('isShipped', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .execute()
  await db.schema
    .createTable('profileVersion')
    .addColumn('profile', code, (c) => c.notNull().references('profile.code'))
    .addColumn('version', 'integer', some)
    .addColumn('validFrom', 'bigint')
    .addColumn('validTo', 'bigint')
    .addColumn('comment', long, some)
    .addColumn('publishedAt', 'bigint', some)
    .addColumn('publishedBy', id)
    .addPrimaryKeyConstraint('profileVersionPrimary', ['profile', 'version'])
    .execute()
  await db.schema
    .createTable('profileRule')
    .addColumn('profile', code, some)
    .addColumn('version', 'integer', some)
    .addColumn('ruleId', ruleId, (c) => c.notNull().references('rule.id'))
    .addPrimaryKeyConstraint('profileRulePrimary', ['profile', 'version', 'ruleId'])
    .addForeignKeyConstraint('profileRuleVersion', ['profile', 'version'], 'profileVersion', [
      'profile',
      'version',
    ])
    .execute()
}

async function createUses(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('profileOverride')
    .addColumn('facilityId', id, (c) => c.notNull().references('facility.id'))
    .addColumn('profile', code, (c) => c.notNull().references('profile.code'))
    .addColumn('fromAt', 'bigint', some)
    .addColumn('replacement', code, (c) => c.references('profile.code'))
    .addColumn('setAt', 'bigint', some)
    .addColumn('setBy', id, some)
    .addPrimaryKeyConstraint('profileOverridePrimary', ['facilityId', 'profile', 'fromAt'])
    .execute()
  await db.schema
    .createTable('equipmentProfile')
    .addColumn('equipmentId', id, (c) => c.notNull().references('equipment.id'))
    .addColumn('untilAt', 'bigint', some)
    .addColumn('profile', code, (c) => c.notNull().references('profile.code'))
    .addColumn('changedAt', 'bigint', some)
    .addColumn('changedBy', id, some)
    .addPrimaryKeyConstraint('equipmentProfilePrimary', ['equipmentId', 'untilAt'])
    .execute()
  await db.schema
    .createTable('ruleChange')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('at', 'bigint', some)
    .addColumn('fromAt', 'bigint', some)
    .addColumn('reaches', long, some)
    .addColumn('doneAt', 'bigint')
    .execute()
  await db.schema.createIndex('ruleChangeDone').on('ruleChange').columns(['doneAt', 'id']).execute()
  // Which equipment a profile reaches, now and in the past.
  await db.schema.createIndex('equipmentProfileCode').on('equipment').column('profile').execute()
}

interface Before {
  rule: { id: string; profile: string }
  profile: {
    code: string
    name: string
    description: string
    facilityId: null
    isShipped: 1
    createdAt: number
  }
  profileVersion: {
    profile: string
    version: number
    validFrom: null
    validTo: null
    comment: string
    publishedAt: number
    publishedBy: null
  }
  profileRule: { profile: string; version: number; ruleId: string }
}

/** What was there shipped, and always held. Fit to run twice. */
async function adoptRules(db: Kysely<Before>): Promise<void> {
  const rules = await db.selectFrom('rule').select(['id', 'profile']).execute()
  const known = new Set((await db.selectFrom('profile').select('code').execute()).map((row) => row.code))
  for (const [profile, of] of Map.groupBy(rules, (rule) => rule.profile)) {
    if (known.has(profile)) continue
    const shipped = { description: '', facilityId: null, isShipped: 1, createdAt: 0 } as const
    await db
      .insertInto('profile')
      .values({ code: profile, name: profile, ...shipped })
      .execute()
    const always = { validFrom: null, validTo: null, comment: '', publishedAt: 0, publishedBy: null }
    await db
      .insertInto('profileVersion')
      .values({ profile, version: 1, ...always })
      .execute()
    await db
      .insertInto('profileRule')
      .values(of.map(({ id: one }) => ({ profile, version: 1, ruleId: one })))
      .execute()
  }
}
