import { sql, type ColumnDefinitionBuilder, type Kysely } from 'kysely'
import { dropNotNull } from '../dialects/nullable.ts'

const id = 'varchar(36)'
const name = 'varchar(200)'
const long = sql`longtext`
const some = (c: ColumnDefinitionBuilder) => c.notNull()

export async function up(db: Kysely<unknown>): Promise<void> {
  await closeBreaches(db)
  await tellPeople(db)
  await createContacts(db)
  await createPolicies(db)
}

async function closeBreaches(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('breach').addColumn('closedAt', 'bigint').execute()
  await db.schema.alterTable('breach').addColumn('closedBy', id).execute()
  await db.schema.alterTable('breach').addColumn('closeReason', 'varchar(32)').execute()
  await db.schema.alterTable('breach').addColumn('closeComment', long).execute()
}

async function tellPeople(db: Kysely<unknown>): Promise<void> {
  // A test message is about no breach.
  await dropNotNull(db, { table: 'notification', column: 'breachId', type: id })
  await db.schema.alterTable('notification').addColumn('userId', id).execute()
  await db.schema.alterTable('notification').addColumn('level', 'integer').execute()
  await db.schema.alterTable('notification').addColumn('saidState', 'varchar(20)').execute()
  await db.schema.createIndex('notificationUser').on('notification').columns(['userId', 'id']).execute()
  await db.schema
    .createTable('breachEscalation')
    .addColumn('breachId', id, (c) => c.primaryKey().references('breach.id'))
    .addColumn('nextAt', 'bigint', some)
    .execute()
  await db.schema
    .createTable('testMessage')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('userId', id, (c) => c.notNull().references('userAccount.id'))
    .addColumn('requestedBy', id, some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('toldAt', 'bigint')
    .execute()
  await db.schema.createIndex('testMessageTold').on('testMessage').columns(['toldAt', 'id']).execute()
}

async function createContacts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('contact')
    .addColumn('userId', id, (c) => c.primaryKey().references('userAccount.id'))
    .addColumn('language', 'varchar(8)', some)
    .addColumn('phone', 'varchar(20)')
    .addColumn('telegramChatId', 'varchar(64)')
    .addColumn('channels', name)
    .addColumn('updatedAt', 'bigint', some)
    .execute()
  await db.schema
    .createTable('pushSubscription')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('userId', id, (c) => c.notNull().references('userAccount.id'))
    .addColumn('endpoint', long, some)
    .addColumn('endpointHash', 'varchar(64)', (c) => c.notNull().unique())
    .addColumn('p256dh', name, some)
    .addColumn('auth', name, some)
    .addColumn('createdAt', 'bigint', some)
    .execute()
  await db.schema.createIndex('pushSubscriptionUser').on('pushSubscription').column('userId').execute()
}

async function createPolicies(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('onCallList')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('facilityId', id, (c) => c.notNull().references('facility.id'))
    .addColumn('name', name, some)
    .addColumn('rota', long, some)
    .addColumn('shifts', long, some)
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .addUniqueConstraint('onCallListName', ['facilityId', 'name'])
    .execute()
  await db.schema
    .createTable('escalationPolicy')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('facilityId', id, (c) => c.notNull().references('facility.id'))
    .addColumn('severity', 'varchar(20)', some)
    .addColumn('name', name, some)
    .addColumn('body', long, some)
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .addColumn('archivedAt', 'bigint')
    .addUniqueConstraint('escalationPolicyPlace', ['facilityId', 'severity'])
    .execute()
  await db.schema
    .createTable('quietFacility')
    .addColumn('facilityId', id, (c) => c.primaryKey().references('facility.id'))
    .addColumn('since', 'bigint', some)
    .addColumn('userId', id, some)
    .execute()
}
