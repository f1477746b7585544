import type { Language } from '../domain/language.ts'
import { QUANTITIES } from '../domain/reading.ts'
import { usePreferences } from './preferences.ts'

const UNITS: Readonly<Record<string, string>> = { Cel: '°C', s: 's', V: 'V', W: 'W', '%': '%' }

/** Times, spans and values as the person reads them. */
export interface Format {
  /** A moment on the clocks of the place where it happened, with the name of that zone. */
  time(iso: string, timeZone: string | null): string
  /** A day of the calendar, or a month of it: `2026-11-24` or `2026-11`. */
  day(iso: string): string
  /** How long, in its two largest units. */
  span(seconds: number): string
  value(value: number, quantity: string | null): string
  number(value: number): string
}

export function useFormat(): Format {
  const { language } = usePreferences()
  return formatIn(language)
}

function formatIn(language: Language): Format {
  const number = (value: number) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value)
  return {
    time: (iso, timeZone) =>
      new Intl.DateTimeFormat(language, {
        ...(timeZone === null ? {} : { timeZone }),
        weekday: 'short',
        day: 'numeric',
        month: 'short',
        hour: '2-digit',
        minute: '2-digit',
        timeZoneName: 'short',
      }).format(new Date(iso)),
    day: (iso) => day(language, iso),
    span: (seconds) => span(language, Math.max(0, Math.round(seconds))),
    value: (value, quantity) => `${number(value)} ${unitOf(quantity)}`.trimEnd(),
    number,
  }
}

function day(language: Language, iso: string): string {
  const isMonth = iso.length === 7
  return new Intl.DateTimeFormat(language, {
    ...(isMonth ? {} : { day: 'numeric' }),
    month: isMonth ? 'long' : 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(new Date(`${iso}${isMonth ? '-01' : ''}T00:00:00Z`))
}

const DAY = 86_400
const HOUR = 3600
const MINUTE = 60

function span(language: Language, seconds: number): string {
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value)
  const whole = (size: number) => Math.floor(seconds / size)
  const rest = (of: number, size: number) => Math.floor((seconds % of) / size)
  if (seconds >= DAY) return `${unit(whole(DAY), 'day')} ${unit(rest(DAY, HOUR), 'hour')}`
  if (seconds >= HOUR) return `${unit(whole(HOUR), 'hour')} ${unit(rest(HOUR, MINUTE), 'minute')}`
  return seconds >= MINUTE ? unit(whole(MINUTE), 'minute') : unit(seconds, 'second')
}

function unitOf(quantity: string | null): string {
  if (quantity === null || !Object.hasOwn(QUANTITIES, quantity)) return ''
  const { unit } = QUANTITIES[quantity as keyof typeof QUANTITIES]
  return UNITS[unit] ?? unit
}
