import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { findCapture } from '../../db/queries/epcis.ts'
import type { EpcisEvent } from '../../domain/epcis.ts'
import { COMPARISONS, SENSOR_FIELDS, type EpcisFilter } from '../../domain/epcis-filter.ts'
import { CodedError, ERRORS } from '../../domain/errors.ts'
import { found } from '../caller.ts'
import type { RouteDeps } from '../deps.ts'
import { capture, type Capture, type Outcome } from '../epcis-capture.ts'
import { findEvents, queryEvents } from '../epcis-query.ts'
import { Document, EVENT_ID_LENGTH_MAX, EVENT_SCHEMAS, Query, QueryDocument } from '../epcis-schemas.ts'
import { closed, Id, nullable, operation, Time } from '../schemas.ts'
import { parseTime, toRfc3339, toRfc3339OrNull } from '../time.ts'
import { once } from '../write.ts'

const CONTEXT = 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'
/** What we say beyond the standard has names of ours. */
const OURS = { coldstream: 'urn:coldstream:' }
const PER_PAGE_DEFAULT = 30
const CONTENT_TYPE = 'application/ld+json'
const PROCEED = {
  'gs1-capture-error-behaviour': 'proceed',
  'gs1-epcis-version': '2.0',
  'gs1-cbv-version': '2.0',
}

const CaptureJob = Type.Object(
  {
    captureID: Id,
    createdAt: Time,
    finishedAt: nullable(Time),
    running: Type.Boolean({
      description: 'Not done yet; for ever, if the process ended meanwhile: send the document again.',
    }),
    success: Type.Boolean({ description: 'Whether every event is in the ledger.' }),
    captureErrorBehaviour: Type.Literal('proceed'),
    errors: Type.Array(
      Type.Object({
        type: Type.String(),
        title: Type.String(),
        status: Type.Integer(),
        code: Type.String(),
        detail: nullable(Type.String()),
        index: Type.Integer(),
        eventID: nullable(Type.String()),
      }),
    ),
    events: Type.Array(
      Type.Object({
        index: Type.Integer(),
        eventID: nullable(Type.String()),
        result: Type.Enum(['recorded', 'known', 'kept', 'refused']),
        stockEventId: nullable(Id),
      }),
    ),
  },
  { title: 'EpcisCapture' },
)

/** As JSON, and as JSON-LD, which it is, to those who ask for that. */
const QUERY_DOCUMENT = {
  description: 'The events.',
  content: { 'application/json': { schema: QueryDocument }, [CONTENT_TYPE]: { schema: QueryDocument } },
}

const query = operation({
  operationId: 'queryEpcisEvents',
  summary: 'What happened to stock and to its temperature, as EPCIS 2.0 events',
  description:
    'In the order of recording. What follows a page is behind its Link header; a page may be short, or empty, and still have one. What is left out of the standard is refused, not ignored.',
  tags: ['epcis'],
  querystring: Query,
  response: { 200: QUERY_DOCUMENT },
})
const ofType = operation({
  operationId: 'queryEpcisEventsOfType',
  summary: 'EPCIS events of one type',
  tags: ['epcis'],
  params: Type.Object({ eventType: Type.Enum(Object.keys(EVENT_SCHEMAS)) }, closed),
  querystring: Query,
  response: { 200: QUERY_DOCUMENT },
})
const get = operation({
  operationId: 'getEpcisEvent',
  summary: 'The EPCIS events of one eventID: two, when it was declared an error',
  tags: ['epcis'],
  params: Type.Object(
    {
      eventID: Type.String({ minLength: 1, maxLength: EVENT_ID_LENGTH_MAX, description: 'Percent-encoded.' }),
    },
    closed,
  ),
  response: { 200: QUERY_DOCUMENT },
})
const take = operation(
  {
    operationId: 'captureEpcis',
    summary: 'Take EPCIS events from others into the ledger',
    description:
      'Each event by itself: receiving, decommissioning, destroying and dispensing of lots at a facility of ours become stock events, a declaration that one did not occur reverses it. What the ledger has no use for is kept as it is, with an error. An eventID is recorded once.',
    tags: ['epcis'],
    body: Document,
    response: { 202: CaptureJob },
  },
  ['request.idempotencyMismatch', 'epcis.rollbackUnsupported'],
)
const job = operation({
  operationId: 'getEpcisCapture',
  summary: 'What became of a document of events',
  tags: ['epcis'],
  params: Type.Object({ captureID: Id }, closed),
  response: { 200: CaptureJob },
})

