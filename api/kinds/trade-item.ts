import { Type, type Static } from 'typebox'
import { findReference } from '../../db/queries/reference.ts'
import type { DbOrTrx, Schema } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { toGtin14 } from '../../domain/reference.ts'
import { FieldError } from '../errors.ts'
import type { Reference } from '../reference.ts'
import { Id, Name, nullable } from '../schemas.ts'

const Gtin = Type.String({
  pattern: '^([0-9]{8}|[0-9]{12,14})$',
  description: 'GTIN-8, -12, -13 or -14 with its check digit; kept as 14 digits.',
})
const fields = {
  itemId: Id,
  manufacturerId: Id,
  name: Name,
  gtin: Type.Optional(nullable(Gtin)),
  dosesPerPack: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'In the packaging that carries the GTIN.',
  }),
}
const Body = Type.Object(fields)

export const TRADE_ITEMS: Reference<'tradeItem', Static<typeof Body>> = {
  table: 'tradeItem',
  key: 'id',
  path: 'trade-items',
  title: 'TradeItem',
  words: { one: 'trade item', many: 'trade items', tag: 'reference' },
  operations: {
    list: 'listTradeItems',
    get: 'getTradeItem',
    create: 'createTradeItem',
    change: 'updateTradeItem',
  },
  fields,
  // Its lots, and what was recorded of them, are of the item.
  fixed: ['itemId'],
  derived: {},
  filters: { itemId: Type.Optional(Id), manufacturerId: Type.Optional(Id), gtin: Type.Optional(Gtin) },
  search: ['name', 'gtin'],
  isPlaced: false,
  canBeArchived: true,
  taken: 'There is a trade item of this GTIN.',
  isSerial: ({ gtin }) => typeof gtin !== 'string',
  bodyOf: ({ itemId, manufacturerId, name, gtin, dosesPerPack }) => ({
    itemId,
    manufacturerId,
    name,
    gtin,
    dosesPerPack,
  }),
  derivedOf: () => ({}),
  async columnsOf({ trx }, { itemId, manufacturerId, name, gtin, dosesPerPack }, before) {
    if (!(await findReference(trx, 'item', { id: itemId })))
      throw new FieldError('itemId', 'there is no such item', 'resource.notFound')
    if (!(await findReference(trx, 'manufacturer', { id: manufacturerId })))
      throw new FieldError('manufacturerId', 'there is no such manufacturer', 'resource.notFound')
    const columns = { itemId, manufacturerId, name, gtin: gtinOf(gtin), dosesPerPack }
    if (columns.gtin === null) await checkUnnamed(trx, columns, before?.id)
    return columns
  },
}

function gtinOf(gtin: string | null | undefined): string | null {
  if (gtin === null || gtin === undefined) return null
  const normal = toGtin14(gtin)
  if (normal === undefined) throw new FieldError('gtin', 'its check digit is wrong')
  return normal
}

// Without a GTIN a trade item is known by its name; the database cannot hold that, since with one it may share it.
async function checkUnnamed(
  trx: DbOrTrx,
  { itemId, manufacturerId, name }: Pick<Schema['tradeItem'], 'itemId' | 'manufacturerId' | 'name'>,
  ownId: string | undefined,
): Promise<void> {
  const other = await findReference(trx, 'tradeItem', { itemId, manufacturerId, name, gtin: null })
  if (other && other.id !== ownId)
    throw new CodedError(
      'resource.conflict',
      'The manufacturer has one of this name, without a GTIN, for the item.',
    )
}
