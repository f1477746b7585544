import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { randomUUIDv7 } from 'node:crypto'
import { Type } from 'typebox'
import { insertTestMessage, listNotificationsFor } from '../../db/queries/people.ts'
import { findUserInScope } from '../../db/queries/user.ts'
import { CodedError } from '../../domain/errors.ts'
import { Notification, notificationView } from '../breach-view.ts'
import { found, pathOf } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, LIMIT_DEFAULT, operation, page, paging, Time } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { audit, once } from '../write.ts'

const list = operation(
  {
    operationId: 'listNotifications',
    summary: 'Who was told what, the newest first: my own, and for managers those of their part of the tree',
    tags: ['notifications'],
    querystring: Type.Object(
      {
        ...paging,
        userId: Type.Optional(Id),
        facilityId: Type.Optional(Id),
        status: Type.Optional(Type.Enum(['pending', 'sent', 'failed', 'muted'])),
      },
      closed,
    ),
    response: { 200: page(Notification) },
  },
  ['resource.notFound'],
)
const test = operation(
  {
    operationId: 'testNotification',
    summary: 'Send a marked test message to myself, or to a user in my part of the tree',
    description:
      'It takes every way by which alarms reach them; what came of it is in the list of notifications.',
    tags: ['notifications'],
    body: Type.Object({ userId: Type.Optional(Id) }, closed),
    response: { 202: Type.Object({ id: Id, userId: Id, createdAt: Time }, { title: 'TestMessage' }) },
  },
  ['resource.notFound'],
)

export const notificationRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/notifications', { schema: list }, async ({ query, caller }) => {
    const { cursor, limit = LIMIT_DEFAULT, facilityId, ...filter } = query
    const manages = caller.role === 'administrator' || caller.role === 'manager'
    const asked = {
      ...filter,
      ownId: caller.id,
      scope: manages ? caller.scope : undefined,
      under: await pathOf(deps.db, caller, facilityId),
      before: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listNotificationsFor(deps.db, asked), limit, notificationView)
  })
  app.post('/notifications/test', { schema: test }, async (request, reply) => {
    const { caller } = request
    const { userId = caller.id } = request.body
    const manages = caller.role === 'administrator' || caller.role === 'manager'
    // Whoever may see no users may write to none either.
    if (userId !== caller.id && !manages) throw new CodedError('resource.notFound')
    return once(deps, request, reply, { status: 202 }, async (trx) => {
      if (userId !== caller.id) found(await findUserInScope(trx, userId, caller.scope))
      const at = deps.clock.now()
      const row = { id: randomUUIDv7(), userId, requestedBy: caller.id, createdAt: at, toldAt: null }
      await insertTestMessage(trx, row)
      const after = { id: row.id, userId, createdAt: toRfc3339(at) }
      await audit(trx, caller, at, { action: 'notification.tested', entity: 'user', entityId: userId, after })
      return after
    })
  })
}
