import { CodedError, type ErrorCode } from './errors.ts'
import { isExpired, type Account, type IsoDate, type Leg, type ReasonKind, type VvmStage } from './stock.ts'

/** What can happen to stock. `ship` and `deliver` come from shipments, `reversal` undoes another event. */
export const EVENT_KINDS = [
  'receive',
  'issue',
  'transfer',
  'consume',
  'return',
  'adjust',
  'wastage',
  'count',
  'repack',
  'vvm',
  'hold',
  'release',
  'dispose',
  'ship',
  'deliver',
  'reversal',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

interface LineAt {
  readonly storagePointId: string
  readonly lotId: string
  /** Left out: 1 for what carries a VVM, 0 for what does not. */
  readonly vvmStage?: VvmStage | undefined
  readonly reasonCode?: string | undefined
}
interface SomeDoses extends LineAt {
  readonly doses: number
}
interface HeldOrNot extends SomeDoses {
  readonly held?: boolean | undefined
}

export interface CountLine extends LineAt {
  readonly held?: boolean | undefined
  readonly counted: number
  readonly expected?: number | undefined
}

/** The lines of each kind of event. */
interface StockLines {
  /** From the supplier. */
  readonly receive: SomeDoses
  /** Out of the programme. */
  readonly issue: SomeDoses
  /** Back to the supplier. */
  readonly return: HeldOrNot
  readonly transfer: HeldOrNot & { readonly toStoragePointId: string }
  /** A session: what was given to people, and what of the opened vials was thrown away. */
  readonly consume: LineAt & { readonly administered: number; readonly wasted: number }
  /** `doses` has a sign. */
  readonly adjust: HeldOrNot
  readonly wastage: HeldOrNot
  /** `expected`: what the counting person saw on the screen; refused when the ledger says otherwise by now. */
  readonly count: CountLine
  readonly repack: HeldOrNot & { readonly toLotId: string }
  readonly vvm: HeldOrNot & { readonly toVvmStage: VvmStage }
  readonly hold: SomeDoses
  readonly release: SomeDoses
  /** Destroyed, of what was written off before. */
  readonly dispose: Omit<SomeDoses, 'storagePointId'>
}

/** The kinds that people record themselves. */
export type CommandKind = keyof StockLines

/** Something that happened, as people say it: what it means for the ledger is decided by `decide`. */
export type StockCommand<K extends CommandKind = CommandKind> = {
  [Kind in K]: { readonly kind: Kind; readonly lines: readonly StockLines[Kind][] }
}[K]

export interface LotFacts {
  readonly itemId: string
  readonly expiresOn: IsoDate
  readonly manufacturedOn: IsoDate | null
  readonly parentLotId: string | null
  readonly isRecalled: boolean
  readonly hasVvm: boolean
}

/** What `decide` has to know of the world. */
export interface StockFacts {
  readonly facilityId: string
  /** The day of the event, where it happened. */
  readonly day: IsoDate
  readonly lots: ReadonlyMap<string, LotFacts>
  /** Storage points of the facility. */
  readonly points: ReadonlySet<string>
  readonly reasons: ReadonlyMap<string, ReasonKind>
  /** Of a count: on hand of each line, in order, at the time of the count. */
  readonly onHand?: readonly number[]
}

/**
 * What an event does to the ledger: legs that add up to nothing for each item (double entry). Whether there is enough stock is not decided
 * here but where the balances are locked.
 * @throws CodedError `stock.*` or `request.invalid` for what cannot be, naming the line
 */
export function decide<K extends CommandKind>({ kind, lines }: StockCommand<K>, facts: StockFacts): Leg[] {
  return lines.flatMap((line, index) => LEGS[kind](at(facts, line, index), line))
}

const LEGS: { readonly [K in CommandKind]: (site: Site, line: StockLines[K]) => Leg[] } = {
  receive,
  issue,
  return: giveBack,
  transfer,
  consume,
  adjust,
  wastage: waste,
  count,
  repack,
  vvm: changeStage,
  hold: (site, line) => hold(site, line, true),
  release: (site, line) => hold(site, line, false),
  dispose,
}

/** The event that undoes these legs, where and when they happened. */
export function reverse(legs: readonly Leg[]): Leg[] {
  return legs.map((leg) => ({ ...leg, doses: -leg.doses }))
}

/** A line of a command with what its ids stand for. */
interface Site {
  readonly facts: StockFacts
  readonly index: number
  readonly lotId: string
  readonly lot: LotFacts
  readonly stage: VvmStage
  readonly reasonCode: string | undefined
}

interface AnyLine {
  readonly lotId: string
  readonly vvmStage?: VvmStage | undefined
  readonly reasonCode?: string | undefined
}

function at(facts: StockFacts, line: AnyLine, index: number): Site {
  const { lotId, reasonCode } = line
  const lot = facts.lots.get(lotId)
  if (!lot) throw refusal('stock.unknownLot', index, 'there is no such lot')
  const stage = line.vvmStage ?? (lot.hasVvm ? 1 : 0)
  const site = { facts, index, lotId, lot, stage, reasonCode }
  checkStage(site, stage)
  if (lot.manufacturedOn !== null && facts.day < lot.manufacturedOn)
    throw refusal('stock.beforeLot', index, `the lot was made on ${lot.manufacturedOn}`)
  return site
}

function refusal(code: ErrorCode, index: number, what: string): CodedError {
  return new CodedError(code, `Line ${index + 1}: ${what}.`)
}

function checkStage({ lot, index }: Site, stage: VvmStage): void {
  if (lot.hasVvm !== stage > 0)
    throw refusal('stock.vvmStage', index, lot.hasVvm ? 'it carries a VVM' : 'it carries no VVM')
}

// Issue stage 2 before 1; 3 and 4 never: WHO's rule for the vaccine vial monitor.
function checkUsable({ lot, stage, facts, index }: Site): void {
  if (isExpired(lot.expiresOn, facts.day))
    throw refusal('stock.lotExpired', index, `the lot expired after ${lot.expiresOn}`)
  if (lot.isRecalled) throw refusal('stock.lotRecalled', index, 'the lot is recalled')
  if (stage > 2) throw refusal('stock.vvmStage', index, 'its VVM has reached the discard point')
}

function checkReason({ facts, reasonCode, index }: Site, ...kinds: readonly ReasonKind[]): void {
  const kind = reasonCode === undefined ? undefined : facts.reasons.get(reasonCode)
  if (kind === undefined || !kinds.includes(kind))
    throw refusal('stock.reasonRequired', index, `it needs a reason of kind ${kinds.join(' or ')}`)
}

function pointOf({ facts, index }: Site, id: string): Account {
  if (!facts.points.has(id))
    throw refusal('stock.unknownPoint', index, 'the facility has no such storage point')
  return { kind: 'point', id, facilityId: facts.facilityId }
}

function ownAccount(
  { facts }: Site,
  kind: 'supplier' | 'consumption' | 'adjustment' | 'wastage' | 'disposed',
) {
  return { kind, id: facts.facilityId, facilityId: facts.facilityId } as const
}

interface Where {
  readonly account: Account
  readonly lotId?: string
  readonly stage?: VvmStage
  readonly held?: boolean | undefined
}

/** The two legs of doses that move from one line to another of the same item. */
function move(site: Site, doses: number, from: Where, to: Where): Leg[] {
  return [legAt(site, from, -doses), legAt(site, to, doses)]
}

function legAt(site: Site, where: Where, doses: number): Leg {
  return {
    account: where.account,
    itemId: site.lot.itemId,
    lotId: where.lotId ?? site.lotId,
    vvmStage: where.stage ?? site.stage,
    // Only shelves, roads and the store of what is written off know holds.
    held: where.held ?? false,
    doses,
    reasonCode: site.reasonCode,
  }
}

// What arrives of a recalled lot is here all the same: it is taken in on hold.
function receive(site: Site, { storagePointId, doses }: SomeDoses): Leg[] {
  const { lot, facts, index, stage } = site
  if (isExpired(lot.expiresOn, facts.day))
    throw refusal('stock.lotExpired', index, `the lot expired after ${lot.expiresOn}`)
  if (stage > 2) throw refusal('stock.vvmStage', index, 'its VVM has reached the discard point')
  const to = { account: pointOf(site, storagePointId), held: lot.isRecalled }
  return move(site, doses, { account: ownAccount(site, 'supplier') }, to)
}

function issue(site: Site, { storagePointId, doses }: SomeDoses): Leg[] {
  checkUsable(site)
  const to = { account: ownAccount(site, 'consumption') }
  return move(site, doses, { account: pointOf(site, storagePointId) }, to)
}

function giveBack(site: Site, { storagePointId, doses, held }: HeldOrNot): Leg[] {
  checkReason(site, 'return')
  const from = { account: pointOf(site, storagePointId), held }
  return move(site, doses, from, { account: ownAccount(site, 'supplier') })
}

function transfer(site: Site, line: HeldOrNot & { readonly toStoragePointId: string }): Leg[] {
  const { storagePointId, toStoragePointId, doses, held } = line
  if (storagePointId === toStoragePointId)
    throw refusal('request.invalid', site.index, 'both storage points are the same')
  const from = { account: pointOf(site, storagePointId), held }
  return move(site, doses, from, { account: pointOf(site, toStoragePointId), held })
}

function consume(
  site: Site,
  line: LineAt & { readonly administered: number; readonly wasted: number },
): Leg[] {
  const { administered, wasted, storagePointId } = line
  checkUsable(site)
  const opened = administered + wasted
  if (opened === 0) throw refusal('request.invalid', site.index, 'no vial was opened')
  const reasonCode = site.reasonCode ?? 'opened'
  if (wasted > 0) checkReason({ ...site, reasonCode }, 'open-vial-wastage')
  return [
    legAt(site, { account: pointOf(site, storagePointId) }, -opened),
    ...(administered > 0 ? [legAt(site, { account: ownAccount(site, 'consumption') }, administered)] : []),
    ...(wasted > 0 ? [{ ...legAt(site, { account: ownAccount(site, 'wastage') }, wasted), reasonCode }] : []),
  ]
}

function adjust(site: Site, { storagePointId, doses, held }: HeldOrNot): Leg[] {
  checkReason(site, 'adjustment')
  const to = { account: pointOf(site, storagePointId), held }
  return move(site, doses, { account: ownAccount(site, 'adjustment') }, to)
}

function waste(site: Site, { storagePointId, doses, held }: HeldOrNot): Leg[] {
  checkReason(site, 'open-vial-wastage', 'closed-vial-wastage')
  const from = { account: pointOf(site, storagePointId), held }
  return move(site, doses, from, { account: ownAccount(site, 'wastage') })
}

// A count that finds what the ledger says is written down too: a leg of nothing.
function count(site: Site, line: CountLine): Leg[] {
  const { storagePointId, counted, expected, held } = line
  const account = pointOf(site, storagePointId)
  const onHand = site.facts.onHand?.[site.index]
  if (onHand === undefined) throw new Error('a count is decided with what is on hand')
  if (expected !== undefined && expected !== onHand)
    throw refusal('stock.moved', site.index, `${onHand} doses were on hand, not ${expected}`)
  const counting = { ...site, reasonCode: site.reasonCode ?? 'counted' }
  checkReason(counting, 'adjustment')
  return move(counting, counted - onHand, { account: ownAccount(site, 'adjustment') }, { account, held })
}

function repack(site: Site, line: HeldOrNot & { readonly toLotId: string }): Leg[] {
  const { storagePointId, toLotId, doses, held } = line
  const to = site.facts.lots.get(toLotId)
  if (!to) throw refusal('stock.unknownLot', site.index, 'there is no such lot to repack into')
  if (to.itemId !== site.lot.itemId || to.parentLotId !== site.lotId)
    throw refusal(
      'stock.notItsLot',
      site.index,
      'the lot to repack into does not name this one as its parent',
    )
  const account = pointOf(site, storagePointId)
  return move(site, doses, { account, held }, { account, held, lotId: toLotId })
}

function changeStage(site: Site, line: HeldOrNot & { readonly toVvmStage: VvmStage }): Leg[] {
  const { storagePointId, toVvmStage, doses, held } = line
  checkStage(site, toVvmStage)
  // The monitor only darkens; a stage that was written down wrongly is reversed.
  if (toVvmStage <= site.stage) throw refusal('stock.vvmStage', site.index, 'a VVM never goes back')
  const account = pointOf(site, storagePointId)
  return move(site, doses, { account, held }, { account, held, stage: toVvmStage })
}

function hold(site: Site, { storagePointId, doses }: SomeDoses, held: boolean): Leg[] {
  checkReason(site, 'hold')
  if (!held && site.lot.isRecalled) throw refusal('stock.lotRecalled', site.index, 'the lot is recalled')
  const account = pointOf(site, storagePointId)
  return move(site, doses, { account, held: !held }, { account, held })
}

function dispose(site: Site, { doses }: { readonly doses: number }): Leg[] {
  return move(
    site,
    doses,
    { account: ownAccount(site, 'wastage') },
    { account: ownAccount(site, 'disposed') },
  )
}
