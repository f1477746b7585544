import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { inTransaction } from '../../db/transaction.ts'
import { CodedError } from '../../domain/errors.ts'
import { QUEUES, type Parked, type QueueName, type QueueState } from '../../ports/queue.ts'
import { found, type Caller } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, LIMIT_DEFAULT, nullable, operation, page, paging, Time } from '../schemas.ts'
import { toRfc3339, toRfc3339OrNull } from '../time.ts'
import { audit, once } from '../write.ts'

const EXCERPT_CHARS_MAX = 1000
const DEVICES_MAX = 20
const SELECTION_MAX = 50

const QueueParam = Type.Enum([...QUEUES])
const ParkedId = Type.String({ pattern: `^(${QUEUES.join('|')})-[!-~]{1,100}$`, description: 'As listed.' })
const ParkedParams = Type.Object({ id: ParkedId }, closed)
const Count = Type.Integer({ minimum: 0 })

const QueueView = Type.Object(
  {
    name: QueueParam,
    batches: Type.Integer({ description: 'Not finished, parked ones aside.' }),
    bytes: Type.Integer({ description: 'Estimated on RabbitMQ.' }),
    parked: Count,
    consumers: Type.Integer({ description: 'That take from it: on RabbitMQ, processes.' }),
    inPerSecond: Type.Number({ description: 'Batches, on average over the last minute.' }),
    outPerSecond: Type.Number({ description: 'Finished or parked.' }),
    oldestAcceptedAt: Type.Union([Time, Type.Null()], {
      description:
        'When the oldest that is not finished was accepted; null: there is none, or it is not known.',
    }),
    oldestAgeMs: nullable(Count),
  },
  { title: 'Queue' },
)

const parked = {
  id: ParkedId,
  queue: QueueParam,
  reason: Type.String({ description: 'What the last try said.' }),
  parkedAt: Time,
  attempts: Count,
  bytes: Count,
  batchId: nullable(Type.String()),
  acceptedAt: nullable(Time),
  readings: Count,
  refusals: Count,
  attributes: Count,
  deviceIds: Type.Array(Type.String(), { description: `Of whom it is; at most ${DEVICES_MAX}.` }),
  excerpt: Type.String({ description: `Its beginning as JSON, at most ${EXCERPT_CHARS_MAX} characters.` }),
}
const ParkedBatch = Type.Object(parked, { title: 'ParkedBatch' })
const ParkedBatchDetail = Type.Object(
  { ...parked, batch: Type.Unknown({ description: 'All of it; null when it cannot be read.' }) },
  { title: 'ParkedBatchDetail' },
)
const Outcome = Type.Object({
  id: ParkedId,
  outcome: Type.Enum(['replayed', 'discarded', 'notFound', 'unreadable']),
})

const list = operation({
  operationId: 'listQueues',
  summary: 'What waits between the parts, and how fast it goes',
  tags: ['queues'],
  response: { 200: Type.Object({ items: Type.Array(QueueView) }) },
})

const listParked = operation({
  operationId: 'listParkedBatches',
  summary: 'Batches that failed too often and were set aside',
  description: 'On RabbitMQ the oldest ten thousand of each queue are looked through.',
  tags: ['queues'],
  querystring: Type.Object({ ...paging, queue: Type.Optional(QueueParam) }, closed),
  response: { 200: page(ParkedBatch) },
})

const getParked = operation({
  operationId: 'getParkedBatch',
  summary: 'A parked batch, whole',
  tags: ['queues'],
  params: ParkedParams,
  response: { 200: ParkedBatchDetail },
})

const replay = operation(
  {
    operationId: 'replayParkedBatch',
    summary: 'Put a parked batch back into its queue, with all of its tries',
    description: 'One of `store` is judged again as well, once it is stored.',
    tags: ['queues'],
    params: ParkedParams,
    response: { 200: Outcome },
  },
  ['resource.conflict'],
)

const replayMany = operation({
  operationId: 'replayParkedBatches',
  summary: 'Put several parked batches back, one after the other',
  description: 'Each has its own outcome; those before one that fails for want of the queue stay replayed.',
  tags: ['queues'],
  body: Type.Object(
    { ids: Type.Array(ParkedId, { minItems: 1, maxItems: SELECTION_MAX, uniqueItems: true }) },
    closed,
  ),
  response: { 200: Type.Object({ items: Type.Array(Outcome) }) },
})

