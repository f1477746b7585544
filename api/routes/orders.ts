import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listSteps } from '../../db/queries/audit.ts'
import { findOrder, listOrders } from '../../db/queries/order.ts'
import { inTransaction } from '../../db/transaction.ts'
import { ORDER_ACTIONS, ORDER_KINDS, ORDER_STATUSES } from '../../domain/order.ts'
import { facilityOf, found, pathOf } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { tag } from '../etag.ts'
import { changeDraft, makeOrder, suggest, suppliersOf } from '../make-order.ts'
import { Lack, NewOrder, Order, OrderPatch, OrderStep, Resupply } from '../order-schemas.ts'
import { orderView } from '../order.ts'
import { hashOf, onceById } from '../replay.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { writingOf } from '../write.ts'

const create = operation(
  {
    operationId: 'createOrder',
    summary: 'Draft an order: a request, an allocation or a return',
    description: 'The asking side is yours; the other one lies above it, or in your part of the hierarchy.',
    tags: ['orders'],
    body: NewOrder,
    response: { 201: Order },
  },
  [
    'resource.notFound',
    'resource.conflict',
    'request.idempotencyMismatch',
    'order.unknownItem',
    'stock.unknownActivity',
    'order.sameFacility',
  ],
)
const list = operation(
  {
    operationId: 'listOrders',
    summary: 'Orders from and to my part of the tree, the newest first',
    tags: ['orders'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional({ ...Id, description: 'On either side, or below it.' }),
        kind: Type.Optional(Type.Enum([...ORDER_KINDS])),
        status: Type.Optional(Type.Enum([...ORDER_STATUSES])),
        waitingFor: Type.Optional(Type.Literal('me', { description: 'The next step is for my side.' })),
      },
      closed,
    ),
    response: { 200: page(Order) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getOrder',
  summary: 'One order',
  tags: ['orders'],
  params: IdParams,
  response: { 200: Order },
})
const change = operation(
  {
    operationId: 'updateOrder',
    summary: 'Change a draft',
    tags: ['orders'],
    params: IdParams,
    body: OrderPatch,
    response: { 200: Order },
  },
  [
    'request.preconditionFailed',
    'order.wrongState',
    'order.wrongSide',
    'order.unknownItem',
    'stock.unknownActivity',
  ],
)
const suggestion = operation({
  operationId: 'suggestOrder',
  summary: 'How much the receiver lacks to its maximum stock',
  description:
    'Of every item that has a stock level there, set or computed; of any other that it consumes, computed from consumption, a lead time of 14 days, 30 days between orders and 7 days of safety stock.',
  tags: ['orders'],
  params: IdParams,
  response: { 200: Type.Object({ items: Type.Array(Lack) }) },
})
const resupply = operation({
  operationId: 'getResupply',
  summary: 'What a facility lacks to its maximum stock, and from where it may ask',
  description: 'For an order that is not made yet: the same as its suggestion would be.',
  tags: ['orders'],
  params: IdParams,
  response: { 200: Resupply },
})
const history = operation({
  operationId: 'getOrderHistory',
  summary: 'Who did what to an order and when, the newest first',
  tags: ['orders'],
  params: IdParams,
  response: { 200: Type.Object({ items: Type.Array(OrderStep) }) },
})

export const orderRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/orders', { schema: create }, async (request, reply) => {
    const { body, caller } = request
    const before = async () => {
      const order = body.id === undefined ? undefined : await findOrder(deps.db, body.id, caller.scope)
      return order && { requestHash: order.requestHash, view: orderView(order, caller) }
    }
    const view = await onceById(deps, request, reply, { hash: hashOf(body), before }, async (trx) =>
      orderView(await makeOrder(writingOf(deps, request, trx), body), caller),
    )
    tag(reply, view.version)
    return view
  })
  app.get('/orders', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT, kind, status, waitingFor } = query
    const asked = {
      scope: caller.scope,
      under: await pathOf(deps.db, caller, facilityId),
      kind,
      status,
      isWaitingForMe: waitingFor === 'me',
      after: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listOrders(deps.db, asked), limit, (order) => orderView(order, caller))
  })
  app.get('/orders/:id', { schema: get }, async ({ params, caller }, reply) => {
    const order = found(await findOrder(deps.db, params.id, caller.scope))
    tag(reply, order.version)
    return orderView(order, caller)
  })
  app.patch('/orders/:id', { schema: change }, async (request, reply) => {
    const { params, body, caller } = request
    const order = await inTransaction(deps.db, (trx) =>
      changeDraft(writingOf(deps, request, trx), params.id, body),
    )
    tag(reply, order.version)
    return orderView(order, caller)
  })
  app.get('/orders/:id/suggestion', { schema: suggestion }, async ({ params, caller }) => {
    const order = found(await findOrder(deps.db, params.id, caller.scope))
    return { items: await suggest(deps, await facilityOf(deps.db, caller, order.toFacilityId)) }
  })
  app.get('/facilities/:id/resupply', { schema: resupply }, async ({ params, caller }) => {
    const facility = await facilityOf(deps.db, caller, params.id)
    const suppliers = await suppliersOf(deps.db, facility)
    return {
      suppliers: suppliers.map(({ id, name, level }) => ({ id, name, level })),
      items: await suggest(deps, facility),
    }
  })
  app.get('/orders/:id/history', { schema: history }, async ({ params, caller }) => {
    const { id } = found(await findOrder(deps.db, params.id, caller.scope))
    const steps = await listSteps(deps.db, 'order', id)
    return {
      items: steps.flatMap(({ at, action, userName }) => {
        const known = ORDER_ACTIONS.find((one) => `order.${one}` === action)
        return known ? [{ at: toRfc3339(at), action: known, userName }] : []
      }),
    }
  })
}
