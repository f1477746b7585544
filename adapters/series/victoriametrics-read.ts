import { greater, type Quantity, type Reading, type SensorKey } from '../../domain/reading.ts'
import type { RangeQuery } from '../../ports/series.ts'
import type { Server } from './victoriametrics-http.ts'
import { START_OF_TIME } from './victoriametrics-lines.ts'
import { edgeTime, edgeTimes, endOfTime, exportSamples, sensorsOf } from './victoriametrics-samples.ts'

// The first guess at how far apart readings are; after the first window it is known.
const GUESSED_INTERVAL_MS = 60_000
const WINDOW_MS_MIN = 3_600_000
const WINDOW_GROWTH_MAX = 16
const WINDOW_SHRINK = 8

/**
 * Raw readings in time order. The export of VictoriaMetrics knows no limit, so that it is asked for one window of time after the other, as wide as the
 * density of what was found suggests; a gap is jumped.
 * @param windowSamplesMax samples in one window; one with more is cut
 */
export async function readRange(
  server: Server,
  query: RangeQuery,
  windowSamplesMax: number,
): Promise<Reading[]> {
  const { deviceId, sensor, limit, order } = query
  const source = { deviceId, sensor }
  let [low, high] = bounds(query.from, query.to)
  let width = Math.max(WINDOW_MS_MIN, limit * GUESSED_INTERVAL_MS)
  const found: Reading[] = []
  while (low < high && found.length < limit) {
    const [start, end] =
      order === 'ascending' ? [low, Math.min(high, low + width)] : [Math.max(low, high - width), high]
    const window = await readWindow(server, source, start, end, windowSamplesMax)
    if (window === undefined) {
      width = Math.ceil((end - start) / WINDOW_SHRINK)
      continue
    }
    if (order === 'ascending') low = end
    else high = start
    if (window.length === 0) {
      const jump = await edgeTime(server, source, order === 'ascending' ? 'first' : 'last', low, high)
      if (jump === undefined) break
      if (order === 'ascending') low = jump
      else high = jump + 1
      continue
    }
    for (const reading of order === 'ascending' ? window : window.toReversed()) found.push(reading)
    width = nextWidth(end - start, window.length, limit - found.length)
  }
  return found.slice(0, limit)
}

function bounds(from: number, to: number): [number, number] {
  return [Math.max(START_OF_TIME, Math.ceil(from)), Math.min(endOfTime(), Math.ceil(to))]
}

function nextWidth(width: number, found: number, wanted: number): number {
  return Math.ceil(width * Math.min(WINDOW_GROWTH_MAX, Math.max(1, (1.25 * wanted) / found)))
}

/** Everything from `from` on by index of `sensors`; undefined when there are more than `readingsMax` readings. */
export async function readTails(
  server: Server,
  sensors: readonly SensorKey[],
  from: number,
  readingsMax: number,
): Promise<Reading[][] | undefined> {
  const [low, high] = bounds(from, Infinity)
  if (sensors.length === 0 || low >= high) return sensors.map(() => [])
  const gathered = await gather(server, sensors, low, high, readingsMax)
  return gathered && sensors.map((sensor) => readingsOf(gathered, sensor))
}

/** The readings in [from, to) by time; undefined when there are more samples than that. */
async function readWindow(
  server: Server,
  source: SensorKey,
  from: number,
  to: number,
  samplesMax: number,
): Promise<Reading[] | undefined> {
  const gathered = await gather(server, [source], from, to, to - from > 1 ? samplesMax : Infinity)
  return gathered && readingsOf(gathered, source)
}

/** By sensor and time. */
type Gathered = Map<string, Map<number, { [Q in Quantity]?: number }>>

const keyOf = ({ deviceId, sensor }: SensorKey) => `${deviceId}\n${sensor}`

async function gather(
  server: Server,
  sources: readonly SensorKey[],
  from: number,
  to: number,
  samplesMax: number,
): Promise<Gathered | undefined> {
  const gathered: Gathered = new Map()
  let samples = 0
  for await (const part of exportSamples(server, sources, from, to)) {
    samples += part.times.length
    if (samples > samplesMax) return undefined
    const byTime = gathered.get(keyOf(part)) ?? new Map<number, { [Q in Quantity]?: number }>()
    gathered.set(keyOf(part), byTime)
    part.times.forEach((time, index) => {
      const value = part.values[index]
      if (typeof value !== 'number') return
      let values = byTime.get(time)
      if (!values) byTime.set(time, (values = {}))
      values[part.quantity] = greater(values[part.quantity], value)
    })
  }
  return gathered
}

function readingsOf(gathered: Gathered, { deviceId, sensor }: SensorKey): Reading[] {
  return [...(gathered.get(keyOf({ deviceId, sensor })) ?? [])]
    .toSorted(([a], [b]) => a - b)
    .map(([time, values]) => ({ deviceId, sensor, time, values }))
}

const RECENT_MS = 4 * 86_400_000
const READINGS_AT_ONCE = 100_000

/**
 * The newest reading of each sensor. One look at the last days finds those that still report; each of the others is looked for by itself, so that
 * their silence does not make the server read the history of the rest.
 */
export async function readLatest(server: Server, deviceId: string, sensorsMax: number): Promise<Reading[]> {
  const end = endOfTime()
  const [recent, sensors] = await Promise.all([
    edgeTimes(server, { deviceId }, 'last', end - RECENT_MS, end),
    sensorsOf(server, deviceId),
  ])
  const times = new Map(recent)
  for (const sensor of sensors.slice(0, sensorsMax)) {
    if (times.has(sensor)) continue
    const time = await edgeTime(server, { deviceId, sensor }, 'last', START_OF_TIME, end - RECENT_MS)
    if (time !== undefined) times.set(sensor, time)
  }
  const readings: Reading[] = []
  for (const [sensor, time] of [...times].slice(0, sensorsMax))
    readings.push(
      ...((await readWindow(server, { deviceId, sensor }, time, time + 1, READINGS_AT_ONCE)) ?? []),
    )
  return readings
}
