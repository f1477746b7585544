import type { Quantity, Reading } from '../domain/reading.ts'

/** Readings of one stream that came within a short time, to be judged over a window together. However many there are, it stays small. */
export interface Late extends Extent {
  readonly since: number
  /** The first and the last batch that has some of them. */
  readonly first: number
  last: number
  /** In order of arrival; left out when there are too many to remember. */
  readings: Reading[] | undefined
}

/** What of a sensor is to be judged over a window. */
export interface Extent {
  /** The store must have finished everything that was accepted up to then before. */
  acceptedBy: number
  from: number
  to: number
  readonly quantities: Set<Quantity>
  /** Everything from `from` on, by all rules, and what was found by rules that hold there no more. */
  isWhole: boolean
  count: number
}

/** A batch for the queue `rejudge`. */
export interface LateBatch {
  /** Of this process, counting from 1. */
  readonly number: number
  readonly acceptedAt: number
}

/** Of no readings yet. */
export function createExtent(): Extent {
  return {
    acceptedBy: -Infinity,
    from: Infinity,
    to: -Infinity,
    quantities: new Set(),
    isWhole: false,
    count: 0,
  }
}

/** One reading more. */
export function widen(extent: Extent, acceptedBy: number, { time, values }: Reading): void {
  for (const quantity of Object.keys(values) as Quantity[]) extent.quantities.add(quantity)
  extent.acceptedBy = Math.max(extent.acceptedBy, acceptedBy)
  extent.from = Math.min(extent.from, time)
  extent.to = Math.max(extent.to, time)
  extent.count += 1
}

const PIECE_MS = 500
const PIECES_MAX = 8

/** Keeps what waits of all streams, with a bound on what is remembered of it. */
export interface LateKeeper {
  add(pieces: Late[], batch: LateBatch, reading: Reading): void
  /** Takes from the oldest on, as long as `isWanted`. */
  take(pieces: Late[], isWanted: (late: Late) => boolean): Late[]
}

/** @param readingsMax readings of all streams that are remembered */
export function createLateKeeper(readingsMax: number): LateKeeper {
  let remembered = 0

  function remember(late: Late, reading: Reading): void {
    if (late.readings === undefined) return
    late.readings.push(reading)
    remembered += 1
    if (remembered <= readingsMax) return
    remembered -= late.readings.length
    late.readings = undefined
  }

  return {
    add(pieces, { number, acceptedAt }, reading) {
      let late = pieces.at(-1)
      // In pieces by age, since what is in the store already can be judged before the rest is.
      const isFull = late && late.last !== number && acceptedAt - late.since >= PIECE_MS
      if (late === undefined || (isFull && pieces.length < PIECES_MAX)) {
        late = { ...createExtent(), since: acceptedAt, first: number, last: number, readings: [] }
        pieces.push(late)
      }
      late.last = number
      widen(late, acceptedAt, reading)
      remember(late, reading)
    },
    take(pieces, isWanted) {
      const end = pieces.findIndex((late) => !isWanted(late))
      const taken = pieces.splice(0, end === -1 ? Infinity : end)
      for (const { readings } of taken) remembered -= readings?.length ?? 0
      return taken
    },
  }
}
