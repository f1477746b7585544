import type { TimeToBreach } from '../domain/time-to-breach.ts'

export interface NumbersSchema {
  timeToBreach: TimeToBreachTable
}

/** Equipment that warms, is beyond its limit, or has no power, and when it will be at its limit: as the notifier last saw it. */
export interface TimeToBreachTable {
  equipmentId: string
  facilityId: string
  /** The sensor that is at its limit first. */
  deviceId: string
  sensor: string
  state: TimeToBreach['state']
  basis: 'fit' | 'holdover' | null
  /** Event times. */
  since: number | null
  powerOutSince: number | null
  asOf: number
  celsius: number
  limitCelsius: number
  lowAt: number | null
  medianAt: number | null
  highAt: number | null
  /** The order in which to save: 0 beyond the limit, `medianAt` while it warms, else the end of time. */
  urgentAt: number
  updatedAt: number
}
