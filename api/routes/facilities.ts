import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listFacilities } from '../../db/queries/facility.ts'
import { inTransaction } from '../../db/transaction.ts'
import { LEVELS } from '../../domain/role.ts'
import { facilityOf, pathOf } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { tag } from '../etag.ts'
import {
  changeFacility,
  createFacility,
  Facility,
  FacilityChange,
  facilityView,
  NewFacility,
  tellDevicesUnder,
} from '../facility.ts'
import { closed, Code, Id, IdParams, LIMIT_DEFAULT, operation, page, paging, Search } from '../schemas.ts'
import { once, writingOf } from '../write.ts'

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
        roots: Type.Optional(
          Type.Boolean({ default: false, description: 'Those alone that have nothing above them.' }),
        ),
        level: Type.Optional(Type.Enum([...LEVELS])),
        code: Type.Optional(Code),
        q: Search,
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
    summary: 'Change a facility, or move it with everything below it',
    tags: ['facilities'],
    params: IdParams,
    body: FacilityChange,
    response: { 200: Facility },
  },
  ['resource.conflict', 'request.preconditionFailed'],
)

export const facilityRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/facilities', { schema: create }, async (request, reply) => {
    const made = await once(deps, request, reply, { status: 201 }, async (trx) =>
      facilityView(await createFacility(writingOf(deps, request, trx), request.body)),
    )
    tag(reply, made.version)
    return made
  })
  app.get('/facilities', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT, parentId, roots, level, code, q } = query
    const asked = {
      scope: caller.scope,
      under: await pathOf(deps.db, caller, facilityId),
      equal: { parentId: roots ? null : parentId, level, code },
      search: q,
      after: decodeCursor(cursor),
      limit: limit + 1,
    }
    return toPage(await listFacilities(deps.db, asked), limit, facilityView)
  })
  app.get('/facilities/:id', { schema: get }, async ({ params, caller }, reply) => {
    const row = await facilityOf(deps.db, caller, params.id)
    tag(reply, row.version)
    return facilityView(row)
  })
  app.patch('/facilities/:id', { schema: change }, async (request, reply) => {
    const { params, body } = request
    const after = await inTransaction(deps.db, (trx) =>
      changeFacility(writingOf(deps, request, trx), params.id, body),
    )
    // Hours and days of rules are those of the facility; its overrides come from above.
    if (body.parentId !== undefined || body.timeZone !== undefined) await tellDevicesUnder(deps, after.path)
    tag(reply, after.version)
    return facilityView(after)
  })
}
