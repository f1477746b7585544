import { QUANTITY_NAMES, type Quantity, type Reading } from '../../domain/reading.ts'

/**
 * Readings as columns: a few arrays of numbers cross to another thread by reference, where objects would be copied one by one.
 * `values` holds, reading after reading, what is present, in the order of the bits of its mask.
 */
export interface Packed {
  /** Device and sensor of each stream, by turns. */
  readonly streams: readonly string[]
  readonly stream: Uint32Array<ArrayBuffer>
  readonly time: Float64Array<ArrayBuffer>
  /** Bit n: the reading has the quantity `QUANTITY_NAMES[n]`. */
  readonly mask: Uint32Array<ArrayBuffer>
  readonly values: Float64Array<ArrayBuffer>
}

const bitOf = new Map<string, number>(QUANTITY_NAMES.map((quantity, index) => [quantity, index]))
const scratch = new Float64Array(QUANTITY_NAMES.length)

/** Packs readings whose times are whole numbers. Keys that are no quantity are left out. */
export function pack(readings: readonly Reading[]): Packed {
  const streams: string[] = []
  const indexes = new Map<string, Map<string, number>>()
  const stream = new Uint32Array(readings.length)
  const time = new Float64Array(readings.length)
  const mask = new Uint32Array(readings.length)
  const values: number[] = []
  readings.forEach((reading, index) => {
    stream[index] = streamIndex(reading, indexes, streams)
    time[index] = reading.time
    mask[index] = packValues(reading, values)
  })
  return { streams, stream, time, mask, values: Float64Array.from(values) }
}

function streamIndex(
  { deviceId, sensor }: Reading,
  indexes: Map<string, Map<string, number>>,
  streams: string[],
): number {
  let ofDevice = indexes.get(deviceId)
  if (!ofDevice) indexes.set(deviceId, (ofDevice = new Map()))
  let index = ofDevice.get(sensor)
  if (index === undefined) {
    index = streams.push(deviceId, sensor) / 2 - 1
    ofDevice.set(sensor, index)
  }
  return index
}

function packValues(reading: Reading, values: number[]): number {
  let mask = 0
  for (const [quantity, value] of Object.entries(reading.values)) {
    const bit = bitOf.get(quantity)
    if (bit === undefined || value === undefined) continue
    mask |= 1 << bit
    scratch[bit] = value
  }
  for (const bit of bitsOf(mask)) values.push(scratch[bit] ?? 0)
  return mask
}

const bits = new Map<number, readonly number[]>()
// A fleet has a handful of masks; an enemy could send each of the 2^18.
const MASKS_REMEMBERED_MAX = 1000

/** The numbers of the bits that are set, ascending. */
export function bitsOf(mask: number): readonly number[] {
  const known = bits.get(mask)
  if (known) return known
  if (bits.size >= MASKS_REMEMBERED_MAX) bits.clear()
  const found = QUANTITY_NAMES.map((_, bit) => bit).filter((bit) => mask & (1 << bit))
  bits.set(mask, found)
  return found
}

export function unpack({ streams, stream, time, mask, values }: Packed): Reading[] {
  let at = 0
  return Array.from(time, (moment, index) => {
    const found: { [Q in Quantity]?: number } = {}
    for (const bit of bitsOf(mask[index] ?? 0)) {
      const quantity = QUANTITY_NAMES[bit]
      if (quantity) found[quantity] = values[at]
      at += 1
    }
    const key = (stream[index] ?? 0) * 2
    return { deviceId: streams[key] ?? '', sensor: streams[key + 1] ?? '', time: moment, values: found }
  })
}

/** What `postMessage` may hand over instead of copying. */
export function buffersOf(packed: Packed): ArrayBuffer[] {
  return [packed.stream.buffer, packed.time.buffer, packed.mask.buffer, packed.values.buffer]
}
