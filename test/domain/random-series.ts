import * as fc from 'fast-check'
import type { Rule } from '../../domain/rule.ts'
import { RULE_DEFAULTS } from '../../domain/shipped-rules.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** From the Friday before the clocks go forward in Berlin to the week after they go back: both come up. */
const STARTS = [
  Date.UTC(2026, 2, 27),
  Date.UTC(2026, 9, 23),
  Date.UTC(2026, 3, 3),
  // Not on a minute.
  Date.UTC(2026, 5, 1) + 12_345,
]
const ZONES = ['Asia/Jakarta', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Chatham']

const clock = fc.constantFrom('00:00', '01:30', '02:30', '06:00', '12:15', '22:00')
const hours = fc
  .record({ from: clock, to: clock, timeZone: fc.constantFrom(...ZONES) })
  .filter(({ from, to }) => from !== to)

/** Any rule, its threshold where `randomSeries` lingers. */
export const randomRule: fc.Arbitrary<Rule> = fc
  .record({
    measure: fc.constantFrom('value', 'value', 'value', 'ratePerHour', 'stuck', 'jump'),
    comparator: fc.constantFrom('gt', 'gte', 'lt', 'lte'),
    mode: fc.constantFrom('instant', 'consecutive', 'cumulative', 'cumulative'),
    durationMs: fc.constantFrom(1, 10, 30, 60, 61, 180, 600).map((minutes) => minutes * MINUTE_MS),
    windowMs: fc.constantFrom(0, 1, 6, 24, 24, 24 * 7).map((h) => h * HOUR_MS),
    timeZone: fc.constantFrom(...ZONES),
    hysteresis: fc.constantFrom(0, 0, 0.1, 0.2, 1),
    gapMsMax: fc.constantFrom(10, 20, 60, 120).map((minutes) => minutes * MINUTE_MS),
    activeHours: fc.option(hours, { freq: 4 }),
    validFrom: fc.option(fc.integer({ min: 0, max: 48 }), { freq: 4 }),
    validTo: fc.option(fc.integer({ min: 100, max: 2000 }), { freq: 4 }),
  })
  // Time without a change does not add up: a value that moved is not stuck.
  .map((some) => ({
    ...some,
    mode: some.measure === 'stuck' && some.mode === 'cumulative' ? ('consecutive' as const) : some.mode,
  }))
  .map(({ measure, comparator, mode, windowMs, timeZone, validFrom, validTo, ...some }): Rule => {
    const isHigh = comparator === 'gt' || comparator === 'gte'
    // Thresholds that are met exactly, and often.
    const threshold = { value: 8, ratePerHour: isHigh ? 2 : -2, stuck: isHigh ? 0.5 : 0, jump: 0.5 }[measure]
    return {
      ...RULE_DEFAULTS,
      ...some,
      id: 'random',
      profile: 'random',
      name: 'random',
      severity: 'critical',
      quantity: 'temperature',
      measure,
      comparator,
      mode,
      threshold,
      durationMs: mode === 'instant' ? 0 : some.durationMs,
      window:
        windowMs === 0
          ? { kind: 'day', timeZone }
          : { kind: 'sliding', ms: Math.max(windowMs, some.durationMs) },
      validFrom: moment(validFrom),
      validTo: moment(validTo),
    }
  })

function moment(h: number | null): number | null {
  return h === null ? null : (STARTS[0] ?? 0) + h * HOUR_MS
}

/** Readings that linger about the threshold, with silences, at a cadence that changes. */
export function randomSeries(seed: number, count: number, cadenceMs: number, swing: number) {
  let state = seed >>> 0
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  let time = STARTS[seed % STARTS.length] ?? 0
  let value = 8
  return Array.from({ length: count }, () => {
    const luck = random()
    time +=
      luck < 0.002 ? 3 * HOUR_MS : luck < 0.02 ? 12 * cadenceMs : Math.ceil(cadenceMs * (0.5 + random()))
    // Back to the threshold in the long run; it often stays where it is.
    if (random() < 0.7) value += (random() - 0.5) * swing + (8 - value) * 0.02
    value = Math.round(value * 10) / 10
    return { time, values: { temperature: value } }
  })
}

/** How readings come: every 20 seconds to every 10 minutes. */
export const randomPace = fc.record({
  seed: fc.nat(),
  cadenceMs: fc.constantFrom(20_000, MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS),
  swing: fc.constantFrom(0.4, 1, 3),
})
