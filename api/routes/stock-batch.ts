import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { CodedError } from '../../domain/errors.ts'
import type { RouteDeps } from '../deps.ts'
import { Problem, problemOf } from '../errors.ts'
import type { Language } from '../../domain/language.ts'
import { chooseLanguage } from '../language.ts'
import { recordOrRecall, recordStockEvent, tellStock } from '../record-stock-event.ts'
import { closed, nullable, operation } from '../schemas.ts'
import { eventView, NewStockEvent, StockEvent, type NewStockEventBody } from '../stock-event-schemas.ts'
import { compileByKind } from '../validation.ts'

/** What a health centre does in a day or two without a network. */
const EVENTS_MAX = 100
/** Of the longest events that there are, fewer fit into one batch. */
const BODY_BYTES_MAX = 4 * 1_048_576

const Outcome = Type.Object(
  {
    id: nullable(Type.String({ description: 'Of the event, as it was sent.' })),
    status: Type.Integer({ description: 'As POST /v1/stock-events would have answered.' }),
    replayed: Type.Boolean({ description: 'It was recorded before.' }),
    event: Type.Optional(StockEvent),
    problem: Type.Optional(Type.Object(Problem.properties)),
  },
  { title: 'StockEventOutcome' },
)

const record = operation({
  operationId: 'recordStockEvents',
  summary: 'Record what happened to stock while the client was offline',
  description:
    'Each event is a transaction of its own, in the order given, and has an answer of its own: one that is refused holds up no other. Every event has an `id` that the client made, so the whole batch can be sent again until an answer arrives.',
  tags: ['stock'],
  body: Type.Object(
    {
      events: Type.Array(
        Type.Unknown({ description: 'As POST /v1/stock-events takes it; `id` is required.' }),
        { minItems: 1, maxItems: EVENTS_MAX },
      ),
    },
    closed,
  ),
  response: { 200: Type.Object({ items: Type.Array(Outcome) }) },
})

const check = compileByKind({ schema: NewStockEvent, method: 'POST', url: '', httpPart: 'body' })

export const stockBatchRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/stock-events/batch', { schema: record, bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
    const language = chooseLanguage(request, reply)
    const items: Static<typeof Outcome>[] = []
    for (const [index, event] of request.body.events.entries())
      items.push(await recordOne(deps, request, language, event, index))
    return { items }
  })
}

async function recordOne(
  deps: RouteDeps,
  request: FastifyRequest,
  language: Language,
  event: unknown,
  index: number,
): Promise<Static<typeof Outcome>> {
  const said = (event as { readonly id?: unknown } | null)?.id
  const id = typeof said === 'string' ? said : null
  try {
    const body = valid(event, index)
    const { event: posted, replayed } = await recordOrRecall(deps, request.caller, body, (trx) =>
      recordStockEvent(deps, trx, request.caller, body),
    )
    if (!replayed) tellStock(deps, posted)
    return { id, status: 201, replayed, event: eventView(posted) }
  } catch (error) {
    const problem = problemOf(error, request, language)
    return { id, status: problem.status, replayed: false, problem }
  }
}

/** @throws the validator's findings, which `problemOf` knows how to tell */
function valid(event: unknown, index: number): NewStockEventBody {
  const result = check(event) as { readonly value?: NewStockEventBody; readonly error?: object }
  const validationContext = `body/events/${index}`
  if (result.error)
    throw Object.assign(new Error('not valid'), { validation: result.error, validationContext })
  const body = result.value
  if (body?.id === undefined)
    throw new CodedError('request.invalid', `Event ${index + 1} of a batch needs an id that its client made.`)
  return body
}
