import { addDays } from './allocation.ts'
import type { IsoDate } from './stock.ts'

/** Not refused: people may know better. They are told. */
export interface ShipmentWarning {
  readonly code: 'coldVolume' | 'expiresBeforeUse' | 'expiresSoon' | 'freezeRisk'
  readonly line: number | null
  readonly detail: string
}

/** Days before expiry below which stock is worth a word wherever it goes. */
export const SOON_DAYS = 30

export interface SentItem {
  readonly line: number
  readonly doses: number
  readonly expiresOn: IsoDate
  readonly itemId: string
  readonly freezeSensitive: boolean
  /** Storage profile that it needs; null: any. */
  readonly profile: string | null
  readonly mm3PerDose: number
}

/** A storage point of the receiver. */
export interface Room {
  readonly id: string
  readonly profile: string | null
  /** Null: not known. */
  readonly capacityMl: number | null
  readonly usedMm3: number
}

export interface Receiver {
  readonly day: IsoDate
  readonly rooms: readonly Room[]
  /** By item: on the shelves and on the way, without this shipment. */
  readonly supply: ReadonlyMap<string, number>
  /** By item: consumed a day, lately; none: not known. */
  readonly dosesADay: ReadonlyMap<string, number>
}

/** What the sender should know before the truck leaves. */
export function warningsOf(sent: readonly SentItem[], receiver: Receiver): ShipmentWarning[] {
  return [...volumeWarnings(sent, receiver), ...expiryWarnings(sent, receiver)]
}

const MM3_PER_ML = 1000

function volumeWarnings(sent: readonly SentItem[], { rooms }: Receiver): ShipmentWarning[] {
  return [...Map.groupBy(sent, ({ profile }) => profile)].flatMap(([profile, lines]) => {
    const fit = rooms.filter((room) => profile === null || room.profile === profile)
    // What nobody has measured cannot be too small.
    if (fit.length === 0 || fit.some(({ capacityMl }) => capacityMl === null)) return []
    const freeMl = fit.reduce((sum, room) => sum + (room.capacityMl ?? 0) - room.usedMm3 / MM3_PER_ML, 0)
    const needMl = lines.reduce((sum, line) => sum + line.doses * line.mm3PerDose, 0) / MM3_PER_ML
    if (needMl <= freeMl) return []
    const of = profile === null ? '' : ` of ${profile}`
    const detail = `${Math.ceil(needMl)} ml${of} come, and ${Math.max(0, Math.floor(freeMl))} ml are free.`
    return [{ code: 'coldVolume' as const, line: null, detail }]
  })
}

// What is there already is used first; lots of one item in the order of their expiry.
function expiryWarnings(sent: readonly SentItem[], { day, supply, dosesADay }: Receiver): ShipmentWarning[] {
  const ahead = new Map(supply)
  return sent
    .toSorted((a, b) => (a.expiresOn < b.expiresOn ? -1 : 1))
    .flatMap(({ line, itemId, doses, expiresOn }) => {
      const total = (ahead.get(itemId) ?? 0) + doses
      ahead.set(itemId, total)
      const rate = dosesADay.get(itemId) ?? 0
      const days = rate > 0 ? Math.ceil(total / rate) : 0
      if (rate > 0 && days < DAYS_MAX && addDays(day, days) <= expiresOn) return soon(line, expiresOn, day)
      if (rate === 0) return soon(line, expiresOn, day)
      const detail = `It expires on ${expiresOn}, and lasts ${days} days at ${rate.toFixed(1)} doses a day.`
      return [{ code: 'expiresBeforeUse' as const, line, detail }]
    })
}

/** Dates beyond have no name; nothing keeps for so long. */
const DAYS_MAX = 36_500

function soon(line: number, expiresOn: IsoDate, day: IsoDate): ShipmentWarning[] {
  return expiresOn < addDays(day, SOON_DAYS)
    ? [{ code: 'expiresSoon', line, detail: `It expires on ${expiresOn}.` }]
    : []
}

/** What must not freeze, and was put where it may: a storage point whose profile says freezer. */
export function freezeWarnings(
  placed: readonly {
    readonly line: number
    readonly freezeSensitive: boolean
    readonly profile: string | null
  }[],
): ShipmentWarning[] {
  return placed
    .filter(({ freezeSensitive, profile }) => freezeSensitive && /freez/i.test(profile ?? ''))
    .map(({ line, profile }) => ({
      code: 'freezeRisk',
      line,
      detail: `It is sensitive to freezing, and ${profile} is for a freezer.`,
    }))
}
