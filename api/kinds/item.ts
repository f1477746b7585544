import { Type, type Static } from 'typebox'
import { hasStock } from '../../db/queries/reference.ts'
import { complainOfItem } from '../../domain/reference.ts'
import { ITEM_KINDS, VVM_TYPES } from '../../domain/stock.ts'
import { FieldError } from '../errors.ts'
import { checkProfile } from '../profile.ts'
import type { Reference } from '../reference.ts'
import { Code, Name, nullable } from '../schemas.ts'

const Kind = Type.Enum([...ITEM_KINDS])
const fields = {
  code: Code,
  name: Name,
  kind: Kind,
  cvx: Type.Optional(
    nullable(Type.String({ pattern: '^[0-9]{2,3}$', description: 'HL7 CVX, of vaccines.' })),
  ),
  atc: Type.Optional(
    nullable(
      Type.String({
        pattern: '^[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?$',
        description: 'WHO ATC, such as `J07CA02`.',
      }),
    ),
  ),
  dosesPerVial: Type.Integer({ minimum: 1, maximum: 1000, description: '1 for what is not in vials.' }),
  vvmType: Type.Optional(nullable(Type.Enum([...VVM_TYPES]))),
  freezeSensitive: Type.Optional(Type.Boolean({ description: 'Freezing spoils it.' })),
  profile: Type.Optional(
    nullable(
      Type.String({ minLength: 1, maxLength: 64, description: 'Storage profile: see GET /v1/profiles.' }),
    ),
  ),
  mm3PerDose: Type.Integer({
    minimum: 0,
    maximum: 100_000_000,
    description: 'Volume per dose in its secondary packaging; 1 cm³ is 1000 mm³.',
  }),
}
const Body = Type.Object(fields)

export const ITEMS: Reference<'item', Static<typeof Body>> = {
  table: 'item',
  key: 'id',
  path: 'items',
  title: 'Item',
  words: { one: 'item', many: 'items', tag: 'reference' },
  operations: { list: 'listItems', get: 'getItem', create: 'createItem', change: 'updateItem' },
  fields,
  fixed: [],
  derived: {},
  filters: {
    code: Type.Optional(Code),
    kind: Type.Optional(Kind),
    cvx: Type.Optional(Type.String({ maxLength: 10 })),
  },
  search: ['code', 'name'],
  isPlaced: false,
  canBeArchived: true,
  taken: 'There is an item of this code.',
  bodyOf: ({ code, name, kind, cvx, atc, dosesPerVial, vvmType, freezeSensitive, profile, mm3PerDose }) => ({
    code,
    name,
    kind,
    cvx,
    atc,
    dosesPerVial,
    vvmType,
    freezeSensitive: freezeSensitive === 1,
    profile,
    mm3PerDose,
  }),
  derivedOf: () => ({}),
  async columnsOf({ trx }, body, before) {
    const item = { ...NOTHING, ...body }
    const complaint = complainOfItem(item)
    if (complaint) throw new FieldError(complaint.field, complaint.says)
    // What the programme stores alike everywhere.
    if (item.profile !== null && item.profile !== before?.profile)
      await checkProfile(trx, item.profile, { path: '' })
    // Its stock lies on lines with a VVM stage, or on lines without.
    if (before && (before.vvmType === null) !== (item.vvmType === null) && (await hasStock(trx, before.id)))
      throw new FieldError('vvmType', 'stock of the item was recorded', 'resource.inUse')
    return { ...item, freezeSensitive: item.freezeSensitive ? 1 : 0 }
  },
}

const NOTHING = { cvx: null, atc: null, vvmType: null, profile: null, freezeSensitive: false }
