import type { PlaceStates } from '../../operations.ts'
import { STATES } from '../refrigerators/routes.ts'

export type States = PlaceStates['states']
export type StateName = keyof States

/** All of these places together. */
export function totalOf(places: readonly PlaceStates[]): States {
  const total = { warm: 0, cold: 0, silent: 0, unknown: 0, 'in-range': 0 }
  for (const { states } of places) for (const state of STATES) total[state] += states[state]
  return total
}

/** The state of a place is that of the refrigerator that needs somebody most; undefined: it has none. */
export function worstOf({ states }: PlaceStates): StateName | undefined {
  return STATES.find((state) => states[state] > 0)
}

/** Where somebody is needed most comes first; where it is alike, by the share of what is so. */
export function byUrgency(places: readonly PlaceStates[]): PlaceStates[] {
  const rank = new Map(places.map((place) => [place, rankOf(place)]))
  return places.toSorted((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0) || a.name.localeCompare(b.name))
}

function rankOf(place: PlaceStates): number {
  const worst = worstOf(place)
  if (worst === undefined) return STATES.length
  // Below one, so that it only orders places of one state.
  return STATES.indexOf(worst) - place.states[worst] / (place.states[worst] + 1)
}
