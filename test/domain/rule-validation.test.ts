import { deepStrictEqual } from 'node:assert'
import * as fc from 'fast-check'
import { test } from 'tap'
import { judgeReadings } from '../../domain/breach.ts'
import type { Rule } from '../../domain/rule.ts'
import { ruleProblems, validityProblem } from '../../domain/rule-validation.ts'
import type { RuleDraft } from '../../domain/rule-version.ts'
import { RULE_DEFAULTS, SHIPPED_RULES } from '../../domain/shipped-rules.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const T0 = Date.UTC(2026, 0, 1)

const warm: RuleDraft = {
  ...RULE_DEFAULTS,
  name: 'Warm',
  quantity: 'temperature',
  comparator: 'gt',
  threshold: 8,
  mode: 'consecutive',
  durationMs: HOUR_MS,
  severity: 'critical',
}
const instant = { mode: 'instant', durationMs: 0 } as const
const sliding = (ms: number) => ({ mode: 'cumulative', window: { kind: 'sliding', ms } }) as const
const day = { mode: 'cumulative', window: { kind: 'day', timeZone: 'UTC' } } as const
const hours = (from: string, to: string) => ({ activeHours: { from, to, timeZone: 'UTC' } })

/** `code field` of what is wrong with each change of the rule above; empty: nothing. */
const TABLE: readonly (readonly [string, Partial<RuleDraft>, string])[] = [
  ['a rule as it should be', {}, ''],
  ['at the edge of what can be', { comparator: 'gte', threshold: 100 }, ''],
  ['above all that can be', { comparator: 'gt', threshold: 100 }, 'rule.neverViolated threshold'],
  ['and at it, beyond', { comparator: 'gte', threshold: 100.1 }, 'rule.neverViolated threshold'],
  ['below all that can be', { comparator: 'lt', threshold: -100 }, 'rule.neverViolated threshold'],
  ['humidity has its own range', { quantity: 'humidity', threshold: 101 }, 'rule.neverViolated threshold'],
  ['whatever it is', { comparator: 'gte', threshold: -100 }, 'rule.alwaysViolated threshold'],
  ['whatever it is, low', { comparator: 'lt', threshold: 100.1 }, 'rule.alwaysViolated threshold'],
  ['a door that is open', { quantity: 'doorOpen', comparator: 'gte', threshold: 1 }, ''],
  ['power that is off', { quantity: 'powerOn', comparator: 'lt', threshold: 0.5 }, ''],
  ['more than yes', { quantity: 'doorOpen', threshold: 1 }, 'rule.neverViolated threshold'],
  ['less than no', { quantity: 'powerOn', comparator: 'lt', threshold: 0 }, 'rule.neverViolated threshold'],
  ['yes or no', { quantity: 'doorOpen', comparator: 'gte', threshold: 0 }, 'rule.alwaysViolated threshold'],
  [
    'how fast a door opens',
    { quantity: 'doorOpen', measure: 'jump', threshold: 0.5 },
    'rule.measureUnsuitable measure',
  ],
  ['rising fast', { measure: 'ratePerHour', threshold: 20, ...instant }, ''],
  ['falling fast', { measure: 'ratePerHour', comparator: 'lt', threshold: -20, ...instant }, ''],
  [
    'not moving is not rising',
    { measure: 'ratePerHour', comparator: 'gte', threshold: 0, ...instant },
    'rule.alwaysViolated threshold',
  ],
  ['a jump over all that can be', { measure: 'jump', threshold: 200 }, 'rule.neverViolated threshold'],
  ['a great jump', { measure: 'jump', comparator: 'gte', threshold: 200 }, ''],
  [
    'a jump downwards is one too',
    { measure: 'jump', comparator: 'lt', threshold: -5 },
    'rule.neverViolated threshold',
  ],
  ['stuck', { measure: 'stuck', comparator: 'lte', threshold: 0 }, ''],
  [
    'stuck by less than nothing',
    { measure: 'stuck', comparator: 'lt', threshold: 0 },
    'rule.neverViolated threshold',
  ],
  [
    'stuck whatever it does',
    { measure: 'stuck', comparator: 'lte', threshold: 200 },
    'rule.alwaysViolated threshold',
  ],
  [
    'stuck while it moves',
    { measure: 'stuck', comparator: 'gte', threshold: 1 },
    'rule.measureUnsuitable comparator',
  ],
  ['an instant with a duration', { mode: 'instant' }, 'rule.durationUnused durationMs'],
  ['an instant', { ...instant }, ''],
  ['no duration', { durationMs: 0 }, 'rule.durationMissing durationMs'],
  ['no duration, cumulative', { ...day, durationMs: 0 }, 'rule.durationMissing durationMs'],
  ['a window for a run', { window: { kind: 'sliding', ms: DAY_MS } }, 'rule.windowUnused window'],
  ['a window for an instant', { ...day, ...instant }, 'rule.windowUnused window'],
  ['a window for all', { ...sliding(DAY_MS) }, ''],
  ['all of the window', { ...sliding(HOUR_MS) }, ''],
  ['no window', { mode: 'cumulative' }, 'rule.windowMissing window'],
  [
    'longer than the window',
    { ...sliding(HOUR_MS), durationMs: HOUR_MS + 1 },
    'rule.durationExceedsWindow durationMs',
  ],
  ['longer than a day', { ...day, durationMs: DAY_MS + 1 }, 'rule.durationExceedsWindow durationMs'],
  ['a hysteresis', { hysteresis: 1 }, ''],
  ['back to the coldest there is', { hysteresis: 108 }, ''],
  ['back to nowhere', { hysteresis: 108.1 }, 'rule.hysteresisTooLarge hysteresis'],
  [
    'back to nowhere, upwards',
    { comparator: 'lt', threshold: 2, hysteresis: 99 },
    'rule.hysteresisTooLarge hysteresis',
  ],
  [
    'half open',
    { quantity: 'doorOpen', comparator: 'gte', threshold: 1, hysteresis: 0.5 },
    'rule.hysteresisUnused hysteresis',
  ],
  ['at night', { ...hours('22:00', '06:00'), durationMs: 8 * HOUR_MS - 1 }, ''],
  [
    'all night, but the last reading is outside',
    { ...hours('22:00', '06:00'), durationMs: 8 * HOUR_MS },
    'rule.activeHoursTooShort activeHours',
  ],
  ['no hours', { ...hours('08:00', '08:00') }, 'rule.activeHoursEmpty activeHours'],
  [
    'cumulative over two nights',
    { ...hours('22:00', '06:00'), ...sliding(2 * DAY_MS), durationMs: 16 * HOUR_MS - 1 },
    '',
  ],
  [
    'more than two nights have',
    { ...hours('22:00', '06:00'), ...sliding(2 * DAY_MS), durationMs: 16 * HOUR_MS },
    'rule.activeHoursTooShort activeHours',
  ],
  [
    'more than a day has of it',
    { ...hours('08:00', '09:00'), ...day, durationMs: HOUR_MS + MINUTE_MS },
    'rule.activeHoursTooShort activeHours',
  ],
  ['an instant at any hour', { ...hours('08:00', '08:01'), ...instant }, ''],
  ['for a month', { validFrom: T0, validTo: T0 + 30 * DAY_MS }, ''],
  ['never', { validFrom: T0, validTo: T0 }, 'rule.validityEmpty validTo'],
  ['for as long as its duration', { validFrom: T0, validTo: T0 + HOUR_MS }, 'rule.validityTooShort validTo'],
]

