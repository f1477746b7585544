import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { randomUUIDv7 } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { insertChanges } from '../../db/queries/change.ts'
import { insertDeviceChanges, listDeviceIdsOfEquipment } from '../../db/queries/device.ts'
import {
  findEquipment,
  insertEquipment,
  listEquipment,
  lockEquipment,
  updateEquipment,
} from '../../db/queries/equipment.ts'
import { findStoragePoint } from '../../db/queries/facility.ts'
import { findRulesOf } from '../../db/queries/placement.ts'
import { rowOf } from '../../db/queries/rule.ts'
import type { DbOrTrx, EquipmentTable, FacilityTable } from '../../db/schema.ts'
import { EQUIPMENT_KINDS } from '../../domain/role.ts'
import { facilityOf, found, pathOf, type Caller } from '../caller.ts'
import { assignProfile } from '../assign-profile.ts'
import { checkProfile } from '../profile.ts'
import { RuleOut, ruleView } from '../rule-schemas.ts'
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
import { toRfc3339 } from '../time.ts'
import { audit, once } from '../write.ts'
import { inTransaction } from '../../db/transaction.ts'

const Equipment = Type.Object(
  {
    id: Id,
    name: Type.String(),
    facilityId: Id,
    storagePointId: nullable(Id),
    kind: Type.Enum([...EQUIPMENT_KINDS]),
    profile: Type.String(),
    createdAt: Time,
  },
  { title: 'Equipment' },
)
const Profile = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'Storage profile: which rules apply. See GET /v1/profiles.',
})
const NewEquipment = Type.Object(
  {
    name: Name,
    facilityId: Id,
    kind: Type.Enum([...EQUIPMENT_KINDS]),
    profile: Profile,
    storagePointId: Type.Optional(nullable(Id)),
  },
  closed,
)
const EquipmentChange = Type.Partial(
  Type.Object(
    {
      name: Name,
      profile: Profile,
      profileFrom: nullable(
        Type.String({
          format: 'date-time',
          description:
            'With `profile`: event time from which it holds; null: always. Default: now. Before that holds what held.',
        }),
      ),
      facilityId: Id,
      storagePointId: nullable(Id),
    },
    closed,
  ),
  { ...closed, minProperties: 1 },
)

const create = operation(
  {
    operationId: 'createEquipment',
    summary: 'Register a refrigerator, freezer, cold room, cold box or vehicle',
    tags: ['equipment'],
    body: NewEquipment,
    response: { 201: Equipment },
  },
  ['resource.notFound'],
)
const list = operation(
  {
    operationId: 'listEquipment',
    summary: 'Equipment in my part of the tree',
    tags: ['equipment'],
    querystring: Type.Object({ ...paging, facilityId: Type.Optional(Id) }, closed),
    response: { 200: page(Equipment) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getEquipment',
  summary: 'One piece of equipment',
  tags: ['equipment'],
  params: IdParams,
  response: { 200: Equipment },
})
const change = operation({
  operationId: 'updateEquipment',
  summary: 'Rename equipment, move it, or give it another storage profile',
  tags: ['equipment'],
  params: IdParams,
  body: EquipmentChange,
  response: { 200: Equipment },
})

const rules = operation({
  operationId: 'listEquipmentRules',
  summary: 'The rules that hold for a piece of equipment, each from when to when',
  description: 'Of its profiles in time and of the one for all equipment, as overridden where it stands.',
  tags: ['equipment'],
  params: IdParams,
  response: { 200: page(RuleOut) },
})

export const equipmentRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/equipment', { schema: create }, async (request, reply) =>
    once(deps, request, reply, { status: 201 }, (trx) =>
      createEquipment(deps, trx, request.caller, request.body),
    ),
  )
  app.get('/equipment', { schema: list }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const asked = { scope: caller.scope, under, after: decodeCursor(cursor), limit: limit + 1 }
    return toPage(await listEquipment(deps.db, asked), limit, equipmentView)
  })
  app.get('/equipment/:id', { schema: get }, async ({ params, caller }) =>
    equipmentView(found(await findEquipment(deps.db, params.id, caller.scope))),
  )
  app.get('/equipment/:id/rules', { schema: rules }, async ({ params, caller }) => {
    const { id, facilityId, profile } = found(await findEquipment(deps.db, params.id, caller.scope))
    const { path, timeZone } = await facilityOf(deps.db, caller, facilityId)
    const held = (await findRulesOf(deps.db, [{ id, profile, path, timeZone }])).get(id) ?? []
    return { items: held.map((rule) => ruleView(rowOf(rule))), nextCursor: null }
  })
  app.patch('/equipment/:id', { schema: change }, async ({ params, body, caller }) => {
    const { id } = params
    const after = await inTransaction(deps.db, (trx) => changeEquipment(deps, trx, caller, id, body))
    for (const deviceId of await listDeviceIdsOfEquipment(deps.db, id))
      deps.cache.publish('registry', { deviceId })
    return after
  })
}

