import { reconcile } from '../domain/judgement.ts'
import type { Rule } from '../domain/rule.ts'
import { listBreachesWithin } from '../db/queries/breach.ts'
import { findReadingRules } from '../db/queries/rule.ts'
import type { Placement } from '../db/queries/placement.ts'
import type { BreachTable } from '../db/schema.ts'
import type { Judging } from './judging.ts'
import type { Stream } from './judging-state.ts'
import type { Finding } from './record-breaches.ts'
import { judgeWindow, type Span, type Tail, type Window } from './window.ts'

/** What the readings around a span say, and what has to be written down of it. */
export interface Around {
  readonly windows: readonly Window[]
  readonly findings: readonly Finding[]
}

/**
 * Judges the readings of a stream around [from, to] and compares them with the records there. A record that sticks out of the window comes from readings
 * that are themselves still to be judged again: the window grows to hold it whole, or a part of it would be withdrawn only to come back.
 */
export async function judgeSpan(
  { series, db, settings }: Judging,
  stream: Stream,
  placement: Placement,
  rules: readonly Rule[],
  { from, to }: Pick<Span, 'from' | 'to'>,
  upTo: number,
  tail?: Tail,
): Promise<Around> {
  let span: Span = { from, to, floor: from - settings.windowMsMax, upTo }
  for (;;) {
    const windows = await judgeWindow(series, stream, rules, span, tail)
    const start = Math.min(...windows.map((window) => window.start))
    const end = Math.max(...windows.map((window) => window.end ?? upTo))
    const rows = await listBreachesWithin(db, stream, start, end)
    const wider = widen(span, windows, rows)
    if (wider === undefined) return { windows, findings: windows.flatMap((w) => findingsOf(w, rows)) }
    span = wider
  }

  function findingsOf(window: Window, rows: readonly BreachTable[]): Finding[] {
    const own = rows.filter((row) => reachesInto(row, window))
    const { rule } = window
    return reconcile(own, window.breaches).map((judgement) => ({
      ...judgement,
      sensor: stream,
      placement,
      rule,
    }))
  }
}

// A rule that held, did not, and holds again is there once for each time.
function reachesInto(row: BreachTable, { rule, start, end }: Window): boolean {
  return isOf(row, rule) && row.startAt < (end ?? Infinity) && (row.endAt ?? Infinity) > start
}

function isOf({ ruleId, startAt }: BreachTable, { id, validFrom, validTo }: Rule): boolean {
  return ruleId === id && startAt >= (validFrom ?? -Infinity) && startAt < (validTo ?? Infinity)
}

/**
 * What was found from `from` on by rules that do not hold there any more. Of other equipment it stays: the device was moved, and the rules there are
 * not known here; and what no reading caused is not ours.
 */
export async function findUnruled(
  { db }: Judging,
  stream: Stream,
  placement: Placement,
  from: number,
  to: number,
): Promise<Finding[]> {
  const rows = await listBreachesWithin(db, stream, from, to)
  const unruled = rows.filter(
    (row) =>
      row.state !== 'withdrawn' &&
      row.startAt >= from &&
      row.equipmentId !== null &&
      row.equipmentId === placement.equipmentId &&
      !placement.rules.some((rule) => isOf(row, rule)),
  )
  const judged = await findReadingRules(db, [...new Set(unruled.map(({ ruleId }) => ruleId))])
  return unruled
    .filter(({ ruleId }) => judged.has(ruleId))
    .map((row) => {
      const rule = { id: row.ruleId, severity: row.severity }
      return { sensor: stream, placement, rule, row, breach: undefined }
    })
}

function widen(span: Span, windows: readonly Window[], rows: readonly BreachTable[]): Span | undefined {
  let { from, to } = span
  for (const window of windows) {
    for (const row of rows.filter((one) => one.state !== 'withdrawn' && reachesInto(one, window))) {
      if (row.startAt <= window.start && row.startAt > span.floor) from = Math.min(from, row.startAt)
      const rowEnd = row.endAt ?? row.lastAt
      if (rowEnd > (window.end ?? Infinity) && rowEnd <= span.upTo) to = Math.max(to, rowEnd)
    }
  }
  return from === span.from && to === span.to ? undefined : { ...span, from, to }
}
