import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import type { PostedEvent } from '../../db/queries/ledger.ts'
import { findStockEvent, listStockEvents } from '../../db/queries/stock-event.ts'
import type { DbOrTrx } from '../../db/schema.ts'
import type { ErrorCode } from '../../domain/errors.ts'
import { EVENT_KINDS } from '../../domain/stock-event.ts'
import { found, pathOf } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { recordedBefore, recordStockEvent, reverseStockEvent, tellStock } from '../record-stock-event.ts'
import { createRecorder } from '../record-together.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging, Time } from '../schemas.ts'
import { eventView, NewStockEvent, Reversal, StockEvent } from '../stock-event-schemas.ts'
import { parseTime } from '../time.ts'
import { keyOf, once } from '../write.ts'

const REFUSALS: readonly ErrorCode[] = [
  'resource.notFound',
  'request.idempotencyMismatch',
  'stock.insufficient',
  'stock.negativeInPast',
  'stock.moved',
  'stock.inFuture',
  'stock.beforeLot',
  'stock.unknownLot',
  'stock.unknownPoint',
  'stock.unknownActivity',
  'stock.notItsLot',
  'stock.lotExpired',
  'stock.lotRecalled',
  'stock.vvmStage',
  'stock.reasonRequired',
]
const create = operation(
  {
    operationId: 'recordStockEvent',
    summary: 'Record something that happened to stock',
    description:
      'All of it or nothing. With an `id` of the client, or an `Idempotency-Key`, the same event sent again is recorded once and answered as before.',
    tags: ['stock'],
    body: NewStockEvent,
    response: { 201: StockEvent },
  },
  REFUSALS,
)
const undo = operation(
  {
    operationId: 'reverseStockEvent',
    summary: 'Undo an event by one of opposite entries; both stay',
    tags: ['stock'],
    params: IdParams,
    body: Reversal,
    response: { 201: StockEvent },
  },
  [
    'stock.insufficient',
    'stock.negativeInPast',
    'stock.alreadyReversed',
    'stock.notReversible',
    'request.idempotencyMismatch',
  ],
)
const list = operation(
  {
    operationId: 'listStockEvents',
    summary: 'Stock events in my part of the tree, the newest first',
    tags: ['stock'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional(Id),
        lotId: Type.Optional(Id),
        kind: Type.Optional(Type.Enum([...EVENT_KINDS])),
        from: Type.Optional(Time),
        to: Type.Optional(Time),
      },
      closed,
    ),
    response: { 200: page(StockEvent) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getStockEvent',
  summary: 'One stock event with its entries',
  tags: ['stock'],
  params: IdParams,
  response: { 200: StockEvent },
})

export const stockEventRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const recordTogether = createRecorder(deps)
  app.post('/stock-events', { schema: create }, async (request, reply) => {
    const { caller, body } = request
    return orAsBefore(deps, request, reply, body, async () => {
      const posted = await recordTogether({ caller, body, key: keyOf(deps, request) })
      if (!posted) return recordOnce(deps, request, reply, (trx) => recordStockEvent(deps, trx, caller, body))
      tellStock(deps, posted)
      reply.code(201)
      return eventView(posted)
    })
  })
  app.post('/stock-events/:id/reverse', { schema: undo }, async (request, reply) => {
    const { body, caller, params } = request
    const asked = { ...body, eventId: params.id }
    return orAsBefore(deps, request, reply, asked, () =>
      recordOnce(deps, request, reply, (trx) => reverseStockEvent(deps, trx, caller, params.id, body)),
    )
  })
  app.get('/stock-events', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT, lotId, kind, from, to } = query
    const asked = {
      scope: caller.scope,
      under: await pathOf(deps.db, caller, facilityId),
      kind,
      lotId,
      from: from === undefined ? undefined : parseTime(from, 'from'),
      to: to === undefined ? undefined : parseTime(to, 'to'),
      after: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listStockEvents(deps.db, asked), limit, eventView)
  })
  app.get('/stock-events/:id', { schema: get }, async ({ params, caller }) =>
    eventView(found(await findStockEvent(deps.db, params.id, caller.scope))),
  )
}

/** Under an Idempotency-Key: recorded once, and answered as then. */
async function recordOnce(
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (trx: DbOrTrx) => Promise<PostedEvent>,
): Promise<EventView> {
  let posted: PostedEvent | undefined
  const answer = await once(deps, request, reply, { status: 201 }, async (trx) => {
    posted = await work(trx)
    return eventView(posted)
  })
  if (posted) tellStock(deps, posted)
  return answer
}

type EventView = Static<typeof StockEvent>

/** When it fails because it was recorded under its id before: the answer of then. That is looked for only then, since a second sending always fails. */
async function orAsBefore(
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: { readonly id?: string | undefined },
  record: () => Promise<EventView>,
): Promise<EventView> {
  try {
    return await record()
  } catch (error) {
    const before = await recordedBefore(deps.db, request.caller, asked.id, asked)
    if (!before) throw error
    reply.code(201).header('idempotency-replayed', 'true')
    return eventView(before)
  }
}
