import {
  CADENCE_INTERVALS,
  learnCadence,
  learnPause,
  silenceLimit,
  SILENCE_MS_MAX,
  SILENCE_MS_MIN,
  SILENCE_MS_UNKNOWN,
  SILENCE_MULTIPLE,
} from '../domain/cadence.ts'
import { clockOffset } from '../domain/clock.ts'
import type { Reading, Values } from '../domain/reading.ts'
import type { Check, Heard } from '../db/queries/watch.ts'
import type { DeviceWatchTable } from '../db/schema-watch.ts'

/** What is remembered of a device between two writes. All of it can be lost: what must not be is written before the delivery is done. */
export interface Seen {
  readonly deviceId: string
  /** False: it is not in the registry. */
  readonly isKnown: boolean
  newestAt: number
  /** No pause that may be a silence ends later than this. */
  pausedTo: number
  /** The last intervals in event time, if `isExact` without a hole. */
  readonly intervals: number[]
  isExact: boolean
  /** Whether there can be no reading between `newestAt` and the next one: not so of what was written some seconds ago. */
  isNewestExact: boolean
  /** What is set by a person; undefined: to be asked for. */
  set: number | null | undefined
  cadenceMs: number | null
  arrivedAt: number
  /** When `pauses` and `lags` last got something. */
  pausedAt: number
  readonly pauses: number[]
  readonly lags: number[]
  pauseMs: number | null
  powerLostAt: number | null
  /** When we heard that the power was lost; 0: not in this life. */
  powerHeardAt: number
}

const SAMPLES = 8
/** What comes within a minute is one message, in however many parts. */
const SAMPLE_MS_MIN = 60_000
/** How long a device must be without power to count, and how long it is looked at for that. */
export const POWER_MS = 5 * 60_000

/** Of a device that is heard for the first time. */
export function newRow(
  deviceId: string,
  first: Pick<DeviceWatchTable, 'newestAt' | 'arrivedAt'>,
): DeviceWatchTable {
  return {
    deviceId,
    ...first,
    cadenceMs: null,
    pauseMs: null,
    limitMs: SILENCE_MS_UNKNOWN,
    dueAt: first.arrivedAt + SILENCE_MS_UNKNOWN,
    checkFrom: null,
    checkTo: null,
    checkBy: null,
    powerLostAt: null,
    clockOffMs: null,
  }
}

/** What to remember of a device. @param row undefined: it is not in the registry */
export function seenOf(deviceId: string, row: DeviceWatchTable | undefined): Seen {
  const known = row ?? newRow(deviceId, { newestAt: 0, arrivedAt: 0 })
  const { newestAt, arrivedAt, cadenceMs, pauseMs, powerLostAt } = known
  return {
    deviceId,
    isKnown: row !== undefined,
    newestAt,
    // Nothing is known of the pauses before.
    pausedTo: newestAt,
    intervals: [],
    isExact: false,
    isNewestExact: false,
    set: undefined,
    cadenceMs,
    arrivedAt,
    pausedAt: arrivedAt,
    pauses: [],
    lags: [],
    pauseMs,
    powerLostAt,
    powerHeardAt: 0,
  }
}

/** A message came of a device. */
export function arrive(seen: Seen, time: number, at: number, checks: Map<string, Check>): void {
  if (at <= seen.arrivedAt) return
  // It was away for so long that it may have been called silent, whatever its readings say.
  if (at - seen.arrivedAt > SILENCE_MS_MIN) check(checks, seen, time, at)
  if (at - seen.pausedAt >= SAMPLE_MS_MIN) {
    push(seen.pauses, at - seen.pausedAt, SAMPLES)
    push(seen.lags, seen.arrivedAt - seen.newestAt, SAMPLES)
    seen.pausedAt = at
  }
  seen.arrivedAt = at
}

/** A reading came of a device. */
export function takeReading(
  seen: Seen,
  { time, values }: Reading,
  acceptedAt: number,
  checks: Map<string, Check>,
): void {
  if (time > seen.newestAt) {
    const pause = time - seen.newestAt
    if (pause > SILENCE_MS_MIN) {
      if (pause > shortestLimit(seen)) check(checks, seen, time, acceptedAt)
      seen.pausedTo = time
    }
    if (seen.isNewestExact) push(seen.intervals, pause, CADENCE_INTERVALS)
    seen.isNewestExact = true
    if (seen.intervals.length === CADENCE_INTERVALS) seen.isExact = true
    seen.newestAt = time
    noticePower(seen, time, values, acceptedAt)
    const noted = checks.get(seen.deviceId)
    if (noted) noted.newestAt = time
  } else if (time < seen.newestAt) {
    // Between readings that are less than half an hour apart there is no silence that it could fill.
    if (time < seen.pausedTo) check(checks, seen, time, acceptedAt)
    seen.intervals.length = 0
    seen.isExact = false
  }
}

/** A pause that is no longer is no silence, whatever the series would say. */
function shortestLimit(seen: Seen): number {
  if (!seen.isExact || seen.set !== null) return SILENCE_MS_MIN
  return silenceLimit(learnCadence(seen.intervals), undefined)
}

function check(checks: Map<string, Check>, seen: Seen, time: number, by: number): void {
  const { newestAt, arrivedAt } = seen
  const before = checks.get(seen.deviceId)
  checks.set(seen.deviceId, {
    from: Math.min(time, before?.from ?? Infinity),
    to: Math.max(time, before?.to ?? -Infinity),
    by: Math.max(by, before?.by ?? -Infinity),
    newestAt: Math.max(newestAt, time, before?.newestAt ?? -Infinity),
    arrivedAt: Math.max(arrivedAt, by),
  })
}

function noticePower(seen: Seen, time: number, { powerOn, powerGoodSeconds }: Values, at: number): void {
  const power = powerOn ?? powerGoodSeconds
  if (power === undefined) return
  if (power > 0) seen.powerLostAt = null
  else if (seen.powerLostAt === null) {
    seen.powerLostAt = time
    seen.powerHeardAt = at
  }
}

/** What is to be written down of a device. */
export function heardOf(seen: Seen): Heard {
  const { deviceId, newestAt, arrivedAt, powerLostAt, powerHeardAt } = seen
  seen.cadenceMs = learnCadence(seen.intervals) ?? seen.cadenceMs
  seen.pauseMs = learnPause(seen.pauses) ?? seen.pauseMs
  const limitMs = liveLimit(seen.cadenceMs, seen.pauseMs, seen.set ?? undefined)
  const isPowerNews = powerLostAt !== null && arrivedAt < powerHeardAt + 2 * POWER_MS
  const observedMs = seen.pauses.reduce((sum, pause) => sum + pause, 0)
  return {
    deviceId,
    newestAt,
    arrivedAt,
    cadenceMs: seen.cadenceMs,
    pauseMs: seen.pauseMs,
    limitMs,
    dueAt: Math.min(arrivedAt + limitMs, isPowerNews ? powerHeardAt + POWER_MS : Infinity),
    powerLostAt,
    clockOffMs: clockOffset(seen.lags, observedMs),
  }
}

/** How long a device may not be heard of: a logger that measures every ten minutes may hand over every six hours. */
export function liveLimit(cadenceMs: number | null, pauseMs: number | null, set: number | undefined): number {
  const limit = silenceLimit(cadenceMs ?? undefined, set)
  if (set !== undefined || pauseMs === null) return limit
  return Math.max(limit, Math.min(SILENCE_MULTIPLE * pauseMs, SILENCE_MS_MAX))
}

function push(list: number[], value: number, max: number): void {
  if (list.length >= max) list.shift()
  list.push(value)
}
