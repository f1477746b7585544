import { findReference, findReferences } from '../../db/queries/reference.ts'
import type { DbOrTrx, Schema } from '../../db/schema.ts'
import { toGtin14 } from '../../domain/reference.ts'
import { FieldError } from '../errors.ts'
import { LOTS } from '../kinds/lot.ts'
import type { Cells, Column } from './kind.ts'
import { referenceFile } from './reference-file.ts'

const text = (name: string): Column => ({ name, as: 'text' })

/** A lot is known by its trade item (by GTIN, or else by item, manufacturer and name) and its code. Its parent has to be there before it. */
export const LOT_FILE = referenceFile(LOTS, {
  columns: [
    text('itemCode'),
    text('manufacturer'),
    { name: 'tradeItem', as: 'text', field: 'tradeItemId' },
    text('gtin'),
    text('code'),
    text('expiresOn'),
    text('manufacturedOn'),
    { name: 'parentCode', as: 'text', field: 'parentLotId' },
  ],
  needed: ['code'],
  async resolve({ trx }, cells) {
    const tradeItem = await findTradeItem(trx, cells)
    const existing = await findReference(trx, 'lot', { tradeItemId: tradeItem.id, code: cells.get('code') })
    const parent = cells.has('parentCode')
      ? { parentLotId: await findParent(trx, tradeItem, cells.get('parentCode') ?? '', existing) }
      : {}
    return { fields: { tradeItemId: tradeItem.id, ...parent }, existing }
  },
  async name(db, rows) {
    const items = await findReferences(
      db,
      'item',
      rows.map(({ itemId }) => itemId),
    )
    const tradeItems = await findReferences(
      db,
      'tradeItem',
      rows.map(({ tradeItemId }) => tradeItemId),
    )
    const makerIds = [...tradeItems.values()].map(({ manufacturerId }) => manufacturerId)
    const makers = await findReferences(db, 'manufacturer', makerIds)
    const parents = await findReferences(
      db,
      'lot',
      rows.map(({ parentLotId }) => parentLotId),
    )
    return rows.map(({ itemId, tradeItemId, parentLotId }) => {
      const tradeItem = tradeItems.get(tradeItemId)
      return {
        itemCode: items.get(itemId)?.code,
        manufacturer: makers.get(tradeItem?.manufacturerId ?? '')?.name,
        tradeItem: tradeItem?.name,
        gtin: tradeItem?.gtin,
        parentCode: parents.get(parentLotId ?? '')?.code,
      }
    })
  },
})

async function findTradeItem(db: DbOrTrx, cells: Cells): Promise<Schema['tradeItem']> {
  const gtin = cells.get('gtin') ?? ''
  const found =
    gtin === ''
      ? await findUnnamed(db, cells)
      : await findReference(db, 'tradeItem', { gtin: toGtin14(gtin) ?? gtin })
  if (!found) throw new FieldError('tradeItemId', 'there is no such trade item', 'resource.notFound')
  return found
}

async function findUnnamed(db: DbOrTrx, cells: Cells): Promise<Schema['tradeItem'] | undefined> {
  const item = await findReference(db, 'item', { code: cells.get('itemCode') ?? '' })
  const maker = await findReference(db, 'manufacturer', { name: cells.get('manufacturer') ?? '' })
  if (!item || !maker) return undefined
  const name = cells.get('tradeItem') ?? ''
  return findReference(db, 'tradeItem', { itemId: item.id, manufacturerId: maker.id, name, gtin: null })
}

// Codes are unique within a trade item only. The parent that a lot has already is meant first, then a lot of its own trade item.
async function findParent(
  db: DbOrTrx,
  tradeItem: Schema['tradeItem'],
  code: string,
  existing: Schema['lot'] | undefined,
): Promise<string | null> {
  if (code === '') return null
  const present = existing?.parentLotId
    ? await findReference(db, 'lot', { id: existing.parentLotId })
    : undefined
  const { id: tradeItemId, itemId } = tradeItem
  const parent =
    present?.code === code
      ? present
      : ((await findReference(db, 'lot', { tradeItemId, code })) ??
        (await findReference(db, 'lot', { itemId, code })))
  if (!parent) throw new FieldError('parentLotId', 'the item has no such lot', 'resource.notFound')
  return parent.id
}
