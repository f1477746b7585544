import { CodedError } from '../../domain/errors.ts'
import type { Quantity, SensorKey } from '../../domain/reading.ts'
import type { Bucket } from '../../ports/series.ts'
import type { Server } from './victoriametrics-http.ts'
import { START_OF_TIME } from './victoriametrics-lines.ts'
import { endOfTime, exportSamples } from './victoriametrics-samples.ts'

export interface AggregateQuery extends SensorKey {
  readonly quantity: Quantity
  readonly from: number
  readonly to: number
  readonly everyMs: number
}

interface Limits {
  readonly bucketsMax: number
  readonly samplesMax: number
}

/**
 * Sums up raw samples as they stream by. PromQL would count a reading twice that was delivered twice, and a count or mean must not depend on that (P3);
 * the deduplication of the server is no help, since that of 1.79 keeps the last of two values where the greater counts.
 */
export async function aggregateSamples(
  server: Server,
  { deviceId, sensor, quantity, from, to, everyMs }: AggregateQuery,
  { bucketsMax, samplesMax }: Limits,
): Promise<Bucket[]> {
  if (!(Number.isSafeInteger(everyMs) && everyMs > 0)) throw new Error(`everyMs is ${everyMs}`)
  const [low, high] = [Math.max(START_OF_TIME, Math.ceil(from)), Math.min(endOfTime(), Math.ceil(to))]
  if (low >= high) return []
  const summing = createSumming(everyMs)
  let samples = 0
  for await (const part of exportSamples(server, [{ deviceId, sensor, quantity }], low, high)) {
    samples += part.times.length
    if (samples > samplesMax) throw tooMuch(`${samplesMax} readings; take a shorter time`)
    part.times.forEach((time, index) => summing.add(time, part.values[index] ?? NaN))
    if (summing.buckets.length > bucketsMax) throw tooMuch(`${bucketsMax} intervals; take longer ones`)
  }
  summing.end()
  if (summing.buckets.length > bucketsMax) throw tooMuch(`${bucketsMax} intervals; take longer ones`)
  return summing.buckets.map(({ sum, ...bucket }) => ({ ...bucket, mean: sum / bucket.count }))
}

function tooMuch(what: string): CodedError {
  return new CodedError('request.invalid', `more than ${what}`)
}

interface Sum {
  readonly start: number
  count: number
  min: number
  max: number
  sum: number
  last: number
}

/** Takes samples in time order; of those with one time the greatest counts, once. */
function createSumming(everyMs: number) {
  const buckets: Sum[] = []
  let [heldTime, heldValue] = [NaN, NaN]

  function end() {
    if (Number.isNaN(heldValue)) return
    const start = Math.floor(heldTime / everyMs) * everyMs
    let bucket = buckets.at(-1)
    if (bucket?.start !== start) {
      bucket = { start, count: 0, min: Infinity, max: -Infinity, sum: 0, last: heldValue }
      buckets.push(bucket)
    }
    bucket.count += 1
    bucket.min = Math.min(bucket.min, heldValue)
    bucket.max = Math.max(bucket.max, heldValue)
    bucket.sum += heldValue
    bucket.last = heldValue
  }

  return {
    buckets,
    add(time: number, value: number) {
      if (Number.isNaN(value)) return
      if (time === heldTime) {
        heldValue = Math.max(heldValue, value)
        return
      }
      end()
      heldTime = time
      heldValue = value
    },
    end,
  }
}
