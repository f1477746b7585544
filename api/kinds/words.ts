import { Type, type Static } from 'typebox'
import { REASON_KINDS } from '../../domain/stock.ts'
import type { Reference } from '../reference.ts'
import { Code, Name } from '../schemas.ts'

const word = { code: Code, name: Name }
const Word = Type.Object(word)

export const ACTIVITIES: Reference<'activity', Static<typeof Word>> = {
  table: 'activity',
  key: 'code',
  path: 'activities',
  title: 'Activity',
  words: { one: 'activity', many: 'activities', tag: 'reference' },
  operations: {
    list: 'listActivities',
    get: 'getActivity',
    create: 'createActivity',
    change: 'updateActivity',
  },
  fields: word,
  fixed: ['code'],
  derived: {},
  filters: {},
  search: ['code', 'name'],
  isPlaced: false,
  canBeArchived: true,
  taken: 'There is an activity of this code.',
  bodyOf: ({ code, name }) => ({ code, name }),
  derivedOf: () => ({}),
  columnsOf: async (_, { code, name }) => ({ code, name }),
}

const reason = {
  ...word,
  kind: Type.Enum([...REASON_KINDS], { description: 'What it can explain.' }),
}
const Reason = Type.Object(reason)

export const REASONS: Reference<'reason', Static<typeof Reason>> = {
  table: 'reason',
  key: 'code',
  path: 'reasons',
  title: 'Reason',
  words: { one: 'reason', many: 'reasons', tag: 'reference' },
  operations: { list: 'listReasons', get: 'getReason', create: 'createReason', change: 'updateReason' },
  fields: reason,
  // What was explained by it would become something else.
  fixed: ['code', 'kind'],
  derived: {},
  filters: { kind: Type.Optional(Type.Enum([...REASON_KINDS])) },
  search: ['code', 'name'],
  isPlaced: false,
  canBeArchived: true,
  taken: 'There is a reason of this code.',
  bodyOf: ({ code, name, kind }) => ({ code, name, kind }),
  derivedOf: () => ({}),
  columnsOf: async (_, { code, name, kind }) => ({ code, name, kind }),
}
