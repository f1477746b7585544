import type { Quantity } from './reading.ts'

/**
 * An alarm rule as data. `consecutive`: every reading of an unbroken run violates, and the run lasts at least `durationMs`
 * (reached exactly counts). `instant`: one violating reading is enough (`durationMs` is 0).
 */
export interface Rule {
  readonly id: string
  readonly profile: string
  readonly name: string
  readonly quantity: Quantity
  readonly comparator: Comparator
  readonly threshold: number
  readonly mode: 'instant' | 'consecutive'
  readonly durationMs: number
  /** A silence longer than this inside a violation starts the clock anew, as long as no breach has been reached. */
  readonly gapMsMax: number
  readonly severity: Severity
}

/** Whether the threshold itself belongs to the alarm range is part of the rule: WHO 30DTR high is `gt`, low is `lte`. */
export type Comparator = 'gt' | 'gte' | 'lt' | 'lte'

export type Severity = 'warning' | 'critical'

/** What rules that are not about one sensor's readings give as their quantity; each is also the id of its rule. See `watch-rule.ts`. */
export const WATCH_QUANTITIES = [
  'silence',
  'site-outage',
  'clock-wrong',
  'calibration-overdue',
  'sensor-unplugged',
] as const
export type WatchQuantity = (typeof WATCH_QUANTITIES)[number]
/** What a rule in the database may be about. */
export type RuleQuantity = Quantity | WatchQuantity

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/**
 * The rules that ship. Source: WHO PQS E006/TR06 (30-day temperature recorder), verified in genuine Fridge-tag 2 exports
 * (`1: T AL: +8.0, t AL: 600`, `0: T AL: -0.5, t AL: 60`). High is strictly above: a genuine day with `Max T: +8.0` has `t Acc: 0`.
 */
export const SHIPPED_RULES: readonly Rule[] = [
  {
    id: 'who-30dtr-high',
    profile: 'who-30dtr',
    name: 'Above +8.0 °C for 10 hours',
    quantity: 'temperature',
    comparator: 'gt',
    threshold: 8,
    mode: 'consecutive',
    durationMs: 600 * MINUTE_MS,
    gapMsMax: 2 * HOUR_MS,
    severity: 'critical',
  },
  {
    id: 'who-30dtr-low',
    profile: 'who-30dtr',
    name: 'At or below -0.5 °C for 60 minutes',
    quantity: 'temperature',
    comparator: 'lte',
    threshold: -0.5,
    mode: 'consecutive',
    durationMs: 60 * MINUTE_MS,
    gapMsMax: 2 * HOUR_MS,
    severity: 'critical',
  },
]

/** Whether `value` lies in the alarm range of `rule`. */
export function violates(rule: Pick<Rule, 'comparator' | 'threshold'>, value: number): boolean {
  switch (rule.comparator) {
    case 'gt':
      return value > rule.threshold
    case 'gte':
      return value >= rule.threshold
    case 'lt':
      return value < rule.threshold
    case 'lte':
      return value <= rule.threshold
  }
}

/** How far `value` lies beyond the threshold, in the rule's direction; negative when it does not violate. */
export function beyondThreshold(rule: Pick<Rule, 'comparator' | 'threshold'>, value: number): number {
  return rule.comparator === 'gt' || rule.comparator === 'gte'
    ? value - rule.threshold
    : rule.threshold - value
}
