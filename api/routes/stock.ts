import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { listStock, type StockLine } from '../../db/queries/stock.ts'
import { pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, LIMIT_DEFAULT, operation, page, paging, Time } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'

export const OnHand = Type.Object(
  {
    facilityId: Id,
    storagePointId: Id,
    itemId: Id,
    lotId: Id,
    lotCode: Type.String(),
    expiresOn: Type.String(),
    vvmStage: Type.Integer(),
    held: Type.Boolean(),
    doses: Type.Integer({ description: 'On hand.' }),
    allocated: Type.Integer({ description: 'Promised to orders.' }),
    available: Type.Integer({ description: 'Neither promised nor on hold.' }),
    updatedAt: Time,
  },
  { title: 'OnHand' },
)

const list = operation(
  {
    operationId: 'listStock',
    summary: 'What is on hand, by storage point, lot, VVM stage and hold',
    tags: ['stock'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional(Id),
        storagePointId: Type.Optional(Id),
        itemId: Type.Optional(Id),
        lotId: Type.Optional(Id),
      },
      closed,
    ),
    response: { 200: page(OnHand) },
  },
  ['resource.notFound'],
)

export const stockRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/stock', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT, ...rest } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const after = decodeCursor(cursor)?.split(':')
    const asked = {
      scope: caller.scope,
      under,
      itemId: rest.itemId,
      lotId: rest.lotId,
      storagePointId: rest.storagePointId,
      after,
      limit: limit + 1,
    }
    const rows = await listStock(deps.db, asked)
    const shown = rows.slice(0, limit)
    const last = rows.length > limit ? shown.at(-1) : undefined
    return {
      items: shown.map(onHandView),
      nextCursor: last
        ? encodeCursor([last.accountId, last.lotId, last.vvmStage, last.held].join(':'))
        : null,
    }
  })
}

export function onHandView(row: StockLine): Static<typeof OnHand> {
  return {
    facilityId: row.facilityId,
    storagePointId: row.accountId,
    itemId: row.itemId,
    lotId: row.lotId,
    lotCode: row.lotCode,
    expiresOn: row.expiresOn,
    vvmStage: row.vvmStage,
    held: row.held === 1,
    doses: row.doses,
    allocated: row.allocated,
    available: row.held === 1 ? 0 : Math.max(0, row.doses - row.allocated),
    updatedAt: toRfc3339(row.updatedAt),
  }
}
