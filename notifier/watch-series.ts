import { CADENCE_INTERVALS } from '../domain/cadence.ts'
import type { Reading } from '../domain/reading.ts'
import type { Series } from '../ports/series.ts'

/** Readings before and after a span that have a say in what its silences are. */
const AROUND = CADENCE_INTERVALS + 2
const READINGS_MAX = 5000

/** The times of a device's readings around a span, of all its sensors. */
export interface TimesAround {
  /** Ascending, each once, without a hole. */
  readonly times: readonly number[]
  /** How much of the span is in it; the rest is to be asked for again. */
  readonly coveredTo: number
  /** Whether the last of them is the newest there is. */
  readonly reachesEnd: boolean
}

/** Reads them: some before the span, so many of it as can be read at once, some after. */
export async function readTimesAround(
  series: Series,
  deviceId: string,
  span: { readonly from: number; readonly to: number },
): Promise<TimesAround> {
  const sensors = (await series.latest(deviceId)).map(({ sensor }) => sensor)
  const read = (from: number, to: number, limit: number, order: 'ascending' | 'descending') =>
    Promise.all(sensors.map((sensor) => series.read({ deviceId, sensor, from, to, limit, order })))
  const before = await read(Number.MIN_SAFE_INTEGER, span.from, AROUND, 'descending')
  const within = await read(span.from, span.to + 1, READINGS_MAX, 'ascending')
  const coveredTo = reach(within, READINGS_MAX, span.to, Math.min)
  const isWhole = coveredTo === span.to
  const after = isWhole ? await read(span.to + 1, Number.MAX_SAFE_INTEGER, AROUND, 'ascending') : []
  const from = reach(before, AROUND, -Infinity, Math.max)
  const to = isWhole ? reach(after, AROUND, Infinity, Math.min) : coveredTo
  const all = [...before, ...within, ...after].flat().map(({ time }) => time)
  const times = [...new Set(all)].filter((time) => time >= from && time <= to).toSorted((a, b) => a - b)
  return { times, coveredTo, reachesEnd: isWhole && to === Infinity }
}

/** How far what was read of several sensors is all that there is: a sensor of which not everything was read ends it. */
function reach(
  read: readonly (readonly Reading[])[],
  limit: number,
  otherwise: number,
  nearest: (...ends: number[]) => number,
): number {
  const cut = read.filter((one) => one.length === limit).map((one) => one.at(-1)?.time ?? otherwise)
  return cut.length === 0 ? otherwise : nearest(...cut)
}
