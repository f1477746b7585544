import { listBreachesWithin } from '../db/queries/breach.ts'
import type { PlacedDevice } from '../db/queries/device.ts'
import { findRules } from '../db/queries/rule.ts'
import type { BreachTable, DbOrTrx } from '../db/schema.ts'
import { memoryMs } from '../domain/cumulation.ts'
import { CodedError } from '../domain/errors.ts'
import type { SensorKey } from '../domain/reading.ts'
import type { Rule } from '../domain/rule.ts'
import { createTrial, foundIn, isExact, tryReading, type Found, type Trial } from '../domain/trial.ts'
import type { RouteDeps } from './deps.ts'

const DAY_MS = 86_400_000
/** What lies before the time that was asked for is read as far back as the judge would, in steps. */
const LOOK_BACK_MS_MAX = 400 * DAY_MS
const LOOK_BACK_STEP = 4
const CHUNK = 2000
/** Of one sensor: a year at one reading a minute, and what lies before. */
export const READINGS_MAX = 1_000_000

/** Rules, and for when. */
export interface Asked {
  readonly rules: readonly Rule[]
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/** What the rules would have found on a sensor, and what was. */
export interface Previewed {
  readonly sensor: SensorKey
  readonly readings: number
  readonly found: readonly Found[]
  /** Of rules of the same quantities, whatever their limits. */
  readonly recorded: readonly BreachTable[]
}

/** Tries rules on each sensor of a device. @throws CodedError `preview.tooManyReadings` */
export async function previewDevice(
  { db, series }: Pick<RouteDeps, 'db' | 'series'>,
  device: PlacedDevice,
  asked: Asked,
): Promise<Previewed[]> {
  const sensors = [...new Set((await series.latest(device.id)).map(({ sensor }) => sensor))].toSorted()
  const previewed: Previewed[] = []
  for (const sensor of sensors) {
    const key = { deviceId: device.id, sensor }
    const { trial, readings } = await tryOn(series, key, asked)
    const found = foundIn(trial)
    previewed.push({ sensor: key, readings, found, recorded: await recordedOf(db, key, asked) })
  }
  return previewed
}

// From further and further back, until it does not matter what came before.
async function tryOn(
  series: RouteDeps['series'],
  sensor: SensorKey,
  { rules, from, to }: Asked,
): Promise<{ readonly trial: Trial; readonly readings: number }> {
  const memories = rules.map((rule) => (rule.mode === 'cumulative' ? 3 * memoryMs(rule) : 0))
  const budget = { readings: 0 }
  for (let backMs = Math.max(DAY_MS, ...memories); ; backMs *= LOOK_BACK_STEP) {
    const start = from - Math.min(backMs, LOOK_BACK_MS_MAX)
    const trial = createTrial(rules, start, from)
    await walk(series, sensor, trial, start, from, budget)
    const isFirst = async () =>
      (await series.read({ ...sensor, from: 0, to: start, limit: 1, order: 'descending' })).length === 0
    if (!isExact(trial) && backMs < LOOK_BACK_MS_MAX && !(await isFirst())) continue
    return { trial, readings: await walk(series, sensor, trial, from, to, budget) }
  }
}

/** @returns how many readings there are in [from, to) */
async function walk(
  series: RouteDeps['series'],
  sensor: SensorKey,
  trial: Trial,
  from: number,
  to: number,
  budget: { readings: number },
): Promise<number> {
  let readings = 0
  for (let next = from; next < to;) {
    const chunk = await series.read({ ...sensor, from: next, to, limit: CHUNK, order: 'ascending' })
    for (const reading of chunk) tryReading(trial, reading)
    readings += chunk.length
    budget.readings += chunk.length
    if (budget.readings > READINGS_MAX)
      throw new CodedError(
        'preview.tooManyReadings',
        `Sensor ${sensor.sensor} of device ${sensor.deviceId} has more than ${READINGS_MAX}.`,
      )
    if (chunk.length < CHUNK) break
    next = (chunk.at(-1)?.time ?? to) + 1
  }
  return readings
}

async function recordedOf(
  db: DbOrTrx,
  sensor: SensorKey,
  { rules, from, to }: Asked,
): Promise<BreachTable[]> {
  const rows = await listBreachesWithin(db, sensor, from, to - 1)
  const there = rows.filter(
    ({ state, startAt, endAt }) => state !== 'withdrawn' && startAt < to && (endAt === null || endAt > from),
  )
  const known = await findRules(db, [...new Set(there.map(({ ruleId }) => ruleId))])
  const quantities = new Map(known.map(({ id, quantity }) => [id, quantity]))
  return there.filter(({ ruleId }) => rules.some(({ quantity }) => quantity === quantities.get(ruleId)))
}
