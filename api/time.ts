import { CodedError } from '../domain/errors.ts'

export { dayIn } from '../domain/calendar.ts'

const RFC_3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SHORT = /^([1-9]\d{0,8})([smhd])$/
const ISO_8601 = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$/

export function toRfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

export function toRfc3339OrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : toRfc3339(timeMs)
}

/** When an id of this system (UUIDv7) was made. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.replace('-', '').slice(0, 12), 16)
}

/** Clocks of phones are never quite right. */
const AHEAD_MS_MAX = 600_000

/** When it happened, as the client says; now, when it does not. @throws CodedError `stock.inFuture` */
export function occurredAtOf(text: string | undefined, recordedAt: number): number {
  const occurredAt = text === undefined ? recordedAt : parseTime(text, 'occurredAt')
  if (occurredAt > recordedAt + AHEAD_MS_MAX) throw new CodedError('stock.inFuture')
  return occurredAt
}

/**
 * Epoch milliseconds of an RFC 3339 time.
 * @throws CodedError `request.invalid` when it is none, lacks its zone, or names a day that does not exist
 */
export function parseTime(text: string, name: string): number {
  const match = RFC_3339.exec(text)
  const timeMs = match ? Date.parse(text.toUpperCase()) : Number.NaN
  if (!match || Number.isNaN(timeMs) || !dayExists(Number(match[1]), Number(match[2]), Number(match[3])))
    throw new CodedError(
      'request.invalid',
      `${name} is not an RFC 3339 time with a zone, such as 2024-11-22T08:00:00Z (write + as %2B in an address).`,
    )
  return timeMs
}

// Date.parse turns 30 February into 1 March.
function dayExists(year: number, month: number, day: number): boolean {
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/**
 * Milliseconds of `30s`, `10m`, `1h`, `1d` or of an ISO 8601 duration in days and smaller (`PT10M`, `P1DT12H`).
 * @throws CodedError `request.invalid`
 */
export function parseDuration(text: string, name: string): number {
  const durationMs = shortMs(text) ?? isoMs(text) ?? 0
  if (durationMs <= 0)
    throw new CodedError('request.invalid', `${name} is not a duration such as 10m, 1h, 1d or PT10M.`)
  return durationMs
}

function shortMs(text: string): number | undefined {
  const match = SHORT.exec(text)
  if (!match) return undefined
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
}

function isoMs(text: string): number | undefined {
  const match = ISO_8601.exec(text)
  if (!match) return undefined
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0))
  return (
    (days ?? 0) * UNIT_MS.d + (hours ?? 0) * UNIT_MS.h + (minutes ?? 0) * UNIT_MS.m + (seconds ?? 0) * 1000
  )
}

/** Whether it names a zone of the IANA database. Offsets such as `+07:00` are none: they know no summer. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** How far the clocks of a time zone are from UTC at a moment, such as `+07:00`: summer time is seen. */
export function offsetIn(timeZone: string, timeMs: number): string {
  let clock = clocks.get(timeZone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
    clocks.set(timeZone, clock)
  }
  const name = clock.formatToParts(timeMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  return /[+-]\d\d:\d\d/.exec(name)?.[0] ?? '+00:00'
}
