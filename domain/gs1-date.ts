import type { IsoDate } from './stock.ts'

/**
 * The full year of two digits: that which lies 50 years before to 50 after the present (GS1 General Specifications 7.12).
 * 51 to 99 more than the present is the century before; 50 to 99 less is the century after.
 */
export function yearOf(twoDigits: number, currentYear: number): number {
  const century = currentYear - (currentYear % 100)
  const ahead = twoDigits - (currentYear % 100)
  if (ahead >= 51) return century - 100 + twoDigits
  if (ahead <= -50) return century + 100 + twoDigits
  return century + twoDigits
}

/**
 * The day that YYMMDD means; day 00 is the last of the month.
 * @returns undefined when there is no such day
 */
export function dayOf(yymmdd: string, currentYear: number): IsoDate | undefined {
  const [yy, month, day] = [yymmdd.slice(0, 2), yymmdd.slice(2, 4), yymmdd.slice(4, 6)].map(Number)
  if (yy === undefined || month === undefined || day === undefined || month < 1 || month > 12)
    return undefined
  const year = yearOf(yy, currentYear)
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
  if (!(day <= last)) return undefined
  return [year, pad(month), pad(day === 0 ? last : day)].join('-')
}

/** YYMMDD of a day. */
export function yymmddOf(day: IsoDate): string {
  return day.slice(2).replaceAll('-', '')
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

/** Whether YYMMDD, or YYMMDDHHMM, can be a date at all: 29 February needs the year. */
export function isDate(value: string, kind: 'day' | 'minute', currentYear: number): boolean {
  if (dayOf(value.slice(0, 6), currentYear) === undefined) return false
  if (kind === 'day') return true
  const [hour, minute] = [Number(value.slice(6, 8)), Number(value.slice(8, 10))]
  return value.slice(4, 6) !== '00' && hour < 24 && minute < 60
}
