import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { hash, randomUUIDv7 } from 'node:crypto'
import { Type } from 'typebox'
import {
  countPushSubscriptions,
  deletePushSubscription,
  findPushSubscription,
  insertPushSubscription,
  listPushSubscriptions,
} from '../../db/queries/people.ts'
import { findUserInScope } from '../../db/queries/user.ts'
import { inTransaction } from '../../db/transaction.ts'
import type { PushSubscriptionTable } from '../../db/schema-people.ts'
import { CodedError } from '../../domain/errors.ts'
import { found } from '../caller.ts'
import { changeContact, Contact, ContactChange, showContact } from '../contact.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Empty, Id, IdParams, nullable, operation, Time } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { audit, once, writingOf } from '../write.ts'

/** Browsers of one person. */
const SUBSCRIPTIONS_MAX = 20

const getMine = operation({
  operationId: 'getMyContact',
  summary: 'How alarms reach me',
  tags: ['people'],
  response: { 200: Contact },
})
const changeMine = operation({
  operationId: 'updateMyContact',
  summary: 'Say how alarms are to reach me, and in which language',
  tags: ['people'],
  body: ContactChange,
  response: { 200: Contact },
})
const getTheirs = operation({
  operationId: 'getContact',
  summary: 'How alarms reach a user',
  tags: ['people'],
  params: IdParams,
  response: { 200: Contact },
})
const changeTheirs = operation({
  operationId: 'updateContact',
  summary: 'Say how alarms are to reach a user, and in which language',
  tags: ['people'],
  params: IdParams,
  body: ContactChange,
  response: { 200: Contact },
})

const Key = (bytes: number, description: string) =>
  Type.String({ pattern: `^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}=*$`, description })
const Subscription = Type.Object(
  { id: Id, endpointHost: Type.String(), createdAt: Time },
  {
    title: 'PushSubscription',
    description: 'A browser that takes Web Push. Its endpoint is a secret, so that only its host is shown.',
  },
)
const NewSubscription = Type.Object(
  {
    endpoint: Type.String({ format: 'uri', pattern: '^https?://', maxLength: 2000 }),
    keys: Type.Object(
      { p256dh: Key(65, 'Public key of the browser, base64url.'), auth: Key(16, 'Its secret, base64url.') },
      closed,
    ),
    expirationTime: Type.Optional(nullable(Type.Number())),
  },
  { ...closed, description: 'What `PushSubscription.toJSON()` gives in a browser.' },
)
const getKey = operation({
  operationId: 'getPushKey',
  summary: 'The public VAPID key with which a browser subscribes; null: there is no Web Push here',
  tags: ['people'],
  response: { 200: Type.Object({ publicKey: nullable(Type.String()) }) },
})
const list = operation({
  operationId: 'listMyPushSubscriptions',
  summary: 'My browsers that take Web Push',
  tags: ['people'],
  response: { 200: Type.Object({ items: Type.Array(Subscription) }) },
})
const subscribe = operation(
  {
    operationId: 'createMyPushSubscription',
    summary: 'Let a browser of mine take Web Push',
    tags: ['people'],
    body: NewSubscription,
    response: { 201: Subscription },
  },
  ['resource.conflict'],
)
const unsubscribe = operation({
  operationId: 'removeMyPushSubscription',
  summary: 'Forget a browser of mine',
  tags: ['people'],
  params: IdParams,
  response: { 204: Empty },
})

export const contactRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/me/contact', { schema: getMine }, ({ caller }) => showContact(deps.db, caller.id))
  app.patch('/me/contact', { schema: changeMine }, (request) =>
    inTransaction(deps.db, (trx) =>
      changeContact(writingOf(deps, request, trx), request.caller.id, request.body),
    ),
  )
  app.get('/users/:id/contact', { schema: getTheirs }, async ({ params, caller }) => {
    const user = found(await findUserInScope(deps.db, params.id, caller.scope))
    return showContact(deps.db, user.id)
  })
  app.patch('/users/:id/contact', { schema: changeTheirs }, (request) =>
    inTransaction(deps.db, async (trx) => {
      const user = found(await findUserInScope(trx, request.params.id, request.caller.scope))
      return changeContact(writingOf(deps, request, trx), user.id, request.body)
    }),
  )
  app.get('/push-key', { schema: getKey }, () => ({ publicKey: deps.settings.pushPublicKey || null }))
  app.get('/me/push-subscriptions', { schema: list }, async ({ caller }) => ({
    items: (await listPushSubscriptions(deps.db, caller.id)).map(subscriptionView),
  }))
  app.post('/me/push-subscriptions', { schema: subscribe }, async (request, reply) => {
    const { endpoint, keys } = request.body
    return once(deps, request, reply, { status: 201 }, async (trx) => {
      const at = deps.clock.now()
      const row = { id: randomUUIDv7(), userId: request.caller.id, endpoint, ...keys, createdAt: at }
      if ((await countPushSubscriptions(trx, row.userId)) >= SUBSCRIPTIONS_MAX)
        throw new CodedError('resource.conflict', `One person has at most ${SUBSCRIPTIONS_MAX} browsers.`)
      // The same browser again, perhaps with somebody else logged in: it belongs to whoever came last.
      await insertPushSubscription(trx, { ...row, endpointHash: hash('sha256', endpoint) })
      const after = subscriptionView(row)
      await audit(trx, request.caller, at, {
        action: 'push.subscribed',
        entity: 'user',
        entityId: row.userId,
        after,
      })
      return after
    })
  })
  app.post('/me/push-subscriptions/:id/remove', { schema: unsubscribe }, async (request, reply) => {
    await once(deps, request, reply, { status: 204 }, async (trx) => {
      const row = found(await findPushSubscription(trx, request.params.id))
      if (row.userId !== request.caller.id) throw new CodedError('resource.notFound')
      await deletePushSubscription(trx, row.id)
      const before = subscriptionView(row)
      const what = { action: 'push.unsubscribed', entity: 'user', entityId: row.userId }
      await audit(trx, request.caller, deps.clock.now(), { ...what, before })
      return null
    })
    return reply.send(null)
  })
}

function subscriptionView({
  id,
  endpoint,
  createdAt,
}: Pick<PushSubscriptionTable, 'id' | 'endpoint' | 'createdAt'>) {
  return { id, endpointHost: new URL(endpoint).host, createdAt: toRfc3339(createdAt) }
}
