import type { Rule } from './rule.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** What a rule is unless it says otherwise: a plain limit on a value, that always holds. */
export const RULE_DEFAULTS = {
  version: 1,
  measure: 'value',
  window: null,
  hysteresis: 0,
  gapMsMax: 2 * HOUR_MS,
  activeHours: null,
  validFrom: null,
  validTo: null,
} as const satisfies Partial<Rule>

/**
 * The rules that ship. Source: WHO PQS E006/TR06 (30-day temperature recorder), verified in genuine Fridge-tag 2 exports
 * (`1: T AL: +8.0, t AL: 600`, `0: T AL: -0.5, t AL: 60`). High is strictly above: a genuine day with `Max T: +8.0` has `t Acc: 0`.
 */
export const SHIPPED_RULES: readonly Rule[] = [
  {
    ...RULE_DEFAULTS,
    id: 'who-30dtr-high',
    profile: 'who-30dtr',
    name: 'Above +8.0 °C for 10 hours',
    quantity: 'temperature',
    comparator: 'gt',
    threshold: 8,
    mode: 'consecutive',
    durationMs: 600 * MINUTE_MS,
    severity: 'critical',
  },
  {
    ...RULE_DEFAULTS,
    id: 'who-30dtr-low',
    profile: 'who-30dtr',
    name: 'At or below -0.5 °C for 60 minutes',
    quantity: 'temperature',
    comparator: 'lte',
    threshold: -0.5,
    mode: 'consecutive',
    durationMs: 60 * MINUTE_MS,
    severity: 'critical',
  },
]

/** The rules of one shipped profile. */
export function shippedRules(profile: string): Rule[] {
  return SHIPPED_RULES.filter((rule) => rule.profile === profile)
}
