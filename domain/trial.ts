import { breachOf, fold, initialState, type Breach, type Run, type RuleState } from './breach.ts'
import type { Reading } from './reading.ts'
import type { Rule } from './rule.ts'
import { createSettling, isSettled, type Settling } from './settling.ts'

/** Rules tried on the readings of one sensor, from somewhere in their midst. */
export interface Trial {
  /** Breaches that reach into event times from here on are asked for. */
  readonly from: number
  readonly walks: readonly Walk[]
}

interface Walk {
  readonly rule: Rule
  readonly state: RuleState
  readonly runs: Set<Run>
  readonly settling: Settling
  /** What came before the first reading that was taken matters no more. */
  isSettled: boolean
}

/** @param start readings are taken from here on: before `from`, so that what goes on at `from` is known */
export function createTrial(rules: readonly Rule[], start: number, from: number): Trial {
  const walks = rules.map((rule) => ({
    rule,
    state: initialState(),
    runs: new Set<Run>(),
    settling: createSettling(start - 1),
    isSettled: false,
  }))
  return { from, walks }
}

/** Takes the next reading in; `time` is later than that of every reading before. */
export function tryReading({ from, walks }: Trial, { time, values }: Pick<Reading, 'time' | 'values'>): void {
  for (const walk of walks) {
    const value = values[walk.rule.quantity]
    if (value === undefined) continue
    const changed: Run[] = []
    fold(walk.state, walk.rule, time, value, changed)
    for (const run of changed) walk.runs.add(run)
    if (walk.isSettled || time >= from) continue
    walk.isSettled = isSettled(walk.settling, walk.rule, walk.state)
    // Those so far may have been cut short, and are over.
    if (walk.isSettled) walk.runs.clear()
  }
}

/** Whether what was found is what would be found with all readings that came before. */
export function isExact({ walks }: Trial): boolean {
  return walks.every((walk) => walk.isSettled)
}

/** A breach, and by which rule. */
export interface Found extends Breach {
  readonly rule: Rule
}

/** What was found that reaches into [from, ...), in order of time. */
export function foundIn({ from, walks }: Trial): Found[] {
  return walks
    .flatMap(({ rule, runs }) => [...runs].map((run) => ({ rule, ...breachOf(run) })))
    .filter(({ endAt }) => endAt === null || endAt > from)
    .toSorted((a, b) => a.startAt - b.startAt)
}
