import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { findStockLevel, listStockLevels } from '../../db/queries/stock-level.ts'
import { inTransaction } from '../../db/transaction.ts'
import { LEVEL_STATUSES } from '../../domain/stock-level.ts'
import type { StockLevelTable } from '../../db/schema-stock.ts'
import { facilityOf, found, pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { tag } from '../etag.ts'
import { LevelChange, levelViews, saveStockLevel, StockLevel } from '../stock-level.ts'
import { closed, Id, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import { writingOf } from '../write.ts'

const Params = Type.Object({ facilityId: Id, itemId: Id }, closed)

const list = operation(
  {
    operationId: 'listStockLevels',
    summary: 'How stock stands to its min and max, by facility and item',
    description: 'With `status`, a page may hold fewer than `limit` and still be followed by another.',
    tags: ['stock'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional(Id),
        itemId: Type.Optional(Id),
        status: Type.Optional(Type.Enum([...LEVEL_STATUSES])),
      },
      closed,
    ),
    response: { 200: page(StockLevel) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getStockLevel',
  summary: 'The stock level of one item in one facility',
  tags: ['stock'],
  params: Params,
  response: { 200: StockLevel },
})
const save = operation(
  {
    operationId: 'saveStockLevel',
    summary: 'Give an item a stock level in a facility, or change it',
    tags: ['stock'],
    params: Params,
    body: LevelChange,
    response: { 200: StockLevel },
  },
  ['request.preconditionFailed'],
)

export const stockLevelRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const view = async (level: StockLevelTable & { timeZone: string }): Promise<Static<typeof StockLevel>> =>
    found((await levelViews(deps.db, [level], deps.clock.now()))[0])

  app.get('/stock-levels', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, itemId, status, limit = LIMIT_DEFAULT } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const asked = { scope: caller.scope, under, itemId, after: placeAfter(cursor), limit: limit + 1 }
    const rows = await listStockLevels(deps.db, asked)
    const shown = rows.slice(0, limit)
    const views = await levelViews(deps.db, shown, deps.clock.now())
    const last = rows.length > limit ? shown.at(-1) : undefined
    return {
      items: views.filter((level) => status === undefined || level.status === status),
      nextCursor: last ? encodeCursor(`${last.facilityId}:${last.itemId}`) : null,
    }
  })
  app.get('/stock-levels/:facilityId/:itemId', { schema: get }, async ({ params, caller }, reply) => {
    const { timeZone } = await facilityOf(deps.db, caller, params.facilityId)
    const level = await view({ ...found(await findStockLevel(deps.db, params)), timeZone })
    // What is on hand moves without a new version.
    const { effectiveMinDoses, effectiveMaxDoses, onHandDoses, usableDoses, dosesPerDay } = level
    tag(reply, level.version, effectiveMinDoses, effectiveMaxDoses, onHandDoses, usableDoses, dosesPerDay)
    return level
  })
  app.patch('/stock-levels/:facilityId/:itemId', { schema: save }, async (request, reply) => {
    const { params, body, caller } = request
    const level = await inTransaction(deps.db, (trx) =>
      saveStockLevel(writingOf(deps, request, trx), params, body),
    )
    const { timeZone } = await facilityOf(deps.db, caller, params.facilityId)
    tag(reply, level.version)
    return view({ ...level, timeZone })
  })
}

function placeAfter(cursor: string | undefined) {
  const [facilityId = '', itemId = ''] = decodeCursor(cursor)?.split(':') ?? []
  return cursor === undefined ? undefined : { facilityId, itemId }
}
