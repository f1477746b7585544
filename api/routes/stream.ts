import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { findDeviceInScope } from '../../db/queries/device.ts'
import { found, pathOf } from '../caller.ts'
import type { RouteDeps } from '../deps.ts'
import type { Live } from '../live.ts'
import { closed, Id, operation } from '../schemas.ts'

const schema = operation(
  {
    operationId: 'openStream',
    summary: 'Readings, breaches and stock events as they come by (server-sent events)',
    description:
      'Events: `readings` (an array of `{deviceId, sensor, time, values}`), `breaches` (`{kind, breach}`), `stock` (`{kind, eventId}`), `time-to-breach` (what `GET /v1/time-to-breach` says of one, when it has changed by much), `end` (`{reason}`, then it closes). It is a hint, not a record: nothing is sent again, and a client that does not read is cut off. It ends with the access token.',
    tags: ['stream'],
    querystring: Type.Object({ facilityId: Type.Optional(Id), deviceId: Type.Optional(Id) }, closed),
    response: {
      200: {
        description: 'An endless stream of events.',
        content: { 'text/event-stream': { schema: Type.Unsafe<NodeJS.ReadableStream>({ type: 'string' }) } },
      },
    },
  },
  ['resource.notFound', 'request.tooMany', 'service.unavailable'],
)

interface StreamDeps extends RouteDeps {
  readonly live: Live
}

export const streamRoutes: FastifyPluginAsyncTypebox<StreamDeps> = async (app, { db, live }) => {
  // No HEAD: it would open a stream that nobody reads.
  app.get('/stream', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const { facilityId, deviceId } = request.query
    const under = (await pathOf(db, request.caller, facilityId)) ?? ''
    if (deviceId !== undefined) found(await findDeviceInScope(db, deviceId, request.caller.scope))
    const stream = live.open(request.caller, under, { facilityId, deviceId })
    // nginx would hold the events back otherwise.
    reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream')
    return reply.send(stream)
  })
  // Open streams would hold a closing server for ever.
  app.addHook('preClose', () => live.close())
}
