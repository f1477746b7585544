import { isHigh, type Limit } from './exposure.ts'
import type { Reading, SensorKey, Values } from './reading.ts'
import { violates } from './rule.ts'

// How long until a refrigerator that warms reaches its limit. It warms as Newton's law says, dT/dt = k (A - T), with A the temperature of the room; k is fitted
// to the readings since the warming began. The law is linear in k once both sides are summed up over time, so that nothing has to be searched for, and a
// room that gets warmer over the day is no trouble. Where nothing measures A, a grid of rooms is tried, each as likely as the readings make it.

/** A reading of the sensor in the chamber, with what else its device said at that moment. */
export interface ChamberReading {
  readonly time: number
  readonly values: Values
}

/** In milliseconds from `asOf`; null: perhaps never. */
export interface TimeLeft {
  /** Nine times of ten it takes longer than `low` and shorter than `high`: each is missed once in twenty. */
  readonly lowMs: number
  readonly medianMs: number
  readonly highMs: number | null
}

export type TimeToBreach = {
  /** Time of the newest reading of temperature; null: there is none. */
  readonly asOf: number | null
  /** The newest temperature. */
  readonly celsius: number | null
  /** Since when there has been no power, as far as the readings go back; null: there is power, or nobody knows. */
  readonly powerOutSince: number | null
} & (
  | {
      /**
       * `beyond`: the limit is passed already. `steady`: it does not warm, or only as far as it always does. `unknown`: there is no limit, or not enough to
       * go by.
       */
      readonly state: 'beyond' | 'steady' | 'unknown'
    }
  | {
      readonly state: 'warming'
      /** `fit`: from the readings since it began to warm. `holdover`: the refrigerator itself says how long it holds. */
      readonly basis: 'fit' | 'holdover'
      readonly since: number
      readonly left: TimeLeft
    }
)

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** So much of the past is looked at: a day has all that a refrigerator does when it is well. */
export const LOOK_BACK_MS = 26 * HOUR_MS
/** Beyond this nobody plans by the hour. */
const HORIZON_MS = 30 * DAY_MS
/** A fall of more than this ends a warming. */
const FALL_KELVIN = 0.5
/** With power, it warms when it is so much above the warmest of the time before: compressors come and go. */
const ABOVE_USUAL_KELVIN = 0.5
/** Less is noise and the steps of a tenth. */
const RISE_KELVIN_MIN = 0.4
const READINGS_MIN = 4
const WARMING_MS_MIN = 10 * MINUTE_MS
/** The fit looks at so many medians of neighbouring readings: a single wild one counts for nothing, and the work is bounded. */
const POINTS_MAX = 40
/** Noise of a sensor with steps of a tenth. */
const NOISE_KELVIN_MIN = 0.06
/**
 * How far off the rest of the way may be from what was seen: doors, ice, and the hours of the day in a room that nothing measures. Standard deviations of
 * the logarithm of k.
 */
const ROAD_SPREAD = { measured: 0.2, unmeasured: 0.26 }
/** How far a single opening of the door, or the noise, may be from what the last readings say. Standard deviation. */
const LEVEL_SPREAD_KELVIN = 0.15
/** Rooms with vaccines in them: mean and standard deviation. */
const ROOM_CELSIUS = 27
const ROOM_SPREAD_KELVIN = 7
/** A room that is measured may be so much warmer or colder later on, at least. */
const ROOM_CHANGE_KELVIN_MIN = 1
/** What a refrigerator says of its own holdover is an estimate for a hot day without openings. */
const HOLDOVER_LOW = 0.6
const HOLDOVER_HIGH = 1.5

/**
 * When a chamber will pass its upper limit, from its newest readings.
 * @param readings in order of time; those of the last `LOOK_BACK_MS` are enough
 */
export function timeToBreach(readings: readonly ChamberReading[], limit: Limit | null): TimeToBreach {
  const powerOutSince = powerOut(readings)
  const points = readings.flatMap(({ time, values }) =>
    values.temperature === undefined ? [] : [{ time, celsius: values.temperature }],
  )
  const newest = points.at(-1)
  const facts = { asOf: newest?.time ?? null, celsius: newest?.celsius ?? null, powerOutSince }
  if (newest === undefined || limit === null || !isHigh(limit)) return { ...facts, state: 'unknown' }
  if (violates(limit, newest.celsius)) return { ...facts, state: 'beyond' }
  const warming = fitWarming(readings, points, powerOutSince, limit.threshold)
  if (warming) return { ...facts, state: 'warming', ...warming }
  return { ...facts, state: points.length < READINGS_MIN ? 'unknown' : 'steady' }
}

