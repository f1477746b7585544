import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { findEquipment } from '../../db/queries/equipment.ts'
import { listTimeToBreach, sumDosesAt } from '../../db/queries/time-to-breach.ts'
import { CodedError } from '../../domain/errors.ts'
import { found, pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import {
  EndangeredEquipment,
  endangeredView,
  EquipmentTimeToBreach,
  timeToBreachOf,
} from '../time-to-breach.ts'

const get = operation({
  operationId: 'getTimeToBreach',
  summary: 'How long until a refrigerator is at its upper limit',
  description:
    'From the readings of the last day: fitted to the warming by Newton’s law, with an interval that holds the true time nine times of ten; while it does not warm yet and has no power, what the refrigerator says of its own holdover.',
  tags: ['equipment'],
  params: IdParams,
  response: { 200: EquipmentTimeToBreach },
})
const list = operation(
  {
    operationId: 'listTimeToBreach',
    summary: 'Which refrigerator to save first',
    description:
      'Equipment that is beyond its limit, warms, or has no power, the most urgent first, with the doses in it. As the notifier last saw it, a few minutes ago at most.',
    tags: ['equipment'],
    querystring: Type.Object({ ...paging, facilityId: Type.Optional(Id) }, closed),
    response: { 200: page(EndangeredEquipment) },
  },
  ['resource.notFound'],
)

export const timeToBreachRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const { db, clock } = deps
  app.get('/equipment/:id/time-to-breach', { schema: get }, async ({ params, caller }) => {
    const { id } = found(await findEquipment(db, params.id, caller.scope))
    return timeToBreachOf(deps, id)
  })
  app.get('/time-to-breach', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT } = query
    const under = await pathOf(db, caller, facilityId)
    const asked = { scope: caller.scope, under, after: positionOf(cursor), limit: limit + 1 }
    const rows = await listTimeToBreach(db, asked)
    const shown = rows.slice(0, limit)
    const points = shown.flatMap(({ storagePointId }) => storagePointId ?? [])
    const doses = await sumDosesAt(db, [...new Set(points)])
    const last = shown.at(-1)
    return {
      items: shown.map((row) => endangeredView(row, doses, clock.now())),
      nextCursor: rows.length > limit && last ? encodeCursor(`${last.urgentAt}.${last.equipmentId}`) : null,
    }
  })
}

function positionOf(cursor: string | undefined) {
  const text = decodeCursor(cursor)
  if (text === undefined) return undefined
  const match = /^(\d{1,16})\.([0-9a-f-]{36})$/.exec(text)
  if (!match) throw new CodedError('request.invalid', 'cursor is not one that this list has given.')
  return { urgentAt: Number(match[1]), equipmentId: match[2] ?? '' }
}
