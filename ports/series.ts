import type { Quantity, Reading, SensorKey } from '../domain/reading.ts'

export interface RangeQuery extends SensorKey {
  /** Inclusive, epoch milliseconds. */
  readonly from: number
  /** Exclusive. */
  readonly to: number
  readonly limit: number
  /** `descending` starts at the newest. */
  readonly order: 'ascending' | 'descending'
}

/** Readings of one quantity summed up over [start, start + every). */
export interface Bucket {
  readonly start: number
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Value of the newest reading in the bucket. */
  readonly last: number
}

/** The time-series store. Its promises are held by `test/contracts/series.ts`. */
export interface Series {
  /**
   * Keeps the readings; durable when it resolves. Idempotent: the same reading again changes nothing; two values for the same sensor, quantity
   * and time leave the greater; other quantities at the same time are added to what is there.
   */
  write(readings: readonly Reading[]): Promise<void>
  /** Raw readings in time order. What `write` has resolved is seen. */
  read(query: RangeQuery): Promise<Reading[]>
  /**
   * Of many sensors at once everything from `from` on, in time order, by index of `sensors`; undefined when these are more than `readingsMax` readings, roughly.
   * What `write` has resolved is seen.
   */
  readTails(
    sensors: readonly SensorKey[],
    from: number,
    readingsMax: number,
  ): Promise<readonly (readonly Reading[])[] | undefined>
  /** Downsampled on the server; buckets are aligned to multiples of `everyMs` from the epoch, empty ones are left out. */
  aggregate(
    query: SensorKey & { quantity: Quantity; from: number; to: number; everyMs: number },
  ): Promise<Bucket[]>
  /** The newest reading of each sensor of a device. */
  latest(deviceId: string): Promise<Reading[]>
  /** Resolves when the store answers. */
  ping(): Promise<void>
  close(): Promise<void>
}
