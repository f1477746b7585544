import { randomUUIDv7 } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { listBreaches } from '../../db/queries/breach.ts'
import { insertCalibration, listCalibrations } from '../../db/queries/calibration.ts'
import { findDeviceInScope } from '../../db/queries/device.ts'
import { lockDevice } from '../../db/queries/fault.ts'
import type { CalibrationTable } from '../../db/schema-watch.ts'
import { CodedError } from '../../domain/errors.ts'
import { MAIN_SENSOR } from '../../domain/reading.ts'
import { Breach, breachView } from '../breach-view.ts'
import { found, pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import {
  closed,
  Id,
  IdParams,
  LIMIT_DEFAULT,
  Name,
  nullable,
  operation,
  page,
  paging,
  Time,
} from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { audit, once } from '../write.ts'
import { positionOf } from './breaches.ts'

const Calibration = Type.Object(
  {
    id: Id,
    deviceId: Id,
    sensor: Type.String(),
    calibratedAt: Time,
    dueAt: Type.String({ format: 'date-time', description: 'When the next one is due.' }),
    isNewest: Type.Boolean({ description: 'Of its sensor: the one by which the next is due.' }),
    certificate: nullable(Type.String()),
    performedBy: nullable(Type.String()),
    comment: nullable(Type.String()),
    createdBy: Type.String(),
    createdAt: Time,
  },
  { title: 'Calibration' },
)
const DAYS_MAX = 3650
const NewCalibration = Type.Object(
  {
    calibratedAt: Time,
    intervalDays: Type.Integer({
      minimum: 1,
      maximum: DAYS_MAX,
      description: 'After so many days the next one is due.',
    }),
    sensor: Type.Optional(Type.String({ minLength: 1, maxLength: 64, default: MAIN_SENSOR })),
    certificate: Type.Optional(Name),
    performedBy: Type.Optional(Name),
    comment: Type.Optional(Type.String({ minLength: 1, maxLength: 4000 })),
  },
  closed,
)

const silences = operation(
  {
    operationId: 'listSilences',
    summary: 'Silences of devices, the newest first',
    description: 'Breaches of the rule `silence`; those that are open unless asked otherwise.',
    tags: ['breaches'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional(Id),
        state: Type.Optional(Type.Enum(['open', 'ended', 'withdrawn'], { default: 'open' })),
      },
      closed,
    ),
    response: { 200: page(Breach) },
  },
  ['resource.notFound'],
)
const calibrations = operation({
  operationId: 'listCalibrations',
  summary: 'Calibrations of a device, last entered first',
  tags: ['devices'],
  params: IdParams,
  querystring: Type.Object(paging, closed),
  response: { 200: page(Calibration) },
})
const add = operation({
  operationId: 'addCalibration',
  summary: 'Enter a calibration of a sensor',
  description:
    'The last one of a sensor, by its date, says when the next is due. Older ones may be entered later.',
  tags: ['devices'],
  params: IdParams,
  body: NewCalibration,
  response: { 201: Calibration },
})

export const watchRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/silences', { schema: silences }, async ({ query, caller }) => {
    const { cursor, facilityId, state = 'open', limit = LIMIT_DEFAULT } = query
    const facilityPathPrefix = await pathOf(deps.db, caller, facilityId)
    const asked = {
      scope: caller.scope,
      facilityPathPrefix,
      state,
      ruleId: 'silence',
      cursor: positionOf(cursor),
    }
    const rows = await listBreaches(deps.db, { ...asked, limit: limit + 1 })
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const nextCursor = rows.length > limit && last ? encodeCursor(`${last.startAt}.${last.id}`) : null
    return { items: shown.map((row) => breachView(row)), nextCursor }
  })
  app.get('/devices/:id/calibrations', { schema: calibrations }, async ({ params, query, caller }) => {
    const { id: deviceId } = params
    const { cursor, limit = LIMIT_DEFAULT } = query
    found(await findDeviceInScope(deps.db, deviceId, caller.scope))
    const rows = await listCalibrations(deps.db, { deviceId, before: decodeCursor(cursor), limit: limit + 1 })
    return toPage(rows, limit, calibrationView)
  })
  app.post('/devices/:id/calibrations', { schema: add }, async (request, reply) => {
    const { params, body, caller } = request
    found(await findDeviceInScope(deps.db, params.id, caller.scope))
    return once(deps, request, reply, { status: 201 }, async (trx) => {
      const now = deps.clock.now()
      const calibratedAt = Date.parse(body.calibratedAt)
      if (calibratedAt > now) throw new CodedError('request.invalid', 'calibratedAt lies in the future.')
      await lockDevice(trx, params.id)
      const row = await insertCalibration(trx, {
        id: randomUUIDv7(),
        deviceId: params.id,
        sensor: body.sensor ?? MAIN_SENSOR,
        calibratedAt,
        dueAt: calibratedAt + body.intervalDays * 86_400_000,
        certificate: body.certificate ?? null,
        performedBy: body.performedBy ?? null,
        comment: body.comment ?? null,
        createdBy: caller.id,
        createdAt: now,
      })
      const after = calibrationView(row)
      await audit(trx, caller, now, {
        action: 'calibration.added',
        entity: 'device',
        entityId: params.id,
        after,
      })
      return after
    })
  })
}

function calibrationView(row: CalibrationTable): Static<typeof Calibration> {
  const { id, deviceId, sensor, certificate, performedBy, comment, createdBy } = row
  return {
    id,
    deviceId,
    sensor,
    certificate,
    performedBy,
    comment,
    createdBy,
    calibratedAt: toRfc3339(row.calibratedAt),
    dueAt: toRfc3339(row.dueAt),
    isNewest: row.isNewest === 1,
    createdAt: toRfc3339(row.createdAt),
  }
}
