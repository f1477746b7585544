import { randomBytes, randomUUIDv7 } from 'node:crypto'
import type { Static } from 'typebox'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import {
  findDeviceInScope,
  hashToken,
  insertDevice,
  insertDeviceChanges,
  updateDevice,
} from '../db/queries/device.ts'
import { lookAgain, setCadence } from '../db/queries/watch.ts'
import { findEquipment } from '../db/queries/equipment.ts'
import type { DbOrTrx, DeviceTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import { found, type Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { deviceView, type DeviceChange, type DeviceWithToken, type NewDevice } from './device-view.ts'
import { audit } from './write.ts'

/** Makes a device and its token. @throws CodedError `resource.notFound` when the equipment is not the caller's */
export async function createDevice(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  body: Static<typeof NewDevice>,
): Promise<Static<typeof DeviceWithToken>> {
  found(await findEquipment(trx, body.equipmentId, caller.scope))
  const accessToken = makeToken()
  const row: DeviceTable = {
    id: randomUUIDv7(),
    name: body.name,
    equipmentId: body.equipmentId,
    isGateway: body.isGateway ? 1 : 0,
    gatewayId: null,
    tokenHash: hashToken(accessToken),
    disabledAt: null,
    createdAt: deps.clock.now(),
  }
  await insertDevice(trx, row)
  const after = await viewOf(trx, row.id)
  await insertDeviceChanges(trx, row.createdAt, [after.facilityId], row.id)
  await audit(trx, caller, row.createdAt, {
    action: 'device.created',
    entity: 'device',
    entityId: row.id,
    after,
  })
  return { ...after, accessToken }
}

/** @throws CodedError `resource.conflict` when its gateway knows another device by that name */
export async function changeDevice(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  id: string,
  body: Static<typeof DeviceChange>,
) {
  const row = found(await findDeviceInScope(trx, id, caller.scope))
  if (body.equipmentId !== undefined) found(await findEquipment(trx, body.equipmentId, caller.scope))
  try {
    await updateDevice(trx, id, {
      name: body.name ?? row.name,
      equipmentId: body.equipmentId ?? row.equipmentId,
      disabledAt: disabledAt(row, body.disabled, deps.clock.now()),
    })
  } catch (error) {
    if (isDuplicate(error))
      throw new CodedError('resource.conflict', 'Its gateway has another device of this name.')
    throw error
  }
  const cadence = body.expectedCadenceSeconds
  if (cadence !== undefined)
    await setCadence(trx, id, deps.clock.now(), cadence === null ? null : cadence * 1000)
  if (body.disabled !== undefined) await lookAgain(trx, id, deps.clock.now())
  const after = await viewOf(trx, id)
  await insertDeviceChanges(trx, deps.clock.now(), [row.facilityId, after.facilityId], id)
  await audit(trx, caller, deps.clock.now(), {
    action: 'device.changed',
    entity: 'device',
    entityId: id,
    before: deviceView(row),
    after: cadence === undefined ? after : { ...after, expectedCadenceSeconds: cadence },
  })
  return after
}

/** @throws CodedError `resource.conflict` for a device behind a gateway: it has no token of its own */
export async function rotateToken(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  id: string,
): Promise<Static<typeof DeviceWithToken>> {
  const row = found(await findDeviceInScope(trx, id, caller.scope))
  if (row.gatewayId !== null)
    throw new CodedError('resource.conflict', 'A device behind a gateway has no token of its own.')
  const accessToken = makeToken()
  await updateDevice(trx, id, { tokenHash: hashToken(accessToken) })
  await audit(trx, caller, deps.clock.now(), {
    action: 'device.tokenRotated',
    entity: 'device',
    entityId: id,
  })
  return { ...deviceView(row), accessToken }
}

async function viewOf(trx: DbOrTrx, id: string) {
  return deviceView(found(await findDeviceInScope(trx, id, '')))
}

function disabledAt(row: DeviceTable, disabled: boolean | undefined, now: number): number | null {
  if (disabled === undefined) return row.disabledAt
  return disabled ? (row.disabledAt ?? now) : null
}

// The prefix lets people and secret scanners tell what it is.
function makeToken(): string {
  return `csd_${randomBytes(32).toString('base64url')}`
}
