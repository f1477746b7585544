import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listAcknowledgements } from '../../db/queries/acknowledgement.ts'
import { findBreach, listBreachChanges, listBreaches } from '../../db/queries/breach.ts'
import { listNotificationsOf } from '../../db/queries/people.ts'
import { listMembers } from '../../db/queries/outage.ts'
import type { BreachTable } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { acknowledgeAll, closeBreach } from '../breach-step.ts'
import {
  Acknowledged,
  acknowledgementView,
  Breach,
  BreachDetail,
  breachView,
  changeView,
  memberView,
  NewAcknowledgement,
  NewClosing,
  notificationView,
} from '../breach-view.ts'
import { breachExposure } from '../breach-exposure.ts'
import { found, pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import { once } from '../write.ts'

const list = operation(
  {
    operationId: 'listBreaches',
    summary: 'Breaches of the storage rules, the newest first',
    tags: ['breaches'],
    querystring: Type.Object(
      {
        ...paging,
        deviceId: Type.Optional(Id),
        equipmentId: Type.Optional(Id),
        facilityId: Type.Optional(Id),
        state: Type.Optional(Type.Enum(['open', 'ended', 'withdrawn', 'closed'])),
        severity: Type.Optional(Type.Enum(['warning', 'critical'])),
        acknowledged: Type.Optional(Type.Boolean()),
        ruleId: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
        outageId: Type.Optional(Id),
      },
      closed,
    ),
    response: { 200: page(Breach) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getBreach',
  summary: 'One breach with everything that happened to it',
  tags: ['breaches'],
  params: IdParams,
  response: { 200: BreachDetail },
})
const acknowledgement = operation(
  {
    operationId: 'acknowledgeBreach',
    summary: 'Say what was done about a breach; its reminders end',
    tags: ['breaches'],
    params: IdParams,
    body: NewAcknowledgement,
    response: { 201: Acknowledged },
  },
  ['breach.closed', 'breach.withdrawn'],
)
const closing = operation(
  {
    operationId: 'closeBreach',
    summary: 'Close a breach that cannot resolve, or one that is over and was looked at',
    tags: ['breaches'],
    params: IdParams,
    body: NewClosing,
    response: { 200: Breach },
  },
  ['breach.closed', 'breach.withdrawn', 'breach.notOver'],
)

export const breachRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/breaches', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT, ...filter } = query
    const { scope } = caller
    const facilityPathPrefix = await pathOf(deps.db, caller, facilityId)
    const after = positionOf(cursor)
    const asked = { ...filter, scope, facilityPathPrefix, cursor: after, limit: limit + 1 }
    const rows = await listBreaches(deps.db, asked)
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    return {
      items: shown.map((row) => breachView(row)),
      nextCursor: rows.length > limit && last ? encodeCursor(`${last.startAt}.${last.id}`) : null,
    }
  })
  app.get('/breaches/:id', { schema: get }, async ({ params, caller }) => {
    const { id } = params
    const breach = found(await findBreach(deps.db, id, caller.scope))
    const changes = await listBreachChanges(deps.db, id)
    const notifications = await listNotificationsOf(deps.db, id)
    const acknowledgements = await listAcknowledgements(deps.db, id)
    const members = await listMembers(deps.db, id)
    return {
      ...breachView(breach),
      changes: changes.map((row) => changeView(row)),
      notifications: notifications.map((row) => notificationView(row)),
      acknowledgements: acknowledgements.map((row) => ({
        ...acknowledgementView(row),
        userName: row.userName,
      })),
      exposure: await breachExposure(deps.series, breach, deps.clock.now()),
      members: members.map((row) => memberView(row)),
    }
  })
  app.post('/breaches/:id/acknowledge', { schema: acknowledgement }, async (request, reply) => {
    const { id } = request.params
    const breach = found(await findBreach(deps.db, id, request.caller.scope))
    const after = await once(deps, request, reply, { status: 201 }, (trx) =>
      acknowledgeAll(trx, request.caller, { breachId: id, ...request.body, at: deps.clock.now() }),
    )
    announce(deps, breach, 'acknowledged')
    return after
  })
  app.post('/breaches/:id/close', { schema: closing }, async (request, reply) => {
    const { id } = request.params
    const { scope } = request.caller
    const breach = found(await findBreach(deps.db, id, scope))
    const after = await once(deps, request, reply, { status: 200 }, async (trx) => {
      await closeBreach(trx, request.caller, { breachId: id, ...request.body, at: deps.clock.now() })
      return breachView(found(await findBreach(trx, id, scope)))
    })
    announce(deps, breach, 'closed')
    return after
  })
}

/** The breach after the step; whoever listens hears of it after the commit. */
function announce(
  deps: RouteDeps,
  { id, facilityId }: Pick<BreachTable, 'id' | 'facilityId'>,
  kind: string,
): void {
  deps.cache.publish('breaches', { breachId: id, facilityId, kind })
}

/** Where a page of breaches begins. */
export function positionOf(cursor: string | undefined): Pick<BreachTable, 'startAt' | 'id'> | undefined {
  const text = decodeCursor(cursor)
  if (text === undefined) return undefined
  const match = /^(-?\d{1,15})\.([0-9a-f-]{36})$/.exec(text)
  if (!match) throw new CodedError('request.invalid', 'cursor is not one that this list has given.')
  return { startAt: Number(match[1]), id: match[2] ?? '' }
}
