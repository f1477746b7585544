import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { findDisposal, listDisposals, type Disposal as DisposalRow } from '../../db/queries/disposal.ts'
import type { ErrorCode } from '../../domain/errors.ts'
import { found, pathOf } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import {
  approveDisposal,
  cancelDisposal,
  carryOutDisposal,
  Disposal,
  DisposalDone,
  disposalView,
  makeDisposal,
  NewDisposal,
} from '../disposal.ts'
import { tag } from '../etag.ts'
import { hashOf, onceById } from '../replay.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import { once, writingOf, type Writing } from '../write.ts'

const STEP: readonly ErrorCode[] = [
  'order.wrongState',
  'request.preconditionFailed',
  'request.idempotencyMismatch',
]
const create = operation(
  {
    operationId: 'createDisposal',
    summary: 'Draft the disposal of what was written off',
    tags: ['disposals'],
    body: NewDisposal,
    response: { 201: Disposal },
  },
  [
    'resource.notFound',
    'resource.conflict',
    'request.idempotencyMismatch',
    'stock.unknownLot',
    'stock.vvmStage',
    'stock.insufficient',
  ],
)
const list = operation(
  {
    operationId: 'listDisposals',
    summary: 'Disposals in my part of the tree, the newest first',
    tags: ['disposals'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional(Id),
        status: Type.Optional(Type.Enum(['draft', 'approved', 'done', 'cancelled'])),
      },
      closed,
    ),
    response: { 200: page(Disposal) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getDisposal',
  summary: 'One disposal',
  tags: ['disposals'],
  params: IdParams,
  response: { 200: Disposal },
})
const head = { tags: ['disposals'], params: IdParams, response: { 200: Disposal } }
const approve = operation(
  {
    ...head,
    operationId: 'approveDisposal',
    summary: 'Approve it, as another person than the one who made it',
  },
  [...STEP, 'disposal.samePerson'],
)
const cancel = operation({ ...head, operationId: 'cancelDisposal', summary: 'Withdraw it' }, STEP)
const carryOut = operation(
  {
    ...head,
    operationId: 'carryOutDisposal',
    summary: 'Say that it was done: how, before whose eyes, with which certificate',
    body: DisposalDone,
  },
  [...STEP, 'stock.insufficient', 'stock.negativeInPast', 'stock.inFuture'],
)

export const disposalRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/disposals', { schema: create }, async (request, reply) => {
    const { body, caller } = request
    const before = async () => {
      const row = body.id === undefined ? undefined : await findDisposal(deps.db, body.id, caller.scope)
      return row && { requestHash: row.requestHash, view: disposalView(row) }
    }
    const made = await onceById(deps, request, reply, { hash: hashOf(body), before }, async (trx) =>
      disposalView(await makeDisposal(writingOf(deps, request, trx), body)),
    )
    tag(reply, made.version)
    return made
  })
  app.get('/disposals', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT, status } = query
    const asked = {
      scope: caller.scope,
      under: await pathOf(deps.db, caller, facilityId),
      status,
      after: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listDisposals(deps.db, asked), limit, disposalView)
  })
  app.get('/disposals/:id', { schema: get }, async ({ params, caller }, reply) => {
    const row = found(await findDisposal(deps.db, params.id, caller.scope))
    tag(reply, row.version)
    return disposalView(row)
  })
  const take = async (
    request: FastifyRequest,
    reply: FastifyReply,
    work: (writing: Writing) => Promise<DisposalRow>,
  ): Promise<Static<typeof Disposal>> => {
    const view = await once(deps, request, reply, { status: 200 }, async (trx) =>
      disposalView(await work(writingOf(deps, request, trx))),
    )
    tag(reply, view.version)
    return view
  }
  app.post('/disposals/:id/approve', { schema: approve }, async (request, reply) =>
    take(request, reply, (writing) => approveDisposal(writing, request.params.id)),
  )
  app.post('/disposals/:id/cancel', { schema: cancel }, async (request, reply) =>
    take(request, reply, (writing) => cancelDisposal(writing, request.params.id)),
  )
  app.post('/disposals/:id/carry-out', { schema: carryOut }, async (request, reply) =>
    take(request, reply, (writing) => carryOutDisposal(writing, request.params.id, request.body)),
  )
}
