import type { Breach } from './breach.ts'

/**
 * Why a breach was closed. `sensor-*`: it cannot resolve, since its sensor says nothing any more, or nothing of this refrigerator.
 * `reviewed`: it is over, and somebody has looked at it.
 */
export const CLOSE_REASONS = [
  'sensor-lost',
  'sensor-removed',
  'sensor-moved',
  'sensor-broken',
  'false-alarm',
  'reviewed',
  'other',
] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/** What the record of a breach says of its state; the rest of the row is of no interest here. */
export interface Closable {
  readonly state: 'open' | 'ended' | 'withdrawn' | 'closed'
  readonly closedAt?: number | null
  readonly closeReason?: CloseReason | null
}

/** Reasons that later readings out of range prove wrong: the sensor is not lost, the breach was not over. */
const REFUTABLE: ReadonlySet<CloseReason> = new Set(['sensor-lost', 'reviewed'])

/**
 * The state of a record once its readings show this breach, or none. What a person closed stays closed whatever older readings come in; only a reading
 * out of range that was taken after the closing opens it again, and only where the reason was that there are no such readings.
 */
export function stateAfter(row: Closable | undefined, breach: Breach | undefined): Closable['state'] {
  if (breach === undefined) return 'withdrawn'
  if (row?.closedAt != null && !isRefuted(row, breach)) return 'closed'
  return breach.endAt === null ? 'open' : 'ended'
}

function isRefuted({ closeReason, closedAt }: Closable, breach: Breach): boolean {
  return closeReason != null && REFUTABLE.has(closeReason) && breach.lastAt > (closedAt ?? Infinity)
}
