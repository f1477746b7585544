import type { Quantity } from './reading.ts'

/** An alarm rule as data, in one of its versions: never changed once it is used, so that a breach keeps what made it. */
export interface Rule {
  readonly id: string
  readonly profile: string
  /** Of the profile. */
  readonly version: number
  readonly name: string
  readonly quantity: Quantity
  readonly measure: Measure
  readonly comparator: Comparator
  readonly threshold: number
  readonly mode: Mode
  /** How long it must be violated for a breach; reached exactly counts. 0 when `instant`. */
  readonly durationMs: number
  /** Of a cumulative rule, what it adds up over; null in the other modes. */
  readonly window: Window | null
  /** How far back inside the limit a value must be before a violation ends; 0: any value inside ends it. */
  readonly hysteresis: number
  /** A silence longer than this inside a violation counts for nothing: nobody knows what happened in it. */
  readonly gapMsMax: number
  readonly severity: Severity
  /** When of the day the rule holds; null: always. */
  readonly activeHours: ActiveHours | null
  /** Event times in [validFrom, validTo) are judged; null: unbounded. */
  readonly validFrom: number | null
  readonly validTo: number | null
}

/**
 * What is held against the threshold: the value itself; its change against the reading before, per hour, falling negative (`ratePerHour`);
 * or the size of that change (`jump`, and `stuck`, whose violation begins with the reading that the later ones do not differ from).
 */
export type Measure = 'value' | 'ratePerHour' | 'stuck' | 'jump'

/**
 * `instant`: one violating reading is enough. `consecutive`: an unbroken run of violating readings lasts for the duration.
 * `cumulative`: the violating time within the window adds up to the duration.
 */
export type Mode = 'instant' | 'consecutive' | 'cumulative'

/** The last `ms` up to each reading, or the calendar day in a time zone. */
export type Window =
  | { readonly kind: 'sliding'; readonly ms: number }
  | { readonly kind: 'day'; readonly timeZone: string }

/** Local times of day, `to` exclusive; over midnight when `to` is earlier than `from`. */
export interface ActiveHours {
  readonly from: string
  readonly to: string
  readonly timeZone: string
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

/** Whether greater is worse. */
export function isHigh({ comparator }: Pick<Rule, 'comparator'>): boolean {
  return comparator === 'gt' || comparator === 'gte'
}

/** How far `value` lies beyond the threshold, in the rule's direction; negative when it does not violate. */
export function beyondThreshold(rule: Pick<Rule, 'comparator' | 'threshold'>, value: number): number {
  return isHigh(rule) ? value - rule.threshold : rule.threshold - value
}

/** In the alarm range; back inside the limit, by the hysteresis at least; or neither, which begins nothing and ends nothing. */
export type Side = 'beyond' | 'within' | 'between'

/** @param measured as `measure` gives it; NaN is neither */
export function sideOf(rule: Rule, measured: number): Side {
  if (violates(rule, measured)) return 'beyond'
  const { threshold, hysteresis } = rule
  if (isHigh(rule)) return measured <= clean(threshold - hysteresis) ? 'within' : 'between'
  return measured >= clean(threshold + hysteresis) ? 'within' : 'between'
}

/**
 * What of a reading is held against the threshold. A change needs the reading before; across a silence longer than `gapMsMax` it says nothing, as
 * does the first reading: NaN.
 */
export function measure(
  { measure: kind, gapMsMax }: Rule,
  time: number,
  value: number,
  timeBefore: number,
  valueBefore: number,
): number {
  if (kind === 'value') return value
  const elapsedMs = time - timeBefore
  if (!(elapsedMs > 0 && elapsedMs <= gapMsMax)) return NaN
  const change = value - valueBefore
  return clean(kind === 'ratePerHour' ? (change / elapsedMs) * HOUR_MS : Math.abs(change))
}

const HOUR_MS = 3_600_000
const PER_UNIT = 1_000_000

// 5.1 - 5.0 is less than 0.1 in binary, and a limit that is reached exactly counts. No sensor has seven decimals.
function clean(value: number): number {
  return Math.round(value * PER_UNIT) / PER_UNIT
}
