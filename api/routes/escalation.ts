import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  findOnCallLists,
  findPolicy,
  findPolicyFor,
  isQuiet,
  listPolicies,
  onCallOf,
  setQuiet,
} from '../../db/queries/people.ts'
import { inTransaction } from '../../db/transaction.ts'
import type { OnCallListTable } from '../../db/schema-people.ts'
import { DEFAULT_POLICIES } from '../../domain/escalation.ts'
import { onCallAt } from '../../domain/on-call.ts'
import { facilityOf, found, pathOf } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import {
  changeOnCallList,
  changePolicy,
  createOnCallList,
  createPolicy,
  NewOnCallList,
  NewPolicy,
  OnCallList,
  OnCallListChange,
  Policy,
  PolicyChange,
  policyView,
  shippedView,
} from '../escalation.ts'
import { tag } from '../etag.ts'
import { closed, Id, IdParams, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { audit, once, writingOf } from '../write.ts'

const WRONG = [
  'resource.notFound',
  'resource.conflict',
  'escalation.unknownReceiver',
  'escalation.badTime',
] as const
const listing = Type.Object({ ...paging, facilityId: Type.Optional(Id) }, closed)

const create = operation(
  {
    operationId: 'createEscalationPolicy',
    summary: 'Say who hears of breaches at a place and below, and when',
    description:
      'The one of the nearest place holds. A level that nobody acknowledges for its delay, or that cannot be reached, is followed by the next.',
    tags: ['escalation'],
    body: NewPolicy,
    response: { 201: Policy },
  },
  WRONG,
)
const listAll = operation(
  {
    operationId: 'listEscalationPolicies',
    summary: 'Escalation policies in my part of the tree',
    tags: ['escalation'],
    querystring: listing,
    response: { 200: page(Policy) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getEscalationPolicy',
  summary: 'One escalation policy',
  tags: ['escalation'],
  params: IdParams,
  response: { 200: Policy },
})
const change = operation(
  {
    operationId: 'updateEscalationPolicy',
    summary: 'Change an escalation policy; open breaches follow it within ten minutes',
    tags: ['escalation'],
    params: IdParams,
    body: PolicyChange,
    response: { 200: Policy },
  },
  [...WRONG, 'request.preconditionFailed'],
)
const createList = operation(
  {
    operationId: 'createOnCallList',
    summary: 'Make an on-call list: turns by the week, or shifts',
    tags: ['escalation'],
    body: NewOnCallList,
    response: { 201: OnCallList },
  },
  WRONG,
)
const listLists = operation(
  {
    operationId: 'listOnCallLists',
    summary: 'On-call lists in my part of the tree, and who is on call',
    tags: ['escalation'],
    querystring: listing,
    response: { 200: page(OnCallList) },
  },
  ['resource.notFound'],
)
const getList = operation({
  operationId: 'getOnCallList',
  summary: 'One on-call list, and who is on call',
  tags: ['escalation'],
  params: IdParams,
  response: { 200: OnCallList },
})
const changeList = operation(
  {
    operationId: 'updateOnCallList',
    summary: 'Change an on-call list',
    tags: ['escalation'],
    params: IdParams,
    body: OnCallListChange,
    response: { 200: OnCallList },
  },
  [...WRONG, 'request.preconditionFailed'],
)
const Effective = Type.Object(
  {
    facilityId: Id,
    testMode: Type.Boolean({ description: 'Here, or at a place above.' }),
    critical: Policy,
    warning: Policy,
  },
  { title: 'FacilityEscalation' },
)
const getEffective = operation({
  operationId: 'getFacilityEscalation',
  summary: 'Which policies hold at a facility, its own or those of places above',
  tags: ['escalation'],
  params: IdParams,
  response: { 200: Effective },
})
const changeEffective = operation({
  operationId: 'updateFacilityEscalation',
  summary:
    'Put a facility and all below it into test mode, or out of it: nothing is sent, and what would be is kept',
  tags: ['escalation'],
  params: IdParams,
  body: Type.Object({ testMode: Type.Boolean() }, closed),
  response: { 200: Effective },
})

export const escalationRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/escalation-policies', { schema: create }, async (request, reply) =>
    once(deps, request, reply, { status: 201 }, async (trx) =>
      policyView(await createPolicy(writingOf(deps, request, trx), request.body)),
    ),
  )
  app.get('/escalation-policies', { schema: listAll }, async ({ query, caller }) => {
    const { cursor, limit = LIMIT_DEFAULT, facilityId } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const asked = { scope: caller.scope, under, after: decodeCursor(cursor), limit: limit + 1 }
    return toPage(await listPolicies(deps.db, asked), limit, policyView)
  })
  app.get('/escalation-policies/:id', { schema: get }, async ({ params, caller }, reply) => {
    const row = found(await findPolicy(deps.db, params.id, caller.scope))
    tag(reply, row.version)
    return policyView(row)
  })
  app.patch('/escalation-policies/:id', { schema: change }, async (request, reply) => {
    const { id } = request.params
    const after = await inTransaction(deps.db, (trx) =>
      changePolicy(writingOf(deps, request, trx), id, request.body),
    )
    tag(reply, after.version)
    return policyView(after)
  })
  app.get('/facilities/:id/escalation', { schema: getEffective }, async ({ params, caller }) => {
    const { id, path } = await facilityOf(deps.db, caller, params.id)
    return showEffective(deps, id, path)
  })
  app.patch('/facilities/:id/escalation', { schema: changeEffective }, async (request) => {
    const { params, body, caller } = request
    return inTransaction(deps.db, async (trx) => {
      const { id, path } = await facilityOf(trx, caller, params.id)
      const at = deps.clock.now()
      await setQuiet(trx, { facilityId: id, since: at, userId: caller.id }, body.testMode)
      await audit(trx, caller, at, {
        action: 'facility.testMode',
        entity: 'facility',
        entityId: id,
        after: body,
      })
      return showEffective({ ...deps, db: trx }, id, path)
    })
  })
}

