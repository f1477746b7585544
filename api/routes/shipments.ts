import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { findShipment, listShipments, type Shipment as ShipmentRow } from '../../db/queries/shipment.ts'
import { findStockEvent } from '../../db/queries/stock-event.ts'
import { CodedError, type ErrorCode } from '../../domain/errors.ts'
import type { ShipmentWarning } from '../../domain/shipment-warning.ts'
import { found, pathOf, type Caller } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { tag } from '../etag.ts'
import { ReceiveBody, ShipBody, Shipment, UndoBody } from '../order-schemas.ts'
import { recallShipment, receiveShipment, reverseReceipt } from '../receive-shipment.ts'
import { hashOf, onceById } from '../replay.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import { shipOrder } from '../ship-order.ts'
import { warnReceiver, warnSender } from '../shipment-warnings.ts'
import { toRfc3339, toRfc3339OrNull } from '../time.ts'
import { once, writingOf, type Writing } from '../write.ts'

const STEP: readonly ErrorCode[] = [
  'order.wrongState',
  'order.wrongSide',
  'request.preconditionFailed',
  'request.idempotencyMismatch',
  'resource.conflict',
  'stock.insufficient',
  'stock.negativeInPast',
]
const FACTS: readonly ErrorCode[] = [
  'stock.inFuture',
  'stock.lotExpired',
  'stock.vvmStage',
  'order.quantity',
  'order.unknownLine',
]
const create = operation(
  {
    operationId: 'createShipment',
    summary: 'Send what is allocated to an order, or a part of it',
    description:
      'One order may have several shipments. The answer warns of what the receiver has no room or no time for.',
    tags: ['orders'],
    params: IdParams,
    body: ShipBody,
    response: { 201: Shipment },
  },
  [...STEP, ...FACTS, 'stock.lotRecalled', 'order.held', 'order.badSscc'],
)
const list = operation(
  {
    operationId: 'listShipments',
    summary: 'Shipments from and to my part of the tree, the newest first',
    tags: ['orders'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional({ ...Id, description: 'On either side, or below it.' }),
        orderId: Type.Optional(Id),
        status: Type.Optional(Type.Enum(['shipped', 'received', 'recalled'])),
      },
      closed,
    ),
    response: { 200: page(Shipment) },
  },
  ['resource.notFound'],
)
const Sscc = Type.String({ pattern: '^\\d{18}$' })
const KeyParams = Type.Object({ id: Type.Union([Id, Sscc], { description: 'Its id, or its SSCC.' }) }, closed)
const get = operation({
  operationId: 'getShipment',
  summary: 'One shipment, by id or SSCC',
  tags: ['orders'],
  params: KeyParams,
  response: { 200: Shipment },
})
const receive = operation(
  {
    operationId: 'receiveShipment',
    summary: 'Take a shipment in: accepted, rejected with a reason, short',
    description:
      'Accepted doses are on hand (on hold, when their lot is recalled); rejected ones wait for disposal; what did not come is an adjustment. Nothing stays on the road.',
    tags: ['orders'],
    params: KeyParams,
    body: ReceiveBody,
    response: { 201: Shipment },
  },
  [...STEP, ...FACTS, 'order.received', 'stock.unknownPoint', 'stock.reasonRequired'],
)
const undo = (operationId: 'reverseReceipt' | 'recallShipment', summary: string) =>
  operation(
    {
      operationId,
      summary,
      tags: ['orders'],
      params: KeyParams,
      body: UndoBody,
      response: { 200: Shipment },
    },
    STEP,
  )
const reverse = undo('reverseReceipt', 'Take a receipt back: the shipment is on the road again')
const recall = undo('recallShipment', 'Call a shipment back that has not been received')