test('what is wrong with a rule', async (t) => {
  for (const [name, change, expected] of TABLE) {
    const found = ruleProblems([{ ...warm, ...change }]).map(({ code, field }) => `${code} ${field}`)
    t.same(found, expected === '' ? [] : [expected], name)
  }
})

const cold = { ...warm, comparator: 'lt', threshold: 2 } as const

/** Of two rules; the second one is found at fault. */
const PAIRS: readonly (readonly [string, RuleDraft, RuleDraft, string])[] = [
  ['warm and cold', warm, cold, ''],
  ['the same under another name', warm, { ...warm, name: 'Hot', severity: 'warning' }, 'rule.duplicate'],
  ['the same, ending later', warm, { ...warm, hysteresis: 1 }, 'rule.duplicate'],
  ['sooner', warm, { ...warm, durationMs: 2 * HOUR_MS }, ''],
  ['a low limit above the high one', warm, { ...cold, threshold: 9 }, 'rule.contradictory'],
  ['whichever comes first', { ...cold, threshold: 9 }, warm, 'rule.contradictory'],
  ['just one value is left', warm, { ...cold, threshold: 8 }, ''],
  ['none is left', warm, { ...cold, comparator: 'lte', threshold: 8 }, 'rule.contradictory'],
  ['of two things', warm, { ...cold, quantity: 'ambientTemperature', threshold: 9 }, ''],
  ['two high limits', warm, { ...warm, threshold: 10 }, ''],
  [
    'one by day and one by night',
    { ...warm, ...hours('06:00', '22:00') },
    { ...cold, threshold: 9, ...hours('22:00', '06:00') },
    '',
  ],
  [
    'hours that meet',
    { ...warm, ...hours('06:00', '22:01') },
    { ...cold, threshold: 9, ...hours('22:00', '06:00') },
    'rule.contradictory',
  ],
  ['one after the other', { ...warm, validTo: T0 }, { ...cold, threshold: 9, validFrom: T0 }, ''],
  [
    'a door neither open nor shut',
    { ...warm, quantity: 'doorOpen', comparator: 'gte', threshold: 0.5 },
    { ...warm, quantity: 'doorOpen', comparator: 'lt', threshold: 0.5 },
    'rule.contradictory',
  ],
]

