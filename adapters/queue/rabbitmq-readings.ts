import type { Quantity, Reading } from '../../domain/reading.ts'

/**
 * Readings as they lie in a message: what they have in common is said once, and the rest is one list of numbers. That is a fifth of the
 * bytes of a list of objects, and a third of the time to write and to read it; and all of it passes through the queue twice.
 */
export interface PackedReadings {
  /** Device and sensor of each stream, by turns. */
  readonly streams: readonly string[]
  /** Bit n of a mask stands for the n-th of them. */
  readonly quantities: readonly string[]
  /** The times are relative to it. */
  readonly from: number
  /** Of each reading: its stream, its time, the mask of its quantities, and a value for each bit of that, from the lowest. */
  readonly rows: readonly number[]
}

export function packReadings(readings: readonly Reading[]): PackedReadings {
  const streams: string[] = []
  const quantities: string[] = []
  const rows: number[] = []
  const streamOf = numberStreams(streams)
  const bits = new Map<string, number>()
  const from = readings[0]?.time ?? 0
  // By bit, since the keys of two readings may come in different orders.
  const found: number[] = []
  for (const { deviceId, sensor, time, values } of readings) {
    let mask = 0
    for (const key in values) {
      const value = values[key as Quantity]
      if (value === undefined) continue
      let bit = bits.get(key)
      if (bit === undefined) bits.set(key, (bit = quantities.push(key) - 1))
      mask |= 1 << bit
      found[bit] = value
    }
    rows.push(streamOf(deviceId, sensor), time - from, mask)
    for (let rest = mask, bit = 0; rest > 0; rest >>>= 1, bit += 1) if (rest & 1) rows.push(found[bit] ?? 0)
  }
  return { streams, quantities, from, rows }
}

function numberStreams(streams: string[]): (deviceId: string, sensor: string) => number {
  const numbers = new Map<string, Map<string, number>>()
  return (deviceId, sensor) => {
    let ofDevice = numbers.get(deviceId)
    if (ofDevice === undefined) numbers.set(deviceId, (ofDevice = new Map()))
    let number = ofDevice.get(sensor)
    if (number === undefined) ofDevice.set(sensor, (number = streams.push(deviceId, sensor) / 2 - 1))
    return number
  }
}

/** Undefined when it is not what `packReadings` makes. */
export function unpackReadings(packed: unknown): Reading[] | undefined {
  if (!isPacked(packed)) return undefined
  const { streams, quantities, from, rows } = packed
  const namesOf = rememberNames(quantities)
  const readings: Reading[] = []
  let at = 0
  while (at < rows.length) {
    const stream = 2 * (rows[at] ?? 0)
    const time = from + (rows[at + 1] ?? Number.NaN)
    const names = namesOf(rows[at + 2] ?? 0)
    const [deviceId, sensor] = [streams[stream], streams[stream + 1]]
    at += 3 + names.length
    if (deviceId === undefined || sensor === undefined || at > rows.length) return undefined
    readings.push({ deviceId, sensor, time, values: valuesOf(names, rows, at - names.length) })
  }
  return readings
}

function valuesOf(names: readonly string[], rows: readonly number[], at: number): Reading['values'] {
  const values: Record<string, number> = {}
  for (let index = 0; index < names.length; index += 1)
    values[names[index] ?? ''] = rows[at + index] ?? Number.NaN
  return values
}

/** The names behind a mask. Readings have a handful of masks among them. */
function rememberNames(quantities: readonly string[]): (mask: number) => readonly string[] {
  const known = new Map<number, readonly string[]>()
  return (mask) => {
    let names = known.get(mask)
    if (names === undefined) known.set(mask, (names = quantities.filter((_, bit) => mask & (1 << bit))))
    return names
  }
}

function isPacked(value: unknown): value is PackedReadings {
  if (typeof value !== 'object' || value === null) return false
  const { streams, quantities, from, rows } = value as { readonly [K in keyof PackedReadings]?: unknown }
  return [streams, quantities, rows].every(Array.isArray) && Number.isSafeInteger(from)
}