export const shipmentRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/orders/:id/shipments', { schema: create }, async (request, reply) => {
    const { body, params, caller } = request
    const before = async () => {
      const row = body.id === undefined ? undefined : await findShipment(deps.db, body.id, caller.scope)
      return row && { requestHash: row.requestHash, view: view(row) }
    }
    const hash = hashOf({ ...body, orderId: params.id })
    const made = await onceById(deps, request, reply, { hash, before }, async (trx) => {
      const writing = writingOf(deps, request, trx)
      const shipment = await shipOrder(deps, writing, params.id, body)
      return view(shipment, await warnSender(trx, shipment, writing.at))
    })
    tag(reply, made.version)
    return made
  })
  app.get('/shipments', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT, orderId, status } = query
    const asked = {
      scope: caller.scope,
      under: await pathOf(deps.db, caller, facilityId),
      orderId,
      status,
      after: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listShipments(deps.db, asked), limit, (row) => view(row))
  })
  app.get('/shipments/:id', { schema: get }, async ({ params, caller }, reply) => {
    const shipment = found(await findShipment(deps.db, params.id, caller.scope))
    tag(reply, shipment.version)
    return view(shipment)
  })
  app.post('/shipments/:id/receive', { schema: receive }, async (request, reply) => {
    const { body, params, caller } = request
    const shipmentId = await idOf(deps, caller, params.id)
    const hash = hashOf({ ...body, shipmentId })
    const before = () => receivedBefore(deps, caller, body.id, shipmentId)
    const made = await onceById(deps, request, reply, { hash, before }, async (trx) => {
      const shipment = await receiveShipment(writingOf(deps, request, trx), shipmentId, body)
      return view(shipment, await warnReceiver(trx, shipment, body))
    })
    tag(reply, made.version)
    return made
  })
  const take = async (
    request: FastifyRequest,
    reply: FastifyReply,
    work: (writing: Writing) => Promise<ShipmentRow>,
  ): Promise<Static<typeof Shipment>> => {
    const made = await once(deps, request, reply, { status: 200 }, async (trx) =>
      view(await work(writingOf(deps, request, trx))),
    )
    tag(reply, made.version)
    return made
  }
  app.post('/shipments/:id/reverse-receipt', { schema: reverse }, async (request, reply) => {
    const id = await idOf(deps, request.caller, request.params.id)
    return take(request, reply, (writing) => reverseReceipt(writing, id, request.body.comment))
  })
  app.post('/shipments/:id/recall', { schema: recall }, async (request, reply) => {
    const id = await idOf(deps, request.caller, request.params.id)
    return take(request, reply, (writing) => recallShipment(writing, id, request.body.comment))
  })
}

async function idOf({ db }: RouteDeps, caller: Caller, key: string): Promise<string> {
  return found(await findShipment(db, key, caller.scope)).id
}

/** What was received under this id before. A receipt that was taken back since is none any more. */
async function receivedBefore({ db }: RouteDeps, caller: Caller, id: string | undefined, shipmentId: string) {
  const event = id === undefined ? undefined : await findStockEvent(db, id, caller.scope)
  const shipment = event && (await findShipment(db, shipmentId, caller.scope))
  if (!event || !shipment) return undefined
  if (shipment.deliverEventId !== event.id)
    throw new CodedError('request.idempotencyMismatch', 'The receipt under this id was taken back.')
  return { requestHash: event.requestHash, view: view(shipment) }
}

function view(shipment: ShipmentRow, warnings: readonly ShipmentWarning[] = []): Static<typeof Shipment> {
  const { requestHash: _, createdBy: __, createdAt: ___, lines, coldBoxes, ...head } = shipment
  return {
    ...head,
    shippedAt: toRfc3339(shipment.shippedAt),
    receivedAt: toRfc3339OrNull(shipment.receivedAt),
    updatedAt: toRfc3339(shipment.updatedAt),
    coldBoxes: coldBoxes.map(({ name, deviceId }) => ({ name, deviceId })),
    lines: lines.map(({ shipmentId: ____, storagePointId: _____, held, ...line }) => ({
      ...line,
      held: held === 1,
    })),
    warnings: [...warnings],
  }
}
