import type { Item, OnHand, StockLevel } from '../../operations.ts'

/** One item in one place: what is there, and what should be. */
export interface ItemStock {
  readonly facilityId: string
  readonly itemId: string
  readonly lines: readonly OnHand[]
  readonly doses: number
  readonly level: StockLevel | undefined
}

const URGENCY = ['stock-out', 'below-min', 'ok', 'above-max'] as const

function keyOf({ facilityId, itemId }: { readonly facilityId: string; readonly itemId: string }): string {
  return `${facilityId} ${itemId}`
}

/** By item and place, what lacks most first. */
export function byItem(lines: readonly OnHand[], levels: readonly StockLevel[]): ItemStock[] {
  const there = Map.groupBy(
    lines.filter(({ doses }) => doses > 0),
    keyOf,
  )
  const wanted = new Map(levels.map((level) => [keyOf(level), level]))
  const stocks = [...new Set([...wanted.keys(), ...there.keys()])].map((key) => {
    const [facilityId = '', itemId = ''] = key.split(' ')
    const of = there.get(key) ?? []
    const doses = of.reduce((sum, line) => sum + line.doses, 0)
    return { facilityId, itemId, lines: of, doses, level: wanted.get(key) }
  })
  const rank = ({ level }: ItemStock) => (level ? URGENCY.indexOf(level.status) : URGENCY.length)
  return stocks.toSorted((a, b) => rank(a) - rank(b) || fill(a) - fill(b))
}

function fill({ doses, level }: ItemStock): number {
  return doses / Math.max(1, level?.effectiveMinDoses ?? 1)
}

function rankOf({ held, vvmStage }: OnHand): number {
  if (held) return 9
  return vvmStage > 2 ? 8 : -vvmStage
}

/** What is used first: VVM stage 2 before 1, then what expires first; what may not be used comes last. */
export function inOrderOfUse(lines: readonly OnHand[]): OnHand[] {
  return lines.toSorted((a, b) => rankOf(a) - rankOf(b) || a.expiresOn.localeCompare(b.expiresOn))
}

/** Whether it may be given to people; the API decides again, with the day of the place. */
export function isUsable({ held, vvmStage, expiresOn }: OnHand, onDay: string): boolean {
  return !held && vvmStage < 3 && expiresOn >= onDay
}

export function lineKey({ storagePointId, lotId, vvmStage, held }: OnHand): string {
  return [storagePointId, lotId, vvmStage, held].join(' ')
}

/** The day of today where the browser is. */
export function today(): string {
  const now = new Date()
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10)
}

/** Vials that doses are in; undefined for what comes one by one. */
export function vialsOf(item: Item | undefined, doses: number): number | undefined {
  return item === undefined || item.dosesPerVial === 1 ? undefined : Math.ceil(doses / item.dosesPerVial)
}
