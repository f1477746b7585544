import * as fc from 'fast-check'
import { test } from 'tap'
import { periodsOf } from '../../domain/calendar.ts'
import { createExposures, limitsOf, type Exposed, type Exposure, type Limits } from '../../domain/exposure.ts'
import { meanKineticTemperature } from '../../domain/mkt.ts'
import { violates, type Rule } from '../../domain/rule.ts'
import { SHIPPED_RULES } from '../../domain/shipped-rules.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const START = Date.parse('2026-11-24T00:00:00Z')
const WHO: Limits = {
  high: { comparator: 'gt', threshold: 8 },
  low: { comparator: 'lte', threshold: -0.5 },
}

interface Point {
  readonly time: number
  readonly value: number
}

const oneDay = periodsOf('UTC', { from: '2026-11-24', to: '2026-11-24' }, 'day')

function sum(points: readonly Point[], periods = oneDay, limits = WHO, gapMsMax = 2 * HOUR_MS): Exposed[] {
  const exposures = createExposures(periods, () => limits, gapMsMax)
  const done = points.flatMap(({ time, value }) => exposures.add(time, value))
  return [...done, ...exposures.end()]
}

function only(found: readonly Exposed[]): Exposure {
  const [first] = found
  if (!first || found.length > 1) throw new Error(`${found.length} periods`)
  return first.exposure
}

const at = (hour: number, value: number): Point => ({ time: START + hour * HOUR_MS, value })

test('exposure: a reading holds until the next, and the limits are those of the rule', async (t) => {
  const found = only(
    sum([at(0, 4), at(1, 8), at(2, 9), at(3, 11), at(4, -0.5), at(5, -1.5), at(6, 5), at(7, 5)]),
  )
  t.match(found, {
    readings: 8,
    coveredMs: 7 * HOUR_MS,
    aboveMs: 2 * HOUR_MS,
    belowMs: 2 * HOUR_MS,
    inRangeMs: 3 * HOUR_MS,
    aboveKelvinMs: 4 * HOUR_MS,
    belowKelvinMs: HOUR_MS,
    min: -1.5,
    minAt: START + 5 * HOUR_MS,
    max: 11,
    maxAt: START + 3 * HOUR_MS,
  })
  t.equal(found.mean, (4 + 8 + 9 + 11 - 0.5 - 1.5 + 5) / 7)
})

test('exposure: a gap counts for nothing; one just as long as allowed counts', async (t) => {
  t.match(only(sum([at(0, 9), at(2, 4)])), { coveredMs: 2 * HOUR_MS, aboveMs: 2 * HOUR_MS })
  const late = { time: START + 2 * HOUR_MS + 1, value: 4 }
  t.match(only(sum([at(0, 9), late])), { coveredMs: 0, aboveMs: 0, mean: null, mktCelsius: null, max: 9 })
})

test('exposure: without readings, and without limits', async (t) => {
  t.match(only(sum([])), { readings: 0, coveredMs: 0, min: null, max: null, mean: null, mktCelsius: null })
  const free = only(sum([at(0, 30), at(1, 30)], oneDay, { high: null, low: null }))
  t.match(free, { aboveMs: 0, inRangeMs: HOUR_MS, max: 30 })
})

test('exposure: what was before midnight holds into the day, and no longer than the day', async (t) => {
  const found = sum([at(-0.5, 10), at(0.5, 4), at(23.5, 9), at(24.5, 4)], oneDay)
  t.match(only(found), { readings: 2, aboveMs: HOUR_MS, coveredMs: HOUR_MS, max: 10, maxAt: START })
})

/** Of a steady reading an hour, how many hours each day has in Berlin. */
function hours(days: { readonly from: string; readonly to: string }) {
  const periods = periodsOf('Europe/Berlin', days, 'day')
  const from = (periods[0]?.startMs ?? 0) - HOUR_MS
  const points = Array.from({ length: 100 }, (_, index) => ({ time: from + index * HOUR_MS, value: 5 }))
  return sum(points, periods).map(({ period, exposure }) => [period.name, exposure.coveredMs / HOUR_MS])
}

