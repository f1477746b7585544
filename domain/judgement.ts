import type { Breach } from './breach.ts'
import { stateAfter, type Closable } from './closing.ts'

/** A breach as it was written down before. */
export interface RecordedBreach extends Breach, Closable {
  readonly id: string
}

export type JudgementKind = 'opened' | 'extended' | 'ended' | 'reopened' | 'revised' | 'withdrawn'

/** What has to be done to one record: `row` is missing when it is new, `breach` when it never was one. */
export interface Judgement<R extends RecordedBreach = RecordedBreach> {
  readonly row: R | undefined
  readonly breach: Breach | undefined
}

/**
 * Brings the records of one sensor and rule in line with the breaches that its readings show. A record keeps its id when a breach begins where it
 * begins (also a withdrawn one: it is back), else when it overlaps one; a record without a breach is withdrawn.
 * @param rows all that begin in the window, and those not withdrawn that reach into it
 * @param breaches all in the window, in order
 */
export function reconcile<R extends RecordedBreach>(
  rows: readonly R[],
  breaches: readonly Breach[],
): Judgement<R>[] {
  const free = new Set(rows)
  const matches = new Map<Breach, R>()
  const match = (fits: (row: R, breach: Breach) => boolean) => {
    for (const breach of breaches) {
      const row = matches.has(breach) ? undefined : [...free].find((one) => fits(one, breach))
      if (row === undefined) continue
      matches.set(breach, row)
      free.delete(row)
    }
  }
  // Equal starts first, so that moving a start can never meet another record that has it.
  match((row, breach) => row.startAt === breach.startAt)
  match((row, breach) => row.state !== 'withdrawn' && overlap(row, breach))
  const withdrawn = [...free].filter((row) => row.state !== 'withdrawn')
  return [
    ...withdrawn.map((row) => ({ row, breach: undefined })),
    ...breaches.map((breach) => ({ row: matches.get(breach), breach })),
  ]
}

function overlap(a: Breach, b: Breach): boolean {
  return a.startAt < (b.endAt ?? Infinity) && b.startAt < (a.endAt ?? Infinity)
}

/** What happened to a breach, in order; nothing when the record says it all already. */
export function kindsOf({ row, breach }: Judgement): readonly JudgementKind[] {
  if (breach === undefined) return ['withdrawn']
  const isOpen = breach.endAt === null
  if (row === undefined) return isOpen ? ['opened'] : ['opened', 'ended']
  const after = stateAfter(row, breach)
  if (row.state === after) return kindsWithin(row, breach)
  const isBack = row.state === 'withdrawn' || row.state === 'closed'
  if (after === 'ended') return isBack ? ['reopened', 'ended'] : ['ended']
  return ['reopened']
}

/** What happened to a breach that stays in its state. */
function kindsWithin(row: RecordedBreach, breach: Breach): readonly JudgementKind[] {
  if (isSame(row, breach)) return []
  const isExtended = breach.endAt === null && row.startAt === breach.startAt && row.lastAt < breach.lastAt
  return isExtended ? ['extended'] : ['revised']
}

function isSame(a: Breach, b: Breach): boolean {
  return (
    a.startAt === b.startAt &&
    a.endAt === b.endAt &&
    a.peak === b.peak &&
    a.peakAt === b.peakAt &&
    a.lastAt === b.lastAt &&
    a.readings === b.readings
  )
}
