/** What may be on a shelf. */
export const ITEM_KINDS = ['vaccine', 'diluent', 'syringe', 'safety-box', 'other'] as const
export type ItemKind = (typeof ITEM_KINDS)[number]

/** Days to the discard point at 37 °C; WHO E6/IN5, VVM11 and VVM250 after it. */
export const VVM_TYPES = ['VVM2', 'VVM7', 'VVM11', 'VVM14', 'VVM30', 'VVM250'] as const
export type VvmType = (typeof VVM_TYPES)[number]

/** 1 good, 2 use first, 3 discard point, 4 beyond; 0: the item carries no vaccine vial monitor. */
export const VVM_STAGES = [0, 1, 2, 3, 4] as const
export type VvmStage = (typeof VVM_STAGES)[number]

/**
 * Where doses can be. `point` is a storage point, `transit` a shipment under way, `wastage` what a facility has written off and still has to
 * dispose of: these have balances, and none is ever below zero. `supplier`, `consumption`, `adjustment` and `disposed` are where doses
 * come from and go to; each facility has its own.
 */
export const ACCOUNT_KINDS = [
  'point',
  'transit',
  'wastage',
  'supplier',
  'consumption',
  'adjustment',
  'disposed',
] as const
export type AccountKind = (typeof ACCOUNT_KINDS)[number]

const WITH_BALANCE: ReadonlySet<AccountKind> = new Set(['point', 'transit', 'wastage'])

export function hasBalance(kind: AccountKind): boolean {
  return WITH_BALANCE.has(kind)
}

export interface Account {
  readonly kind: AccountKind
  /** Of the storage point, the shipment, or the facility. */
  readonly id: string
  /** Whose it is; of a shipment the receiver. */
  readonly facilityId: string
}

/** Stock that cannot be told apart: one lot in one place, at one stage of its VVM, free or on hold. */
export interface Line {
  readonly account: Account
  readonly lotId: string
  readonly vvmStage: VvmStage
  readonly held: boolean
}

/** One side of a stock event: doses that came to a line (positive) or went from it. */
export interface Leg extends Line {
  readonly itemId: string
  readonly doses: number
  readonly reasonCode?: string | undefined
}

/** What a reason explains. */
export const REASON_KINDS = [
  'adjustment',
  'open-vial-wastage',
  'closed-vial-wastage',
  'hold',
  'rejection',
  'override',
  'cancellation',
  'return',
] as const
export type ReasonKind = (typeof REASON_KINDS)[number]

export interface Reason {
  readonly code: string
  readonly name: string
  readonly kind: ReasonKind
}

/** The causes that domain experts expect to find; a programme adds its own. */
export const SHIPPED_REASONS: readonly Reason[] = [
  { code: 'counted', name: 'Difference found in a count', kind: 'adjustment' },
  { code: 'data-entry', name: 'Recorded wrongly before', kind: 'adjustment' },
  { code: 'found', name: 'Stock that was found', kind: 'adjustment' },
  { code: 'donated', name: 'Given or received outside of the programme', kind: 'adjustment' },
  { code: 'opened', name: 'Left in an opened vial', kind: 'open-vial-wastage' },
  { code: 'broken', name: 'Broken', kind: 'closed-vial-wastage' },
  { code: 'expired', name: 'Expired', kind: 'closed-vial-wastage' },
  { code: 'vvm', name: 'VVM at the discard point', kind: 'closed-vial-wastage' },
  { code: 'heat', name: 'Exposed to heat', kind: 'closed-vial-wastage' },
  { code: 'frozen', name: 'Frozen', kind: 'closed-vial-wastage' },
  { code: 'missing', name: 'Missing', kind: 'closed-vial-wastage' },
  { code: 'recalled', name: 'Recalled', kind: 'closed-vial-wastage' },
  { code: 'breach', name: 'Temperature breach, to be judged', kind: 'hold' },
  { code: 'recall', name: 'Recall of the lot', kind: 'hold' },
  { code: 'quality', name: 'Doubt about the quality', kind: 'hold' },
  { code: 'rejected-broken', name: 'Arrived broken', kind: 'rejection' },
  { code: 'rejected-vvm', name: 'Arrived with the VVM at the discard point', kind: 'rejection' },
  { code: 'rejected-frozen', name: 'Arrived frozen', kind: 'rejection' },
  { code: 'rejected-short', name: 'Did not arrive', kind: 'rejection' },
  { code: 'near-expiry', name: 'Shorter dated stock is kept for nearer use', kind: 'override' },
  { code: 'packing', name: 'Whole packs', kind: 'override' },
  { code: 'not-needed', name: 'No longer needed', kind: 'cancellation' },
  { code: 'no-stock', name: 'No stock to send', kind: 'cancellation' },
  { code: 'surplus', name: 'More than needed', kind: 'return' },
  { code: 'unusable', name: 'Cannot be used here', kind: 'return' },
]

/** A date of the calendar, `YYYY-MM-DD`; sorts as text. */
export type IsoDate = string

/** Whether a lot is past its expiry date; on the day itself it may still be used. */
export function isExpired(expiresOn: IsoDate, today: IsoDate): boolean {
  return today > expiresOn
}
