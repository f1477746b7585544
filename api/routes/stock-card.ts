import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  listCard,
  listSides,
  onHandAfter,
  type CardPosition,
  type CardQuery,
} from '../../db/queries/stock-card.ts'
import type { DbOrTrx } from '../../db/schema.ts'
import { inSnapshot } from '../../db/transaction.ts'
import { CodedError } from '../../domain/errors.ts'
import { counterpartsOf, runBack } from '../../domain/stock-card.ts'
import { ACCOUNT_KINDS } from '../../domain/stock.ts'
import { EVENT_KINDS } from '../../domain/stock-event.ts'
import { facilityOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, LIMIT_DEFAULT, nullable, operation, page, paging, Time } from '../schemas.ts'
import { parseTime, toRfc3339 } from '../time.ts'

const Doses = Type.Integer()
const CardEntry = Type.Object(
  {
    eventId: Id,
    line: Type.Integer(),
    documentNo: Type.String(),
    kind: Type.Enum([...EVENT_KINDS]),
    occurredAt: Time,
    recordedAt: Time,
    storagePointId: Id,
    lotId: Id,
    lotCode: Type.String(),
    expiresOn: Type.String(),
    vvmStage: Doses,
    held: Type.Boolean(),
    opening: Type.Integer({ description: 'On hand before it, in event time.' }),
    doses: Type.Integer({ description: 'Came (positive) or went.' }),
    closing: Type.Integer({ description: 'On hand after it, in event time.' }),
    reasonCode: nullable(Type.String()),
    activityCode: nullable(Type.String()),
    comment: nullable(Type.String()),
    userId: Id,
    otherFacilityId: nullable(Id),
    shipmentId: nullable(Id),
    reversesEventId: nullable(Id),
    counterparts: Type.Array(
      Type.Object({ kind: Type.Enum([...ACCOUNT_KINDS]), id: Type.String(), doses: Doses }),
      {
        description:
          'Where the doses came from or went to: a storage point, a shipment, or an account of the facility.',
      },
    ),
  },
  { title: 'CardEntry' },
)

const When = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }))

const get = operation(
  {
    operationId: 'getStockCard',
    summary: 'The stock card: what came and went of an item in a facility, with the running balance',
    description:
      'The newest first, in the order in which things happened and not in which they were recorded. Entries of one moment follow each other by event.',
    tags: ['stock'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Id,
        itemId: Id,
        lotId: Type.Optional(Id),
        from: When('Of the period, in event time.'),
        to: When('Its end, which is not part of it.'),
        knownAt: When('As it was known then: without what was recorded later.'),
      },
      closed,
    ),
    response: {
      200: Type.Object({
        ...page(CardEntry).properties,
        opening: Type.Integer({ description: 'On hand before the oldest entry of this page.' }),
        closing: Type.Integer({ description: 'On hand after the newest entry of this page.' }),
      }),
    },
  },
  ['resource.notFound'],
)

export const stockCardRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, { db, clock }) => {
  app.get('/stock-card', { schema: get }, async ({ query, caller }) => {
    const { from, to, knownAt, cursor, limit = LIMIT_DEFAULT, facilityId, itemId, lotId } = query
    const facility = await facilityOf(db, caller, facilityId)
    const asked = {
      facilityId: facility.id,
      itemId,
      lotId,
      fromMs: from === undefined ? undefined : parseTime(from, 'from'),
      toMs: to === undefined ? undefined : parseTime(to, 'to'),
      knownAtMs: knownAt === undefined ? undefined : parseTime(knownAt, 'knownAt'),
    }
    const before = positionOf(decodeCursor(cursor))
    const { rows, closing } = await inSnapshot(db, (trx) => readCard(trx, asked, before, limit, clock.now()))
    const shown = runBack(rows.slice(0, limit), closing)
    const sides = await listSides(db, [...new Set(shown.map(({ eventId }) => eventId))], itemId)
    const sidesOf = Map.groupBy(sides, ({ eventId }) => eventId)
    const last = shown.at(-1)
    return {
      items: shown.map((row) => ({
        ...cellsOf(row),
        counterparts: (counterpartsOf(sidesOf.get(row.eventId) ?? []).get(row.line) ?? []).map(
          ({ accountKind, accountId, doses }) => ({ kind: accountKind, id: accountId, doses }),
        ),
      })),
      opening: last?.opening ?? closing,
      closing,
      nextCursor:
        rows.length > limit && last
          ? encodeCursor([last.occurredAt, last.eventId, last.line].join(':'))
          : null,
    }
  })
}

type CardRow = Awaited<ReturnType<typeof listCard>>[number]

async function readCard(
  trx: DbOrTrx,
  asked: CardQuery,
  before: CardPosition | undefined,
  limit: number,
  nowMs: number,
): Promise<{ readonly rows: CardRow[]; readonly closing: number }> {
  const rows = await listCard(trx, { ...asked, before, limit: limit + 1 })
  // Clocks of phones may be ahead of ours, so that "now" is not quite the end.
  const end = { beforeMs: asked.toMs ?? nowMs + 86_400_000 }
  return { rows, closing: await onHandAfter(trx, asked, rows[0] ?? end) }
}

function positionOf(cursor: string | undefined): CardPosition | undefined {
  if (cursor === undefined) return undefined
  const [, occurredAt, eventId, line] = /^(\d{1,16}):([0-9a-f-]{36}):(\d{1,6})$/.exec(cursor) ?? []
  if (occurredAt === undefined || eventId === undefined)
    throw new CodedError('request.invalid', 'cursor is not one that this list has given.')
  return { occurredAt: Number(occurredAt), eventId, line: Number(line) }
}

function cellsOf(row: CardRow & { readonly opening: number; readonly closing: number }) {
  const { accountId, held, occurredAt, recordedAt } = row
  return {
    ...row,
    storagePointId: accountId,
    held: held === 1,
    occurredAt: toRfc3339(occurredAt),
    recordedAt: toRfc3339(recordedAt),
  }
}
