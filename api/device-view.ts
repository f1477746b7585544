import { Type, type Static } from 'typebox'
import type { PlacedDevice } from '../db/queries/device.ts'
import type { DeviceWatchTable } from '../db/schema-watch.ts'
import type { BreachTable } from '../db/schema.ts'
import { silenceLimit } from '../domain/cadence.ts'
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
  equipmentName: nullable(Type.String()),
  facilityId: Type.Union([Id, Type.Null()], {
    description: 'Where it stands: through its equipment, or that of its gateway.',
  }),
  facilityName: nullable(Type.String()),
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
const Watch = Type.Object(
  {
    lastHeardAt: Type.String({ format: 'date-time', description: 'When its last message came.' }),
    newestAt: Type.String({ format: 'date-time', description: 'Of its newest reading.' }),
    cadenceSeconds: Type.Union([Type.Integer(), Type.Null()], {
      description: 'How often it speaks; null: too little was heard of it to tell.',
    }),
    cadenceIs: Type.Enum(['set', 'learned', 'unknown']),
    silentAfterSeconds: Type.Integer({ description: 'How long it may say nothing.' }),
    silentSince: Type.Union([Time, Type.Null()], { description: 'Null: it is not silent.' }),
    silenceId: Type.Union([Id, Type.Null()], { description: 'The breach that says so.' }),
    cause: nullable(Type.String({ description: 'Why, as far as the data shows.' })),
  },
  { title: 'DeviceWatch', description: 'Behind by some seconds.' },
)
export const DeviceDetail = Type.Object(
  {
    ...device,
    latest: Type.Array(ReadingOut),
    attributes: Type.Array(Attribute),
    watch: Type.Union([Watch, Type.Null()], { description: 'Null: nothing was ever heard of it.' }),
  },
  { title: 'DeviceDetail' },
)

const CADENCE_SECONDS_MAX = 90 * 86_400

export const NewDevice = Type.Object(
  { name: Name, equipmentId: Id, isGateway: Type.Optional(Type.Boolean()) },
  closed,
)
export const DeviceChange = Type.Partial(
  Type.Object(
    {
      name: Name,
      equipmentId: Id,
      disabled: Type.Boolean(),
      expectedCadenceSeconds: Type.Union(
        [Type.Integer({ minimum: 60, maximum: CADENCE_SECONDS_MAX }), Type.Null()],
        { description: 'How often it is to speak, from now on; null: as was learned from its readings.' },
      ),
    },
    closed,
  ),
  { ...closed, minProperties: 1 },
)

export function deviceView(row: PlacedDevice) {
  return {
    id: row.id,
    name: row.name,
    equipmentId: row.equipmentId,
    equipmentName: row.equipmentName,
    facilityId: row.facilityId,
    facilityName: row.facilityName,
    isGateway: row.isGateway === 1,
    gatewayId: row.gatewayId,
    disabled: row.disabledAt !== null,
    createdAt: toRfc3339(row.createdAt),
  }
}

/** What the watchdog knows of a device. */
export function watchView(
  { newestAt, arrivedAt, cadenceMs, limitMs }: DeviceWatchTable,
  set: number | undefined,
  silence: Pick<BreachTable, 'id' | 'startAt' | 'cause'> | undefined,
): Static<typeof Watch> {
  const cadence = set ?? cadenceMs
  return {
    lastHeardAt: toRfc3339(arrivedAt),
    newestAt: toRfc3339(newestAt),
    cadenceSeconds: cadence === null ? null : Math.round(cadence / 1000),
    cadenceIs: set !== undefined ? 'set' : cadenceMs === null ? 'unknown' : 'learned',
    silentAfterSeconds: Math.round((set === undefined ? limitMs : silenceLimit(undefined, set)) / 1000),
    silentSince: silence ? toRfc3339(silence.startAt) : null,
    silenceId: silence?.id ?? null,
    cause: silence?.cause ?? null,
  }
}

export function readingView({ sensor, time, values: said }: Reading): Static<typeof ReadingOut> {
  return { sensor, time: toRfc3339(time), values: { ...said } }
}
