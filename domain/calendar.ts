import type { IsoDate } from './stock.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
// Local midnight is at most 14 hours before that of UTC, and 12 after it, or 13 where the clocks skip it.
const EAST_MS_MAX = 15 * HOUR_MS
const WEST_MS_MAX = 14 * HOUR_MS

const calendars = new Map<string, Intl.DateTimeFormat>()

/** The day that it is in a time zone. There are some 600 zones, so what is remembered is bounded. */
export function dayIn(timeZone: string, timeMs: number): IsoDate {
  let calendar = calendars.get(timeZone)
  if (!calendar) {
    // Canadian English writes dates as ISO 8601 does.
    calendar = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
    calendars.set(timeZone, calendar)
  }
  return calendar.format(timeMs)
}

/** The first moment of a day in a time zone: not always 00:00, and the day is not always 24 hours long. */
export function startOfDay(timeZone: string, day: IsoDate): number {
  const utcMs = Date.parse(day)
  let before = utcMs - EAST_MS_MAX
  let after = utcMs + WEST_MS_MAX
  while (after - before > SECOND_MS) {
    const middle = before + Math.floor((after - before) / 2 / SECOND_MS) * SECOND_MS
    if (dayIn(timeZone, middle) < day) before = middle
    else after = middle
  }
  return after
}

export function addDays(day: IsoDate, days: number): IsoDate {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
}

/** From one day to another; 0 when they are the same, negative when the other is earlier. */
export function daysBetween(from: IsoDate, to: IsoDate): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS)
}

/** Whether it is a date of the calendar: 30 February is none. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && addDays(text, 0) === text
}

/** Both days are part of it. */
export interface DateRange {
  readonly from: IsoDate
  readonly to: IsoDate
}

export type Unit = 'day' | 'month'

/** Some time on the calendar of a time zone. */
export interface Period {
  /** `2026-11-24`, `2026-11`, or `2026-11-01/2026-11-24` for the whole of a range. */
  readonly name: string
  readonly startMs: number
  /** The first moment that is no longer part of it. */
  readonly endMs: number
  readonly days: number
}

/** The days, or months, of a range in a time zone; the range itself when it is not divided. Months are cut where the range is. */
export function periodsOf(timeZone: string, { from, to }: DateRange, by: Unit | undefined): Period[] {
  const days = Array.from({ length: daysBetween(from, to) + 1 }, (_, index) => addDays(from, index))
  const named = Map.groupBy(days, (day) => nameOf(day, by) ?? `${from}/${to}`)
  return [...named].map(([name, of]) => ({
    name,
    startMs: startOfDay(timeZone, of[0] ?? from),
    endMs: startOfDay(timeZone, addDays(of.at(-1) ?? to, 1)),
    days: of.length,
  }))
}

function nameOf(day: IsoDate, by: Unit | undefined): string | undefined {
  if (by === undefined) return undefined
  return by === 'day' ? day : day.slice(0, 7)
}

/** The period that a moment lies in; undefined outside of all. They follow each other. */
export function periodAt(periods: readonly Period[], timeMs: number): Period | undefined {
  let low = 0
  let high = periods.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((periods[middle]?.endMs ?? 0) <= timeMs) low = middle + 1
    else high = middle
  }
  const found = periods[low]
  return found && found.startMs <= timeMs ? found : undefined
}
