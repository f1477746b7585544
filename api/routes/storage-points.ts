import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { randomUUIDv7 } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { isDuplicate } from '../../db/dialects/duplicate.ts'
import { insertChanges } from '../../db/queries/change.ts'
import { insertStoragePoint, listStoragePoints } from '../../db/queries/facility.ts'
import type { DbOrTrx, StoragePointTable } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { facilityOf, pathOf, type Caller } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, LIMIT_DEFAULT, Name, operation, page, paging, Time } from '../schemas.ts'
import { toRfc3339 } from '../time.ts'
import { audit, once } from '../write.ts'

const StoragePoint = Type.Object(
  { id: Id, facilityId: Id, name: Type.String(), createdAt: Time },
  { title: 'StoragePoint' },
)
const NewStoragePoint = Type.Object({ facilityId: Id, name: Name }, closed)

const create = operation(
  {
    operationId: 'createStoragePoint',
    summary: 'Create a location in a facility where stock is kept',
    tags: ['facilities'],
    body: NewStoragePoint,
    response: { 201: StoragePoint },
  },
  ['resource.notFound', 'resource.conflict'],
)
const list = operation(
  {
    operationId: 'listStoragePoints',
    summary: 'Storage points in my part of the tree',
    tags: ['facilities'],
    querystring: Type.Object({ ...paging, facilityId: Type.Optional(Id) }, closed),
    response: { 200: page(StoragePoint) },
  },
  ['resource.notFound'],
)

export const storagePointRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/storage-points', { schema: create }, async (request, reply) =>
    once(deps, request, reply, { status: 201 }, (trx) =>
      createStoragePoint(deps, trx, request.caller, request.body),
    ),
  )
  app.get('/storage-points', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT } = query
    await pathOf(deps.db, caller, facilityId)
    const asked = { scope: caller.scope, facilityId, after: decodeCursor(cursor), limit: limit + 1 }
    return toPage(await listStoragePoints(deps.db, asked), limit, storagePointView)
  })
}

async function createStoragePoint(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  body: Static<typeof NewStoragePoint>,
): Promise<Static<typeof StoragePoint>> {
  const facility = await facilityOf(trx, caller, body.facilityId)
  const now = deps.clock.now()
  const point = {
    id: randomUUIDv7(),
    facilityId: facility.id,
    name: body.name,
    profile: null,
    capacityMl: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
  try {
    await insertStoragePoint(trx, point)
  } catch (error) {
    if (isDuplicate(error)) throw new CodedError('resource.conflict', 'The facility has one of this name.')
    throw error
  }
  const after = storagePointView(point)
  const entry = { action: 'storagePoint.created', entity: 'storagePoint', entityId: point.id, after }
  await audit(trx, caller, point.createdAt, entry)
  await insertChanges(trx, now, [facility.id], 'storagePoint', point.id)
  return after
}

export function storagePointView(row: StoragePointTable): Static<typeof StoragePoint> {
  return { id: row.id, facilityId: row.facilityId, name: row.name, createdAt: toRfc3339(row.createdAt) }
}
