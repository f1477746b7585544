import type { FastifyPluginAsync } from 'fastify'
import { Type, type Static } from 'typebox'
import { findDeviceInScope, listDevicesOfEquipment } from '../../db/queries/device.ts'
import { findEquipment } from '../../db/queries/equipment.ts'
import { findFacility } from '../../db/queries/facility.ts'
import { dayIn } from '../../domain/calendar.ts'
import { CodedError } from '../../domain/errors.ts'
import { found } from '../caller.ts'
import type { RouteDeps } from '../deps.ts'
import { exposureRows, ExposureRow, type ExposureQuery } from '../exposure.ts'
import { Day, rangeOf } from '../reports/ask.ts'
import { sendReport } from '../reports/send.ts'
import { closed, IdParams, operation, page } from '../schemas.ts'

const Query = Type.Object(
  {
    from: Day('First day, in the time zone of the facility. Left out: thirty days until `to`.'),
    to: Day('Last day. Left out: today.'),
    every: Type.Optional(Type.Enum(['day', 'month'], { default: 'day' })),
    high: Type.Optional(
      Type.Number({
        minimum: -150,
        maximum: 150,
        description: 'Above it is too warm; else as the rules say.',
      }),
    ),
    low: Type.Optional(
      Type.Number({
        minimum: -150,
        maximum: 150,
        description: 'Below it is too cold; else as the rules say.',
      }),
    ),
    format: Type.Optional(Type.Enum(['json', 'csv'])),
  },
  closed,
)

const DESCRIPTION =
  'A row for each sensor of temperature and each day (or month) of the facility, whether the clocks change on it or not: MKT, minutes and degree-minutes too warm and too cold, time in range, the coldest and the warmest, and how much of the time is known. A reading holds until the next one, for two hours at most; longer gaps do not count. Limits are those of the rules that are met first. At most 366 days. JSON, or CSV with `format=csv` or `Accept: text/csv`.'

const response = {
  200: {
    description: 'All rows; there is never a next page.',
    content: {
      'application/json': { schema: page(ExposureRow) },
      'text/csv': { schema: Type.String({ description: 'A header, and the same columns.' }) },
    },
  },
}
const ofEquipment = operation({
  operationId: 'getEquipmentExposure',
  summary: 'What a refrigerator went through, day by day',
  description: DESCRIPTION,
  tags: ['equipment'],
  params: IdParams,
  querystring: Query,
  response,
})
const ofDevice = operation({
  operationId: 'getDeviceExposure',
  summary: 'What a device measured, day by day',
  description: DESCRIPTION,
  tags: ['devices'],
  params: IdParams,
  querystring: Query,
  response,
})
const report = { name: 'exposure', row: ExposureRow }

type Asked = Static<typeof Query>

export const exposureRoutes: FastifyPluginAsync<RouteDeps> = async (app, deps) => {
  const { db } = deps
  // No HEAD: it would read the series and throw it away.
  const noHead = { exposeHeadRoute: false }
  app.get('/equipment/:id/exposure', { schema: ofEquipment, ...noHead }, async (request, reply) => {
    const { id } = request.params as Static<typeof IdParams>
    const { facilityId } = found(await findEquipment(db, id, request.caller.scope))
    const devices = await listDevicesOfEquipment(db, id)
    const asked = await askedOf(deps, request.query as Asked, facilityId)
    return sendReport(request, reply, report, exposureRows(deps, { ...asked, devices }))
  })
  app.get('/devices/:id/exposure', { schema: ofDevice, ...noHead }, async (request, reply) => {
    const { id } = request.params as Static<typeof IdParams>
    const device = found(await findDeviceInScope(db, id, request.caller.scope))
    const asked = await askedOf(deps, request.query as Asked, device.facilityId)
    return sendReport(request, reply, report, exposureRows(deps, { ...asked, devices: [device] }))
  })
}

/** @throws CodedError `request.invalid` for days or limits that cannot be */
async function askedOf(
  { db, clock }: RouteDeps,
  query: Asked,
  facilityId: string | null,
): Promise<Omit<ExposureQuery, 'devices'>> {
  const { high, low, every = 'day' } = query
  if (high !== undefined && low !== undefined && low >= high)
    throw new CodedError('request.invalid', 'low is not below high.')
  const facility = facilityId === null ? undefined : await findFacility(db, facilityId, '')
  const timeZone = facility?.timeZone ?? 'UTC'
  const range = rangeOf({ from: query.from, to: query.to, by: 'day' }, dayIn(timeZone, clock.now()))
  return { timeZone, range, every, high, low }
}
