import { Type, type Static } from 'typebox'
import { ORDER_ACTIONS, ORDER_KINDS, ORDER_STATUSES } from '../domain/order.ts'
import { LEVELS } from '../domain/role.ts'
import { closed, Code, Id, nullable, Time, Version } from './schemas.ts'
import { Doses, DOSES_MAX, LINES_MAX } from './stock-event-schemas.ts'

export const Comment = Type.String({ maxLength: 2000 })
export const Stage = Type.Integer({
  minimum: 0,
  maximum: 4,
  description: 'VVM stage; 0 for what carries none.',
})
export const DosesOrNone = Type.Integer({ minimum: 0, maximum: DOSES_MAX })
export const Line = Type.Integer({ minimum: 1, maximum: 10_000, description: 'Its number.' })
export const OwnId = Type.Optional({
  ...Id,
  description: 'A UUID of the client: the same request sent again is done once.',
})
const Day = Type.String({ format: 'date', description: '`YYYY-MM-DD`.' })

const AskedLines = Type.Array(Type.Object({ itemId: Id, doses: Doses }, closed), {
  minItems: 1,
  maxItems: LINES_MAX,
  description: 'Each item once.',
})
const head = {
  activityCode: Type.Optional(nullable(Code)),
  neededOn: Type.Optional(nullable(Day)),
  comment: Type.Optional(nullable(Comment)),
}

export const NewOrder = Type.Object(
  {
    id: OwnId,
    kind: Type.Enum([...ORDER_KINDS], {
      description:
        '`request`: the facility that needs it asks; `allocation`: the one that has it pushes; `return`: it goes back.',
    }),
    fromFacilityId: { ...Id, description: 'Whose stock goes.' },
    toFacilityId: { ...Id, description: 'Who gets it.' },
    ...head,
    lines: AskedLines,
  },
  closed,
)
export type NewOrderBody = Static<typeof NewOrder>

export const OrderPatch = Type.Object(
  { ...head, lines: Type.Optional(AskedLines) },
  { ...closed, minProperties: 1 },
)
export type OrderPatchBody = Static<typeof OrderPatch>

export const ApproveBody = Type.Object(
  {
    lines: Type.Optional(
      Type.Array(Type.Object({ line: Line, doses: DosesOrNone, reasonCode: Type.Optional(Code) }, closed), {
        maxItems: LINES_MAX,
        description: 'Lines that are approved in part; all others as asked.',
      }),
    ),
  },
  closed,
)
export const ReasonBody = Type.Object(
  { reasonCode: { ...Code, description: 'A reason of kind cancellation.' }, comment: Type.Optional(Comment) },
  closed,
)
export const AllocateBody = Type.Object(
  {
    shelfLifeDaysMin: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3650,
        default: 0,
        description: 'Stock that expires within so many days stays here.',
      }),
    ),
    wholePacks: Type.Optional(Type.Boolean({ default: false })),
    lines: Type.Optional(
      Type.Array(
        Type.Object(
          {
            line: Line,
            storagePointId: Id,
            lotId: Id,
            vvmStage: Type.Optional(Stage),
            held: Type.Optional(Type.Boolean({ description: 'Of the stock on hold: for returns only.' })),
            doses: Doses,
            reasonCode: {
              ...Code,
              description: 'A reason of kind override; of a return also of kind return.',
            },
          },
          closed,
        ),
        { maxItems: LINES_MAX, description: 'Chosen by hand, in place of the rule, for all of a line.' },
      ),
    ),
  },
  closed,
)
export type AllocateRequest = Static<typeof AllocateBody>

export const ShipBody = Type.Object(
  {
    id: OwnId,
    sscc: Type.Optional(
      Type.String({ pattern: '^\\d{18}$', description: 'Serial shipping container code of GS1.' }),
    ),
    occurredAt: Type.Optional(Time),
    comment: Type.Optional(Comment),
    coldBoxes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 200 }),
            deviceId: Type.Optional({ ...Id, description: 'The logger in it.' }),
          },
          closed,
        ),
        { maxItems: 50 },
      ),
    ),
    lines: Type.Optional(
      Type.Array(
        Type.Object(
          {
            line: Line,
            storagePointId: Id,
            lotId: Id,
            vvmStage: Type.Optional(Stage),
            held: Type.Optional(Type.Boolean()),
            doses: Doses,
          },
          closed,
        ),
        {
          minItems: 1,
          maxItems: LINES_MAX,
          description: 'A part of what is allocated; all of it when left out.',
        },
      ),
    ),
  },
  closed,
)
export type ShipRequest = Static<typeof ShipBody>

export const ReceiveBody = Type.Object(
  {
    id: OwnId,
    occurredAt: Type.Optional(Time),
    comment: Type.Optional(Comment),
    storagePointId: Type.Optional({ ...Id, description: 'Where it goes, when its line does not say.' }),
    shortReasonCode: Type.Optional({
      ...Code,
      description: 'Why some did not come, of kind rejection. Default `rejected-short`.',
    }),
    lines: Type.Optional(
      Type.Array(
        Type.Object(
          {
            line: Line,
            storagePointId: Type.Optional(Id),
            accepted: DosesOrNone,
            rejected: Type.Optional(DosesOrNone),
            reasonCode: Type.Optional({ ...Code, description: 'Of the rejected: of kind rejection.' }),
            vvmStage: Type.Optional({ ...Stage, description: 'On arrival, when it has changed.' }),
          },
          closed,
        ),
        {
          minItems: 1,
          maxItems: LINES_MAX,
          description:
            'What was found of every line; one line may be told in parts. What is neither accepted nor rejected is short. Left out: all of it came.',
        },
      ),
    ),
  },
  closed,
)
export type ReceiveRequest = Static<typeof ReceiveBody>