export const epcisRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.addContentTypeParser(CONTENT_TYPE, { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
  app.get('/epcis/events', { schema: query }, async (request, reply) => answer(deps, request, reply, {}))
  app.get('/epcis/eventTypes/:eventType/events', { schema: ofType }, async (request, reply) =>
    answer(deps, request, reply, { eventTypes: [request.params.eventType] }),
  )
  app.get('/epcis/events/:eventID', { schema: get }, async (request, reply) => {
    const events = await findEvents(deps, request.caller, request.params.eventID)
    if (events.length === 0) throw new CodedError('resource.notFound')
    return negotiate(request, reply, documentOf(events, deps.clock.now()))
  })
  app.post('/epcis/capture', { schema: take }, async (request, reply) => {
    const { caller, body } = request
    if (String(request.headers['gs1-capture-error-behaviour'] ?? 'proceed') !== 'proceed')
      throw new CodedError('epcis.rollbackUnsupported')
    // Each event has a transaction of its own, and an eventID that makes a repetition harmless.
    const options = { status: 202, outside: true }
    const done = await once(deps, request, reply, options, async () =>
      captureView(await capture(deps, caller, body.epcisBody.eventList)),
    )
    reply.headers({ ...PROCEED, location: `/v1/epcis/capture/${done.captureID}` })
    return done
  })
  app.get('/epcis/capture/:captureID', { schema: job }, async ({ params, caller }, reply) => {
    const { outcomes, ...row } = found(await findCapture(deps.db, params.captureID, caller))
    reply.headers(PROCEED)
    return captureView({ ...row, outcomes: JSON.parse(outcomes ?? '[]') as Outcome[] })
  })
}

async function answer(
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  more: Partial<EpcisFilter>,
): Promise<Static<typeof QueryDocument>> {
  const asked = request.query as Asked
  const filter = { ...filterOf(asked), ...more }
  const { perPage = PER_PAGE_DEFAULT, nextPageToken: token } = asked
  const page = await queryEvents(deps, request.caller, filter, { perPage, token })
  if (page.nextPageToken !== undefined) {
    const [path = '', search = ''] = request.url.split('?', 2)
    const next = new URLSearchParams(search)
    next.set('nextPageToken', page.nextPageToken)
    reply.header('link', `<${path}?${next.toString()}>; rel="next"`)
  }
  return negotiate(request, reply, documentOf(page.events, deps.clock.now()))
}

/** As the query schema has checked it. */
interface Asked extends Readonly<Record<string, string | number | undefined>> {
  readonly perPage?: number
  readonly nextPageToken?: string
}

function filterOf(asked: Asked): EpcisFilter {
  const words = (name: string) => (asked[name] === undefined ? undefined : String(asked[name]).split('|'))
  const flag = (name: string) => (asked[name] === undefined ? undefined : asked[name] === 'true')
  const time = (name: string) =>
    asked[name] === undefined ? undefined : parseTime(String(asked[name]), name)
  return {
    eventTypes: words('eventType'),
    eventIds: words('EQ_eventID'),
    bizSteps: words('EQ_bizStep'),
    actions: words('EQ_action'),
    dispositions: words('EQ_disposition'),
    bizLocations: words('EQ_bizLocation'),
    readPoints: words('EQ_readPoint'),
    epcClasses: words('MATCH_epcClass'),
    hasSensor: flag('EXISTS_sensorElement'),
    hasErrorDeclaration: flag('EXISTS_errorDeclaration'),
    eventFrom: time('GE_eventTime'),
    eventBefore: time('LT_eventTime'),
    recordFrom: time('GE_recordTime'),
    recordBefore: time('LT_recordTime'),
    celsius: COMPARISONS.flatMap((comparison) =>
      SENSOR_FIELDS.flatMap((field) => {
        const limit = asked[`${comparison}_${field}_CEL`]
        return limit === undefined ? [] : [{ comparison, field, limit: Number(limit) }]
      }),
    ),
  }
}

function documentOf(events: readonly EpcisEvent[], now: number): Static<typeof QueryDocument> {
  return {
    '@context': [CONTEXT, OURS],
    type: 'EPCISQueryDocument',
    schemaVersion: '2.0',
    creationDate: toRfc3339(now),
    epcisBody: { queryResults: { queryName: 'SimpleEventQuery', resultsBody: { eventList: [...events] } } },
  }
}

function negotiate<T>(request: FastifyRequest, reply: FastifyReply, body: T): T {
  if (String(request.headers.accept ?? '').includes(CONTENT_TYPE)) reply.type(CONTENT_TYPE)
  return body
}

function captureView({ id, createdAt, finishedAt, outcomes }: Capture): Static<typeof CaptureJob> {
  return {
    captureID: id,
    createdAt: toRfc3339(createdAt),
    finishedAt: toRfc3339OrNull(finishedAt),
    running: finishedAt === null,
    success: finishedAt !== null && outcomes.every(({ code }) => code === null),
    captureErrorBehaviour: 'proceed',
    errors: outcomes.flatMap(({ code, detail, index, eventId }) => {
      if (code === null) return []
      const [status, title] = ERRORS[code]
      return [{ type: `urn:coldstream:error:${code}`, title, status, code, detail, index, eventID: eventId }]
    }),
    events: outcomes.map(({ index, eventId, result, stockEventId }) => ({
      index,
      eventID: eventId,
      result,
      stockEventId,
    })),
  }
}
