import { findFacilityByRef, findFacilityRefs } from '../../db/queries/facility.ts'
import { findReference, findReferences } from '../../db/queries/reference.ts'
import { findStockLevel, listStockLevels } from '../../db/queries/stock-level.ts'
import { FieldError } from '../errors.ts'
import { LevelChange, saveStockLevel } from '../stock-level.ts'
import type { Cells, Column, FileKind } from './kind.ts'
import { checker, valuesOf } from './kind.ts'
import type { Writing } from '../write.ts'

const checkChange = checker(LevelChange)

const SETTINGS: readonly Column[] = [
  { name: 'mode', as: 'text' },
  { name: 'minDoses', as: 'integer' },
  { name: 'maxDoses', as: 'integer' },
  { name: 'leadTimeDays', as: 'integer' },
  { name: 'reviewDays', as: 'integer' },
  { name: 'safetyDays', as: 'integer' },
]

/** A stock level is known by its facility and its item. */
export const STOCK_LEVEL_FILE: FileKind = {
  name: 'stock-levels',
  columns: [
    { name: 'facilityCode', as: 'text', field: 'facilityId' },
    { name: 'itemCode', as: 'text', field: 'itemId' },
    ...SETTINGS,
  ],
  needed: ['facilityCode', 'itemCode'],
  operations: { create: 'saveStockLevel', change: 'saveStockLevel' },
  async save(writing, cells) {
    const place = await findPlace(writing, cells)
    const change = valuesOf(SETTINGS, cells)
    checkChange(change)
    const before = await findStockLevel(writing.trx, place)
    const after = await saveStockLevel(writing, place, change)
    if (!before) return { outcome: 'created' }
    return { outcome: after.version === before.version ? 'unchanged' : 'updated' }
  },
  async rows(db, scope, after, limit) {
    const [facilityId = '', itemId = ''] = after?.split(':') ?? []
    const from = after === undefined ? undefined : { facilityId, itemId }
    const rows = await listStockLevels(db, { scope, under: undefined, itemId: undefined, after: from, limit })
    const facilities = await findFacilityRefs(
      db,
      rows.map((row) => row.facilityId),
      scope,
    )
    const items = await findReferences(
      db,
      'item',
      rows.map((row) => row.itemId),
    )
    return rows.map((row) => ({
      cursor: `${row.facilityId}:${row.itemId}`,
      cells: {
        ...row,
        facilityCode: facilities.get(row.facilityId),
        itemCode: items.get(row.itemId)?.code,
      },
    }))
  },
}

async function findPlace({ trx, caller }: Writing, cells: Cells) {
  const facility = await findFacilityByRef(trx, cells.get('facilityCode') ?? '', caller.scope)
  if (!facility) throw new FieldError('facilityId', 'there is no such facility', 'resource.notFound')
  const item = await findReference(trx, 'item', { code: cells.get('itemCode') ?? '' })
  if (!item) throw new FieldError('itemId', 'there is no such item', 'resource.notFound')
  return { facilityId: facility.id, itemId: item.id }
}
