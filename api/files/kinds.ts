import { findReference, findReferences } from '../../db/queries/reference.ts'
import { toGtin14 } from '../../domain/reference.ts'
import { FieldError } from '../errors.ts'
import { ITEMS } from '../kinds/item.ts'
import { MANUFACTURERS } from '../kinds/manufacturer.ts'
import { STORAGE_POINTS } from '../kinds/storage-point.ts'
import { TRADE_ITEMS } from '../kinds/trade-item.ts'
import { ACTIVITIES, REASONS } from '../kinds/words.ts'
import { findFacilityByRef, findFacilityRefs } from '../../db/queries/facility.ts'
import { FACILITY_FILE } from './facility-file.ts'
import type { Column, FileKind } from './kind.ts'
import { LOT_FILE } from './lot-file.ts'
import { referenceFile } from './reference-file.ts'
import { STOCK_LEVEL_FILE } from './stock-level-file.ts'

const text = (name: string): Column => ({ name, as: 'text' })

const MANUFACTURER_FILE = referenceFile(MANUFACTURERS, {
  columns: [text('name')],
  needed: ['name'],
  resolve: async ({ trx }, cells) => ({
    fields: {},
    existing: await findReference(trx, 'manufacturer', { name: cells.get('name') }),
  }),
  name: async () => [],
})

const ITEM_FILE = referenceFile(ITEMS, {
  columns: [
    text('code'),
    text('name'),
    text('kind'),
    text('cvx'),
    text('atc'),
    { name: 'dosesPerVial', as: 'integer' },
    text('vvmType'),
    { name: 'freezeSensitive', as: 'boolean' },
    text('profile'),
    { name: 'mm3PerDose', as: 'integer' },
  ],
  needed: ['code'],
  resolve: async ({ trx }, cells) => ({
    fields: {},
    existing: await findReference(trx, 'item', { code: cells.get('code') }),
  }),
  name: async () => [],
})

const ACTIVITY_FILE = referenceFile(ACTIVITIES, {
  columns: [text('code'), text('name')],
  needed: ['code'],
  resolve: async ({ trx }, cells) => ({
    fields: {},
    existing: await findReference(trx, 'activity', { code: cells.get('code') }),
  }),
  name: async () => [],
})

const REASON_FILE = referenceFile(REASONS, {
  columns: [text('code'), text('name'), text('kind')],
  needed: ['code'],
  resolve: async ({ trx }, cells) => ({
    fields: {},
    existing: await findReference(trx, 'reason', { code: cells.get('code') }),
  }),
  name: async () => [],
})

// Known by its GTIN; one that had none yet gets it.
const TRADE_ITEM_FILE = referenceFile(TRADE_ITEMS, {
  columns: [
    { name: 'itemCode', as: 'text', field: 'itemId' },
    { name: 'manufacturer', as: 'text', field: 'manufacturerId' },
    text('name'),
    text('gtin'),
    { name: 'dosesPerPack', as: 'integer' },
  ],
  needed: ['itemCode', 'manufacturer', 'name'],
  async resolve({ trx }, cells) {
    const item = await findReference(trx, 'item', { code: cells.get('itemCode') })
    if (!item) throw new FieldError('itemId', 'there is no such item', 'resource.notFound')
    const maker = await findReference(trx, 'manufacturer', { name: cells.get('manufacturer') })
    if (!maker) throw new FieldError('manufacturerId', 'there is no such manufacturer', 'resource.notFound')
    const fields = { itemId: item.id, manufacturerId: maker.id }
    const gtin = toGtin14(cells.get('gtin') ?? '')
    const named = gtin === undefined ? undefined : await findReference(trx, 'tradeItem', { gtin })
    const unnamed = { ...fields, name: cells.get('name'), gtin: null }
    return { fields, existing: named ?? (await findReference(trx, 'tradeItem', unnamed)) }
  },
  async name(db, rows) {
    const items = await findReferences(
      db,
      'item',
      rows.map(({ itemId }) => itemId),
    )
    const makers = await findReferences(
      db,
      'manufacturer',
      rows.map(({ manufacturerId }) => manufacturerId),
    )
    return rows.map(({ itemId, manufacturerId }) => ({
      itemCode: items.get(itemId)?.code,
      manufacturer: makers.get(manufacturerId)?.name,
    }))
  },
})

const STORAGE_POINT_FILE = referenceFile(STORAGE_POINTS, {
  columns: [
    { name: 'facilityCode', as: 'text', field: 'facilityId' },
    text('name'),
    text('profile'),
    { name: 'capacityLitres', as: 'number' },
  ],
  needed: ['facilityCode', 'name'],
  async resolve({ trx, caller }, cells) {
    const facility = await findFacilityByRef(trx, cells.get('facilityCode') ?? '', caller.scope)
    if (!facility) throw new FieldError('facilityId', 'there is no such facility', 'resource.notFound')
    const fields = { facilityId: facility.id }
    return {
      fields,
      existing: await findReference(trx, 'storagePoint', { ...fields, name: cells.get('name') }),
    }
  },
  async name(db, rows, scope) {
    const facilities = await findFacilityRefs(
      db,
      rows.map(({ facilityId }) => facilityId),
      scope,
    )
    return rows.map(({ facilityId }) => ({ facilityCode: facilities.get(facilityId) }))
  },
})

/** Every kind of file, by the name in its address, in an order in which they can be imported. */
export const FILES: ReadonlyMap<string, FileKind> = new Map(
  [
    FACILITY_FILE,
    STORAGE_POINT_FILE,
    MANUFACTURER_FILE,
    ITEM_FILE,
    TRADE_ITEM_FILE,
    LOT_FILE,
    STOCK_LEVEL_FILE,
    ACTIVITY_FILE,
    REASON_FILE,
  ].map((file) => [file.name, file]),
)
