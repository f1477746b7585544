import { Type, type Static, type TObject } from 'typebox'
import { EVENT_KINDS } from '../domain/stock-event.ts'
import { ACCOUNT_KINDS } from '../domain/stock.ts'
import { closed, Code, Id, nullable, Time } from './schemas.ts'

/** More at once is no event of a storeroom, and could wrap the sum of a line. */
export const DOSES_MAX = 100_000_000
export const LINES_MAX = 200

export const Doses = Type.Integer({
  minimum: 1,
  maximum: DOSES_MAX,
  description: 'Doses; pieces for supplies.',
})
const DosesOrNone = Type.Integer({ minimum: 0, maximum: DOSES_MAX })
const Stage = Type.Integer({ minimum: 0, maximum: 4, description: 'VVM stage; 0 for what carries none.' })
const Comment = Type.String({ maxLength: 2000 })

const at = {
  storagePointId: Id,
  lotId: Id,
  vvmStage: Type.Optional(Stage),
  reasonCode: Type.Optional(Code),
}
const held = { held: Type.Optional(Type.Boolean({ description: 'Of the stock that is on hold.' })) }

const LINES = {
  receive: { ...at, doses: Doses },
  issue: { ...at, doses: Doses },
  return: { ...at, ...held, doses: Doses },
  transfer: { ...at, ...held, doses: Doses, toStoragePointId: Id },
  consume: {
    ...at,
    administered: DosesOrNone,
    wasted: Type.Integer({ minimum: 0, maximum: DOSES_MAX, description: 'Of the opened vials.' }),
  },
  adjust: {
    ...at,
    ...held,
    doses: Type.Integer({
      minimum: -DOSES_MAX,
      maximum: DOSES_MAX,
      not: { const: 0 },
      description: 'With a sign.',
    }),
  },
  wastage: { ...at, ...held, doses: Doses },
  count: {
    ...at,
    ...held,
    counted: DosesOrNone,
    expected: Type.Optional(
      Type.Integer({ minimum: 0, description: 'What the screen said; when the stock has moved since, 409.' }),
    ),
  },
  repack: { ...at, ...held, doses: Doses, toLotId: Id },
  vvm: { ...at, ...held, doses: Doses, toVvmStage: Stage },
  hold: { ...at, doses: Doses },
  release: { ...at, doses: Doses },
  dispose: { lotId: Id, vvmStage: Type.Optional(Stage), reasonCode: Type.Optional(Code), doses: Doses },
} as const

const head = {
  id: Type.Optional({
    ...Id,
    description: 'A UUID of the client: the same event sent again is recorded once.',
  }),
  facilityId: Id,
  occurredAt: Type.Optional({ ...Time, description: 'When it happened; now, when left out.' }),
  activityCode: Type.Optional(Code),
  reasonCode: Type.Optional({ ...Code, description: 'Of every line that has none of its own.' }),
  comment: Type.Optional(Comment),
}

function kind<const K extends keyof typeof LINES>(name: K) {
  const line = Type.Object(LINES[name], closed) as unknown as TObject<(typeof LINES)[K]>
  const lines = Type.Array(line, { minItems: 1, maxItems: LINES_MAX })
  return Type.Object({ kind: Type.Literal(name), ...head, lines }, { ...closed, title: `StockEvent ${name}` })
}

/** What clients may record: one shape for each kind. */
export const NewStockEvent = Type.Union([
  kind('receive'),
  kind('issue'),
  kind('return'),
  kind('transfer'),
  kind('consume'),
  kind('adjust'),
  kind('wastage'),
  kind('count'),
  kind('repack'),
  kind('vvm'),
  kind('hold'),
  kind('release'),
  kind('dispose'),
])
export type NewStockEventBody = Static<typeof NewStockEvent>

export const Reversal = Type.Object(
  { id: head.id, reasonCode: Type.Optional(Code), comment: Type.Optional(Comment) },
  closed,
)

const Entry = Type.Object({
  account: Type.Object({ kind: Type.Enum([...ACCOUNT_KINDS]), id: Id, facilityId: Id }),
  itemId: Id,
  lotId: Id,
  vvmStage: Type.Integer(),
  held: Type.Boolean(),
  doses: Type.Integer({ description: 'Positive: came to the account.' }),
  opening: nullable(Type.Integer()),
  closing: nullable(Type.Integer()),
  reasonCode: nullable(Type.String()),
})

export const StockEvent = Type.Object(
  {
    id: Id,
    documentNo: Type.String({ description: 'Counted by facility.' }),
    kind: Type.Enum([...EVENT_KINDS]),
    facilityId: Id,
    otherFacilityId: nullable(Id),
    occurredAt: Time,
    recordedAt: Time,
    userId: Id,
    activityCode: nullable(Type.String()),
    reasonCode: nullable(Type.String()),
    comment: nullable(Type.String()),
    orderId: nullable(Id),
    shipmentId: nullable(Id),
    reversesEventId: nullable(Id),
    entries: Type.Array(Entry),
  },
  { title: 'StockEvent' },
)
