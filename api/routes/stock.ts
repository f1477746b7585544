import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { listStock, type StockLine } from '../../db/queries/stock.ts'
import { pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, LIMIT_DEFAULT, nullable, operation, page, paging, Time } from '../schemas.ts'
import { parseTime, toRfc3339 } from '../time.ts'

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
    allocated: nullable(Type.Integer({ description: 'Promised to orders; null for a moment in the past.' })),
    available: nullable(
      Type.Integer({ description: 'Neither promised nor on hold; null for a moment in the past.' }),
    ),
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
        asOf: Type.Optional(Type.String({ format: 'date-time', description: 'On hand at this moment.' })),
        knownAt: Type.Optional(
          Type.String({
            format: 'date-time',
            description: 'As it was known then: without what was recorded later.',
          }),
        ),
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
      asOfMs: rest.asOf === undefined ? undefined : parseTime(rest.asOf, 'asOf'),
      knownAtMs: rest.knownAt === undefined ? undefined : parseTime(rest.knownAt, 'knownAt'),
      storagePointId: rest.storagePointId,
      after,
      limit: limit + 1,
    }
    const isNow = asked.asOfMs === undefined && asked.knownAtMs === undefined
    const rows = await listStock(deps.db, asked)
    const shown = rows.slice(0, limit)
    const last = rows.length > limit ? shown.at(-1) : undefined
    return {
      items: shown.map((row) => onHandView(row, isNow)),
      nextCursor: last
        ? encodeCursor([last.accountId, last.lotId, last.vvmStage, last.held].join(':'))
        : null,
    }
  })
}

export function onHandView(row: StockLine, isNow = true): Static<typeof OnHand> {
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
    // Promises are kept for now only.
    allocated: isNow ? row.allocated : null,
    available: isNow ? (row.held === 1 ? 0 : Math.max(0, row.doses - row.allocated)) : null,
    updatedAt: toRfc3339(row.updatedAt),
  }
}
