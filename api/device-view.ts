import { Type, type Static } from 'typebox'
import type { PlacedDevice } from '../db/queries/device.ts'
import { QUANTITIES, QUANTITY_NAMES, type Quantity, type Reading } from '../domain/reading.ts'
import { closed, Id, Name, nullable, Time } from './schemas.ts'
import { toRfc3339 } from './time.ts'

// One optional number for each quantity, so that the document names them all, with their units.
const values = Object.fromEntries(
  QUANTITY_NAMES.map((name) => [name, Type.Optional(Type.Number({ description: QUANTITIES[name].unit }))]),
) as Record<Quantity, ReturnType<typeof optionalNumber>>

function optionalNumber() {
  return Type.Optional(Type.Number())
}

export const ReadingOut = Type.Object(
  {
    sensor: Type.String({ description: '`main` unless the device has several.' }),
    time: Time,
    values: Type.Object(values),
  },
  { title: 'Reading' },
)

const device = {
  id: Id,
  name: Type.String(),
  equipmentId: nullable(Id),
  facilityId: Type.Union([Id, Type.Null()], {
    description: 'Where it stands: through its equipment, or that of its gateway.',
  }),
  isGateway: Type.Boolean(),
  gatewayId: Type.Union([Id, Type.Null()], { description: 'The gateway that it speaks through.' }),
  disabled: Type.Boolean(),
  createdAt: Time,
}

export const Device = Type.Object(
  { ...device, latest: Type.Optional(Type.Array(ReadingOut)) },
  { title: 'Device' },
)
export const DeviceWithToken = Type.Object(
  {
    ...device,
    accessToken: Type.Union([Type.String(), Type.Null()], {
      description: 'User name of the device over MQTT, bearer token over HTTP.',
    }),
  },
  { title: 'DeviceWithToken' },
)
const Attribute = Type.Object({ key: Type.String(), value: Type.String(), updatedAt: Time })
export const DeviceDetail = Type.Object(
  { ...device, latest: Type.Array(ReadingOut), attributes: Type.Array(Attribute) },
  { title: 'DeviceDetail' },
)

export const NewDevice = Type.Object(
  { name: Name, equipmentId: Id, isGateway: Type.Optional(Type.Boolean()) },
  closed,
)
export const DeviceChange = Type.Partial(
  Type.Object({ name: Name, equipmentId: Id, disabled: Type.Boolean() }, closed),
  { ...closed, minProperties: 1 },
)

export function deviceView(row: PlacedDevice) {
  return {
    id: row.id,
    name: row.name,
    equipmentId: row.equipmentId,
    facilityId: row.facilityId,
    isGateway: row.isGateway === 1,
    gatewayId: row.gatewayId,
    disabled: row.disabledAt !== null,
    createdAt: toRfc3339(row.createdAt),
  }
}

export function readingView({ sensor, time, values: said }: Reading): Static<typeof ReadingOut> {
  return { sensor, time: toRfc3339(time), values: { ...said } }
}
