import type { Period } from './calendar.ts'

/** What was on hand of an item in a facility, in event time: a late event and a reversal stand where what they tell of happened. */
export interface StockHistory {
  /** On hand when the first day began. */
  readonly opening: number
  /** Whether there was any before that: a facility is not out of what it does not keep. */
  readonly wasKept: boolean
  /** In any order. */
  readonly changes: readonly { readonly occurredAt: number; readonly doses: number }[]
}

export interface JudgedDay {
  readonly day: Period
  /** Nothing was on hand when it ended. */
  readonly isOut: boolean
}

/**
 * The days that are over and on which the facility kept the item, and whether each ended with nothing on hand. What came in and went again
 * within a day does not count.
 * @param days one after the other, in the time zone of the facility
 */
export function judgeDays(history: StockHistory, days: readonly Period[], nowMs: number): JudgedDay[] {
  const changes = history.changes.toSorted((a, b) => a.occurredAt - b.occurredAt)
  const judged: JudgedDay[] = []
  let closing = history.opening
  let next = 0
  for (const day of days) {
    // Where the date line moved, a date can have no moment at all.
    if (day.endMs > nowMs || day.startMs === day.endMs) continue
    for (; (changes[next]?.occurredAt ?? day.endMs) < day.endMs; next++) closing += changes[next]?.doses ?? 0
    if (history.wasKept || next > 0) judged.push({ day, isOut: closing <= 0 })
  }
  return judged
}
