import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { findDeviceInScope } from '../../db/queries/device.ts'
import { CodedError } from '../../domain/errors.ts'
import { found, type Caller } from '../caller.ts'
import type { Command, RouteDeps } from '../deps.ts'
import { closed, Id, IdParams, operation, Time } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { audit, once } from '../write.ts'

/** A command has to fit into one MQTT packet, which devices with little memory can take. */
const PARAMS_BYTES_MAX = 16_384

const command = operation(
  {
    operationId: 'commandDevice',
    summary: 'Send a command down to a device',
    description:
      'Goes to `v1/devices/me/rpc/request/+`. 202: handed over; whether the device obeys shows in its readings.',
    tags: ['devices'],
    params: IdParams,
    body: Type.Object(
      {
        method: Type.String({ pattern: '^[A-Za-z0-9._-]{1,100}$' }),
        params: Type.Optional(Type.Unknown({ description: 'Any JSON.' })),
      },
      closed,
    ),
    response: { 202: Type.Object({ deviceId: Id, method: Type.String(), acceptedAt: Time }) },
  },
  ['resource.conflict', 'service.unavailable'],
)

export const commandRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/devices/:id/commands', { schema: command }, async (request, reply) =>
    once(deps, request, reply, { status: 202, outside: true }, () =>
      send(deps, request.caller, request.params.id, {
        method: request.body.method,
        params: request.body.params ?? {},
      }),
    ),
  )
}

async function send(deps: RouteDeps, caller: Caller, id: string, { method, params }: Command) {
  const device = found(await findDeviceInScope(deps.db, id, caller.scope))
  if (device.disabledAt !== null) throw new CodedError('resource.conflict', 'The device is disabled.')
  if (Buffer.byteLength(JSON.stringify(params)) > PARAMS_BYTES_MAX)
    throw new CodedError('request.tooLarge', `params is larger than ${PARAMS_BYTES_MAX} bytes.`)
  const acceptedAt = deps.clock.now()
  // Written down before it goes: a command that changed a refrigerator must not be one that nobody gave.
  await audit(deps.db, caller, acceptedAt, {
    action: 'device.commanded',
    entity: 'device',
    entityId: id,
    after: { method, params },
  })
  await deps.sendCommand(id, { method, params })
  return { deviceId: id, method, acceptedAt: toRfc3339(acceptedAt) }
}
