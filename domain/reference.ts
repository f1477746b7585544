import { hasCheckDigit } from './gs1-check-digit.ts'
import type { IsoDate, ItemKind, VvmType } from './stock.ts'

/** What is wrong with which field. */
export interface Complaint {
  readonly field: string
  readonly says: string
}

/** A day that the calendar has, as `YYYY-MM-DD`, in the century of the system's lots. */
export function isCalendarDate(text: string): boolean {
  const match = /^(20\d{2})-(\d{2})-(\d{2})$/.exec(text)
  if (!match) return false
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** A GTIN of 8, 12, 13 or 14 digits as the 14 that systems exchange; undefined when its check digit is wrong. */
export function toGtin14(text: string): string | undefined {
  const isGtin = /^(\d{8}|\d{12,14})$/.test(text) && hasCheckDigit(text)
  return isGtin ? text.padStart(14, '0') : undefined
}

interface ItemFacts {
  readonly kind: ItemKind
  readonly cvx: string | null
  readonly vvmType: VvmType | null
  readonly dosesPerVial: number
}

/** What an item of this kind cannot be. */
export function complainOfItem({ kind, cvx, vvmType, dosesPerVial }: ItemFacts): Complaint | undefined {
  if (kind !== 'vaccine' && cvx !== null) return { field: 'cvx', says: 'only vaccines have a CVX code' }
  if (kind !== 'vaccine' && vvmType !== null)
    return { field: 'vvmType', says: 'only vaccines carry a vaccine vial monitor' }
  // Doses of supplies are pieces.
  if ((kind === 'syringe' || kind === 'safety-box') && dosesPerVial !== 1)
    return { field: 'dosesPerVial', says: `a ${kind} counts as one` }
  return undefined
}

interface LotDates {
  readonly expiresOn: IsoDate
  readonly manufacturedOn: IsoDate | null
}

export function complainOfLot({ expiresOn, manufacturedOn }: LotDates): Complaint | undefined {
  if (!isCalendarDate(expiresOn)) return { field: 'expiresOn', says: 'is no day of the calendar' }
  if (manufacturedOn === null) return undefined
  if (!isCalendarDate(manufacturedOn)) return { field: 'manufacturedOn', says: 'is no day of the calendar' }
  if (manufacturedOn > expiresOn)
    return { field: 'manufacturedOn', says: `lies after the day on which it expires, ${expiresOn}` }
  return undefined
}
