/** When people of a place are at work, on its clocks. */
export interface WorkingHours {
  /** Monday is 1, Sunday 7. */
  readonly days: readonly number[]
  /** Local times of day, `HH:MM`; `to` is exclusive and later than `from`. */
  readonly from: string
  readonly to: string
}

const DAYS_MAX = 8

/**
 * The first moment from `at` on at which people are at work: `at` itself, or when they begin next. Local times that do not exist (clocks go forward)
 * are as much later, those that come twice are the first.
 */
export function nextWorkingMoment(hours: WorkingHours, timeZone: string, at: number): number {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
  for (let day = 0; day < DAYS_MAX; day += 1) {
    const date = local.toPlainDate().add({ days: day })
    if (!hours.days.includes(date.dayOfWeek)) continue
    const from = momentOf(date, hours.from, timeZone)
    const to = momentOf(date, hours.to, timeZone)
    if (at < to) return Math.max(at, from)
  }
  return at
}

function momentOf(date: Temporal.PlainDate, time: string, timeZone: string): number {
  const plainTime = Temporal.PlainTime.from(time)
  return date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds
}
