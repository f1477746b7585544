import type { ActiveHours, Rule } from './rule.ts'

/** A stretch of time in which a rule holds throughout, or does not. */
export interface Holding {
  readonly holds: boolean
  /** The first moment that is no longer part of it. */
  readonly until: number
}

/** Whether a rule holds at a moment, and how long that stays so: its validity and its hours, on the clock of their time zone. */
export function holdingAt(
  { validFrom, validTo, activeHours }: Pick<Rule, 'validFrom' | 'validTo' | 'activeHours'>,
  time: number,
): Holding {
  if (validFrom !== null && time < validFrom) return { holds: false, until: validFrom }
  if (validTo !== null && time >= validTo) return { holds: false, until: Infinity }
  const { holds, until } = activeHours ? hoursAt(activeHours, time) : { holds: true, until: Infinity }
  return { holds, until: Math.min(until, validTo ?? Infinity) }
}

// Those of yesterday may reach into today; a day on which the clocks skip them has none.
function hoursAt({ from, to, timeZone }: ActiveHours, time: number): Holding {
  const today = dateAt(timeZone, time)
  const isOverMidnight = to <= from
  let until = Infinity
  for (let days = -1; days <= 2; days += 1) {
    const day = today.add({ days })
    const startAt = momentOf(timeZone, day, from)
    const endAt = momentOf(timeZone, isOverMidnight ? day.add({ days: 1 }) : day, to)
    if (startAt >= endAt || time >= endAt) continue
    if (time >= startAt) return { holds: true, until: endAt }
    until = Math.min(until, startAt)
  }
  return { holds: false, until }
}

// When the clocks first show that time, or a later one because they skip it.
function momentOf(timeZone: string, day: Temporal.PlainDate, time: string): number {
  const plainTime = Temporal.PlainTime.from(time)
  const moment = day.toZonedDateTime({ timeZone, plainTime })
  const isSkipped = !moment.toPlainTime().equals(plainTime)
  return ((isSkipped && moment.getTimeZoneTransition('previous')) || moment).epochMilliseconds
}

/** The calendar day of a time zone that a moment lies in, however long that day is. */
export function dayAt(timeZone: string, time: number): { readonly from: number; readonly until: number } {
  const day = dateAt(timeZone, time)
  return {
    from: day.toZonedDateTime(timeZone).epochMilliseconds,
    until: day.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
  }
}

function dateAt(timeZone: string, time: number): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone).toPlainDate()
}