test('what is wrong with two rules together', async (t) => {
  for (const [name, first, second, code] of PAIRS) {
    const found = ruleProblems([first, second])
    t.same(
      found.map((problem) => [problem.index, problem.code]),
      code === '' ? [] : [[1, code]],
      name,
    )
  }
})

test('a version ends after it begins', async (t) => {
  t.equal(validityProblem({ validFrom: null, validTo: T0 }), undefined)
  t.equal(validityProblem({ validFrom: T0, validTo: T0 + 1 }), undefined)
  t.match(validityProblem({ validFrom: T0, validTo: T0 }), {
    code: 'profile.validityEmpty',
    field: 'validTo',
  })
})

test('what ships would be taken', async (t) => {
  for (const [profile, rules] of Map.groupBy(SHIPPED_RULES, (rule) => rule.profile))
    t.same(ruleProblems(rules), [], profile)
})

/** Codes that say that a rule can never fire. */
const NEVER: ReadonlySet<string> = new Set([
  'rule.neverViolated',
  'rule.durationExceedsWindow',
  'rule.activeHoursTooShort',
  'rule.validityEmpty',
  'rule.validityTooShort',
])

test('a rule that is said never to fire never does', async (t) => {
  const time = fc.constantFrom('00:00', '06:00', '08:00', '09:00', '22:00')
  const rule: fc.Arbitrary<Rule> = fc
    .record({
      measure: fc.constantFrom('value', 'jump', 'stuck', 'ratePerHour'),
      comparator: fc.constantFrom('gt', 'gte', 'lt', 'lte'),
      threshold: fc.constantFrom(-101, -100, 0, 5, 100, 101, 200, 201),
      mode: fc.constantFrom('instant', 'consecutive', 'cumulative'),
      durationMs: fc.constantFrom(HOUR_MS, 8 * HOUR_MS, 10 * HOUR_MS, 24 * HOUR_MS, 25 * HOUR_MS),
      window: fc.constantFrom(HOUR_MS, 24 * HOUR_MS, 30 * HOUR_MS, 48 * HOUR_MS, 0),
      hours: fc.option(fc.tuple(time, time)),
      validFor: fc.option(fc.constantFrom(0, HOUR_MS, HOUR_MS + 1, DAY_MS)),
    } as const)
    .map(({ window, hours: active, validFor, mode, durationMs, ...rest }) => ({
      ...warm,
      ...rest,
      id: 'r',
      profile: 'p',
      version: 1,
      mode,
      durationMs: mode === 'instant' ? 0 : durationMs,
      window:
        mode !== 'cumulative'
          ? null
          : window === 0
            ? { kind: 'day', timeZone: 'UTC' }
            : { kind: 'sliding', ms: window },
      activeHours: active && { from: active[0], to: active[1], timeZone: 'UTC' },
      validFrom: validFor === null ? null : T0,
      validTo: validFor === null ? null : T0 + validFor,
    }))
  // Extremes, every quarter of an hour for three days: the most that there can be.
  const series = fc.tuple(fc.constantFrom(-100, 0, 100), fc.constantFrom(-100, 0, 100))
  let said = 0
  fc.assert(
    fc.property(rule, series, (one, [even, odd]) => {
      const problems = ruleProblems([one]).filter(({ code }) => NEVER.has(code))
      if (problems.length === 0) return
      said += 1
      const readings = Array.from({ length: 3 * 96 }, (_, index) => ({
        time: T0 + index * 15 * MINUTE_MS,
        values: { temperature: index % 2 === 0 ? even : odd },
      }))
      deepStrictEqual(judgeReadings(one, readings), [], JSON.stringify(problems))
    }),
    { numRuns: 2000 },
  )
  t.ok(said > 500, `${said} times`)
})
