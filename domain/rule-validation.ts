import type { ErrorCode } from './errors.ts'
import { QUANTITIES, type Quantity } from './reading.ts'
import { contentOf, type RuleDraft } from './rule-version.ts'
import { isHigh, violates } from './rule.ts'

/** What is wrong with a rule: a stable code, where, and what about it. */
export interface RuleProblem {
  readonly code: ErrorCode
  /** Of the rule. */
  readonly index: number
  readonly field: keyof RuleDraft
  readonly detail: string
}

interface Problem extends Omit<RuleProblem, 'index'> {}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** They are 0 or 1, and nothing in between. */
const BOOLEANS: ReadonlySet<string> = new Set<Quantity>(['doorOpen', 'powerOn'])

/**
 * Everything that is wrong with the rules of one version: rules that can never fire, or never stop, what they say and do not use, and rules that
 * repeat or contradict each other.
 */
export function ruleProblems(rules: readonly RuleDraft[]): RuleProblem[] {
  return rules.flatMap((rule, index) =>
    [
      ...limitProblems(rule),
      ...durationProblems(rule),
      ...hysteresisProblems(rule),
      ...hoursProblems(rule),
      ...validityProblems(rule),
      ...pairProblems(rule, rules.slice(0, index)),
    ].map((found) => ({ index, ...found })),
  )
}

/** Of a version as a whole. */
export function validityProblem({
  validFrom,
  validTo,
}: Pick<RuleDraft, 'validFrom' | 'validTo'>): Problem | undefined {
  if (validFrom === null || validTo === null || validFrom < validTo) return undefined
  return { code: 'profile.validityEmpty', field: 'validTo', detail: 'is not after validFrom' }
}

function problem(code: ErrorCode, field: keyof RuleDraft, detail: string): Problem[] {
  return [{ code, field, detail }]
}

function limitProblems(rule: RuleDraft): Problem[] {
  const { quantity, measure, threshold } = rule
  if (measure !== 'value') {
    if (BOOLEANS.has(quantity))
      return problem(
        'rule.measureUnsuitable',
        'measure',
        `${quantity} is yes or no: only its value can be judged`,
      )
    if (measure === 'stuck' && isHigh(rule))
      return problem('rule.measureUnsuitable', 'comparator', 'a stuck sensor moves by less than it should')
    // What does not move changes by 0.
    if (measure !== 'stuck' && violates(rule, 0))
      return problem('rule.alwaysViolated', 'threshold', `${measure} of 0 is nothing to be told of`)
  }
  const values = extremesOf(rule)
  if (values.every((value) => !violates(rule, value)))
    return problem('rule.neverViolated', 'threshold', `${threshold} lies beyond all that there can be`)
  if (values.every((value) => violates(rule, value)))
    return problem('rule.alwaysViolated', 'threshold', `whatever ${quantity} is, it violates ${threshold}`)
  return []
}

/** The least and the most that what is held against the threshold can be. */
function extremesOf({ quantity, measure }: RuleDraft): readonly [number, number] {
  const { min, max } = QUANTITIES[quantity]
  switch (measure) {
    case 'value':
      return [min, max]
    case 'jump':
    case 'stuck':
      return [0, max - min]
    case 'ratePerHour':
      return [-Infinity, Infinity]
  }
}

function durationProblems({ mode, durationMs, window }: RuleDraft): Problem[] {
  if (mode === 'instant' && durationMs > 0)
    return problem('rule.durationUnused', 'durationMs', 'an instant rule needs one reading, and no duration')
  if (mode !== 'instant' && durationMs <= 0)
    return problem('rule.durationMissing', 'durationMs', `a ${mode} rule needs one; else it is instant`)
  if (mode !== 'cumulative')
    return window === null ? [] : problem('rule.windowUnused', 'window', `a ${mode} rule has none`)
  if (window === null) return problem('rule.windowMissing', 'window', 'a cumulative rule needs one')
  return durationMs > lengthOf(window)
    ? problem('rule.durationExceedsWindow', 'durationMs', 'is longer than the window')
    : []
}

function lengthOf(window: NonNullable<RuleDraft['window']>): number {
  return window.kind === 'sliding' ? window.ms : DAY_MS
}

function hysteresisProblems(rule: RuleDraft): Problem[] {
  const { quantity, threshold, hysteresis } = rule
  if (hysteresis === 0) return []
  if (BOOLEANS.has(quantity))
    return [
      { code: 'rule.hysteresisUnused', field: 'hysteresis', detail: 'there is nothing between in and out' },
    ]
  const [min, max] = extremesOf(rule)
  const end = isHigh(rule) ? threshold - hysteresis : threshold + hysteresis
  return end < min || end > max
    ? [
        {
          code: 'rule.hysteresisTooLarge',
          field: 'hysteresis',
          detail: `nothing can get back to ${end}: it would never end`,
        },
      ]
    : []
}

