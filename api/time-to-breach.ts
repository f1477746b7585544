import { Type, type Static } from 'typebox'
import { listDeviceIdsOfEquipment } from '../db/queries/device.ts'
import { findPlacements } from '../db/queries/placement.ts'
import type { Endangered } from '../db/queries/time-to-breach.ts'
import { limitsOf } from '../domain/exposure.ts'
import type { Reading, SensorKey } from '../domain/reading.ts'
import { LOOK_BACK_MS, momentsOf, soonestBreach } from '../domain/time-to-breach.ts'
import type { RouteDeps } from './deps.ts'
import { Id, nullable, Time } from './schemas.ts'
import { toRfc3339, toRfc3339OrNull } from './time.ts'

const HOUR_MS = 3_600_000
/** Readings of one piece of equipment. */
const READINGS_MAX = 50_000

const Hours = (description: string) => nullable(Type.Number({ description }))

const left = {
  deviceId: nullable(Id),
  sensor: Type.Union([Type.String(), Type.Null()], { description: 'The one that is at its limit first.' }),
  state: Type.Enum(['beyond', 'warming', 'steady', 'unknown'], {
    description:
      '`beyond`: past its limit already. `steady`: it does not warm, or no further than it always does. `unknown`: it has no upper limit, or there is not enough to go by.',
  }),
  basis: Type.Union([Type.Enum(['fit', 'holdover']), Type.Null()], {
    description:
      '`fit`: from the readings since it began to warm. `holdover`: the refrigerator says it itself.',
  }),
  since: Type.Union([Time, Type.Null()], { description: 'Since when it warms.' }),
  powerOutSince: Type.Union([Time, Type.Null()], { description: 'Null: there is power, or nobody says.' }),
  asOf: Type.Union([Time, Type.Null()], {
    description: 'Of the newest temperature: what is said rests on it.',
  }),
  celsius: nullable(Type.Number()),
  limitCelsius: nullable(Type.Number()),
  lowAt: Type.Union([Time, Type.Null()], {
    description: 'It is at its limit no earlier, nineteen times of twenty.',
  }),
  medianAt: nullable(Time),
  highAt: Type.Union([Time, Type.Null()], {
    description: 'And no later, nineteen times of twenty; null while it warms: perhaps never.',
  }),
  lowHours: Hours('From now.'),
  medianHours: Hours('From now.'),
  highHours: Hours('From now.'),
}
export const EquipmentTimeToBreach = Type.Object(
  { equipmentId: Id, ...left },
  { title: 'EquipmentTimeToBreach' },
)

export const EndangeredEquipment = Type.Object(
  {
    equipmentId: Id,
    equipmentName: Type.String(),
    facilityId: Id,
    facilityName: Type.String(),
    ...left,
    doses: Type.Union([Type.Integer(), Type.Null()], {
      description: 'On hand at its storage point; null when it is at none.',
    }),
  },
  { title: 'EndangeredEquipment' },
)

/** When the limit is reached, as the readings of now say. */
export async function timeToBreachOf(
  { db, series, clock }: RouteDeps,
  equipmentId: string,
): Promise<Static<typeof EquipmentTimeToBreach>> {
  const nowMs = clock.now()
  const deviceIds = await listDeviceIdsOfEquipment(db, equipmentId)
  const [placement] = (await findPlacements(db, deviceIds)).values()
  const { high } = limitsOf(placement?.rules ?? [], nowMs)
  const sensors: SensorKey[] = []
  for (const deviceId of deviceIds)
    for (const { sensor } of await series.latest(deviceId)) sensors.push({ deviceId, sensor })
  const readings: readonly (readonly Reading[])[] =
    (await series.readTails(sensors, nowMs - LOOK_BACK_MS, READINGS_MAX)) ?? []
  const found = soonestBreach(readings, high)
  const row = {
    limitCelsius: high?.threshold ?? null,
    ...(found ? { ...found, ...momentsOf(found) } : NOTHING),
  }
  return { equipmentId, ...leftView(row, nowMs) }
}

type Row = { readonly [K in keyof typeof left & keyof Endangered]: Endangered[K] | null } & Pick<
  Endangered,
  'state'
>

const NOTHING: Omit<Row, 'limitCelsius'> = {
  deviceId: null,
  sensor: null,
  state: 'unknown',
  powerOutSince: null,
  asOf: null,
  celsius: null,
  basis: null,
  since: null,
  lowAt: null,
  medianAt: null,
  highAt: null,
}

/** As of the row, with the time that is left from now on. */
export function endangeredView(
  row: Endangered,
  doses: ReadonlyMap<string, number>,
  nowMs: number,
): Static<typeof EndangeredEquipment> {
  const { equipmentId, equipmentName, facilityId, facilityName, storagePointId } = row
  return {
    equipmentId,
    equipmentName,
    facilityId,
    facilityName,
    ...leftView(row, nowMs),
    doses: storagePointId === null ? null : (doses.get(storagePointId) ?? 0),
  }
}

function leftView(row: Row, nowMs: number) {
  return {
    deviceId: row.deviceId,
    sensor: row.sensor,
    state: row.state,
    basis: row.basis,
    since: toRfc3339OrNull(row.since),
    powerOutSince: toRfc3339OrNull(row.powerOutSince),
    asOf: toRfc3339OrNull(row.asOf),
    celsius: row.celsius,
    limitCelsius: row.limitCelsius,
    lowAt: toRfc3339OrNull(row.lowAt),
    medianAt: toRfc3339OrNull(row.medianAt),
    highAt: toRfc3339OrNull(row.highAt),
    lowHours: hoursLeft(row.lowAt, nowMs),
    medianHours: hoursLeft(row.medianAt, nowMs),
    highHours: hoursLeft(row.highAt, nowMs),
  }
}

function hoursLeft(at: number | null, nowMs: number): number | null {
  return at === null ? null : Math.max(0, Math.round(((at - nowMs) / HOUR_MS) * 100) / 100)
}

/** On the live stream: of equipment that is in no danger any more only that. */
export function timeToBreachEvent(row: Endangered | undefined, equipmentId: string, nowMs: number) {
  if (row === undefined) return { equipmentId, state: 'steady' }
  const { equipmentName, facilityId, facilityName } = row
  return {
    equipmentId,
    equipmentName,
    facilityId,
    facilityName,
    ...leftView(row, nowMs),
    at: toRfc3339(nowMs),
  }
}
