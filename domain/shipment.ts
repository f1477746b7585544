import { CodedError } from './errors.ts'
import { isExpired, type Account, type IsoDate, type Leg, type ReasonKind, type VvmStage } from './stock.ts'
import type { LotFacts } from './stock-event.ts'

/** What is in a shipment: doses of one lot from one shelf, for one line of the order. */
export interface SentLine {
  readonly line: number
  readonly itemId: string
  readonly lotId: string
  readonly vvmStage: VvmStage
  readonly held: boolean
  readonly storagePointId: string
  readonly doses: number
}

export interface Route {
  readonly shipmentId: string
  readonly fromFacilityId: string
  readonly toFacilityId: string
  /** What cannot be used may travel too. */
  readonly isReturn: boolean
  readonly lots: ReadonlyMap<string, LotFacts>
  /** The day of the event, where it happened. */
  readonly day: IsoDate
}

function transitOf({ shipmentId, toFacilityId }: Route): Account {
  return { kind: 'transit', id: shipmentId, facilityId: toFacilityId }
}

/**
 * From the shelves of one facility onto the road to another.
 * @throws CodedError `stock.*` for what must not be sent
 */
export function shipLegs(lines: readonly SentLine[], route: Route): Leg[] {
  return lines.flatMap((line) => {
    checkSendable(line, route)
    const point = { kind: 'point', id: line.storagePointId, facilityId: route.fromFacilityId } as const
    return [legOf(line, point, -line.doses), legOf(line, transitOf(route), line.doses)]
  })
}

function checkSendable({ line, lotId, held, vvmStage }: SentLine, { lots, day, isReturn }: Route): void {
  const lot = lots.get(lotId)
  if (!lot) throw new CodedError('stock.unknownLot', `Line ${line}.`)
  if (isReturn) return
  if (lot.isRecalled) throw new CodedError('stock.lotRecalled', `Line ${line}: allocate other stock.`)
  if (isExpired(lot.expiresOn, day))
    throw new CodedError('stock.lotExpired', `Line ${line}: the lot expired after ${lot.expiresOn}.`)
  if (held) throw new CodedError('order.held', `Line ${line}.`)
  if (vvmStage > 2) throw new CodedError('stock.vvmStage', `Line ${line}.`)
}

function legOf(line: SentLine, account: Account, doses: number, more: Partial<Leg> = {}): Leg {
  const { itemId, lotId, vvmStage, held } = line
  return { account, itemId, lotId, vvmStage, held, doses, ...more }
}

/** What was found of a line: it may be told in parts, by shelf and by stage of the VVM. */
export interface FoundLine {
  readonly line: number
  readonly storagePointId: string
  readonly accepted: number
  readonly rejected: number
  readonly vvmStage?: VvmStage | undefined
  /** Why some were rejected. */
  readonly reasonCode?: string | undefined
}

export interface Arrival extends Route {
  /** Storage points of the receiver. */
  readonly points: ReadonlySet<string>
  readonly reasons: ReadonlyMap<string, ReasonKind>
  readonly shortReasonCode: string
}

export interface Outcome {
  readonly accepted: number
  readonly rejected: number
  readonly short: number
}

/**
 * From the road onto the receiver's shelves: what is accepted is on hand (on hold, when its lot is recalled), what is rejected waits for
 * disposal as wastage, and what did not come is an adjustment: nothing stays on the road.
 * @throws CodedError `order.*`, `stock.*`
 */
export function deliverLegs(
  sent: readonly SentLine[],
  found: readonly FoundLine[],
  arrival: Arrival,
): { readonly legs: Leg[]; readonly outcomes: ReadonlyMap<number, Outcome> } {
  const byLine = Map.groupBy(found, ({ line }) => line)
  for (const line of byLine.keys())
    if (!sent.some((one) => one.line === line))
      throw new CodedError('order.unknownLine', `The shipment has no line ${line}.`)
  const outcomes = new Map<number, Outcome>()
  const legs = sent.flatMap((line) => {
    const parts = byLine.get(line.line) ?? []
    if (parts.length === 0) throw new CodedError('request.invalid', `Nothing is said of line ${line.line}.`)
    const outcome = outcomeOf(line, parts)
    outcomes.set(line.line, outcome)
    return [
      legOf(line, transitOf(arrival), -line.doses),
      ...parts.flatMap((part) => partLegs(line, part, arrival)),
      ...shortLegs(line, outcome.short, arrival),
    ]
  })
  return { legs, outcomes }
}

function outcomeOf({ line, doses }: SentLine, parts: readonly FoundLine[]): Outcome {
  const accepted = parts.reduce((sum, part) => sum + part.accepted, 0)
  const rejected = parts.reduce((sum, part) => sum + part.rejected, 0)
  if (accepted + rejected > doses)
    throw new CodedError('order.quantity', `Line ${line}: only ${doses} doses were sent.`)
  return { accepted, rejected, short: doses - accepted - rejected }
}

function partLegs(line: SentLine, part: FoundLine, arrival: Arrival): Leg[] {
  const vvmStage = part.vvmStage ?? line.vvmStage
  // The monitor only darkens, and what carries none has none on arrival either.
  if (vvmStage < line.vvmStage || (line.vvmStage === 0 && vvmStage > 0))
    throw new CodedError('stock.vvmStage', `Line ${line.line}: it left at stage ${line.vvmStage}.`)
  const legs: Leg[] = []
  if (part.accepted > 0) {
    const held = checkAcceptable(line, part, vvmStage, arrival)
    const point = { kind: 'point', id: part.storagePointId, facilityId: arrival.toFacilityId } as const
    legs.push(legOf(line, point, part.accepted, { vvmStage, held }))
  }
  if (part.rejected > 0) {
    checkRejection(line, part.reasonCode, arrival)
    const wastage = own(arrival, 'wastage')
    const { reasonCode } = part
    legs.push(legOf(line, wastage, part.rejected, { vvmStage, held: false, reasonCode }))
  }
  return legs
}

// What comes back is taken in as it is; what is meant for use must be fit for it. A recalled lot is on hold wherever it arrives.
function checkAcceptable(line: SentLine, part: FoundLine, vvmStage: VvmStage, arrival: Arrival): boolean {
  const lot = arrival.lots.get(line.lotId)
  if (!lot) throw new CodedError('stock.unknownLot', `Line ${line.line}.`)
  if (!arrival.points.has(part.storagePointId))
    throw new CodedError('stock.unknownPoint', `Line ${line.line}.`)
  if (!arrival.isReturn && isExpired(lot.expiresOn, arrival.day))
    throw new CodedError('stock.lotExpired', `Line ${line.line}: reject it.`)
  if (!arrival.isReturn && vvmStage > 2)
    throw new CodedError('stock.vvmStage', `Line ${line.line}: reject it.`)
  return line.held || lot.isRecalled
}

function shortLegs(line: SentLine, short: number, arrival: Arrival): Leg[] {
  if (short === 0) return []
  const reasonCode = arrival.shortReasonCode
  checkRejection(line, reasonCode, arrival)
  return [legOf(line, own(arrival, 'adjustment'), short, { held: false, reasonCode })]
}

function checkRejection({ line }: SentLine, code: string | undefined, { reasons }: Arrival): void {
  if (code === undefined || reasons.get(code) !== 'rejection')
    throw new CodedError('stock.reasonRequired', `Line ${line}: it needs a reason of kind rejection.`)
}

function own({ toFacilityId }: Route, kind: 'wastage' | 'adjustment'): Account {
  return { kind, id: toFacilityId, facilityId: toFacilityId }
}