test('exposure: days of 23 and 25 hours', async (t) => {
  t.same(hours({ from: '2026-03-28', to: '2026-03-30' }), [
    ['2026-03-28', 24],
    ['2026-03-29', 23],
    ['2026-03-30', 24],
  ])
  t.same(hours({ from: '2026-10-24', to: '2026-10-26' }), [
    ['2026-10-24', 24],
    ['2026-10-25', 25],
    ['2026-10-26', 24],
  ])
})

test('exposure: the limits of rules are those that are met first', async (t) => {
  t.same(
    limitsOf(
      SHIPPED_RULES.filter(({ profile }) => profile === 'who-30dtr'),
      START,
    ),
    WHO,
  )
  const [rule] = SHIPPED_RULES
  if (!rule) throw new Error('no rules')
  const type2: Rule[] = [45, 10, 30].map((threshold) => ({ ...rule, comparator: 'gte', threshold }))
  t.same(limitsOf(type2, START), { high: { comparator: 'gte', threshold: 10 }, low: null })
  t.same(
    limitsOf(
      [
        { ...rule, quantity: 'humidity' },
        { ...rule, validTo: START },
      ],
      START,
    ),
    { high: null, low: null },
  )
})

const series = fc
  .array(
    fc.record({
      minutes: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: 1, max: 40 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 2000 }) },
      ),
      value: fc.integer({ min: -30, max: 150 }).map((tenths) => tenths / 10),
    }),
    { maxLength: 200 },
  )
  .map((steps) => {
    let time = START - 5 * HOUR_MS
    return steps.map(({ minutes, value }): Point => ({ time: (time += minutes * MINUTE_MS), value }))
  })

/** Minute by minute: what was the newest reading, and was the next one not too far? */
function slowly(points: readonly Point[], from: number, to: number, gapMsMax: number) {
  const known: number[] = []
  for (let minute = from; minute < to; minute += MINUTE_MS) {
    const index = points.findLastIndex(({ time }) => time <= minute)
    const [held, next] = [points[index], points[index + 1]]
    if (held && next && next.time - held.time <= gapMsMax) known.push(held.value)
  }
  const above = known.filter((value) => violates({ comparator: 'gt', threshold: 8 }, value))
  const below = known.filter((value) => violates({ comparator: 'lte', threshold: -0.5 }, value))
  return {
    coveredMs: known.length * MINUTE_MS,
    aboveMs: above.length * MINUTE_MS,
    belowMs: below.length * MINUTE_MS,
    aboveKelvinMs: above.reduce((sum2, value) => sum2 + (value - 8) * MINUTE_MS, 0),
    belowKelvinMs: below.reduce((sum2, value) => sum2 + (-0.5 - value) * MINUTE_MS, 0),
    mktCelsius: meanKineticTemperature(known.map((celsius) => ({ celsius, weight: 1 }))),
  }
}

test('exposure: agrees with counting minute by minute, day by day', async (t) => {
  const periods = periodsOf('Asia/Jakarta', { from: '2026-11-24', to: '2026-11-26' }, 'day')
  fc.assert(
    fc.property(series, fc.integer({ min: 20, max: 300 }), (points, gapMinutes) => {
      const found = sum(points, periods, WHO, gapMinutes * MINUTE_MS)
      return (
        found.length === periods.length &&
        found.every(({ period, exposure }, index) => {
          const expected = slowly(points, period.startMs, period.endMs, gapMinutes * MINUTE_MS)
          const keys = Object.keys(expected) as (keyof typeof expected)[]
          return (
            period === periods[index] &&
            keys.every((key) => Math.abs((exposure[key] ?? 0) - (expected[key] ?? 0)) <= 1e-3) &&
            exposure.inRangeMs === exposure.coveredMs - exposure.aboveMs - exposure.belowMs
          )
        })
      )
    }),
    { numRuns: 60 },
  )
  t.pass()
})
