import { sql, type ColumnDefinitionBuilder, type Kysely } from 'kysely'

// Portable, as 0001: one statement per ALTER TABLE (SQLite), lengths that keep indexes under MySQL's 3072 bytes.
const id = 'varchar(36)'
const code = 'varchar(64)'
const name = 'varchar(200)'
const long = sql`longtext`
const some = (c: ColumnDefinitionBuilder) => c.notNull()
const zero = (c: ColumnDefinitionBuilder) => c.notNull().defaultTo(0)

export async function up(db: Kysely<unknown>): Promise<void> {
  await extendPlaces(db)
  await createItems(db)
  await createLots(db)
  await createWords(db)
  await createEvents(db)
  await createEntries(db)
  await createBalances(db)
  await createChanges(db)
}

async function extendPlaces(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('facility').addColumn('code', code).execute()
  await db.schema.alterTable('facility').addColumn('population', 'integer').execute()
  await db.schema.alterTable('facility').addColumn('version', 'integer', zero).execute()
  await db.schema.alterTable('facility').addColumn('updatedAt', 'bigint', zero).execute()
  await db.schema.createIndex('facilityCode').unique().on('facility').column('code').execute()
  await db.schema.alterTable('storagePoint').addColumn('profile', code).execute()
  await db.schema.alterTable('storagePoint').addColumn('capacityMl', 'bigint').execute()
  await db.schema.alterTable('storagePoint').addColumn('version', 'integer', zero).execute()
  await db.schema.alterTable('storagePoint').addColumn('updatedAt', 'bigint', zero).execute()
}

async function createItems(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('manufacturer')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('name', name, (c) => c.notNull().unique())
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .addColumn('archivedAt', 'bigint')
    .execute()
  await db.schema
    .createTable('item')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('code', code, (c) => c.notNull().unique())
    .addColumn('name', name, some)
    .addColumn('kind', 'varchar(20)', some)
    .addColumn('cvx', 'varchar(10)')
    .addColumn('atc', 'varchar(10)')
    .addColumn('dosesPerVial', 'integer', some)
    .addColumn('vvmType', 'varchar(10)')
    .addColumn('freezeSensitive', 'integer', some)
    .addColumn('profile', code)
    .addColumn('mm3PerDose', 'integer', some)
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .addColumn('archivedAt', 'bigint')
    .execute()
  await db.schema
    .createTable('tradeItem')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('itemId', id, (c) => c.notNull().references('item.id'))
    .addColumn('manufacturerId', id, (c) => c.notNull().references('manufacturer.id'))
    .addColumn('name', name, some)
    .addColumn('gtin', 'varchar(14)', (c) => c.unique())
    .addColumn('dosesPerPack', 'integer', some)
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .addColumn('archivedAt', 'bigint')
    .execute()
  await db.schema.createIndex('tradeItemItem').on('tradeItem').column('itemId').execute()
}

async function createLots(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('lot')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('tradeItemId', id, (c) => c.notNull().references('tradeItem.id'))
    .addColumn('itemId', id, (c) => c.notNull().references('item.id'))
    .addColumn('code', code, some)
    .addColumn('expiresOn', 'varchar(10)', some)
    .addColumn('manufacturedOn', 'varchar(10)')
    .addColumn('parentLotId', id, (c) => c.references('lot.id'))
    .addColumn('recalledAt', 'bigint')
    .addColumn('recallReason', long)
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .addColumn('archivedAt', 'bigint')
    .addUniqueConstraint('lotIdentity', ['tradeItemId', 'code'])
    .execute()
  await db.schema.createIndex('lotItem').on('lot').columns(['itemId', 'expiresOn']).execute()
  await db.schema.createIndex('lotParent').on('lot').column('parentLotId').execute()
}

async function createWords(db: Kysely<unknown>): Promise<void> {
  for (const table of ['activity', 'reason'])
    await db.schema
      .createTable(table)
      .addColumn('code', code, (c) => c.primaryKey())
      .addColumn('name', name, some)
      .$call((t) => (table === 'reason' ? t.addColumn('kind', 'varchar(20)', some) : t))
      .addColumn('version', 'integer', some)
      .addColumn('createdAt', 'bigint', some)
      .addColumn('updatedAt', 'bigint', some)
      .addColumn('archivedAt', 'bigint')
      .execute()
  await db.schema
    .createTable('stockLevel')
    .addColumn('facilityId', id, (c) => c.notNull().references('facility.id'))
    .addColumn('itemId', id, (c) => c.notNull().references('item.id'))
    .addColumn('mode', 'varchar(10)', some)
    .addColumn('minDoses', 'integer', some)
    .addColumn('maxDoses', 'integer', some)
    .addColumn('leadTimeDays', 'integer', some)
    .addColumn('reviewDays', 'integer', some)
    .addColumn('safetyDays', 'integer', some)
    .addColumn('version', 'integer', some)
    .addColumn('updatedAt', 'bigint', some)
    .addPrimaryKeyConstraint('stockLevelPrimary', ['facilityId', 'itemId'])
    .execute()
}

