import { Type, type Static } from 'typebox'
import { findReference } from '../../db/queries/reference.ts'
import type { DbOrTrx, Schema } from '../../db/schema.ts'
import { complainOfLot } from '../../domain/reference.ts'
import { FieldError } from '../errors.ts'
import type { Reference } from '../reference.ts'
import { Id, nullable, Time } from '../schemas.ts'
import { toRfc3339OrNull } from '../time.ts'

/** A vial is repacked a few times at most; a longer line of ancestors is a mistake. */
const GENERATIONS_MAX = 20

const IsoDate = Type.String({ pattern: '^20[0-9]{2}-[0-9]{2}-[0-9]{2}$', description: 'YYYY-MM-DD.' })
const Code = Type.String({
  // GS1 General Specifications, figure 7.11-1: the 82 characters of an AI 10.
  pattern: '^[!"%-?A-Z_a-z]{1,20}$',
  description: 'As printed: GS1 AI 10. Unique for its trade item.',
})
const fields = {
  tradeItemId: Id,
  code: Code,
  expiresOn: IsoDate,
  manufacturedOn: Type.Optional(nullable(IsoDate)),
  parentLotId: Type.Optional(nullable(Id)),
}
const Body = Type.Object(fields)

export const LOTS: Reference<'lot', Static<typeof Body>> = {
  table: 'lot',
  key: 'id',
  path: 'lots',
  title: 'Lot',
  words: { one: 'lot', many: 'lots', tag: 'reference' },
  operations: { list: 'listLots', get: 'getLot', create: 'createLot', change: 'updateLot' },
  fields,
  // What was recorded of it is of the item.
  fixed: ['tradeItemId'],
  derived: { itemId: Id, recalledAt: nullable(Time), recallReason: nullable(Type.String()) },
  filters: {
    itemId: Type.Optional(Id),
    tradeItemId: Type.Optional(Id),
    parentLotId: Type.Optional(Id),
    code: Type.Optional(Code),
    expiresOn: Type.Optional(IsoDate),
  },
  search: ['code'],
  isPlaced: false,
  canBeArchived: true,
  taken: 'The trade item has a lot of this code.',
  // Two lots that became each other's parent at once would make a circle.
  isSerial: ({ parentLotId }) => typeof parentLotId === 'string',
  bodyOf: ({ tradeItemId, code, expiresOn, manufacturedOn, parentLotId }) => ({
    tradeItemId,
    code,
    expiresOn,
    manufacturedOn,
    parentLotId,
  }),
  derivedOf: ({ itemId, recalledAt, recallReason }) => ({
    itemId,
    recalledAt: toRfc3339OrNull(recalledAt),
    recallReason,
  }),
  async columnsOf({ trx }, body, before) {
    const { tradeItemId, code, expiresOn, manufacturedOn = null, parentLotId = null } = body
    const complaint = complainOfLot({ expiresOn, manufacturedOn })
    if (complaint) throw new FieldError(complaint.field, complaint.says)
    const tradeItem = await findReference(trx, 'tradeItem', { id: tradeItemId })
    if (!tradeItem) throw new FieldError('tradeItemId', 'there is no such trade item', 'resource.notFound')
    const { itemId } = tradeItem
    if (parentLotId !== null && parentLotId !== before?.parentLotId)
      await checkParent(trx, itemId, parentLotId, before)
    const recall = before ? {} : { recalledAt: null, recallReason: null }
    return { tradeItemId, itemId, code, expiresOn, manufacturedOn, parentLotId, ...recall }
  },
}

async function checkParent(
  trx: DbOrTrx,
  itemId: string,
  parentLotId: string,
  lot: Schema['lot'] | undefined,
): Promise<void> {
  let ancestor: string | null = parentLotId
  for (let generation = 0; ancestor !== null; generation++) {
    const parent: Schema['lot'] | undefined = await findReference(trx, 'lot', { id: ancestor })
    if (!parent || parent.itemId !== itemId)
      throw new FieldError('parentLotId', 'the item has no such lot', 'resource.notFound')
    if (parent.id === lot?.id || generation === GENERATIONS_MAX)
      throw new FieldError('parentLotId', 'a lot cannot come from itself')
    ancestor = parent.parentLotId
  }
}
