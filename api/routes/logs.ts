import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { csvLine } from '../../domain/csv.ts'
import { CodedError } from '../../domain/errors.ts'
import type { Caller } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { allLogs, LOG_LEVELS, maySeeApplication, searchLogs, type LogEntry, type LogSearch } from '../logs.ts'
import type { LogLevel } from '../logs.ts'
import { sendText } from '../reports/send.ts'
import { closed, LIMIT_DEFAULT, nullable, operation, page, paging, Time } from '../schemas.ts'
import { parseTime } from '../time.ts'

const COLUMNS = [
  'kind',
  'id',
  'at',
  'level',
  'part',
  'message',
  'requestId',
  'deviceId',
  'userId',
  'traceId',
] as const
/** Entries of one look when all are sent. */
const EXPORT_PAGE = 500

const Ref = Type.Optional(Type.String({ minLength: 1, maxLength: 36 }))
const Query = Type.Object(
  {
    ...paging,
    kind: Type.Optional(Type.Enum(['application', 'audit'])),
    level: Type.Optional(
      Type.Enum(Object.keys(LOG_LEVELS) as LogLevel[], { description: 'This one and those above it.' }),
    ),
    part: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 32,
        description: '`broker`, `ingest`, `notifier`, `api`, `http`, `main`.',
      }),
    ),
    from: Type.Optional({ ...Time, description: 'Inclusive.' }),
    to: Type.Optional({ ...Time, description: 'Exclusive.' }),
    requestId: Ref,
    deviceId: Ref,
    userId: Ref,
    traceId: Ref,
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'Part of what was said, or of its data, in capitals or not.',
      }),
    ),
    format: Type.Optional(
      Type.Enum(['json', 'ndjson', 'csv'], {
        description: '`json`: a page. The others: a stream of all that fits.',
      }),
    ),
  },
  closed,
)

const Entry = Type.Object(
  {
    kind: Type.Enum(['application', 'audit']),
    id: Type.String(),
    at: Time,
    level: Type.Enum(Object.keys(LOG_LEVELS) as LogLevel[]),
    part: Type.String(),
    message: Type.String({ description: 'Of the audit: what was done, such as `device.created`.' }),
    requestId: nullable(Type.String()),
    deviceId: nullable(Type.String()),
    userId: nullable(Type.String()),
    traceId: nullable(Type.String()),
    data: Type.Unknown({
      description: 'What else there is; of the audit `entity`, `entityId`, `before`, `after`.',
    }),
  },
  { title: 'LogEntry' },
)

const list = operation({
  operationId: 'listLogs',
  summary: 'What the parts said and what people did, the newest first',
  description:
    'What the parts said (`application`) is for administrators; what was done (`audit`) is for those in whose part of the tree whoever did it could act. Without secrets, addresses and numbers of people.',
  tags: ['operations'],
  querystring: Query,
  response: {
    200: {
      description: 'A page, or a stream of all.',
      content: {
        'application/json': { schema: page(Entry) },
        'application/x-ndjson': { schema: Type.String({ description: 'An entry in each line.' }) },
        'text/csv': { schema: Type.String({ description: 'The same without nesting: `data` as JSON.' }) },
      },
    },
  },
})

/** Logs and audit in one list. */
export const logRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  // No HEAD: it would make the export and throw it away.
  app.get('/logs', { schema: list, exposeHeadRoute: false }, async ({ query, caller }, reply) => {
    const { limit = LIMIT_DEFAULT, format = 'json' } = query
    const search = searchOf(query, caller)
    if (format === 'json') {
      const rows = await searchLogs(deps, caller, { ...search, limit: limit + 1 })
      return reply.send(toPage(rows, limit, (entry) => entry))
    }
    const all = allLogs(deps, caller, { ...search, limit: EXPORT_PAGE })
    const isCsv = format === 'csv'
    reply.type(isCsv ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson; charset=utf-8')
    reply.header('content-disposition', `attachment; filename="logs.${format}"`)
    return sendText(reply, isCsv ? csvOf(all) : ndjsonOf(all))
  })
}

function searchOf(query: Static<typeof Query>, caller: Caller): Omit<LogSearch, 'limit'> {
  const { cursor, kind, from, to, level, part, requestId, deviceId, userId, traceId, text } = query
  if (kind === 'application' && !maySeeApplication(caller)) throw new CodedError('auth.forbidden')
  return {
    kinds: kind === undefined ? ['application', 'audit'] : [kind],
    before: decodeCursor(cursor),
    from: from === undefined ? undefined : parseTime(from, 'from'),
    to: to === undefined ? undefined : parseTime(to, 'to'),
    level,
    part,
    requestId,
    deviceId,
    userId,
    traceId,
    text,
  }
}

async function* ndjsonOf(entries: AsyncIterable<LogEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`
}

async function* csvOf(entries: AsyncIterable<LogEntry>): AsyncGenerator<string> {
  yield csvLine([...COLUMNS, 'data'])
  for await (const entry of entries)
    yield csvLine([
      ...COLUMNS.map((column) => entry[column]),
      entry.data === null ? null : JSON.stringify(entry.data),
    ])
}