const discard = operation({
  operationId: 'discardParkedBatch',
  summary: 'Delete a parked batch for good',
  description: 'What it said is gone; the audit keeps its beginning, who discarded it and why.',
  tags: ['queues'],
  params: ParkedParams,
  body: Type.Object({ reason: Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' }) }, closed),
  response: { 200: Outcome },
})

/** For operators: what waits in the queues, and what was set aside there. */
export const queueRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const { queue } = deps
  app.get('/queues', { schema: list }, async () => ({
    items: QUEUES.map((name) => queueView(name, queue.state(name), deps.clock.now())),
  }))
  app.get('/parked-batches', { schema: listParked }, async ({ query }) => {
    const { limit = LIMIT_DEFAULT } = query
    const rows = await parkedAfter(deps, query.queue, decodeCursor(query.cursor), limit + 1)
    return toPage(rows, limit, parkedView)
  })
  app.get('/parked-batches/:id', { schema: getParked }, async ({ params }) => {
    const row = found(await queue.findParked(params.id))
    return { ...parkedView(row), batch: row.batch ?? null }
  })
  app.post('/parked-batches/replay', { schema: replayMany }, async (request, reply) =>
    once(deps, request, reply, { status: 200, outside: true }, async () => {
      const items: Static<typeof Outcome>[] = []
      for (const id of request.body.ids)
        items.push({ id, outcome: await tryReplay(deps, request.caller, id) })
      return { items }
    }),
  )
  app.post('/parked-batches/:id/replay', { schema: replay }, async (request, reply) =>
    once(deps, request, reply, { status: 200, outside: true }, async () => {
      const { id } = request.params
      const outcome = await tryReplay(deps, request.caller, id)
      if (outcome === 'notFound') throw new CodedError('resource.notFound')
      if (outcome === 'unreadable') throw new CodedError('resource.conflict', 'It is no batch: discard it.')
      return { id, outcome }
    }),
  )
  app.post('/parked-batches/:id/discard', { schema: discard }, async (request, reply) =>
    once(deps, request, reply, { status: 200, outside: true }, async () => {
      const row = found(await queue.findParked(request.params.id))
      const after = { outcome: 'discarded' as const, reason: request.body.reason }
      if (!(await settle(deps, request.caller, row, after, () => queue.discard(row.id))))
        throw new CodedError('resource.notFound')
      return { id: row.id, outcome: after.outcome }
    }),
  )
}

/** Over all queues in turn, unless one is asked for; a cursor says by itself in which it is. */
async function parkedAfter(
  { queue }: RouteDeps,
  name: QueueName | undefined,
  cursor: string | undefined,
  limit: number,
): Promise<Parked[]> {
  const from = QUEUES.find((one) => cursor?.startsWith(`${one}-`))
  const names = name === undefined ? QUEUES.slice(from === undefined ? 0 : QUEUES.indexOf(from)) : [name]
  const rows: Parked[] = []
  for (const one of names) {
    if (rows.length >= limit) break
    const after = one === from ? cursor : undefined
    rows.push(...(await queue.parked(one, { limit: limit - rows.length, after })))
  }
  return rows
}

async function tryReplay(deps: RouteDeps, caller: Caller, id: string) {
  const row = await deps.queue.findParked(id)
  if (!row) return 'notFound'
  if (!row.batch) return 'unreadable'
  const outcome = 'replayed'
  return (await settle(deps, caller, row, { outcome }, () => deps.queue.replay(id))) ? outcome : 'notFound'
}

/**
 * Does it and writes it down. The queue acts before the commit: when the commit fails nobody was told that it is done, and a second try finds
 * nothing; the other way round something could be written down that never was.
 */
async function settle(
  { db, clock }: RouteDeps,
  caller: Caller,
  row: Parked,
  after: { readonly outcome: 'replayed' | 'discarded'; readonly reason?: string },
  act: () => Promise<boolean>,
): Promise<boolean> {
  let acting: Promise<boolean> | undefined
  return inTransaction(db, async (trx) => {
    // Once, also when the transaction has to run again.
    const isDone = await (acting ??= act())
    if (isDone)
      await audit(trx, caller, clock.now(), {
        action: `parkedBatch.${after.outcome}`,
        entity: 'queue',
        entityId: row.queue,
        before: parkedView(row),
        after,
      })
    return isDone
  })
}

function queueView(name: QueueName, state: QueueState, now: number): Static<typeof QueueView> {
  const { oldestAcceptedAt, ...rest } = state
  const isKnown = oldestAcceptedAt !== undefined
  return {
    name,
    ...rest,
    oldestAcceptedAt: isKnown ? toRfc3339(oldestAcceptedAt) : null,
    oldestAgeMs: isKnown ? Math.max(0, now - oldestAcceptedAt) : null,
  }
}

function parkedView({ batch, error, parkedAt, ...row }: Parked): Static<typeof ParkedBatch> {
  const { id, queue, attempts, bytes } = row
  const { readings = [], refusals = [], attributes = [] } = batch ?? {}
  const devices = new Set([...readings, ...refusals, ...attributes].map(({ deviceId }) => deviceId))
  return {
    id,
    queue,
    attempts,
    bytes,
    reason: error,
    parkedAt: toRfc3339(parkedAt),
    batchId: batch?.id ?? null,
    acceptedAt: toRfc3339OrNull(batch?.acceptedAt ?? null),
    readings: readings.length,
    refusals: refusals.length,
    attributes: attributes.length,
    deviceIds: [...devices].slice(0, DEVICES_MAX),
    excerpt: excerptOf({ readings, refusals, attributes }),
  }
}

// Of each kind the first few say enough; all of it as one text would be made to be thrown away.
function excerptOf(lists: Readonly<Record<string, readonly unknown[]>>): string {
  const first = Object.entries(lists).map(([name, items]) => [name, items.slice(0, 5)])
  return JSON.stringify(Object.fromEntries(first)).slice(0, EXCERPT_CHARS_MAX)
}
