import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import type { Order as OrderRow } from '../../db/queries/order.ts'
import type { ErrorCode } from '../../domain/errors.ts'
import type { RouteDeps } from '../deps.ts'
import { tag } from '../etag.ts'
import { AllocateBody, ApproveBody, Order, ReasonBody } from '../order-schemas.ts'
import { allocateOrder, approveOrder, closeOrder, endOrder, pickOrder, submitOrder } from '../order-steps.ts'
import { orderView } from '../order.ts'
import type { OperationId } from '../../domain/permissions.ts'
import { Id, IdParams, operation } from '../schemas.ts'
import { once, writingOf, type Writing } from '../write.ts'

const STEP: readonly ErrorCode[] = [
  'order.wrongState',
  'order.wrongSide',
  'request.preconditionFailed',
  'request.idempotencyMismatch',
]
const head = { tags: ['orders'], params: IdParams, response: { 200: Order } }
const plain = (operationId: OperationId, summary: string) =>
  operation({ ...head, operationId, summary }, STEP)

const submit = plain('submitOrder', 'Ask for what a draft says; a push is approved by that')
const pick = plain('pickOrder', 'What is allocated is off the shelves and packed')
const close = plain('closeOrder', 'Nothing more comes of it; what is allocated still is let go')
const approve = operation(
  { ...head, operationId: 'approveOrder', summary: 'Approve, all of it or in part', body: ApproveBody },
  [...STEP, 'order.quantity', 'order.unknownLine', 'stock.reasonRequired'],
)
const reject = operation(
  { ...head, operationId: 'rejectOrder', summary: 'Refuse all of it', body: ReasonBody },
  [...STEP, 'stock.reasonRequired'],
)
const cancel = operation(
  { ...head, operationId: 'cancelOrder', summary: 'Withdraw it before anything is sent', body: ReasonBody },
  [...STEP, 'stock.reasonRequired'],
)
const allocate = operation(
  {
    ...head,
    operationId: 'allocateOrder',
    summary: 'Promise stock to it, in place of what was promised before',
    description:
      'VVM stage 2 before 1, then what expires first; never what is expired, on hold, recalled, or at VVM stage 3 or 4. Lines can be chosen by hand, with a reason.',
    body: AllocateBody,
    response: {
      200: Type.Object({
        order: Order,
        passedOver: Type.Array(
          Type.Object({
            storagePointId: Id,
            lotId: Id,
            vvmStage: Type.Integer(),
            held: Type.Boolean(),
            available: Type.Integer(),
            obstacle: Type.String({
              description: '`held`, `recalled`, `expired`, `vvm`, `shelfLife` or `promised`.',
            }),
          }),
          { description: 'Stock of the same items that was not taken, and why.' },
        ),
      }),
    },
  },
  [
    ...STEP,
    'order.quantity',
    'order.unknownLine',
    'order.held',
    'stock.insufficient',
    'stock.reasonRequired',
    'stock.lotExpired',
    'stock.lotRecalled',
    'stock.vvmStage',
  ],
)

export const orderStepRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const take = async (
    request: FastifyRequest,
    reply: FastifyReply,
    work: (writing: Writing) => Promise<OrderRow>,
  ): Promise<Static<typeof Order>> => {
    const view = await once(deps, request, reply, { status: 200 }, async (trx) =>
      orderView(await work(writingOf(deps, request, trx)), request.caller),
    )
    tag(reply, view.version)
    return view
  }
  app.post('/orders/:id/submit', { schema: submit }, async (request, reply) =>
    take(request, reply, (writing) => submitOrder(writing, request.params.id)),
  )
  app.post('/orders/:id/approve', { schema: approve }, async (request, reply) =>
    take(request, reply, (writing) => approveOrder(writing, request.params.id, request.body.lines ?? [])),
  )
  app.post('/orders/:id/reject', { schema: reject }, async (request, reply) => {
    const { reasonCode, comment } = request.body
    return take(request, reply, (writing) =>
      endOrder(writing, request.params.id, { kind: 'reject', reasonCode }, comment),
    )
  })
  app.post('/orders/:id/cancel', { schema: cancel }, async (request, reply) => {
    const { reasonCode, comment } = request.body
    return take(request, reply, (writing) =>
      endOrder(writing, request.params.id, { kind: 'cancel', reasonCode }, comment),
    )
  })
  app.post('/orders/:id/pick', { schema: pick }, async (request, reply) =>
    take(request, reply, (writing) => pickOrder(writing, request.params.id)),
  )
  app.post('/orders/:id/close', { schema: close }, async (request, reply) =>
    take(request, reply, (writing) => closeOrder(writing, request.params.id)),
  )
  app.post('/orders/:id/allocate', { schema: allocate }, async (request, reply) => {
    const { body, params, caller } = request
    const answer = await once(deps, request, reply, { status: 200 }, async (trx) => {
      const { order, passedOver } = await allocateOrder(writingOf(deps, request, trx), params.id, body)
      return {
        order: orderView(order, caller),
        passedOver: passedOver.map(({ candidate, obstacle }) => {
          const { storagePointId, lotId, vvmStage, held, available } = candidate
          return { storagePointId, lotId, vvmStage, held, available, obstacle }
        }),
      }
    })
    tag(reply, answer.order.version)
    return answer
  })
}
