import { Type, type Static } from 'typebox'
import type { Reference } from '../reference.ts'
import { Name } from '../schemas.ts'

const fields = { name: Name }
const Body = Type.Object(fields)

export const MANUFACTURERS: Reference<'manufacturer', Static<typeof Body>> = {
  table: 'manufacturer',
  key: 'id',
  path: 'manufacturers',
  title: 'Manufacturer',
  words: { one: 'manufacturer', many: 'manufacturers', tag: 'reference' },
  operations: {
    list: 'listManufacturers',
    get: 'getManufacturer',
    create: 'createManufacturer',
    change: 'updateManufacturer',
  },
  fields,
  fixed: [],
  derived: {},
  filters: { name: Type.Optional(Name) },
  search: ['name'],
  isPlaced: false,
  canBeArchived: true,
  taken: 'There is a manufacturer of this name.',
  bodyOf: ({ name }) => ({ name }),
  derivedOf: () => ({}),
  columnsOf: async (_, { name }) => ({ name }),
}
