import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { listReference } from '../../db/queries/reference.ts'
import { inTransaction } from '../../db/transaction.ts'
import { facilityOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { tag } from '../etag.ts'
import { ITEMS } from '../kinds/item.ts'
import { LOTS } from '../kinds/lot.ts'
import { MANUFACTURERS } from '../kinds/manufacturer.ts'
import { STORAGE_POINTS } from '../kinds/storage-point.ts'
import { TRADE_ITEMS } from '../kinds/trade-item.ts'
import { ACTIVITIES, REASONS } from '../kinds/words.ts'
import {
  changeReference,
  changeSchema,
  createReference,
  getReference,
  newSchema,
  referenceView,
  rowOf,
  shownSchema,
  type Reference,
} from '../reference.ts'
import { closed, Code, Id, LIMIT_DEFAULT, operation, page, paging, Search } from '../schemas.ts'
import { once, writingOf } from '../write.ts'

const ALL: readonly Reference[] = [
  MANUFACTURERS,
  ITEMS,
  TRADE_ITEMS,
  LOTS,
  ACTIVITIES,
  REASONS,
  STORAGE_POINTS,
]

/** The same four routes for each kind of reference data. */
export const referenceRoutes: FastifyPluginAsync<RouteDeps> = async (app, deps) => {
  for (const of of ALL) {
    addReading(app, deps, of)
    addWriting(app, deps, of)
  }
}

interface Query {
  readonly limit?: number
  readonly cursor?: string
  readonly q?: string
  readonly facilityId?: string
  readonly archived?: boolean
}

// Routes made from tables of fields have no types of their own: what they get has been held against the schema of the kind.
const paramsOf = (request: FastifyRequest) => request.params as { readonly id: string }

function addReading(app: FastifyInstance, deps: RouteDeps, of: Reference): void {
  const { words, operations, path } = of
  const Shown = shownSchema(of)
  const list = operation(
    {
      operationId: operations.list,
      summary: `List ${words.many}${of.isPlaced ? ' in my part of the tree' : ''}`,
      tags: [words.tag],
      querystring: Type.Object(
        {
          ...paging,
          ...of.filters,
          q: Search,
          ...(of.isPlaced ? { facilityId: Type.Optional(Id) } : {}),
          ...(of.canBeArchived ? { archived } : {}),
        },
        closed,
      ),
      response: { 200: page(Shown) },
    },
    of.isPlaced ? ['resource.notFound'] : [],
  )
  const get = operation({
    operationId: operations.get,
    summary: `Show one ${words.one}`,
    tags: [words.tag],
    params: paramsSchema(of),
    response: { 200: Shown },
  })
  app.get(`/${path}`, { schema: list }, async (request) => listPage(deps, of, request))
  app.get(`/${path}/:id`, { schema: get }, async (request, reply) => {
    const row = await getReference(of, deps.db, request.caller, paramsOf(request).id)
    tag(reply, rowOf(row).version)
    return referenceView(of, row)
  })
}

const archived = Type.Optional(
  Type.Boolean({ default: false, description: 'Those that are archived, instead of those that are not.' }),
)

const paramsSchema = (of: Reference) => Type.Object({ id: of.key === 'id' ? Id : Code }, closed)

async function listPage(deps: RouteDeps, of: Reference, { query, caller }: FastifyRequest) {
  const asked = query as Query
  const { limit = LIMIT_DEFAULT, cursor, q, facilityId, archived: isArchived = false, ...equal } = asked
  if (facilityId !== undefined) await facilityOf(deps.db, caller, facilityId)
  const rows = await listReference(deps.db, of.table, {
    key: of.key,
    equal: facilityId === undefined ? equal : { ...equal, facilityId },
    isArchived: of.canBeArchived ? isArchived : undefined,
    search: q === undefined ? undefined : { columns: of.search, text: q },
    under: of.isPlaced ? [caller.scope] : [],
    after: decodeCursor(cursor),
    limit: limit + 1,
  })
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    items: shown.map((row) => referenceView(of, row)),
    nextCursor: last ? encodeCursor(rowOf(last)[of.key] ?? '') : null,
  }
}

function addWriting(app: FastifyInstance, deps: RouteDeps, of: Reference): void {
  const { words, operations, path } = of
  const Shown = shownSchema(of)
  const create = operation(
    {
      operationId: operations.create,
      summary: `Create one ${words.one}`,
      tags: [words.tag],
      body: newSchema(of),
      response: { 201: Shown },
    },
    ['resource.notFound', 'resource.conflict'],
  )
  const change = operation(
    {
      operationId: operations.change,
      summary: `Change one ${words.one}${of.canBeArchived ? ', or archive it' : ''}`,
      tags: [words.tag],
      params: paramsSchema(of),
      body: changeSchema(of),
      response: { 200: Shown },
    },
    ['resource.conflict', 'resource.inUse', 'request.preconditionFailed'],
  )
  app.post(`/${path}`, { schema: create }, async (request, reply) => {
    const made = await once(deps, request, reply, { status: 201 }, async (trx) =>
      referenceView(of, await createReference(of, writingOf(deps, request, trx), request.body as object)),
    )
    tag(reply, made.version)
    return made
  })
  app.patch(`/${path}/:id`, { schema: change }, async (request, reply) => {
    const row = await inTransaction(deps.db, (trx) =>
      changeReference(of, writingOf(deps, request, trx), paramsOf(request).id, request.body as object),
    )
    tag(reply, rowOf(row).version)
    return referenceView(of, row)
  })
}
