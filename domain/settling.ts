import type { RuleState } from './breach.ts'
import { memoryMs } from './cumulation.ts'
import type { Rule } from './rule.ts'

/** Watches a fold until nothing that was read up to `since` matters any more: whatever had been read until then, it would stand the same. */
export interface Settling {
  readonly since: number
  /** There was no breach from here on, and none that began before can go on. */
  quietFrom: number | undefined
}

export function createSettling(since: number): Settling {
  return { since, quietFrom: undefined }
}

/**
 * To be asked after each reading later than `since`. Where only runs count, a reading within the limits settles it. What adds up is settled when it has
 * seen a time without breach as long as its memory, after another such time in which what was unknown left the window.
 */
export function isSettled(settling: Settling, rule: Rule, state: RuleState): boolean {
  const { time, side } = state
  // A change against a reading that is not known is not known.
  if (rule.measure !== 'value' && state.timeBefore <= settling.since) return false
  if (rule.mode !== 'cumulative') {
    settling.quietFrom = time
    return side === 'within'
  }
  const memory = memoryMs(rule)
  if (time < settling.since + memory) return false
  if (state.run?.endAt === null) settling.quietFrom = undefined
  else if (side === 'within') settling.quietFrom ??= time
  return settling.quietFrom !== undefined && time - settling.quietFrom >= memory
}
