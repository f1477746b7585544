import type { NewRule, Rule } from '../../operations.ts'

const HOUR_MS = 3_600_000

/** A rule in use as one that can be sent again; it stays the same rule when nothing of it is changed. */
export function draftOf(rule: Rule): NewRule {
  const { name, measure, comparator, threshold, mode, durationMs, hysteresis, gapMsMax, severity } = rule
  const { window, activeHours, validFrom, validTo } = rule
  return {
    name,
    quantity: rule.quantity as NewRule['quantity'],
    measure,
    comparator,
    threshold,
    mode,
    durationMs,
    window: window && (window.kind === 'day' ? { kind: 'day' } : { kind: 'sliding', ms: window.ms ?? 0 }),
    hysteresis,
    gapMsMax,
    severity,
    activeHours,
    validFrom,
    validTo,
  }
}

/** What most rules are: too warm for too long. */
export const PLAIN_RULE: NewRule = {
  name: '',
  quantity: 'temperature',
  measure: 'value',
  comparator: 'gt',
  threshold: 8,
  mode: 'consecutive',
  durationMs: HOUR_MS,
  window: null,
  severity: 'warning',
}

/** With another mode; what that mode has no use for goes, and what it needs comes. */
export function inMode(rule: NewRule, mode: NewRule['mode']): NewRule {
  return {
    ...rule,
    mode,
    durationMs: mode === 'instant' ? 0 : rule.durationMs || HOUR_MS,
    window: mode === 'cumulative' ? (rule.window ?? { kind: 'day' }) : null,
  }
}
