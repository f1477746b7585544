import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { findDevice } from '../../db/queries/device.ts'
import {
  findRefusalInScope,
  listRefusals,
  markRefusalReplayed,
  type PlacedRefusal,
} from '../../db/queries/refusal.ts'
import { CodedError } from '../../domain/errors.ts'
import { found, type Caller } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, nullable, operation, page, paging, Time } from '../schemas.ts'
import { toRfc3339, toRfc3339OrNull } from '../time.ts'
import { audit, once } from '../write.ts'
import { inTransaction } from '../../db/transaction.ts'

const Replay = Type.Object(
  {
    readings: Type.Integer({ description: 'Readings that were accepted now.' }),
    refused: Type.Array(Type.Object({ code: Type.String(), detail: Type.String() })),
  },
  { title: 'Replay' },
)
const refusal = {
  id: Id,
  deviceId: Type.String(),
  deviceName: nullable(Type.String()),
  facilityName: nullable(Type.String({ description: 'Where the device stands.' })),
  timeZone: nullable(Type.String()),
  topic: Type.String(),
  code: Type.String(),
  detail: Type.String(),
  receivedAt: Time,
  replayedAt: nullable(Time),
  replayOutcome: Type.Union([Replay, Type.Null()], { description: 'What came of the last replay.' }),
}
const Refusal = Type.Object(refusal, { title: 'Refusal' })
const RefusalDetail = Type.Object(
  { ...refusal, payload: Type.String({ description: 'The raw bytes, base64.' }) },
  { title: 'RefusalDetail' },
)

const list = operation({
  operationId: 'listRefusals',
  summary: 'Packets that were not accepted, the newest first',
  tags: ['refusals'],
  querystring: Type.Object(
    {
      ...paging,
      deviceId: Type.Optional(Id),
      code: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    },
    closed,
  ),
  response: { 200: page(Refusal) },
})
const get = operation({
  operationId: 'getRefusal',
  summary: 'One refused packet with its bytes',
  tags: ['refusals'],
  params: IdParams,
  response: { 200: RefusalDetail },
})
const replay = operation(
  {
    operationId: 'replayRefusal',
    summary: 'Give a refused packet to the intake once more',
    description:
      'What is refused again is told in the answer and kept with the same refusal; what was accepted before is the same reading still.',
    tags: ['refusals'],
    params: IdParams,
    response: { 200: Refusal },
  },
  ['resource.conflict', 'service.unavailable'],
)

export const refusalRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/refusals', { schema: list }, async ({ query, caller }) => {
    const { cursor, deviceId, code, limit = LIMIT_DEFAULT } = query
    const filter = { scope: caller.scope, deviceId, code }
    const rows = await listRefusals(deps.db, { ...filter, before: decodeCursor(cursor), limit: limit + 1 })
    return toPage(rows, limit, view)
  })
  app.get('/refusals/:id', { schema: get }, async ({ params, caller }) => {
    const row = found(await findRefusalInScope(deps.db, params.id, caller.scope))
    return { ...view(row), payload: row.payload }
  })
  app.post('/refusals/:id/replay', { schema: replay }, async (request, reply) =>
    once(deps, request, reply, { status: 200, outside: true }, () =>
      replayRefusal(deps, request.caller, request.params.id),
    ),
  )
}

/**
 * The packet as it came: same bytes, topic and time of receipt. A refusal's id is a function of exactly these, so that what is refused
 * again is this refusal and no new one, however often it is replayed.
 */
async function replayRefusal(deps: RouteDeps, caller: Caller, id: string): Promise<Static<typeof Refusal>> {
  const row = found(await findRefusalInScope(deps.db, id, caller.scope))
  const device = await findDevice(deps.db, row.deviceId)
  if (!device) throw new CodedError('resource.conflict', 'Its device is gone.')
  if (row.code === 'packet.tooLarge')
    throw new CodedError('resource.conflict', 'Of a packet beyond the limit only the beginning was kept.')
  const { readings, refused } = await deps.intake.accept({
    deviceId: device.id,
    isGateway: device.isGateway === 1,
    topic: row.topic,
    payload: Buffer.from(row.payload, 'base64'),
    receivedAt: row.receivedAt,
  })
  const replayedAt = deps.clock.now()
  const replayOutcome = JSON.stringify({ readings, refused })
  await inTransaction(deps.db, async (trx) => {
    await markRefusalReplayed(trx, id, replayedAt, replayOutcome)
    await audit(trx, caller, replayedAt, {
      action: 'refusal.replayed',
      entity: 'refusal',
      entityId: id,
      after: { readings, refused: refused.length },
    })
  })
  return view({ ...row, replayedAt, replayOutcome })
}

function view(row: PlacedRefusal): Static<typeof Refusal> {
  const { id, deviceId, deviceName, facilityName, timeZone, topic, code, detail } = row
  return {
    id,
    deviceId,
    deviceName,
    facilityName,
    timeZone,
    topic,
    code,
    detail,
    receivedAt: toRfc3339(row.receivedAt),
    replayedAt: toRfc3339OrNull(row.replayedAt),
    replayOutcome:
      row.replayOutcome === null ? null : (JSON.parse(row.replayOutcome) as Static<typeof Replay>),
  }
}
