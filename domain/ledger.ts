import { hasBalance, type Account, type Leg, type Line, type VvmStage } from './stock.ts'

/** A line that an event changes, with everything the event does to it. */
export interface LineChange extends Line {
  readonly key: string
  readonly itemId: string
  /** What it comes to. */
  readonly doses: number
  /** Entries of the event on this line. */
  readonly entries: number
}

/** Sorts as text in the order in which lines are locked: all in one order, so that two events never wait for each other in a circle. */
export function lineKey(account: Account, lotId: string, vvmStage: VvmStage, held: boolean): string {
  return `${account.id} ${lotId} ${vvmStage} ${held ? 1 : 0}`
}

export function keyOf({ account, lotId, vvmStage, held }: Line): string {
  return lineKey(account, lotId, vvmStage, held)
}

/** The lines with a balance that the legs touch, in the order of locking. */
export function changesOf(legs: readonly Leg[]): LineChange[] {
  const changes = new Map<string, LineChange>()
  for (const leg of legs) {
    if (!hasBalance(leg.account.kind)) continue
    const key = keyOf(leg)
    const before = changes.get(key)
    const { account, lotId, vvmStage, held, itemId } = leg
    const doses = leg.doses + (before?.doses ?? 0)
    const entries = 1 + (before?.entries ?? 0)
    changes.set(key, { key, account, lotId, vvmStage, held, itemId, doses, entries })
  }
  return [...changes.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** A line after the event, as the database has it. */
export interface LineAfter {
  readonly doses: number
  readonly version: number
}

/** A leg with what was on hand before and after it; nulls for an account without a balance. */
export interface NumberedLeg extends Leg {
  readonly opening: number | null
  readonly closing: number | null
  readonly version: number | null
}

/**
 * Gives each leg its opening, closing and version: the entries of one line follow each other, and the last one closes at what the database says.
 * @param after by line key
 */
export function number(legs: readonly Leg[], after: ReadonlyMap<string, LineAfter>): NumberedLeg[] {
  const running = new Map<string, { doses: number; version: number }>()
  for (const { key, doses, entries } of changesOf(legs)) {
    const line = after.get(key)
    if (!line) throw new Error(`no balance for ${key}`)
    running.set(key, { doses: line.doses - doses, version: line.version - entries })
  }
  return legs.map((leg) => {
    const line = running.get(keyOf(leg))
    if (!line || !hasBalance(leg.account.kind)) return { ...leg, opening: null, closing: null, version: null }
    const opening = line.doses
    line.doses += leg.doses
    line.version += 1
    return { ...leg, opening, closing: line.doses, version: line.version }
  })
}

/**
 * The least that there was on hand from a moment on, when `doses` less had been there since: below zero, it cannot have happened.
 * @param closing on hand now, with the event
 * @param later what came and went after that moment, the newest first, summed by moment
 */
export function leastSince(closing: number, later: readonly { readonly doses: number }[]): number {
  let running = closing
  let least = running
  for (const { doses } of later) {
    running -= doses
    least = Math.min(least, running)
  }
  return least
}
