import { isExpired, type IsoDate, type VvmStage } from './stock.ts'

/** How far back consumption is looked at, in event time: a quarter, since sessions and deliveries come in months. */
export const LOOK_BACK_DAYS = 90
/** A facility that began yesterday says nothing of its year: what it has consumed counts as a week's at the shortest. */
export const OBSERVED_DAYS_MIN = 7

const DAY_MS = 86_400_000

/** What a facility has consumed of an item, and since when there is a record of it there. */
export interface Consumption {
  readonly doses: number
  /** The first entry of the item in the facility, epoch milliseconds; null when there is none. */
  readonly sinceMs: number | null
}

/** Doses per day over the look-back period, or over the part of it of which there is a record. */
export function consumptionPerDay({ doses, sinceMs }: Consumption, nowMs: number): number {
  if (sinceMs === null) return 0
  const recordedDays = (nowMs - sinceMs) / DAY_MS
  // Reversals can take more out of a period than went in.
  return Math.max(0, doses) / Math.min(LOOK_BACK_DAYS, Math.max(OBSERVED_DAYS_MIN, recordedDays))
}

export interface Cadence {
  /** From an order to its arrival. */
  readonly leadTimeDays: number
  /** Between two orders. */
  readonly reviewDays: number
  /** For what cannot be foreseen. */
  readonly safetyDays: number
}

export interface MinMax {
  readonly minDoses: number
  readonly maxDoses: number
}

/** Min: what is used until a delivery comes, and a reserve. Max: that, and what is used until the next order. */
export function computeMinMax(perDay: number, { leadTimeDays, reviewDays, safetyDays }: Cadence): MinMax {
  const minDays = leadTimeDays + safetyDays
  return { minDoses: dosesFor(perDay, minDays), maxDoses: dosesFor(perDay, minDays + reviewDays) }
}

// 0.1 doses a day for 30 days are 3 doses, whatever binary fractions say.
function dosesFor(perDay: number, days: number): number {
  return Math.ceil(Number((perDay * days).toFixed(6)))
}

/**
 * Doses that a population needs: target population x doses x coverage x wastage factor.
 * @param coverage share of the target population to be reached, 0 to 1
 * @param wastageRate share of the doses that is wasted, 0 to below 1; the factor is 1 / (1 - rate)
 */
export function needOf(target: {
  readonly population: number
  readonly dosesPerPerson: number
  readonly coverage: number
  readonly wastageRate: number
}): number {
  const { population, dosesPerPerson, coverage, wastageRate } = target
  return dosesFor((population * dosesPerPerson * coverage) / (1 - wastageRate), 1)
}

/** What one line of stock is, for those who have to know whether it can still be given to people. */
export interface StockOnHand {
  readonly doses: number
  readonly held: boolean
  readonly vvmStage: VvmStage
  readonly expiresOn: IsoDate
  readonly isRecalled: boolean
}

export function isUsable({ held, vvmStage, expiresOn, isRecalled }: StockOnHand, today: IsoDate): boolean {
  return !held && !isRecalled && vvmStage <= 2 && !isExpired(expiresOn, today)
}

export const LEVEL_STATUSES = ['stock-out', 'below-min', 'ok', 'above-max'] as const
export type LevelStatus = (typeof LEVEL_STATUSES)[number]

/** How usable stock stands to its level. A level of nothing asks for nothing, so that no stock of it is no stock-out. */
export function levelStatus(usableDoses: number, { minDoses, maxDoses }: MinMax): LevelStatus {
  if (usableDoses > maxDoses) return 'above-max'
  if (maxDoses === 0) return 'ok'
  if (usableDoses === 0) return 'stock-out'
  return usableDoses < minDoses ? 'below-min' : 'ok'
}
