/** People who take turns, a turn of whole weeks each, handed over at a local time: `weeks` after `startsOn`, and so on for ever. */
export interface OnCallRota {
  /** The local day of the first hand-over, which says on which day of the week all the others are. */
  readonly startsOn: string
  /** Local time of day, `HH:MM`. */
  readonly handoverAt: string
  readonly weeks: number
  /** In their order; a person may be in it more than once. */
  readonly userIds: readonly string[]
}

/** One person for a time that was agreed on, epoch milliseconds, `to` exclusive. As long as any shift runs, the rota does not count. */
export interface OnCallShift {
  readonly userId: string
  readonly from: number
  readonly to: number
}

const DAYS_PER_WEEK = 7

/**
 * Who is on call at a moment. A hand-over is at its time of day on the clocks of the place: where that does not exist (clocks go forward) as much later,
 * where it comes twice, the first time.
 */
export function onCallAt(
  rota: OnCallRota | null,
  shifts: readonly OnCallShift[],
  timeZone: string,
  at: number,
): string[] {
  const running = shifts.filter((shift) => shift.from <= at && at < shift.to)
  if (running.length > 0) return [...new Set(running.map(({ userId }) => userId))]
  const userId = rota && turnAt(rota, timeZone, at)
  return userId ? [userId] : []
}

function turnAt({ startsOn, handoverAt, weeks, userIds }: OnCallRota, timeZone: string, at: number) {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
  const handover = local
    .toPlainDate()
    .toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(handoverAt) })
  const today = at < handover.epochMilliseconds ? local.subtract({ days: 1 }) : local
  const days = Temporal.PlainDate.from(startsOn).until(today.toPlainDate(), { largestUnit: 'days' }).days
  if (days < 0 || userIds.length === 0) return undefined
  return userIds[Math.floor(days / DAYS_PER_WEEK / weeks) % userIds.length]
}
