import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { Type } from 'typebox'
import { findDeviceByToken, hashToken } from '../db/queries/device.ts'
import type { Db } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Intake } from '../ports/intake.ts'
import { GATEWAY_TOPIC, isGatewayBody, TELEMETRY_TOPIC } from './codecs/native.ts'
import type { IngestSettings } from './settings.ts'

interface RoutesDeps {
  readonly intake: Intake
  readonly db: Db
  readonly cache: Cache
  readonly clock: Clock
  readonly settings: IngestSettings
}

interface Sender {
  readonly deviceId: string
  readonly isGateway: boolean
}

// What a caller is told of a packet that was refused in a thousand places; the refusal that is kept has more.
const REPORTED_REFUSALS_MAX = 100

const Value = Type.Union([Type.Number(), Type.Boolean(), Type.String()])
const Values = Type.Record(Type.String(), Value)
const Timed = Type.Object({
  ts: Type.Optional(Type.Number({ description: 'Epoch milliseconds or seconds; of arrival when missing.' })),
  values: Values,
})
const Entry = Type.Union([Timed, Values])
const Telemetry = Type.Union([Entry, Type.Array(Entry), Type.Record(Type.String(), Type.Array(Entry))], {
  description: 'One entry, many, or for a gateway the entries of its devices by their names.',
})

const Accepted = Type.Object({
  accepted: Type.Integer({ description: 'Readings that are durable now.' }),
  refused: Type.Array(Type.Object({ code: Type.String(), detail: Type.String() })),
})

// Declared once for the whole server, by the composition root.
const Problem = Type.Unsafe({ $ref: 'Problem#' })
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
})

const schema = {
  operationId: 'sendTelemetry',
  summary: 'Take readings from a device',
  description: 'Answers when they are durable. What is refused is kept and can be replayed.',
  tags: ['telemetry'],
  security: [{ device: [] }],
  body: Telemetry,
  response: {
    200: Accepted,
    401: problem('The device token is missing, unknown, or its device is disabled.'),
    413: problem('The body is larger than the limit.'),
    422: problem('No reading could be accepted.'),
  },
}

/** Telemetry over HTTP: the bodies of the native protocol, raw, since a refusal keeps the bytes as they came. */
export function ingestRoutes(deps: RoutesDeps): FastifyPluginAsync {
  return async (app) => {
    const senders = rememberSenders(deps)
    app.addHook('onClose', async () => senders.stop())
    app.decorateRequest('sender', null)
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    app.post(
      '/v1/telemetry',
      {
        schema,
        bodyLimit: deps.settings.bodyBytesMax,
        // The codec judges the bytes, value by value; the schema of the body is for readers.
        validatorCompiler: () => () => true,
        // Before the body is read: a stranger does not get to send a megabyte.
        onRequest: async (request) => {
          request.setDecorator('sender', await senders.find(request))
        },
      },
      (request) => accept(deps, request.getDecorator<Sender>('sender'), request.body),
    )
  }
}

async function accept({ intake, clock, settings }: RoutesDeps, sender: Sender, body: unknown) {
  const payload = body instanceof Uint8Array ? body : new Uint8Array()
  const forChildren = sender.isGateway && isGatewayBody(payload, settings.depthMax)
  const topic = forChildren ? GATEWAY_TOPIC : TELEMETRY_TOPIC
  const { readings, refused } = await intake.accept({ ...sender, topic, payload, receivedAt: clock.now() })
  const [first] = refused
  if (readings === 0 && first !== undefined) throw new CodedError(first.code, first.detail)
  return { accepted: readings, refused: refused.slice(0, REPORTED_REFUSALS_MAX) }
}

function rememberSenders({ db, cache, settings }: RoutesDeps) {
  const { registryCacheMax, registryCacheMs } = settings
  const known = new LRUCache<string, Sender>({ max: registryCacheMax, ttl: registryCacheMs })
  const stop = cache.subscribe(
    'registry',
    ({ deviceId }) => {
      for (const [key, sender] of known.entries()) if (sender.deviceId === deviceId) known.delete(key)
    },
    () => known.clear(),
  )
  return {
    stop,
    /** @throws CodedError `device.unauthorized` */
    async find(request: FastifyRequest): Promise<Sender> {
      const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1]
      if (token === undefined) throw new CodedError('device.unauthorized')
      const hash = hashToken(token)
      const remembered = known.get(hash)
      if (remembered !== undefined) return remembered
      const device = await findDeviceByToken(db, token)
      if (device === undefined || device.disabledAt !== null) throw new CodedError('device.unauthorized')
      const sender = { deviceId: device.id, isGateway: device.isGateway === 1 }
      known.set(hash, sender)
      return sender
    },
  }
}