async function createEquipment(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  body: Static<typeof NewEquipment>,
): Promise<Static<typeof Equipment>> {
  const equipment: EquipmentTable = {
    id: randomUUIDv7(),
    facilityId: body.facilityId,
    storagePointId: body.storagePointId ?? null,
    name: body.name,
    kind: body.kind,
    profile: body.profile,
    createdAt: deps.clock.now(),
  }
  const facility = await checkPlace(trx, caller, equipment)
  await checkProfile(trx, body.profile, facility)
  await insertEquipment(trx, equipment)
  const after = equipmentView(equipment)
  const entry = { action: 'equipment.created', entity: 'equipment', entityId: equipment.id, after }
  await audit(trx, caller, equipment.createdAt, entry)
  await insertChanges(trx, equipment.createdAt, [equipment.facilityId], 'equipment', equipment.id)
  return after
}

async function changeEquipment(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  id: string,
  body: Static<typeof EquipmentChange>,
): Promise<Static<typeof Equipment>> {
  await lockEquipment(trx, id)
  const before = found(await findEquipment(trx, id, caller.scope))
  const facilityId = body.facilityId ?? before.facilityId
  // A storage point belongs to its facility: equipment that moves away leaves it.
  const stays = facilityId === before.facilityId ? before.storagePointId : null
  const after = {
    ...before,
    name: body.name ?? before.name,
    profile: body.profile ?? before.profile,
    facilityId,
    storagePointId: body.storagePointId === undefined ? stays : body.storagePointId,
  }
  const facility = await checkPlace(trx, caller, after)
  const at = deps.clock.now()
  await assignProfile({ trx, caller, at }, before, facility, body)
  const { name, profile, storagePointId } = after
  await updateEquipment(trx, id, { name, profile, facilityId, storagePointId })
  const facilities = [before.facilityId, facilityId]
  await insertChanges(trx, at, facilities, 'equipment', id)
  // Where devices stand is told by what they hang in.
  if (facilityId !== before.facilityId)
    for (const deviceId of await listDeviceIdsOfEquipment(trx, id))
      await insertDeviceChanges(trx, at, facilities, deviceId)
  await audit(trx, caller, at, {
    action: 'equipment.changed',
    entity: 'equipment',
    entityId: id,
    before: equipmentView(before),
    after: equipmentView(after),
  })
  return equipmentView(after)
}

async function checkPlace(
  trx: DbOrTrx,
  caller: Caller,
  place: Pick<EquipmentTable, 'facilityId' | 'storagePointId'>,
): Promise<FacilityTable> {
  const facility = await facilityOf(trx, caller, place.facilityId)
  if (place.storagePointId !== null) found(await findStoragePoint(trx, place.storagePointId, facility.id))
  return facility
}

export function equipmentView(row: EquipmentTable): Static<typeof Equipment> {
  return {
    id: row.id,
    name: row.name,
    facilityId: row.facilityId,
    storagePointId: row.storagePointId,
    kind: row.kind,
    profile: row.profile,
    createdAt: toRfc3339(row.createdAt),
  }
}
