import { daysBetween } from './calendar.ts'
import type { IsoDate } from './stock.ts'

/** A share, to four places; null when there is nothing to have a share of. */
export function shareOf(part: number, whole: number): number | null {
  return whole > 0 ? round(part / whole, 4) : null
}

/** To so many decimal places. */
export function round(value: number, places: number): number {
  return Number(value.toFixed(places))
}

/** Mean consumption per day. Reversals can take more out of a period than came into it. */
export function perDay(doses: number, days: number): number {
  return days > 0 ? Math.max(0, doses) / days : 0
}

/** Days that the stock lasts; null: for ever, since nothing is used. */
export function coverageDays(usable: number, dosesPerDay: number): number | null {
  return dosesPerDay > 0 ? round(usable / dosesPerDay, 1) : null
}

export interface DatedLot {
  readonly expiresOn: IsoDate
  readonly doses: number
}

/**
 * Of each lot, the doses that will still be there when it expires, if the one that expires first is used first. A lot may be used on its last day.
 * @param lots those that expire first come first
 */
export function dosesAtRisk(lots: readonly DatedLot[], dosesPerDay: number, today: IsoDate): number[] {
  let taken = 0
  return lots.map(({ expiresOn, doses }) => {
    const days = Math.max(0, daysBetween(today, expiresOn) + 1)
    const used = Math.min(doses, Math.max(0, Math.floor(round(dosesPerDay * days, 6)) - taken))
    taken += used
    return doses - used
  })
}

export interface Target {
  readonly population: number
  /** How much of the population the item is for. */
  readonly targetShare: number
  readonly dosesPerPerson: number
  /** How many of them are to be reached. */
  readonly coverage: number
  /** Of the opened doses, how many are thrown away; below 1. */
  readonly wastageRate: number
}

/** Doses that a population needs: target population x doses x coverage x wastage factor, which is 1 / (1 - wastage rate). */
export function needOfPopulation(target: Target): number {
  const { population, targetShare, dosesPerPerson, coverage, wastageRate } = target
  return dosesUp((population * targetShare * dosesPerPerson * coverage) / (1 - wastageRate))
}

/** Doses that leave the shelf in so many days, when people go on as they did. */
export function needOfUse(dosesPerDay: number, days: number): number {
  return dosesUp(dosesPerDay * days)
}

// 0.1 doses a day for 30 days are 3 doses, whatever binary fractions say.
function dosesUp(doses: number): number {
  return Math.ceil(round(doses, 6))
}