function hoursProblems(rule: RuleDraft): Problem[] {
  const { activeHours, mode, durationMs, window } = rule
  if (activeHours === null) return []
  const field = 'activeHours'
  if (activeHours.from === activeHours.to)
    return [{ code: 'rule.activeHoursEmpty', field, detail: 'from and to are the same' }]
  const dailyMs = dailyMsOf(activeHours)
  // A reading at `to` is outside: of a whole stretch the last moment is missing.
  const isTooShort =
    (mode === 'consecutive' && durationMs >= dailyMs) ||
    (mode === 'cumulative' && window !== null && isMoreThan(lengthOf(window), dailyMs, durationMs))
  const detail = `the hours are ${dailyMs / MINUTE_MS} minutes a day: too few for ${durationMs / MINUTE_MS}`
  return isTooShort ? [{ code: 'rule.activeHoursTooShort', field, detail }] : []
}

function dailyMsOf({ from, to }: NonNullable<RuleDraft['activeHours']>): number {
  const lengthMs = (minuteOf(to) - minuteOf(from)) * MINUTE_MS
  return lengthMs > 0 ? lengthMs : lengthMs + DAY_MS
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
}

// Where a window holds a whole stretch of the hours, all of it is more than can be.
function isMoreThan(windowMs: number, dailyMs: number, durationMs: number): boolean {
  if (windowMs <= dailyMs) return false
  const days = Math.floor(windowMs / DAY_MS)
  return durationMs >= days * dailyMs + Math.min(dailyMs, windowMs - days * DAY_MS)
}

function validityProblems({ validFrom, validTo, mode, durationMs }: RuleDraft): Problem[] {
  if (validFrom === null || validTo === null) return []
  const field = 'validTo'
  if (validTo <= validFrom) return [{ code: 'rule.validityEmpty', field, detail: 'is not after validFrom' }]
  return mode !== 'instant' && validTo - validFrom <= durationMs
    ? [
        {
          code: 'rule.validityTooShort',
          field,
          detail: 'the rule would not hold for as long as its duration',
        },
      ]
    : []
}

function pairProblems(rule: RuleDraft, before: readonly RuleDraft[]): Problem[] {
  const same = before.findIndex((one) => conditionOf(one) === conditionOf(rule))
  if (same >= 0)
    return [{ code: 'rule.duplicate', field: 'threshold', detail: `says what rule ${same} says` }]
  const contrary = before.findIndex((one) => areContradictory(one, rule))
  return contrary < 0
    ? []
    : [
        {
          code: 'rule.contradictory',
          field: 'threshold',
          detail: `whatever ${rule.quantity} is, it violates this or rule ${contrary}`,
        },
      ]
}

/** When it fires. Two rules that fire at the same times are one too many, whatever they are called. */
function conditionOf(rule: RuleDraft): string {
  return contentOf({ ...rule, name: '', severity: 'warning', hysteresis: 0, gapMsMax: 0 })
}

// A high limit below the low one leaves nothing in range.
function areContradictory(a: RuleDraft, b: RuleDraft): boolean {
  if (a.quantity !== b.quantity || a.measure !== 'value' || b.measure !== 'value') return false
  if (!overlapInTime(a, b) || !overlapInDay(a.activeHours, b.activeHours)) return false
  const [high, low] = isHigh(a) ? [a, b] : [b, a]
  if (!isHigh(high) || isHigh(low)) return false
  if (BOOLEANS.has(a.quantity)) return [0, 1].every((value) => violates(high, value) || violates(low, value))
  if (low.threshold !== high.threshold) return low.threshold > high.threshold
  return violates(high, high.threshold) || violates(low, low.threshold)
}

function overlapInTime(a: RuleDraft, b: RuleDraft): boolean {
  return (
    (a.validFrom ?? -Infinity) < (b.validTo ?? Infinity) &&
    (b.validFrom ?? -Infinity) < (a.validTo ?? Infinity)
  )
}

function overlapInDay(a: RuleDraft['activeHours'], b: RuleDraft['activeHours']): boolean {
  if (a === null || b === null) return true
  return holdsAt(a, minuteOf(b.from)) || holdsAt(b, minuteOf(a.from))
}

function holdsAt({ from, to }: NonNullable<RuleDraft['activeHours']>, minute: number): boolean {
  const [start, end] = [minuteOf(from), minuteOf(to)]
  return start < end ? start <= minute && minute < end : start <= minute || minute < end
}