type Warming = Pick<Extract<TimeToBreach, { readonly state: 'warming' }>, 'basis' | 'since' | 'left'>

function fitWarming(
  readings: readonly ChamberReading[],
  points: readonly Point[],
  powerOutSince: number | null,
  limitCelsius: number,
): Warming | undefined {
  const since = warmingSince(points, powerOutSince)
  const warming = points.filter(({ time }) => time >= since)
  if (isWarming(points, warming, powerOutSince !== null)) {
    const left = fitted(warming, roomOf(readings), limitCelsius)
    if (left) return { basis: 'fit', since, left }
  }
  if (powerOutSince === null) return undefined
  const left = holdover(readings, points.at(-1)?.time ?? 0, powerOutSince)
  return left && { basis: 'holdover', since: powerOutSince, left }
}

/**
 * The same of a whole refrigerator: of its sensors of temperature the one that is at its limit first. What another sensor says of the power, the room or the
 * holdover counts for each.
 * @param sensors the readings of each sensor, in order of time
 */
export function soonestBreach(
  sensors: readonly (readonly Reading[])[],
  limit: Limit | null,
): (SensorKey & TimeToBreach) | undefined {
  const found = sensors.flatMap((own) => {
    const key = own.find(({ values }) => values.temperature !== undefined)
    if (key === undefined) return []
    const others = sensors
      .filter((readings) => readings !== own)
      .flat()
      .map(withoutTemperature)
    const readings = [...own, ...others].toSorted((a, b) => a.time - b.time)
    return [{ deviceId: key.deviceId, sensor: key.sensor, ...timeToBreach(readings, limit) }]
  })
  return found.toSorted((a, b) => urgency(a) - urgency(b))[0]
}

/** The same as moments in event time: as such it stays true while nothing new is heard. Null where it does not warm. */
export function momentsOf(found: TimeToBreach) {
  if (found.state !== 'warming' || found.asOf === null) return NO_MOMENTS
  const { asOf, basis, since, left } = found
  return {
    basis,
    since,
    lowAt: Math.round(asOf + left.lowMs),
    medianAt: Math.round(asOf + left.medianMs),
    highAt: left.highMs === null ? null : Math.round(asOf + left.highMs),
  }
}

const NO_MOMENTS = { basis: null, since: null, lowAt: null, medianAt: null, highAt: null } as const

function withoutTemperature({ time, values }: Reading): ChamberReading {
  const { temperature: _, ...rest } = values
  return { time, values: rest }
}

/** Less is more urgent. */
function urgency(found: TimeToBreach): number {
  if (found.state === 'beyond') return -1
  return found.state === 'warming' ? (found.asOf ?? 0) + found.left.medianMs : Infinity
}

interface Point {
  readonly time: number
  readonly celsius: number
}

/** The time of the first reading without power after the last one with it; null when the newest has power, or none says. */
function powerOut(readings: readonly ChamberReading[]): number | null {
  let since: number | null = null
  for (const { time, values } of readings.toReversed()) {
    const { powerOn, powerGoodSeconds } = values
    if (powerOn === undefined && powerGoodSeconds === undefined) continue
    if ((powerOn ?? 0) > 0 || (powerGoodSeconds ?? 0) > 0) return since
    since = time
  }
  return since
}

/** When the warming began that the newest readings belong to. */
function warmingSince(points: readonly Point[], powerOutSince: number | null): number {
  let lowest = points.at(-1)
  for (const point of points.toReversed()) {
    if (lowest === undefined || point.celsius > lowest.celsius + FALL_KELVIN) break
    if (powerOutSince !== null && point.time < powerOutSince) break
    if (point.celsius < lowest.celsius) lowest = point
  }
  return powerOutSince === null ? (lowest?.time ?? 0) : Math.max(powerOutSince, lowest?.time ?? 0)
}

function isWarming(points: readonly Point[], warming: readonly Point[], isPowerOut: boolean): boolean {
  const [first, last] = [warming[0], warming.at(-1)]
  if (!first || !last || warming.length < READINGS_MIN || last.time - first.time < WARMING_MS_MIN)
    return false
  if (last.celsius - first.celsius < RISE_KELVIN_MIN) return false
  if (isPowerOut) return true
  const usual = points.filter(({ time }) => time < first.time).map(({ celsius }) => celsius)
  return last.celsius >= Math.max(first.celsius, ...usual) + ABOVE_USUAL_KELVIN
}

