import { Type, type Static } from 'typebox'
import { findPlacements, UNPLACED } from '../db/queries/placement.ts'
import { periodsOf, type DateRange, type Period, type Unit } from '../domain/calendar.ts'
import { shareOf } from '../domain/consumption.ts'
import {
  createExposures,
  GAP_MS_DEFAULT,
  limitsOf,
  type Exposed,
  type Exposures,
  type Limits,
} from '../domain/exposure.ts'
import { MAIN_SENSOR, type Quantity, type Reading, type SensorKey } from '../domain/reading.ts'
import type { Series } from '../ports/series.ts'
import type { RouteDeps } from './deps.ts'
import { Id, nullable, Time } from './schemas.ts'
import { toRfc3339, toRfc3339OrNull } from './time.ts'

/** Readings in memory at a time, whatever is asked for. */
const READINGS_PER_CHUNK = 5000
const MINUTE_MS = 60_000

const Minutes = (description: string) => Type.Number({ description })
const Celsius = (description: string) => nullable(Type.Number({ description }))

export const ExposureRow = Type.Object(
  {
    period: Type.String({ description: 'A day or a month of the facility.' }),
    startAt: Time,
    endAt: Type.String({
      format: 'date-time',
      description: 'The first moment that is no longer part of it.',
    }),
    deviceId: Id,
    deviceName: Type.String(),
    sensor: Type.String(),
    readings: Type.Integer(),
    coveredMinutes: Minutes(
      'Of which it is known how warm it was: a reading holds until the next one, gaps do not count.',
    ),
    coverage: nullable(Type.Number({ description: 'coveredMinutes / what of the period is over.' })),
    high: Celsius('Where too warm begins.'),
    low: Celsius('Where too cold begins.'),
    minutesAbove: Minutes('Too warm.'),
    minutesBelow: Minutes('Too cold.'),
    minutesInRange: Minutes('coveredMinutes less those.'),
    shareInRange: nullable(Type.Number({ description: 'minutesInRange / coveredMinutes.' })),
    degreeMinutesAbove: Minutes('K beyond the limit, times minutes.'),
    degreeMinutesBelow: Minutes('K beyond the limit, times minutes.'),
    min: Celsius('The coldest.'),
    minAt: nullable(Time),
    max: Celsius('The warmest.'),
    maxAt: nullable(Time),
    mean: Celsius('By time.'),
    mkt: Celsius('Mean kinetic temperature, USP: dH/R = 10,000 K.'),
  },
  { title: 'Exposure' },
)
type Row = Static<typeof ExposureRow>

export interface ExposureQuery {
  readonly devices: readonly { readonly id: string; readonly name: string }[]
  readonly timeZone: string
  readonly range: DateRange
  readonly every: Unit
  /** Instead of those of the rules. */
  readonly high: number | undefined
  readonly low: number | undefined
}

/** What each sensor that measures a temperature went through, period by period: a row as soon as it is known. */
export async function* exposureRows(deps: RouteDeps, query: ExposureQuery): AsyncGenerator<Row> {
  const nowMs = deps.clock.now()
  const periods = periodsOf(query.timeZone, query.range, query.every).filter(
    ({ startMs }) => startMs <= nowMs,
  )
  const placements = await findPlacements(
    deps.db,
    query.devices.map(({ id }) => id),
  )
  const span = { from: periods[0]?.startMs ?? 0, to: periods.at(-1)?.endMs ?? 0 }
  for (const device of query.devices) {
    const { rules } = placements.get(device.id) ?? UNPLACED
    const limitsIn = ({ startMs }: Period) => limitsFor(query, limitsOf(rules, startMs))
    for (const { sensor } of await sensorsOf(deps.series, device.id)) {
      const key = { deviceId: device.id, sensor }
      const exposures = createExposures(periods, limitsIn)
      for await (const exposed of summed(deps.series, { key, quantity: 'temperature', ...span }, exposures))
        yield rowOf({ ...key, deviceName: device.name }, exposed, limitsIn(exposed.period), nowMs)
    }
  }
}

function limitsFor({ high, low }: ExposureQuery, own: Limits): Limits {
  return {
    high: high === undefined ? own.high : { comparator: 'gt', threshold: high },
    low: low === undefined ? own.low : { comparator: 'lt', threshold: low },
  }
}

/** Those whose newest reading is of a temperature; a sensor of other things has no exposure. */
async function sensorsOf(series: Series, deviceId: string): Promise<Reading[]> {
  const latest = await series.latest(deviceId)
  return latest
    .filter(({ sensor, values }) => sensor === MAIN_SENSOR || values.temperature !== undefined)
    .toSorted((a, b) => (a.sensor < b.sensor ? -1 : 1))
}

export interface SumQuery {
  readonly key: SensorKey
  readonly quantity: Quantity
  readonly from: number
  readonly to: number
  /** Of more than these, the first are taken. */
  readonly readingsMax?: number
}

/** Sums up what was measured in [from, to), and what holds into it and out of it: what is read depends on that time, not on the history. */
export async function* summed(
  series: Series,
  { key, quantity, from, to, readingsMax = Infinity }: SumQuery,
  exposures: Exposures,
): AsyncGenerator<Exposed> {
  const end = to + GAP_MS_DEFAULT
  let start = from - GAP_MS_DEFAULT
  for (let left = readingsMax; left > 0; left -= READINGS_PER_CHUNK) {
    const limit = Math.min(left, READINGS_PER_CHUNK)
    const chunk = await series.read({ ...key, from: start, to: end, limit, order: 'ascending' })
    for (const { time, values } of chunk) {
      const value = values[quantity]
      if (value !== undefined) yield* exposures.add(time, value)
    }
    const last = chunk.at(-1)
    if (last === undefined || chunk.length < limit) break
    start = last.time + 1
  }
  yield* exposures.end()
}

function rowOf(
  sensor: Pick<Row, 'deviceId' | 'deviceName' | 'sensor'>,
  { period, exposure }: Exposed,
  { high, low }: Limits,
  nowMs: number,
): Row {
  const overMs = Math.min(period.endMs, nowMs) - period.startMs
  return {
    period: period.name,
    startAt: toRfc3339(period.startMs),
    endAt: toRfc3339(period.endMs),
    ...sensor,
    readings: exposure.readings,
    coveredMinutes: minutes(exposure.coveredMs),
    // A clock that is a little ahead is no more than all there is.
    coverage: overMs > 0 ? Math.min(1, shareOf(exposure.coveredMs, overMs) ?? 0) : null,
    high: high?.threshold ?? null,
    low: low?.threshold ?? null,
    minutesAbove: minutes(exposure.aboveMs),
    minutesBelow: minutes(exposure.belowMs),
    minutesInRange: minutes(exposure.inRangeMs),
    shareInRange: shareOf(exposure.inRangeMs, exposure.coveredMs),
    degreeMinutesAbove: minutes(exposure.aboveKelvinMs),
    degreeMinutesBelow: minutes(exposure.belowKelvinMs),
    min: exposure.min,
    minAt: toRfc3339OrNull(exposure.minAt),
    max: exposure.max,
    maxAt: toRfc3339OrNull(exposure.maxAt),
    mean: hundredths(exposure.mean),
    mkt: hundredths(exposure.mktCelsius),
  }
}

export function minutes(ms: number): number {
  return Math.round((ms / MINUTE_MS) * 100) / 100
}

export function hundredths(celsius: number | null): number | null {
  return celsius === null ? null : Math.round(celsius * 100) / 100 + 0
}
