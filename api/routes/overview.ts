import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { countOpenBreaches, listUrgentBreaches } from '../../db/queries/breach.ts'
import { listEquipmentStates, sumDosesAtRisk } from '../../db/queries/equipment-state.ts'
import { findFacilities } from '../../db/queries/facility.ts'
import { listExpiringLots, listStockOuts, listWaitingOrders } from '../../db/queries/overview.ts'
import { SOON_DAYS } from '../../domain/shipment-warning.ts'
import { ORDER_KINDS, ORDER_STATUSES } from '../../domain/order.ts'
import { LEVELS } from '../../domain/role.ts'
import { Breach, breachView } from '../breach-view.ts'
import { facilityOf, type Caller } from '../caller.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, nullable, operation, Time } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { StatedEquipment, statedViews } from './equipment-states.ts'

/** Of each list: who needs more opens the list itself. */
const ITEMS_MAX = 5

const Count = Type.Integer({ minimum: 0 })
const item = {
  facilityId: Id,
  facilityName: Type.String(),
  itemId: Id,
  itemName: Type.String(),
}
const Overview = Type.Object(
  {
    place: nullable(
      Type.Object({
        id: Id,
        name: Type.String(),
        level: Type.Enum([...LEVELS]),
        timeZone: Type.String(),
        parents: Type.Array(Type.Object({ id: Id, name: Type.String() }), {
          description: 'What it lies in, as far as I may see, the highest first.',
        }),
      }),
    ),
    breaches: Type.Object({
      count: Type.Integer({ description: 'Open, of all but silence.' }),
      waiting: Type.Integer({ description: 'Of these, not acknowledged.' }),
      dosesAtRisk: Type.Integer({ description: 'Where it is too warm or too cold now.' }),
      items: Type.Array(Breach),
    }),
    silent: Type.Object({ items: Type.Array(StatedEquipment) }),
    stockOuts: Type.Object({
      count: Count,
      items: Type.Array(Type.Object(item, { title: 'StockOut' }), {
        description: 'Items with a level, of which nothing usable is there.',
      }),
    }),
    expiring: Type.Object({
      count: Count,
      items: Type.Array(
        Type.Object(
          { ...item, lotId: Id, lotCode: Type.String(), expiresOn: Type.String(), doses: Type.Integer() },
          { title: 'ExpiringLot' },
        ),
        { description: `On the shelves, within ${SOON_DAYS} days or expired already.` },
      ),
    }),
    orders: Type.Object({
      count: Count,
      items: Type.Array(
        Type.Object(
          {
            id: Id,
            documentNo: Type.String(),
            kind: Type.Enum([...ORDER_KINDS]),
            status: Type.Enum([...ORDER_STATUSES]),
            fromFacilityName: Type.String(),
            toFacilityName: Type.String(),
            updatedAt: Time,
          },
          { title: 'WaitingOrder' },
        ),
        { description: 'The next step is for somebody in this place or below it.' },
      ),
    }),
  },
  { title: 'Overview' },
)

const get = operation(
  {
    operationId: 'getOverview',
    summary: 'What needs somebody now in a place and below it: how much, and the first of each',
    description: 'Left out, `facilityId` is where I act. How much equipment is silent is in its states.',
    tags: ['equipment'],
    querystring: Type.Object({ facilityId: Type.Optional(Id) }, closed),
    response: { 200: Overview },
  },
  ['resource.notFound'],
)

export const overviewRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const { db, clock } = deps
  app.get('/overview', { schema: get }, async ({ query, caller }) => {
    const place = await placeOf(deps, caller, query.facilityId)
    const under = place?.path ?? ''
    const asked = { under, nowMs: clock.now(), limit: ITEMS_MAX }
    const silence = { scope: under, under, state: 'silent', search: undefined, after: undefined } as const
    const [urgent, { open, waiting }, dosesAtRisk, silent, stockOuts, expiring, orders] = await Promise.all([
      listUrgentBreaches(db, under, ITEMS_MAX),
      countOpenBreaches(db, under),
      sumDosesAtRisk(db, under),
      listEquipmentStates(db, { ...silence, limit: ITEMS_MAX }),
      listStockOuts(db, asked),
      listExpiringLots(db, { ...asked, days: SOON_DAYS }),
      listWaitingOrders(db, asked),
    ])
    return {
      place: place && place.view,
      breaches: { count: open, waiting, dosesAtRisk, items: urgent.map((one) => breachView(one)) },
      silent: { items: await statedViews(deps, silent) },
      stockOuts,
      expiring,
      orders: {
        count: orders.count,
        items: orders.items.map((order) => ({ ...order, updatedAt: toRfc3339(order.updatedAt) })),
      },
    }
  })
}

/** The place that is asked about with what it lies in; null: everything. */
async function placeOf({ db }: RouteDeps, caller: Caller, facilityId: string | undefined) {
  const asked = facilityId ?? caller.facilityId
  if (asked === null) return null
  const { id, name, level, timeZone, path } = await facilityOf(db, caller, asked)
  const above = path.split('/').slice(0, -2)
  const known = new Map((await findFacilities(db, above, caller.scope)).map((one) => [one.id, one.name]))
  const parents = above.flatMap((one) => {
    const of = known.get(one)
    return of === undefined ? [] : [{ id: one, name: of }]
  })
  return { path, view: { id, name, level, timeZone, parents } }
}