async function createEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stockEvent')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('number', 'integer', some)
    .addColumn('documentNo', 'varchar(80)', some)
    .addColumn('kind', 'varchar(20)', some)
    .addColumn('facilityId', id, (c) => c.notNull().references('facility.id'))
    .addColumn('otherFacilityId', id)
    .addColumn('occurredAt', 'bigint', some)
    .addColumn('recordedAt', 'bigint', some)
    .addColumn('userId', id, some)
    .addColumn('activityCode', code)
    .addColumn('reasonCode', code)
    .addColumn('comment', long)
    .addColumn('orderId', id)
    .addColumn('shipmentId', id)
    .addColumn('reversesEventId', id, (c) => c.unique().references('stockEvent.id'))
    .addColumn('requestHash', 'varchar(64)', some)
    .addUniqueConstraint('stockEventNumber', ['facilityId', 'number'])
    .execute()
  await db.schema.createIndex('stockEventOrder').on('stockEvent').column('orderId').execute()
  await db.schema.createIndex('stockEventShipment').on('stockEvent').column('shipmentId').execute()
  const occurred = db.schema.createIndex('stockEventOccurred').on('stockEvent')
  await occurred.columns(['facilityId', 'occurredAt']).execute()
}

async function createEntries(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stockEntry')
    .addColumn('eventId', id, (c) => c.notNull().references('stockEvent.id'))
    .addColumn('line', 'integer', some)
    .addColumn('accountKind', 'varchar(12)', some)
    .addColumn('accountId', id, some)
    .addColumn('facilityId', id, some)
    .addColumn('itemId', id, some)
    .addColumn('lotId', id, (c) => c.notNull().references('lot.id'))
    .addColumn('vvmStage', 'integer', some)
    .addColumn('held', 'integer', some)
    .addColumn('doses', 'integer', some)
    .addColumn('opening', 'integer')
    .addColumn('closing', 'integer')
    .addColumn('version', 'integer')
    .addColumn('reasonCode', code)
    .addColumn('occurredAt', 'bigint', some)
    .addColumn('recordedAt', 'bigint', some)
    .addPrimaryKeyConstraint('stockEntryPrimary', ['eventId', 'line'])
    .execute()
  // The stock card of a facility; the way of a lot, and late entries of one line. The way is summed from the index alone: the entries
  // lie scattered over the table, each on a page of its own.
  const card = db.schema.createIndex('stockEntryCard').on('stockEntry')
  await card.columns(['facilityId', 'itemId', 'occurredAt']).execute()
  const way = db.schema.createIndex('stockEntryLot').on('stockEntry')
  await way.columns(['lotId', 'facilityId', 'occurredAt', 'accountKind', 'held', 'doses']).execute()
}

async function createBalances(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stockBalance')
    .addColumn('accountId', id, some)
    .addColumn('lotId', id, (c) => c.notNull().references('lot.id'))
    .addColumn('vvmStage', 'integer', some)
    .addColumn('held', 'integer', some)
    .addColumn('accountKind', 'varchar(12)', some)
    .addColumn('facilityId', id, some)
    .addColumn('itemId', id, some)
    .addColumn('doses', 'integer', some)
    .addColumn('allocated', 'integer', some)
    .addColumn('version', 'integer', some)
    .addColumn('lastOccurredAt', 'bigint', some)
    .addColumn('updatedAt', 'bigint', some)
    .addPrimaryKeyConstraint('stockBalancePrimary', ['accountId', 'lotId', 'vvmStage', 'held'])
    // The last line of defence: no statement, ours or a person's at a prompt, takes stock below nothing.
    .addCheckConstraint('stockBalanceNotNegative', sql`doses >= 0 and allocated >= 0`)
    .execute()
  // Lines that are used up stay for ever; those with doses are found without them.
  const onHand = db.schema.createIndex('stockBalanceOnHand').on('stockBalance')
  await onHand.columns(['facilityId', 'doses']).execute()
  await db.schema.createIndex('stockBalanceLot').on('stockBalance').columns(['lotId', 'doses']).execute()
}

async function createChanges(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('change')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.unique())
    .addColumn('entity', 'varchar(32)', some)
    .addColumn('entityId', 'varchar(128)', some)
    .addColumn('facilityId', id)
    .addColumn('kind', 'varchar(10)', some)
    .addColumn('at', 'bigint', some)
    .execute()
  await db.schema.createIndex('changeFacility').on('change').columns(['facilityId', 'seq']).execute()
  await db.schema.createIndex('changeEntity').on('change').columns(['entity', 'entityId']).execute()
  await db.schema
    .createTable('counter')
    .addColumn('name', code, (c) => c.primaryKey())
    .addColumn('value', 'bigint', some)
    .execute()
}
