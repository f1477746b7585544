import { sql, type ColumnDefinitionBuilder, type Kysely } from 'kysely'

// Portable, as 0001 and 0002.
const id = 'varchar(36)'
const code = 'varchar(64)'
const name = 'varchar(200)'
const status = 'varchar(20)'
const long = sql`longtext`
const some = (c: ColumnDefinitionBuilder) => c.notNull()
const zero = (c: ColumnDefinitionBuilder) => c.notNull().defaultTo(0)
const facility = (c: ColumnDefinitionBuilder) => c.notNull().references('facility.id')
const lot = (c: ColumnDefinitionBuilder) => c.notNull().references('lot.id')

export async function up(db: Kysely<unknown>): Promise<void> {
  await createOrders(db)
  await createAllocations(db)
  await createShipments(db)
  await createDisposals(db)
}

async function createOrders(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stockOrder')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('documentNo', 'varchar(80)', some)
    .addColumn('kind', status, some)
    .addColumn('status', status, some)
    .addColumn('waitingFor', 'varchar(10)')
    .addColumn('fromFacilityId', id, facility)
    .addColumn('toFacilityId', id, facility)
    .addColumn('activityCode', code)
    .addColumn('neededOn', 'varchar(10)')
    .addColumn('comment', long)
    .addColumn('reasonCode', code)
    .addColumn('requestHash', 'varchar(64)', some)
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('createdBy', id, some)
    .addColumn('updatedAt', 'bigint', some)
    .addColumn('submittedAt', 'bigint')
    .addColumn('decidedAt', 'bigint')
    .addColumn('shippedAt', 'bigint')
    .addColumn('receivedAt', 'bigint')
    .addColumn('endedAt', 'bigint')
    .execute()
  for (const side of ['From', 'To'])
    await db.schema
      .createIndex(`stockOrder${side}`)
      .on('stockOrder')
      .columns([`${side.toLowerCase()}FacilityId`, 'id'])
      .execute()
  await db.schema
    .createTable('orderLine')
    .addColumn('orderId', id, (c) => c.notNull().references('stockOrder.id'))
    .addColumn('line', 'integer', some)
    .addColumn('itemId', id, (c) => c.notNull().references('item.id'))
    .addColumn('doses', 'integer', some)
    .addColumn('approved', 'integer')
    .addColumn('reasonCode', code)
    .addColumn('reserved', 'integer', zero)
    .addColumn('shipped', 'integer', zero)
    .addColumn('settled', 'integer', zero)
    .addPrimaryKeyConstraint('orderLinePrimary', ['orderId', 'line'])
    .addCheckConstraint('orderLineSums', sql`reserved >= 0 and settled >= 0 and shipped >= settled`)
    .execute()
}

async function createAllocations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('orderAllocation')
    .addColumn('orderId', id, (c) => c.notNull().references('stockOrder.id'))
    .addColumn('line', 'integer', some)
    .addColumn('storagePointId', id, (c) => c.notNull().references('storagePoint.id'))
    .addColumn('lotId', id, lot)
    .addColumn('vvmStage', 'integer', some)
    .addColumn('held', 'integer', some)
    .addColumn('doses', 'integer', some)
    .addColumn('why', status, some)
    .addColumn('reasonCode', code)
    .addPrimaryKeyConstraint('orderAllocationPrimary', [
      'orderId',
      'line',
      'storagePointId',
      'lotId',
      'vvmStage',
      'held',
    ])
    .execute()
}

async function createShipments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('shipment')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('orderId', id, (c) => c.notNull().references('stockOrder.id'))
    .addColumn('documentNo', 'varchar(80)', some)
    .addColumn('sscc', 'varchar(18)', (c) => c.unique())
    .addColumn('status', status, some)
    .addColumn('fromFacilityId', id, facility)
    .addColumn('toFacilityId', id, facility)
    .addColumn('comment', long)
    .addColumn('shippedAt', 'bigint', some)
    .addColumn('receivedAt', 'bigint')
    .addColumn('shipEventId', id, (c) => c.notNull().references('stockEvent.id'))
    .addColumn('deliverEventId', id, (c) => c.references('stockEvent.id'))
    .addColumn('requestHash', 'varchar(64)', some)
    .addColumn('version', 'integer', some)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('createdBy', id, some)
    .addColumn('updatedAt', 'bigint', some)
    .execute()
  await db.schema.createIndex('shipmentOrder').on('shipment').column('orderId').execute()
  for (const side of ['From', 'To'])
    await db.schema
      .createIndex(`shipment${side}`)
      .on('shipment')
      .columns([`${side.toLowerCase()}FacilityId`, 'id'])
      .execute()
  await db.schema
    .createTable('shipmentLine')
    .addColumn('shipmentId', id, (c) => c.notNull().references('shipment.id'))
    .addColumn('line', 'integer', some)
    .addColumn('orderLine', 'integer', some)
    .addColumn('itemId', id, some)
    .addColumn('lotId', id, lot)
    .addColumn('vvmStage', 'integer', some)
    .addColumn('held', 'integer', some)
    .addColumn('storagePointId', id, some)
    .addColumn('doses', 'integer', some)
    .addColumn('accepted', 'integer', zero)
    .addColumn('rejected', 'integer', zero)
    .addColumn('short', 'integer', zero)
    .addPrimaryKeyConstraint('shipmentLinePrimary', ['shipmentId', 'line'])
    .execute()
  await db.schema
    .createTable('coldBox')
    .addColumn('shipmentId', id, (c) => c.notNull().references('shipment.id'))
    .addColumn('box', 'integer', some)
    .addColumn('name', name, some)
    .addColumn('deviceId', id, (c) => c.references('device.id'))
    .addPrimaryKeyConstraint('coldBoxPrimary', ['shipmentId', 'box'])
    .execute()
}

async function createDisposals(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('disposal')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('documentNo', 'varchar(80)', some)
    .addColumn('facilityId', id, facility)
    .addColumn('status', status, some)
    .addColumn('comment', long)
    .addColumn('createdAt', 'bigint', some)
    .addColumn('createdBy', id, some)
    .addColumn('approvedAt', 'bigint')
    .addColumn('approvedBy', id)
    .addColumn('doneAt', 'bigint')
    .addColumn('method', name)
    .addColumn('witness', name)
    .addColumn('certificateNo', name)
    .addColumn('eventId', id, (c) => c.references('stockEvent.id'))
    .addColumn('requestHash', 'varchar(64)', some)
    .addColumn('version', 'integer', some)
    .addColumn('updatedAt', 'bigint', some)
    .execute()
  await db.schema.createIndex('disposalFacility').on('disposal').columns(['facilityId', 'id']).execute()
  await db.schema
    .createTable('disposalLine')
    .addColumn('disposalId', id, (c) => c.notNull().references('disposal.id'))
    .addColumn('line', 'integer', some)
    .addColumn('itemId', id, some)
    .addColumn('lotId', id, lot)
    .addColumn('vvmStage', 'integer', some)
    .addColumn('doses', 'integer', some)
    .addColumn('reasonCode', code)
    .addPrimaryKeyConstraint('disposalLinePrimary', ['disposalId', 'line'])
    .execute()
}
