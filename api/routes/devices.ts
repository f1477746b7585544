import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { findDeviceInScope, listDeviceAttributes, listDevices } from '../../db/queries/device.ts'
import { findOpenOf } from '../../db/queries/fault.ts'
import { findCadenceSettings, findWatched } from '../../db/queries/watch.ts'
import { cadenceSetAt } from '../../domain/cadence.ts'
import { found, pathOf } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { changeDevice, createDevice, rotateToken } from '../device-change.ts'
import {
  Device,
  DeviceChange,
  DeviceDetail,
  deviceView,
  DeviceWithToken,
  NewDevice,
  watchView,
} from '../device-view.ts'
import { latestOf } from '../latest.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging, Search } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { once } from '../write.ts'
import { inTransaction } from '../../db/transaction.ts'

/** A device that invents keys gets no endless page. */
const ATTRIBUTES_MAX = 1000

const create = operation(
  {
    operationId: 'createDevice',
    summary: 'Register a device; its access token is shown this once',
    description:
      'Repeated with the same Idempotency-Key the answer has `accessToken: null`, since the token is kept nowhere: ask for a new one with POST /v1/devices/{id}/token.',
    tags: ['devices'],
    body: NewDevice,
    response: { 201: DeviceWithToken },
  },
  ['resource.notFound'],
)
const list = operation(
  {
    operationId: 'listDevices',
    summary: 'Devices in my part of the tree',
    tags: ['devices'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional(Id),
        equipmentId: Type.Optional(Id),
        gatewayId: Type.Optional(Id),
        unplaced: Type.Optional(
          Type.Boolean({
            default: false,
            description: 'Those alone that a gateway has named and that nobody has put into equipment.',
          }),
        ),
        q: Search,
        latest: Type.Optional(
          Type.Boolean({ default: false, description: 'With the newest reading of each sensor.' }),
        ),
      },
      closed,
    ),
    response: { 200: page(Device) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getDevice',
  summary: 'One device, the newest reading of each sensor, and what it says of itself',
  tags: ['devices'],
  params: IdParams,
  response: { 200: DeviceDetail },
})
const change = operation({
  operationId: 'updateDevice',
  summary: 'Rename a device, put it into other equipment, disable or enable it',
  tags: ['devices'],
  params: IdParams,
  body: DeviceChange,
  response: { 200: Device },
})
const rotate = operation(
  {
    operationId: 'rotateDeviceToken',
    summary: 'Give a device a new access token; the old one ends at once',
    description: 'Repeated with the same Idempotency-Key the answer has `accessToken: null`.',
    tags: ['devices'],
    params: IdParams,
    response: { 201: DeviceWithToken },
  },
  ['resource.conflict'],
)

// Repetitions of an answer must not carry the token: it is kept as a hash only, and an answer kept whole would undo that.
const withoutToken = (body: Static<typeof DeviceWithToken>) => ({ ...body, accessToken: null })

export const deviceRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/devices', { schema: create }, async (request, reply) => {
    const device = await once(deps, request, reply, { status: 201, keep: withoutToken }, (trx) =>
      createDevice(deps, trx, request.caller, request.body),
    )
    deps.cache.publish('registry', { deviceId: device.id })
    return device
  })
  app.get('/devices', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, equipmentId, gatewayId, latest, unplaced = false, q } = query
    const { limit = LIMIT_DEFAULT } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const filter = { scope: caller.scope, under, equipmentId, gatewayId, isUnplaced: unplaced, search: q }
    const rows = await listDevices(deps.db, { ...filter, after: decodeCursor(cursor), limit: limit + 1 })
    const { items, nextCursor } = toPage(rows, limit, deviceView)
    if (!latest) return { items, nextCursor }
    const withLatest = items.map(async (item) => ({ ...item, latest: await latestOf(deps, item.id) }))
    return { items: await Promise.all(withLatest), nextCursor }
  })
  app.get('/devices/:id', { schema: get }, async ({ params, caller }) => {
    const { id } = params
    const device = found(await findDeviceInScope(deps.db, id, caller.scope))
    const attributes = await listDeviceAttributes(deps.db, id, ATTRIBUTES_MAX)
    return {
      ...deviceView(device),
      latest: await latestOf(deps, id),
      attributes: attributes.map(({ key, value, updatedAt }) => ({
        key,
        value,
        updatedAt: toRfc3339(updatedAt),
      })),
      watch: await watchOf(deps, id),
    }
  })
  app.patch('/devices/:id', { schema: change }, async ({ params, body, caller }) => {
    const { id } = params
    const device = await inTransaction(deps.db, (trx) => changeDevice(deps, trx, caller, id, body))
    deps.cache.publish('registry', { deviceId: id })
    return device
  })
  app.post('/devices/:id/token', { schema: rotate }, async (request, reply) => {
    const { id } = request.params
    const device = await once(deps, request, reply, { status: 201, keep: withoutToken }, (trx) =>
      rotateToken(deps, trx, request.caller, id),
    )
    deps.cache.publish('registry', { deviceId: id })
    return device
  })
}

async function watchOf({ db, clock }: RouteDeps, deviceId: string) {
  const [row] = await findWatched(db, [deviceId])
  if (row === undefined) return null
  const settings = (await findCadenceSettings(db, [deviceId])).get(deviceId) ?? []
  return watchView(row, cadenceSetAt(settings, clock.now()), await findOpenOf(db, deviceId, 'silence'))
}
