/**
 * The ledger, slow and obviously right: a list of entries, added up anew for every question. It knows nothing of the database, of locks, of
 * balances or of lateness: an event may be when, with it in place, no line that it takes from is below nothing from its moment on.
 */
export interface ModelEntry {
  readonly eventId: string
  /** Place, lot, stage, hold. */
  readonly line: string
  readonly doses: number
  readonly occurredAt: number
}

export type Operation = { readonly id: string; readonly occurredAt: number; readonly lot: number } & (
  | {
      readonly kind: 'receive' | 'issue' | 'return' | 'adjust'
      readonly place: Place
      readonly doses: number
    }
  | { readonly kind: 'transfer'; readonly place: Place; readonly doses: number; readonly held: boolean }
  | { readonly kind: 'wastage' | 'hold' | 'release'; readonly place: Place; readonly doses: number }
  | { readonly kind: 'vvm'; readonly place: Place; readonly doses: number; readonly held: boolean }
  | {
      readonly kind: 'consume'
      readonly place: Place
      readonly administered: number
      readonly wasted: number
    }
  | { readonly kind: 'count'; readonly place: Place; readonly counted: number; readonly expected: boolean }
  | { readonly kind: 'reversal'; readonly of: number }
)

export type Place = 'room' | 'box'

export type Verdict = { readonly code: string } | { readonly entries: readonly ModelEntry[] }

const other = (place: Place): Place => (place === 'room' ? 'box' : 'room')
const lineOf = (place: string, lot: number, stage = 1, held = false) =>
  `${place} ${lot} ${stage} ${held ? 'held' : 'free'}`

function endsOf(
  operation: Extract<Operation, { kind: 'wastage' | 'transfer' | 'hold' | 'release' | 'vvm' }>,
) {
  const { kind, place, lot } = operation
  switch (kind) {
    case 'wastage':
      return [lineOf(place, lot), lineOf('wastage', lot)] as const
    case 'transfer':
      return [lineOf(place, lot, 1, operation.held), lineOf(other(place), lot, 1, operation.held)] as const
    case 'vvm':
      return [lineOf(place, lot, 1, operation.held), lineOf(place, lot, 2, operation.held)] as const
    case 'hold':
      return [lineOf(place, lot), lineOf(place, lot, 1, true)] as const
    case 'release':
      return [lineOf(place, lot, 1, true), lineOf(place, lot)] as const
  }
}

export class StockModel {
  readonly entries: ModelEntry[] = []
  /** Ids of what was accepted, in order. */
  readonly accepted: string[] = []
  readonly #kinds = new Map<string, Operation['kind']>()
  readonly #reversed = new Set<string>()

  /** What should come of an operation now; changes nothing. */
  judge(operation: Operation): Verdict {
    if (operation.kind === 'reversal') return this.#judgeReversal(operation)
    const entries = this.#entriesOf(operation)
    return this.#check(entries, operation.occurredAt)
  }

  accept(operation: Operation, entries: readonly ModelEntry[]): void {
    if (operation.kind === 'reversal') this.#reversed.add(this.targetOf(operation) ?? '')
    this.entries.push(...entries)
    this.accepted.push(operation.id)
    this.#kinds.set(operation.id, operation.kind)
  }

  targetOf(operation: Operation): string | undefined {
    if (operation.kind !== 'reversal') return undefined
    return this.accepted[operation.of % this.accepted.length]
  }

  /** What is on a line, from its entries until and including a moment. */
  onHand(line: string, until = Infinity): number {
    return this.entries
      .filter((entry) => entry.line === line && entry.occurredAt <= until)
      .reduce((sum, { doses }) => sum + doses, 0)
  }

  /** All lines with doses. */
  lines(): Map<string, number> {
    const lines = new Map<string, number>()
    for (const { line, doses } of this.entries) lines.set(line, (lines.get(line) ?? 0) + doses)
    return new Map([...lines].filter(([, doses]) => doses !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #judgeReversal(operation: Operation): Verdict {
    const target = this.targetOf(operation)
    if (target === undefined) return { code: 'resource.notFound' }
    if (this.#kinds.get(target) === 'reversal') return { code: 'stock.notReversible' }
    if (this.#reversed.has(target)) return { code: 'stock.alreadyReversed' }
    const own = this.entries.filter(({ eventId }) => eventId === target)
    const entries = own.map((entry) => ({ ...entry, eventId: operation.id, doses: -entry.doses }))
    return this.#check(entries, own[0]?.occurredAt ?? 0)
  }

  #entriesOf(operation: Exclude<Operation, { kind: 'reversal' }>): ModelEntry[] {
    const { id: eventId, occurredAt, lot } = operation
    const entry = (line: string, doses: number) => ({ eventId, line, doses, occurredAt })
    switch (operation.kind) {
      case 'receive':
      case 'adjust':
        return [entry(lineOf(operation.place, lot), operation.doses)]
      case 'issue':
      case 'return':
        return [entry(lineOf(operation.place, lot), -operation.doses)]
      case 'consume': {
        const { place, administered, wasted } = operation
        const waste = wasted > 0 ? [entry(lineOf('wastage', lot), wasted)] : []
        return [entry(lineOf(place, lot), -administered - wasted), ...waste]
      }
      case 'count': {
        const line = lineOf(operation.place, lot)
        return [entry(line, operation.counted - this.onHand(line, occurredAt))]
      }
      default: {
        const [from, to] = endsOf(operation)
        return [entry(from, -operation.doses), entry(to, operation.doses)]
      }
    }
  }

  #check(entries: readonly ModelEntry[], occurredAt: number): Verdict {
    for (const line of new Set(entries.map((entry) => entry.line))) {
      const own = entries.filter((entry) => entry.line === line)
      const change = own.reduce((sum, { doses }) => sum + doses, 0)
      if (change >= 0) continue
      if (this.onHand(line) + change < 0) return { code: 'stock.insufficient' }
      const moments = [occurredAt, ...this.entries.map((entry) => entry.occurredAt)]
      for (const moment of moments)
        if (moment >= occurredAt && this.onHand(line, moment) + change < 0)
          return { code: 'stock.negativeInPast' }
    }
    return { entries }
  }
}
