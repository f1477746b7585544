import { deepStrictEqual } from 'node:assert'
import * as fc from 'fast-check'
import { test } from 'tap'
import { breachOf, fold, initialState, type Breach, type Run } from '../../domain/breach.ts'
import type { Rule } from '../../domain/rule.ts'
import { RULE_DEFAULTS } from '../../domain/shipped-rules.ts'
import { createSettling, isSettled } from '../../domain/settling.ts'
import { randomPace, randomRule, randomSeries } from './random-series.ts'

const MINUTE_MS = 60_000

type Readings = ReturnType<typeof randomSeries>

/** Folds the readings; says also since when it would stand the same whatever came before `since`. */
function judge(rule: Rule, readings: Readings, since: number) {
  const state = initialState()
  const settling = createSettling(since)
  const runs = new Set<Run>()
  let settled: { readonly quietFrom: number; readonly at: number } | undefined
  for (const { time, values } of readings) {
    const changed: Run[] = []
    fold(state, rule, time, values.temperature, changed)
    for (const run of changed) runs.add(run)
    if (time > since && settled === undefined && isSettled(settling, rule, state))
      settled = { quietFrom: settling.quietFrom ?? NaN, at: time }
  }
  return { breaches: [...runs].map(breachOf), settled }
}

function after(breaches: readonly Breach[], time: number): Breach[] {
  return breaches.filter(({ endAt }) => (endAt ?? Infinity) > time)
}

const numRuns = Number(process.env.PROPERTY_RUNS ?? 300)

test(
  'once it is settled, it does not matter what came before',
  { timeout: 60_000 + numRuns * 1000 },
  async (t) => {
    const settled = { cumulative: 0, consecutive: 0, instant: 0 }
    const withBreaches = { cumulative: 0, consecutive: 0, instant: 0 }
    const property = fc.property(
      randomRule,
      randomPace,
      fc.nat(),
      fc.nat({ max: 1500 }),
      (rule, pace, other, cut) => {
        const readings = randomSeries(pace.seed, 3000, pace.cadenceMs, pace.swing)
        const rest = readings.slice(cut + 1)
        const since = readings[cut]?.time ?? NaN
        // Nothing, and readings that have nothing to do with those.
        const others = randomSeries(other, 3000, pace.cadenceMs, pace.swing).filter(
          ({ time }) => time <= since,
        )
        for (const before of [[], others]) {
          const mine = judge(rule, [...before, ...rest], since)
          if (mine.settled === undefined) continue
          const { quietFrom } = mine.settled
          const whole = judge(rule, readings, since)
          settled[rule.mode] += 1
          if (after(whole.breaches, quietFrom).length > 0) withBreaches[rule.mode] += 1
          deepStrictEqual(after(mine.breaches, quietFrom), after(whole.breaches, quietFrom))
        }
      },
    )
    fc.assert(property, { numRuns })
    t.comment(`settled ${JSON.stringify(settled)}, with breaches after it ${JSON.stringify(withBreaches)}`)
    for (const [mode, count] of Object.entries(withBreaches)) t.ok(count > 0, mode)
  },
)

function isWarm(minute: number): boolean {
  return (
    (minute >= -50 && minute <= -10) || (minute >= 600 && minute <= 620) || (minute >= 1800 && minute <= 1840)
  )
}

test('what was not read may still be in the window: a breach that it made goes on', async (t) => {
  const rule: Rule = {
    ...RULE_DEFAULTS,
    id: 'sum',
    profile: '',
    name: '',
    quantity: 'temperature',
    comparator: 'gt',
    threshold: 8,
    mode: 'cumulative',
    durationMs: 60 * MINUTE_MS,
    window: { kind: 'sliding', ms: 24 * 60 * MINUTE_MS },
    severity: 'critical',
  }
  const readings = Array.from({ length: 2000 }, (_, index) => index - 60).map((minute) => ({
    time: minute * MINUTE_MS,
    values: { temperature: isWarm(minute) ? 9 : 5 },
  }))
  const whole = judge(rule, readings, 0)
  t.match(whole.breaches, [{ startAt: -50 * MINUTE_MS, endAt: 1841 * MINUTE_MS }])
  const mine = judge(
    rule,
    readings.filter(({ time }) => time > 0),
    0,
  )
  t.match(mine.breaches, [{ startAt: 600 * MINUTE_MS }], 'it does not know')
  t.equal(mine.settled, undefined, 'and says so')
})
