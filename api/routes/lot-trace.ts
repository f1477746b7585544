import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import {
  findAncestors,
  findDescendants,
  findLot,
  listLotEvents,
  listLotFacilities,
  NO_DOSES,
  sumLotsAt,
  sumLotsElsewhere,
} from '../../db/queries/lot-trace.ts'
import type { LotTable } from '../../db/schema-stock.ts'
import type { DbOrTrx } from '../../db/schema.ts'
import { found } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { recallLot } from '../lot-recall.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, nullable, operation, page, paging, Time } from '../schemas.ts'
import { StockEvent } from '../stock-event-schemas.ts'
import { toRfc3339OrNull } from '../time.ts'
import { once, writingOf } from '../write.ts'
import { eventView } from '../stock-event-schemas.ts'

const sums = {
  fromSupplier: Type.Integer(),
  onHand: Type.Integer(),
  onHold: Type.Integer({ description: 'Of what is on hand.' }),
  inTransit: Type.Integer({ description: 'On the way to it.' }),
  consumed: Type.Integer(),
  wasted: Type.Integer({ description: 'Waiting for disposal.' }),
  disposed: Type.Integer(),
  adjusted: Type.Integer({ description: 'Lost by counts, shortages and corrections, less what was found.' }),
}
const TracedLot = Type.Object({
  id: Id,
  code: Type.String(),
  itemId: Id,
  expiresOn: Type.String(),
  parentLotId: nullable(Id),
  recalledAt: nullable(Time),
  recallReason: nullable(Type.String()),
})
const LotTrace = Type.Object(
  {
    lot: TracedLot,
    repackedFrom: Type.Array(TracedLot, { description: 'Its parent, that one’s parent, and so on.' }),
    repackedInto: Type.Array(TracedLot, {
      description: 'Its children and theirs; they are counted with it.',
    }),
    items: Type.Array(Type.Object({ facilityId: Id, name: Type.String(), ...sums }), {
      description: 'What became of it, by facility of my part.',
    }),
    elsewhere: Type.Union([Type.Object({ facilities: Type.Integer(), ...sums }), Type.Null()], {
      description: 'What became of it outside of my part, in one sum; on the first page only.',
    }),
    nextCursor: nullable(Type.String()),
  },
  { title: 'LotTrace' },
)

const trace = operation({
  operationId: 'traceLot',
  summary: 'Where a lot came from, where it is, and what became of it',
  tags: ['lots'],
  params: IdParams,
  querystring: Type.Object(paging, closed),
  response: { 200: LotTrace },
})
const traceEvents = operation({
  operationId: 'traceLotEvents',
  summary: 'The stock events of a lot, of what it was repacked from and into, by id',
  tags: ['lots'],
  params: IdParams,
  querystring: Type.Object(paging, closed),
  response: { 200: page(StockEvent) },
})
const recall = operation(
  {
    operationId: 'recallLot',
    summary: 'Recall a lot everywhere: it and what was repacked from it go on hold, in one step',
    description:
      'For administrators, and managers of a whole country. Answers with the first page of its trace: where it is now, what is on the road, who consumed it.',
    tags: ['lots'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ minLength: 1, maxLength: 2000 }) }, closed),
    response: { 200: LotTrace },
  },
  ['lot.recalled', 'request.idempotencyMismatch'],
)

export const lotTraceRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/lots/:id/trace', { schema: trace }, async ({ params, query, caller }) =>
    traceOf(deps.db, params.id, {
      scope: caller.scope,
      after: decodeCursor(query.cursor),
      limit: query.limit ?? LIMIT_DEFAULT,
    }),
  )
  app.get('/lots/:id/trace/events', { schema: traceEvents }, async ({ params, query, caller }) => {
    const { cursor, limit = LIMIT_DEFAULT } = query
    const lot = found(await findLot(deps.db, params.id))
    const family = [lot, ...(await findAncestors(deps.db, lot)), ...(await findDescendants(deps.db, lot.id))]
    const asked = {
      lotIds: family.map(({ id }) => id),
      scope: caller.scope,
      after: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listLotEvents(deps.db, asked), limit, eventView)
  })
  app.post('/lots/:id/recall', { schema: recall }, async (request, reply) => {
    const { params, body, caller } = request
    return once(deps, request, reply, { status: 200 }, async (trx) => {
      await recallLot(writingOf(deps, request, trx), params.id, body.reason)
      return traceOf(trx, params.id, { scope: caller.scope, after: undefined, limit: LIMIT_DEFAULT })
    })
  })
}

interface Asked {
  readonly scope: string
  readonly after: string | undefined
  readonly limit: number
}

async function traceOf(
  db: DbOrTrx,
  id: string,
  { scope, after, limit }: Asked,
): Promise<Static<typeof LotTrace>> {
  const lot = found(await findLot(db, id))
  const descendants = await findDescendants(db, id)
  const lotIds = [id, ...descendants.map((one) => one.id)]
  const rows = await listLotFacilities(db, { lotIds, scope, after, limit: limit + 1 })
  const facilityIds = rows.slice(0, limit).map((row) => row.id)
  const at = await sumLotsAt(db, lotIds, facilityIds)
  const { items, nextCursor } = toPage(rows, limit, ({ id: facilityId, name }) => ({
    facilityId,
    name,
    ...(at.get(facilityId) ?? NO_DOSES),
  }))
  return {
    lot: lotView(lot),
    repackedFrom: (await findAncestors(db, lot)).map(lotView),
    repackedInto: descendants.map(lotView),
    items,
    elsewhere: after === undefined && scope !== '' ? await sumLotsElsewhere(db, lotIds, scope) : null,
    nextCursor,
  }
}

function lotView(lot: LotTable): Static<typeof TracedLot> {
  const { id, code, itemId, expiresOn, parentLotId, recalledAt, recallReason } = lot
  return { id, code, itemId, expiresOn, parentLotId, recalledAt: toRfc3339OrNull(recalledAt), recallReason }
}
