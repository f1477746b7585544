import type { EquipmentKind, Level } from '../domain/role.ts'
import type { Api } from './api.ts'

/** A place and all that is in and below it, by name. */
export interface PlacePlan {
  readonly name: string
  readonly level: Level
  readonly timeZone: string
  readonly places?: readonly PlacePlan[]
  readonly equipment?: readonly EquipmentPlan[]
}

export interface EquipmentPlan {
  readonly name: string
  readonly kind?: EquipmentKind
  readonly profile?: string
  /** Name of its device; the same as its own unless given. */
  readonly device?: string
}

/** A device that is ready to send. */
export interface RegisteredDevice {
  readonly id: string
  readonly token: string
  readonly name: string
  readonly equipment: string
  readonly equipmentId: string
  readonly facility: string
  readonly facilityId: string
}

interface Facility {
  readonly id: string
  readonly name: string
  readonly parentId: string | null
}

interface Equipment {
  readonly id: string
  readonly name: string
  readonly facilityId: string
}

interface Device {
  readonly id: string
  readonly name: string
  readonly equipmentId: string | null
}

interface Known {
  readonly facilities: Facility[]
  readonly equipment: Map<string, Equipment>
  readonly devices: Map<string, Device>
}

/**
 * Makes what the plan names and is not there yet; what has the same name in the same place is used again. Tokens are shown only
 * once, so a device that was there gets a new one, and its old one stops working. Returns the devices in the order of the plan.
 * @throws ApiError
 */
export async function register(api: Api, plan: PlacePlan): Promise<RegisteredDevice[]> {
  const [facilities, equipment, devices] = await Promise.all([
    api.list<Facility>('/v1/facilities'),
    api.list<Equipment>('/v1/equipment'),
    api.list<Device>('/v1/devices'),
  ])
  const known: Known = {
    facilities,
    equipment: new Map(equipment.map((item) => [`${item.facilityId} ${item.name}`, item])),
    devices: new Map(devices.map((item) => [`${item.equipmentId} ${item.name}`, item])),
  }
  return registerPlace(api, known, plan, undefined)
}

async function registerPlace(
  api: Api,
  known: Known,
  plan: PlacePlan,
  parentId: string | undefined,
): Promise<RegisteredDevice[]> {
  const { name, level, timeZone } = plan
  const facility =
    known.facilities.find((item) => item.name === name && (item.parentId ?? undefined) === parentId) ??
    (await api.post<Facility>('/v1/facilities', { name, level, timeZone, parentId }))
  const devices: RegisteredDevice[] = []
  for (const item of plan.equipment ?? []) devices.push(await registerEquipment(api, known, item, facility))
  for (const place of plan.places ?? [])
    devices.push(...(await registerPlace(api, known, place, facility.id)))
  return devices
}

async function registerEquipment(
  api: Api,
  known: Known,
  plan: EquipmentPlan,
  facility: Facility,
): Promise<RegisteredDevice> {
  const { name, kind = 'refrigerator', profile = 'who-30dtr', device: deviceName = name } = plan
  const facilityId = facility.id
  const equipment =
    known.equipment.get(`${facilityId} ${name}`) ??
    (await api.post<Equipment>('/v1/equipment', { name, facilityId, kind, profile }))
  const device = await registerDevice(api, known, deviceName, equipment.id)
  return {
    id: device.id,
    token: device.accessToken,
    name: deviceName,
    equipment: name,
    equipmentId: equipment.id,
    facility: facility.name,
    facilityId,
  }
}

async function registerDevice(
  api: Api,
  known: Known,
  name: string,
  equipmentId: string,
): Promise<{ id: string; accessToken: string }> {
  const there = known.devices.get(`${equipmentId} ${name}`)
  if (!there) return api.post('/v1/devices', { name, equipmentId })
  const { accessToken } = await api.post<{ accessToken: string }>(`/v1/devices/${there.id}/token`, {})
  return { id: there.id, accessToken }
}