/** What was measured of the room, in order of time. */
function roomOf(readings: readonly ChamberReading[]): Point[] {
  return readings.flatMap(({ time, values }) =>
    values.ambientTemperature === undefined ? [] : [{ time, celsius: values.ambientTemperature }],
  )
}

/** One way in which it may go on, and how likely that is. */
interface Way {
  readonly weight: number
  readonly ms: number
}

// Of a normal distribution: the middles of ten parts of the same weight.
const NORMAL = [-1.645, -1.036, -0.674, -0.385, -0.126, 0.126, 0.385, 0.674, 1.036, 1.645]

/** The same in three parts. */
const LEVELS = [-1.2, 0, 1.2]

function fitted(
  warming: readonly Point[],
  room: readonly Point[],
  limitCelsius: number,
): TimeLeft | undefined {
  const points = medians(warming)
  const candidates = candidatesOf(points, room)
  const fits = candidates.map((candidate) => ({ candidate, fit: fitRate(points, candidate.past) }))
  const best = Math.min(...fits.map(({ fit }) => fit.misfit))
  const ways = fits.flatMap(({ candidate, fit }) => {
    // A warming that is not clear of its own error is none.
    if (!(fit.perHour > 2 * fit.error)) return []
    const weight = candidate.weight * Math.exp((best - fit.misfit) / 2)
    const spread = Math.hypot(fit.error / fit.perHour, candidate.roadSpread)
    return candidate.future.flatMap((celsius) =>
      NORMAL.flatMap((z) =>
        LEVELS.map((level): Way => {
          const perHour = fit.perHour * Math.exp(z * spread)
          const from = fit.celsius + level * LEVEL_SPREAD_KELVIN
          return { weight, ms: hoursUntil(from, celsius, limitCelsius, perHour) * HOUR_MS }
        }),
      ),
    )
  })
  return ways.length === 0 ? undefined : leftOf(ways)
}

function leftOf(ways: readonly Way[]): TimeLeft | undefined {
  const sorted = ways.toSorted((a, b) => a.ms - b.ms)
  const [lowMs, medianMs, highMs] = [0.05, 0.5, 0.95].map((share) => weightedQuantile(sorted, share))
  if (lowMs === undefined || medianMs === undefined || highMs === undefined) return undefined
  if (medianMs > HORIZON_MS) return undefined
  return { lowMs, medianMs, highMs: highMs > HORIZON_MS ? null : highMs }
}

function weightedQuantile(sorted: readonly Way[], share: number): number | undefined {
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0)
  let passed = 0
  return sorted.find(({ weight }) => (passed += weight) >= share * total)?.ms
}

/** By Newton's law; infinite when the room is not above the limit. */
function hoursUntil(fromCelsius: number, room: number, toCelsius: number, perHour: number): number {
  if (fromCelsius >= toCelsius) return 0
  return room <= toCelsius ? Infinity : Math.log((room - fromCelsius) / (room - toCelsius)) / perHour
}

interface Candidate {
  readonly weight: number
  readonly roadSpread: number
  /** The temperature of the room at a point of the past. */
  readonly past: (time: number) => number
  /** What it may be from now on. */
  readonly future: readonly number[]
}

function candidatesOf(points: readonly Point[], measured: readonly Point[]): Candidate[] {
  const [first, last] = [points[0]?.time ?? 0, points.at(-1)?.time ?? 0]
  const near = measured.filter(({ time }) => time >= first - HOUR_MS && time <= last)
  const newest = near.at(-1)
  if (newest && last - newest.time <= HOUR_MS) {
    const day = measured.map(({ celsius }) => celsius)
    const mean = day.reduce((sum, celsius) => sum + celsius, 0) / day.length
    const range = Math.max(...day) - Math.min(...day)
    // Soon it is as it is now, later as it is on the whole.
    const middle = (newest.celsius + mean) / 2
    const change = Math.max(ROOM_CHANGE_KELVIN_MIN, range / 4, Math.abs(newest.celsius - mean) / 2)
    const future = [-1.3, -0.5, 0, 0.5, 1.3].map((z) => middle + z * change)
    return [{ weight: 1, roadSpread: ROAD_SPREAD.measured, past: (time) => roomAt(near, time), future }]
  }
  const coldest = Math.max(...points.map(({ celsius }) => celsius)) + 2
  return [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2].map((z) => {
    const celsius = Math.max(coldest, ROOM_CELSIUS + z * ROOM_SPREAD_KELVIN)
    const weight = Math.exp((-z * z) / 2)
    return { weight, roadSpread: ROAD_SPREAD.unmeasured, past: () => celsius, future: [celsius] }
  })
}

