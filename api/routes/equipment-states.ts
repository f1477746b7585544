import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { listDeviceIdsByEquipment } from '../../db/queries/device.ts'
import {
  countEquipmentStates,
  EQUIPMENT_STATES,
  listEquipmentStates,
  listOpenBreachesOf,
  type EquipmentWithState,
  type PlaceCount,
  type StatePosition,
} from '../../db/queries/equipment-state.ts'
import { listChildren, locatePlaces, type Location } from '../../db/queries/facility.ts'
import { sumDosesAt } from '../../db/queries/time-to-breach.ts'
import type { FacilityTable } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { EQUIPMENT_KINDS, LEVELS } from '../../domain/role.ts'
import { CAUSES } from '../../domain/watch-rule.ts'
import { facilityOf, pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { latestOf } from '../latest.ts'
import { closed, Id, LIMIT_DEFAULT, nullable, operation, page, paging, Search, Time } from '../schemas.ts'
import { toRfc3339OrNull } from '../time.ts'

const State = Type.Enum([...EQUIPMENT_STATES], {
  description:
    'The worst that an open breach says: `warm`, `cold`, `silent`. Else `in-range`, or `unknown` when none of its devices was ever heard.',
})
export const StatedEquipment = Type.Object(
  {
    id: Id,
    name: Type.String(),
    kind: Type.Enum([...EQUIPMENT_KINDS]),
    facilityId: Id,
    facilityName: Type.String(),
    timeZone: Type.String(),
    state: State,
    since: Type.Union([Time, Type.Null()], { description: 'Since when it is warm, cold or silent.' }),
    breachId: nullable(Id),
    acknowledgedAt: nullable(Time),
    cause: Type.Union([Type.Enum([...CAUSES]), Type.Null()]),
    celsius: Type.Union([Type.Number(), Type.Null()], { description: 'The newest temperature.' }),
    celsiusAt: nullable(Time),
    doses: Type.Union([Type.Integer(), Type.Null()], {
      description: 'On hand at its storage point; null when it is at none.',
    }),
  },
  { title: 'StatedEquipment' },
)
const count = Type.Integer({ minimum: 0 })
const PlaceStates = Type.Object(
  {
    facilityId: Id,
    name: Type.String(),
    level: Type.Enum([...LEVELS]),
    isItself: Type.Boolean({ description: 'What stands in the place that was asked about, not below it.' }),
    latitude: Type.Union([Type.Number(), Type.Null()], {
      description: 'Its own, else the middle of what lies below it; null when neither is known.',
    }),
    longitude: nullable(Type.Number()),
    states: Type.Object({ warm: count, cold: count, silent: count, unknown: count, 'in-range': count }),
  },
  { title: 'PlaceStates' },
)

const list = operation(
  {
    operationId: 'listEquipmentStates',
    summary: 'Equipment with its state and newest temperature, what needs somebody first',
    tags: ['equipment'],
    querystring: Type.Object(
      { ...paging, facilityId: Type.Optional(Id), state: Type.Optional(State), q: Search },
      closed,
    ),
    response: { 200: page(StatedEquipment) },
  },
  ['resource.notFound'],
)
const places = operation(
  {
    operationId: 'countEquipmentStates',
    summary: 'How much equipment is in which state, for each place directly below one',
    description:
      'Left out, `facilityId` is where I act. What lies further down counts with the place above it.',
    tags: ['equipment'],
    querystring: Type.Object({ facilityId: Type.Optional(Id) }, closed),
    response: { 200: page(PlaceStates) },
  },
  ['resource.notFound'],
)

export const equipmentStateRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const { db } = deps
  app.get('/equipment-states', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, state, q, limit = LIMIT_DEFAULT } = query
    const under = await pathOf(db, caller, facilityId)
    const asked = { scope: caller.scope, under, state, search: q, after: positionOf(cursor) }
    const rows = await listEquipmentStates(db, { ...asked, limit: limit + 1 })
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    return {
      items: await statedViews(deps, shown),
      nextCursor: rows.length > limit && last ? encodeCursor(`${last.state}.${last.id}`) : null,
    }
  })
  app.get('/equipment-states/places', { schema: places }, async ({ query, caller }) => {
    const id = query.facilityId ?? caller.facilityId
    const itself = id === null ? undefined : await facilityOf(db, caller, id)
    const path = itself?.path ?? ''
    const [children, counts, middles] = await Promise.all([
      listChildren(db, itself?.id ?? null),
      countEquipmentStates(db, path),
      locatePlaces(db, path),
    ])
    const byPath = Map.groupBy(counts, (one) => one.path)
    const of = (place: FacilityTable, isItself: boolean) =>
      placeView(place, isItself, byPath.get(place.path) ?? [], middles.get(place.path))
    const own = itself && byPath.has(itself.path) ? [of(itself, true)] : []
    return { items: [...own, ...children.map((child) => of(child, false))], nextCursor: null }
  })
}

/** With what is to say of it now. */
export async function statedViews(
  deps: RouteDeps,
  rows: readonly EquipmentWithState[],
): Promise<Static<typeof StatedEquipment>[]> {
  const ids = rows.map(({ id }) => id)
  const points = rows.flatMap(({ storagePointId }) => storagePointId ?? [])
  const [breaches, devices, doses] = await Promise.all([
    listOpenBreachesOf(deps.db, ids),
    listDeviceIdsByEquipment(deps.db, ids),
    sumDosesAt(deps.db, [...new Set(points)]),
  ])
  const view = async (row: EquipmentWithState) => {
    const { id, name, kind, facilityId, facilityName, timeZone, state, storagePointId } = row
    const breach = breaches.find((one) => one.equipmentId === id && one.state === state)
    return {
      id,
      name,
      kind,
      facilityId,
      facilityName,
      timeZone,
      state,
      since: toRfc3339OrNull(breach?.startAt ?? null),
      breachId: breach?.id ?? null,
      acknowledgedAt: toRfc3339OrNull(breach?.acknowledgedAt ?? null),
      cause: breach?.cause ?? null,
      ...(await newestOf(deps, devices.get(id) ?? [])),
      doses: storagePointId === null ? null : (doses.get(storagePointId) ?? 0),
    }
  }
  return Promise.all(rows.map(view))
}

/** The newest temperature that any of its devices told. */
async function newestOf(deps: RouteDeps, deviceIds: readonly string[]) {
  const readings = (await Promise.all(deviceIds.map((id) => latestOf(deps, id)))).flat()
  const [newest] = readings
    .filter(({ values }) => values.temperature !== undefined)
    .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))
  return { celsius: newest?.values.temperature ?? null, celsiusAt: newest?.time ?? null }
}

function placeView(
  { id, name, level, latitude, longitude }: FacilityTable,
  isItself: boolean,
  counts: readonly PlaceCount[],
  middle: Location | undefined,
): Static<typeof PlaceStates> {
  const states = { warm: 0, cold: 0, silent: 0, unknown: 0, 'in-range': 0 }
  for (const { state, count: of } of counts) states[state] += of
  const own = latitude === null || longitude === null ? undefined : { latitude, longitude }
  return { facilityId: id, name, level, isItself, ...(own ?? middle ?? NOWHERE), states }
}

const NOWHERE = { latitude: null, longitude: null }

function positionOf(cursor: string | undefined): StatePosition | undefined {
  const text = decodeCursor(cursor)
  if (text === undefined) return undefined
  const [name, id = ''] = text.split('.')
  const state = EQUIPMENT_STATES.find((one) => one === name)
  if (!state) throw new CodedError('request.invalid', 'cursor is not one that this list has given.')
  return { state, id }
}