export const UndoBody = Type.Object({ comment: Type.Optional(Comment) }, closed)

const sideNames = {
  fromFacilityName: Type.String(),
  toFacilityName: Type.String(),
  fromTimeZone: Type.String(),
  toTimeZone: Type.String(),
}

const Allocation = Type.Object({
  storagePointId: Id,
  lotId: Id,
  vvmStage: Type.Integer(),
  held: Type.Boolean(),
  doses: Type.Integer(),
  why: Type.String({
    description: '`vvm`: use first; `expiry`: expires first; `manual`: chosen by a person.',
  }),
  reasonCode: nullable(Type.String()),
})

export const Order = Type.Object(
  {
    id: Id,
    documentNo: Type.String({ description: 'Counted by the facility that asks.' }),
    kind: Type.Enum([...ORDER_KINDS]),
    status: Type.Enum([...ORDER_STATUSES]),
    waitingFor: nullable(Type.Enum(['sender', 'receiver'], { description: 'The side whose step is next.' })),
    mySides: Type.Array(Type.Enum(['sender', 'receiver']), {
      description: 'The sides for which you may act.',
    }),
    fromFacilityId: Id,
    toFacilityId: Id,
    ...sideNames,
    activityCode: nullable(Type.String()),
    neededOn: nullable(Type.String()),
    comment: nullable(Type.String()),
    reasonCode: nullable(Type.String()),
    version: Version,
    createdAt: Time,
    updatedAt: Time,
    submittedAt: nullable(Time),
    decidedAt: nullable(Time),
    shippedAt: nullable(Time),
    receivedAt: nullable(Time),
    endedAt: nullable(Time),
    lines: Type.Array(
      Type.Object({
        line: Type.Integer(),
        itemId: Id,
        doses: Type.Integer({ description: 'Asked for.' }),
        approved: nullable(Type.Integer()),
        reasonCode: nullable(Type.String()),
        reserved: Type.Integer({ description: 'Allocated, and not yet sent.' }),
        shipped: Type.Integer(),
        settled: Type.Integer({
          description: 'Of what was shipped: arrived, rejected, or known not to come.',
        }),
        allocations: Type.Array(Allocation, { description: 'For the people of the supplying side.' }),
      }),
    ),
  },
  { title: 'Order' },
)

export const OrderStep = Type.Object(
  {
    at: Time,
    action: Type.Enum([...ORDER_ACTIONS]),
    userName: nullable(Type.String({ description: 'Null: nobody who is still there.' })),
  },
  { title: 'OrderStep' },
)

export const Lack = Type.Object(
  {
    itemId: Id,
    maxDoses: Type.Integer(),
    onHand: Type.Integer(),
    inTransit: Type.Integer(),
    suggested: Type.Integer({ description: 'Maximum less on hand less in transit.' }),
  },
  { title: 'Lack' },
)

export const Resupply = Type.Object(
  {
    suppliers: Type.Array(Type.Object({ id: Id, name: Type.String(), level: Type.Enum([...LEVELS]) }), {
      description: 'The facilities above it, the nearest first.',
    }),
    items: Type.Array(Lack),
  },
  { title: 'Resupply' },
)

export const Warning = Type.Object(
  {
    code: Type.String({
      description:
        '`coldVolume`: more than there is room for; `expiresBeforeUse`, `expiresSoon`; `freezeRisk`: sensitive to freezing, in a freezer.',
    }),
    line: nullable(Type.Integer()),
    detail: Type.String(),
  },
  { title: 'ShipmentWarning' },
)

export const Shipment = Type.Object(
  {
    id: Id,
    orderId: Id,
    documentNo: Type.String(),
    sscc: nullable(Type.String()),
    status: Type.Enum(['shipped', 'received', 'recalled']),
    fromFacilityId: Id,
    toFacilityId: Id,
    ...sideNames,
    comment: nullable(Type.String()),
    shippedAt: Time,
    receivedAt: nullable(Time),
    shipEventId: Id,
    deliverEventId: nullable(Id),
    version: Version,
    updatedAt: Time,
    coldBoxes: Type.Array(Type.Object({ name: Type.String(), deviceId: nullable(Id) })),
    lines: Type.Array(
      Type.Object({
        line: Type.Integer(),
        orderLine: Type.Integer(),
        itemId: Id,
        lotId: Id,
        vvmStage: Type.Integer(),
        held: Type.Boolean(),
        doses: Type.Integer({ description: 'Sent.' }),
        accepted: Type.Integer(),
        rejected: Type.Integer(),
        short: Type.Integer(),
      }),
    ),
    warnings: Type.Array(Warning, {
      description: 'Nothing was refused for these; told when it is sent or received.',
    }),
  },
  { title: 'Shipment' },
)