function roomAt(measured: readonly Point[], time: number): number {
  const index = measured.findLastIndex((point) => point.time <= time)
  return (measured[index] ?? measured[0])?.celsius ?? ROOM_CELSIUS
}

/** Neighbouring readings as one, at most `POINTS_MAX`: the median of their temperatures at the mean of their times. */
function medians(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / POINTS_MAX)
  const blocks = Array.from({ length: Math.ceil(points.length / size) }, (_, index) =>
    points.slice(index * size, (index + 1) * size),
  )
  return blocks.map((block) => ({
    time: block.reduce((sum, { time }) => sum + time, 0) / block.length,
    celsius: median(block.map(({ celsius }) => celsius)),
  }))
}

interface Fit {
  /** k, and its standard error. */
  readonly perHour: number
  readonly error: number
  /** The temperature now, by the fit of the last points. */
  readonly celsius: number
  /** -2 log likelihood, but for a constant. */
  readonly misfit: number
}

/**
 * T(t) - T(0) = k * (the sum of A - T over the time): the slope is the median of the slopes of all pairs (Theil and Sen), which a quarter of
 * wrong points cannot move.
 */
function fitRate(points: readonly Point[], roomCelsius: (time: number) => number): Fit {
  const drive = driveOf(points, roomCelsius)
  const slopes = points.flatMap((a, i) =>
    points.slice(i + 1).flatMap((b, j) => {
      const run = (drive[i + 1 + j] ?? 0) - (drive[i] ?? 0)
      return run > 0 ? [(b.celsius - a.celsius) / run] : []
    }),
  )
  const perHour = slopes.length === 0 ? 0 : median(slopes)
  const levels = points.map(({ celsius }, index) => celsius - perHour * (drive[index] ?? 0))
  const level = median(levels)
  const residuals = levels.map((one) => one - level)
  const noise = Math.max(NOISE_KELVIN_MIN, 1.4826 * median(residuals.map(Math.abs)))
  const mean = drive.reduce((sum, x) => sum + x, 0) / drive.length
  const spread = Math.sqrt(drive.reduce((sum, x) => sum + (x - mean) ** 2, 0))
  const recent = median(levels.slice(-5))
  return {
    perHour,
    error: spread > 0 ? noise / spread : Infinity,
    celsius: recent + perHour * (drive.at(-1) ?? 0),
    misfit:
      residuals.reduce((sum, r) => sum + Math.min(9, (r / noise) ** 2), 0) +
      2 * points.length * Math.log(noise),
  }
}

/** For each point, the K h by which the room was warmer than the chamber since the first. */
function driveOf(points: readonly Point[], roomCelsius: (time: number) => number): number[] {
  let sum = 0
  return points.map((point, index) => {
    const before = points[index - 1]
    if (before) {
      const gaps = [before, point].map(({ time, celsius }) => roomCelsius(time) - celsius)
      sum += (((gaps[0] ?? 0) + (gaps[1] ?? 0)) / 2) * ((point.time - before.time) / HOUR_MS)
    }
    return sum
  })
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[sorted.length % 2 ? middle : middle - 1], sorted[middle]]
  return ((low ?? NaN) + (high ?? NaN)) / 2
}

/** What the refrigerator says of its holdover: since the cut if it goes on saying it, else what it said before, less the time since. */
function holdover(
  readings: readonly ChamberReading[],
  now: number,
  powerOutSince: number,
): TimeLeft | undefined {
  const said = readings.findLast(({ values }) => values.holdover !== undefined)
  if (said?.values.holdover === undefined) return undefined
  const spentMs = now - Math.max(said.time, Math.min(powerOutSince, now))
  const medianMs = said.values.holdover * DAY_MS - spentMs
  if (medianMs <= 0) return { lowMs: 0, medianMs: 0, highMs: 0 }
  return { lowMs: medianMs * HOLDOVER_LOW, medianMs, highMs: medianMs * HOLDOVER_HIGH }
}
