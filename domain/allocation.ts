import { CodedError, type ErrorCode } from './errors.ts'
import { isExpired, type IsoDate, type VvmStage } from './stock.ts'

/** A line of stock at the supplying facility, and what of it is promised to nobody. */
export interface Candidate {
  readonly itemId: string
  readonly storagePointId: string
  readonly lotId: string
  readonly vvmStage: VvmStage
  readonly held: boolean
  readonly available: number
  readonly expiresOn: IsoDate
  readonly isRecalled: boolean
  readonly dosesPerPack: number
}

export interface Need {
  readonly line: number
  readonly itemId: string
  readonly doses: number
}

/** A person's choice for a line of the order, in place of the rule's. */
export interface Override {
  readonly line: number
  readonly storagePointId: string
  readonly lotId: string
  readonly vvmStage: VvmStage
  readonly held: boolean
  readonly doses: number
  readonly reasonCode: string
}

export interface AllocationRules {
  /** At the supplying facility. */
  readonly day: IsoDate
  /** What would expire sooner than this many days from then stays here. */
  readonly shelfLifeDaysMin: number
  /** Only as many doses of a lot as fill its packs. */
  readonly wholePacks: boolean
  /** A return: what cannot be used goes back too, when a person names it. */
  readonly mayBeUnusable: boolean
}

/** Why this stock was taken: its VVM says use first, it expires first, or a person said so. */
export type Why = 'vvm' | 'expiry' | 'manual'
/** Why this stock was passed over. */
export type Obstacle = 'held' | 'recalled' | 'expired' | 'vvm' | 'shelfLife' | 'promised'

export interface Choice {
  readonly line: number
  readonly candidate: Candidate
  readonly doses: number
  readonly why: Why
  readonly reasonCode: string | null
}

export interface Allocation {
  readonly choices: readonly Choice[]
  readonly passedOver: readonly { readonly candidate: Candidate; readonly obstacle: Obstacle }[]
}

/**
 * Chooses stock for what is needed: VVM stage 2 before 1, then what expires first (FEFO); stages 3 and 4, and what is expired, held,
 * recalled or too short-dated, never. The same stock and needs give the same choice, in whatever order they come.
 * @throws CodedError `order.unknownLine`, `order.quantity`, `stock.*` for an override that cannot be
 */
export function allocate(
  needs: readonly Need[],
  stock: readonly Candidate[],
  rules: AllocationRules,
  overrides: readonly Override[] = [],
): Allocation {
  const left = new Map(stock.map((candidate) => [candidate, candidate.available]))
  const manual = overrides.map((override) => chooseByHand(override, needs, stock, left, rules))
  checkTotals(needs, manual)
  const usable = stock
    .filter((candidate) => obstacleTo(candidate, rules) === undefined)
    .toSorted(inOrderOfUse)
  const byHand = new Set(overrides.map(({ line }) => line))
  const byRule = needs
    .filter(({ line }) => !byHand.has(line))
    .flatMap((need) => chooseByRule(need, usable, left, rules))
  const passedOver = stock
    .toSorted(inOrderOfUse)
    .map((candidate) => ({ candidate, obstacle: obstacleTo(candidate, rules) }))
    .filter((one): one is { candidate: Candidate; obstacle: Obstacle } => one.obstacle !== undefined)
  return { choices: [...manual, ...byRule].toSorted((a, b) => a.line - b.line), passedOver }
}

/** The last day of expiry of what is too short-dated is the day before this one. */
function shelfLifeFrom({ day, shelfLifeDaysMin }: AllocationRules): IsoDate {
  return addDays(day, shelfLifeDaysMin)
}

export function addDays(day: IsoDate, days: number): IsoDate {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10)
}

function obstacleTo(candidate: Candidate, rules: AllocationRules): Obstacle | undefined {
  if (candidate.isRecalled) return 'recalled'
  if (candidate.held) return 'held'
  if (isExpired(candidate.expiresOn, rules.day)) return 'expired'
  if (candidate.vvmStage > 2) return 'vvm'
  if (candidate.expiresOn < shelfLifeFrom(rules)) return 'shelfLife'
  return candidate.available > 0 ? undefined : 'promised'
}

// Stage 2 first, then expiry; ids make it an order of everything.
function inOrderOfUse(a: Candidate, b: Candidate): number {
  const stages = Number(b.vvmStage === 2) - Number(a.vvmStage === 2)
  if (stages !== 0) return stages
  return keyOf(a) < keyOf(b) ? -1 : 1
}

function keyOf({ expiresOn, lotId, storagePointId, vvmStage, held }: Candidate): string {
  return [expiresOn, lotId, storagePointId, vvmStage, held].join(' ')
}

function chooseByRule(
  need: Need,
  usable: readonly Candidate[],
  left: Map<Candidate, number>,
  { wholePacks }: AllocationRules,
): Choice[] {
  const choices: Choice[] = []
  let wanted = need.doses
  for (const candidate of usable) {
    if (candidate.itemId !== need.itemId) continue
    const most = Math.min(wanted, left.get(candidate) ?? 0)
    const doses = wholePacks ? most - (most % candidate.dosesPerPack) : most
    if (doses <= 0) continue
    wanted -= doses
    left.set(candidate, (left.get(candidate) ?? 0) - doses)
    const why = candidate.vvmStage === 2 ? 'vvm' : 'expiry'
    choices.push({ line: need.line, candidate, doses, why, reasonCode: null })
  }
  return choices
}

const REFUSALS: Readonly<Record<Exclude<Obstacle, 'shelfLife' | 'promised'>, ErrorCode>> = {
  held: 'order.held',
  recalled: 'stock.lotRecalled',
  expired: 'stock.lotExpired',
  vvm: 'stock.vvmStage',
}

// A person may pass over the order of use and the shelf life, with a reason; nobody may send what must not be used.
function chooseByHand(
  override: Override,
  needs: readonly Need[],
  stock: readonly Candidate[],
  left: Map<Candidate, number>,
  rules: AllocationRules,
): Choice {
  const { line, lotId, storagePointId, vvmStage, held, doses, reasonCode } = override
  const need = needs.find((one) => one.line === line)
  if (!need) throw new CodedError('order.unknownLine', `Nothing is left to allocate for line ${line}.`)
  const candidate = stock.find(
    (one) =>
      one.itemId === need.itemId &&
      one.lotId === lotId &&
      one.storagePointId === storagePointId &&
      one.vvmStage === vvmStage &&
      one.held === held,
  )
  const rest = candidate ? (left.get(candidate) ?? 0) : 0
  if (!candidate || rest < doses)
    throw new CodedError('stock.insufficient', `Line ${line}: ${rest} doses of lot ${lotId} are available.`)
  const obstacle = obstacleTo(candidate, rules)
  if (obstacle && obstacle !== 'shelfLife' && obstacle !== 'promised' && !rules.mayBeUnusable)
    throw new CodedError(REFUSALS[obstacle], `Line ${line}: lot ${lotId}.`)
  left.set(candidate, rest - doses)
  return { line, candidate, doses, why: 'manual', reasonCode }
}

function checkTotals(needs: readonly Need[], choices: readonly Choice[]): void {
  for (const need of needs) {
    const total = choices.reduce((sum, { line, doses }) => (line === need.line ? sum + doses : sum), 0)
    if (total > need.doses)
      throw new CodedError('order.quantity', `Line ${need.line}: ${need.doses} doses are left to send.`)
  }
}