async function showEffective({ db }: Pick<RouteDeps, 'db'>, facilityId: string, path: string) {
  const [critical, warning] = await Promise.all(
    (['critical', 'warning'] as const).map(async (severity) => {
      const row = await findPolicyFor(db, path, severity)
      return row ? policyView(row) : shippedView(severity, DEFAULT_POLICIES[severity])
    }),
  )
  return { facilityId, testMode: await isQuiet(db, path), critical: there(critical), warning: there(warning) }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a severity has no policy')
  return value
}

export const onCallRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const show = (row: OnCallListTable, timeZone: string) => onCallView(row, timeZone, deps.clock.now())
  app.post('/on-call-lists', { schema: createList }, async (request, reply) =>
    once(deps, request, reply, { status: 201 }, async (trx) => {
      const row = await createOnCallList(writingOf(deps, request, trx), request.body)
      const { timeZone } = await facilityOf(trx, request.caller, row.facilityId)
      return show(row, timeZone)
    }),
  )
  app.get('/on-call-lists', { schema: listLists }, async ({ query, caller }) => {
    const { cursor, limit = LIMIT_DEFAULT, facilityId } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const asked = { scope: caller.scope, under, after: decodeCursor(cursor), limit: limit + 1 }
    return toPage(await findOnCallLists(deps.db, asked), limit, ({ timeZone, ...row }) => show(row, timeZone))
  })
  app.get('/on-call-lists/:id', { schema: getList }, async ({ params, caller }, reply) => {
    const [row] = await findOnCallLists(deps.db, { scope: caller.scope, ids: [params.id] })
    const { timeZone, ...list } = found(row)
    tag(reply, list.version)
    return show(list, timeZone)
  })
  app.patch('/on-call-lists/:id', { schema: changeList }, async (request, reply) => {
    const { params, body, caller } = request
    const after = await inTransaction(deps.db, (trx) =>
      changeOnCallList(writingOf(deps, request, trx), params.id, body),
    )
    tag(reply, after.version)
    return show(after, (await facilityOf(deps.db, caller, after.facilityId)).timeZone)
  })
}

function onCallView(row: OnCallListTable, timeZone: string, now: number) {
  const { id, facilityId, name, version } = row
  const { rota, shifts } = onCallOf(row)
  return {
    id,
    facilityId,
    name,
    rota: rota && { ...rota, userIds: [...rota.userIds] },
    shifts: shifts.map(({ userId, from, to }) => ({ userId, from: toRfc3339(from), to: toRfc3339(to) })),
    onCallUserIds: onCallAt(rota, shifts, timeZone, now),
    version,
    updatedAt: toRfc3339(row.updatedAt),
  }
}
