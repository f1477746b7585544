import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { randomUUIDv7 } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { listDeviceIdsUnder } from '../../db/queries/device.ts'
import {
  findFacility,
  insertFacility,
  listFacilities,
  lockFacility,
  lockTree,
  rewritePaths,
  updateFacility,
} from '../../db/queries/facility.ts'
import type { DbOrTrx, FacilityTable } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { LEVELS, type Level } from '../../domain/role.ts'
import { facilityOf, found, pathOf, type Caller } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
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
import { isTimeZone, toRfc3339 } from '../time.ts'
import { audit, once } from '../write.ts'
import { inTransaction } from '../../db/transaction.ts'

const Facility = Type.Object(
  {
    id: Id,
    name: Type.String(),
    level: Type.Enum([...LEVELS]),
    parentId: nullable(Id),
    timeZone: Type.String(),
    createdAt: Time,
  },
  { title: 'Facility' },
)
const TimeZone = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'IANA name, such as `Asia/Jakarta`.',
})
const NewFacility = Type.Object(
  {
    name: Name,
    level: Type.Enum([...LEVELS]),
    parentId: Type.Optional(nullable(Id)),
    timeZone: TimeZone,
  },
  closed,
)
const FacilityChange = Type.Partial(
  Type.Object({ name: Name, timeZone: TimeZone, parentId: nullable(Id) }, closed),
  { ...closed, minProperties: 1 },
)

const create = operation(
  {
    operationId: 'createFacility',
    summary: 'Create a facility, or a level above facilities',
    description: 'Levels go down: country, province, district, facility. A level may be left out.',
    tags: ['facilities'],
    body: NewFacility,
    response: { 201: Facility },
  },
  ['resource.notFound', 'resource.conflict'],
)
const list = operation(
  {
    operationId: 'listFacilities',
    summary: 'Facilities in my part of the tree',
    tags: ['facilities'],
    querystring: Type.Object(
      {
        ...paging,
        facilityId: Type.Optional(Id),
        parentId: Type.Optional(Id),
      },
      closed,
    ),
    response: { 200: page(Facility) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getFacility',
  summary: 'One facility',
  tags: ['facilities'],
  params: IdParams,
  response: { 200: Facility },
})
const change = operation(
  {
    operationId: 'updateFacility',
    summary: 'Rename a facility, or move it with everything below it',
    tags: ['facilities'],
    params: IdParams,
    body: FacilityChange,
    response: { 200: Facility },
  },
  ['resource.conflict'],
)

export const facilityRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/facilities', { schema: create }, async (request, reply) =>
    once(deps, request, reply, { status: 201 }, (trx) =>
      createFacility(deps, trx, request.caller, request.body),
    ),
  )
  app.get('/facilities', { schema: list }, async ({ query, caller }) => {
    const { cursor, parentId, facilityId, limit = LIMIT_DEFAULT } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const asked = {
      scope: caller.scope,
      under,
      parentId,
      after: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listFacilities(deps.db, asked), limit, facilityView)
  })
  app.get('/facilities/:id', { schema: get }, async ({ params, caller }) =>
    facilityView(await facilityOf(deps.db, caller, params.id)),
  )
  app.patch('/facilities/:id', { schema: change }, async ({ params, body, caller }) => {
    const { id } = params
    const after = await inTransaction(deps.db, (trx) => changeFacility(deps, trx, caller, id, body))
    if (body.parentId !== undefined) await tellDevicesUnder(deps, after.path)
    return facilityView(after)
  })
}

async function createFacility(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  body: Static<typeof NewFacility>,
): Promise<Static<typeof Facility>> {
  checkTimeZone(body.timeZone)
  const id = randomUUIDv7()
  const parent = await parentFor(trx, caller, body.level, body.parentId ?? null)
  const facility: FacilityTable = {
    id,
    name: body.name,
    level: body.level,
    parentId: parent?.id ?? null,
    timeZone: body.timeZone,
    path: `${parent?.path ?? ''}${id}/`,
    code: null,
    gln: null,
    population: null,
    version: 1,
    createdAt: deps.clock.now(),
    updatedAt: deps.clock.now(),
  }
  await insertFacility(trx, facility)
  const after = facilityView(facility)
  const entry = { action: 'facility.created', entity: 'facility', entityId: id, after }
  await audit(trx, caller, facility.createdAt, entry)
  return after
}

async function changeFacility(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  id: string,
  body: Static<typeof FacilityChange>,
): Promise<FacilityTable> {
  if (body.timeZone !== undefined) checkTimeZone(body.timeZone)
  if (body.parentId !== undefined) await lockTree(trx)
  const before = found(await findFacility(trx, id, caller.scope))
  const after = {
    ...before,
    name: body.name ?? before.name,
    timeZone: body.timeZone ?? before.timeZone,
    ...(body.parentId === undefined ? {} : await moved(trx, caller, before, body.parentId)),
  }
  await updateFacility(trx, id, { name: after.name, timeZone: after.timeZone, parentId: after.parentId })
  if (after.path !== before.path) await rewritePaths(trx, before.path, after.path)
  await audit(trx, caller, deps.clock.now(), {
    action: after.path === before.path ? 'facility.changed' : 'facility.moved',
    entity: 'facility',
    entityId: id,
    before: facilityView(before),
    after: facilityView(after),
  })
  return after
}

async function moved(
  trx: DbOrTrx,
  caller: Caller,
  facility: FacilityTable,
  parentId: string | null,
): Promise<Pick<FacilityTable, 'parentId' | 'path'>> {
  if (parentId === facility.parentId) return { parentId, path: facility.path }
  const parent = await parentFor(trx, caller, facility.level, parentId)
  if (parent?.path.startsWith(facility.path))
    throw new CodedError('resource.conflict', 'A facility cannot lie below itself.')
  // A manager may not pull their own root from under the people who manage above them.
  if (facility.path === caller.scope)
    throw new CodedError('auth.forbidden', 'This is the root of your own part.')
  return { parentId, path: `${parent?.path ?? ''}${facility.id}/` }
}

/**
 * The parent of a facility of this level, held still until the transaction ends; undefined for a root.
 * A child's level lies strictly below its parent's, and levels never change: so no order of moves can make a circle.
 */
async function parentFor(
  trx: DbOrTrx,
  caller: Caller,
  level: Level,
  parentId: string | null,
): Promise<FacilityTable | undefined> {
  if (parentId === null) {
    if (caller.scope === '') return undefined
    throw new CodedError('auth.forbidden', 'Only administrators make roots; give a parentId.')
  }
  await lockFacility(trx, parentId)
  const parent = await facilityOf(trx, caller, parentId)
  if (LEVELS.indexOf(parent.level) >= LEVELS.indexOf(level))
    throw new CodedError('resource.conflict', `A ${level} cannot lie below a ${parent.level}.`)
  return parent
}

function checkTimeZone(timeZone: string): void {
  if (!isTimeZone(timeZone)) throw new CodedError('request.invalid', 'timeZone is not an IANA time zone.')
}

async function tellDevicesUnder({ db, cache }: RouteDeps, path: string): Promise<void> {
  for (const deviceId of await listDeviceIdsUnder(db, path)) cache.publish('registry', { deviceId })
}

function facilityView(row: FacilityTable): Static<typeof Facility> {
  return {
    id: row.id,
    name: row.name,
    level: row.level,
    parentId: row.parentId,
    timeZone: row.timeZone,
    createdAt: toRfc3339(row.createdAt),
  }
}
