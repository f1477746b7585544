/** When many failures at one place, or under one roof of places, are one outage. */
export interface OutageThresholds {
  /** At least so many fail, */
  readonly unitsMin: number
  /** that are at least this share of those that worked before, */
  readonly share: number
  /** and they fail within this span of time. */
  readonly spanMs: number
  /** It is over when this share of them is back. */
  readonly backShare: number
}

/** Of the devices of a facility, or behind a gateway. */
export const SITE_OUTAGE: OutageThresholds = {
  unitsMin: 3,
  share: 0.5,
  spanMs: 2 * 3_600_000,
  backShare: 0.75,
}

/** Of the facilities of a district. */
export const AREA_OUTAGE: OutageThresholds = {
  unitsMin: 3,
  share: 0.3,
  spanMs: 2 * 3_600_000,
  backShare: 0.75,
}

/** A device, or a facility, as an outage sees it. */
export interface Unit {
  readonly id: string
  /** `suspect`: it does not answer as it should, and it is too early to tell. */
  readonly state: 'up' | 'suspect' | 'down'
  /** When it failed, event time; of no meaning when it is up. */
  readonly since: number
}

export type OutageDecision<U extends Unit> =
  | { readonly kind: 'none' }
  /** With those that are suspects it would be one: better to wait for them than to call everybody twice. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'outage'; readonly members: readonly U[]; readonly startAt: number }

/**
 * Whether units that fail are one outage. Those that failed long before count neither way: they are no part of it, and a place full of dead devices
 * can still lose the rest.
 */
export function decideOutage<U extends Unit>(
  units: readonly U[],
  thresholds: OutageThresholds,
): OutageDecision<U> {
  const down = units.filter((unit) => unit.state === 'down').toSorted((a, b) => b.since - a.since)
  const suspects = units.filter((unit) => unit.state === 'suspect').length
  const up = units.filter((unit) => unit.state === 'up').length
  const newest = down[0]?.since
  if (newest === undefined) return { kind: 'none' }
  const members = down.filter((unit) => unit.since >= newest - thresholds.spanMs)
  const worked = members.length + suspects + up
  const needed = Math.max(thresholds.unitsMin, Math.ceil(thresholds.share * worked))
  if (members.length >= needed)
    return { kind: 'outage', members, startAt: Math.min(...members.map((unit) => unit.since)) }
  return { kind: members.length + suspects >= needed ? 'wait' : 'none' }
}

/** Whether so many are back that an outage is over. */
export function isOutageOver(members: number, back: number, { backShare }: OutageThresholds): boolean {
  return back >= Math.ceil(backShare * members)
}
