import { test } from 'tap'
import { fold, initialState, judgeReadings, type Breach, type Run } from '../../domain/breach.ts'
import type { Rule } from '../../domain/rule.ts'
import { shippedRules } from '../../domain/shipped-rules.ts'
import { referenceBreaches } from './breach-reference.ts'

const MINUTE_MS = 60_000
const [high, low] = shippedRules('who-30dtr') as [Rule, Rule]
const instant: Rule = { ...high, id: 'instant', mode: 'instant', durationMs: 0 }

/** Readings of `[minute, temperature]`. */
function series(...points: readonly (readonly [number, number])[]) {
  return points.map(([minute, temperature]) => ({ time: minute * MINUTE_MS, values: { temperature } }))
}

/** The same temperature every minute from `from` to `to`, both included. */
function every(from: number, to: number, temperature: number): [number, number][] {
  return Array.from({ length: to - from + 1 }, (_, index) => [from + index, temperature])
}

function inMinutes(breaches: readonly Breach[]) {
  return breaches.map(({ startAt, endAt, peak, peakAt, lastAt, readings }) => ({
    start: startAt / MINUTE_MS,
    end: endAt === null ? null : endAt / MINUTE_MS,
    peak,
    peakAt: peakAt / MINUTE_MS,
    last: lastAt / MINUTE_MS,
    readings,
  }))
}

interface Case {
  readonly name: string
  readonly rule: Rule
  readonly points: readonly (readonly [number, number])[]
  /** How many breaches. */
  readonly expected: number
}

// WHO PQS E006/TR06 and genuine Fridge-tag 2 exports: `1: T AL: +8.0, t AL: 600`, `0: T AL: -0.5, t AL: 60`; `Max T: +8.0` with `t Acc: 0`.
const cases: readonly Case[] = [
  { name: 'no reading', rule: high, points: [], expected: 0 },
  { name: '+8.0 exactly, for two days', rule: high, points: every(0, 2880, 8), expected: 0 },
  { name: '+8.1 for 599 minutes', rule: high, points: every(0, 599, 8.1), expected: 0 },
  { name: '+8.1 for 600 minutes exactly', rule: high, points: every(0, 600, 8.1), expected: 1 },
  { name: '+8.1 for 601 minutes', rule: high, points: every(0, 601, 8.1), expected: 1 },
  { name: '-0.4 for two days', rule: low, points: every(0, 2880, -0.4), expected: 0 },
  { name: '-0.5 for 59 minutes', rule: low, points: every(0, 59, -0.5), expected: 0 },
  { name: '-0.5 for 60 minutes exactly', rule: low, points: every(0, 60, -0.5), expected: 1 },
  { name: '-0.5 for 61 minutes', rule: low, points: every(0, 61, -0.5), expected: 1 },
  {
    name: 'one reading at +8.0 in the middle starts the clock anew',
    rule: high,
    points: [...every(0, 300, 9), [301, 8], ...every(302, 901, 9)],
    expected: 0,
  },
  {
    name: 'long enough on both sides of a reading in range',
    rule: high,
    points: [...every(0, 600, 9), [601, 8], ...every(602, 1202, 9)],
    expected: 2,
  },
  {
    name: 'a silence of exactly two hours counts',
    rule: low,
    points: [
      [0, -1],
      [120, -1],
    ],
    expected: 1,
  },
  {
    name: 'a silence of more than two hours does not',
    rule: low,
    points: [
      [0, -1],
      [121, -1],
    ],
    expected: 0,
  },
  { name: 'instant: one reading is enough', rule: instant, points: [[0, 8.1]], expected: 1 },
  { name: 'instant: the threshold is not', rule: instant, points: [[0, 8]], expected: 0 },
]

for (const { name, rule, points, expected } of cases) {
  test(`${rule.id}: ${name}`, async (t) => {
    t.equal(judgeReadings(rule, series(...points)).length, expected)
    t.same(judgeReadings(rule, series(...points)), referenceBreaches(rule, series(...points)))
  })
}

test('a breach has its first and last violating reading, its end, and the earliest of its furthest readings', async (t) => {
  const points = series([0, 5], ...every(1, 400, 9), [401, 12.5], [402, 12.5], ...every(403, 700, 9), [
    701, 8,
  ])
  t.same(inMinutes(judgeReadings(high, points)), [
    { start: 1, end: 701, peak: 12.5, peakAt: 401, last: 700, readings: 700 },
  ])
})

test('the peak of a low rule is the lowest', async (t) => {
  const points = series(...every(0, 30, -1), [31, -4], ...every(32, 60, -2))
  t.same(inMinutes(judgeReadings(low, points)), [
    { start: 0, end: null, peak: -4, peakAt: 31, last: 60, readings: 61 },
  ])
})

test('before a breach is reached a silence starts it anew at the later reading; after that only a reading in range ends it', async (t) => {
  const before = series([0, 9], [300, 9], ...every(301, 900, 9))
  t.same(inMinutes(judgeReadings(high, before)), [
    { start: 300, end: null, peak: 9, peakAt: 300, last: 900, readings: 601 },
  ])
  const after = series(...every(0, 600, 9), [6000, 9], [6001, 7])
  t.same(inMinutes(judgeReadings(high, after)), [
    { start: 0, end: 6001, peak: 9, peakAt: 0, last: 6000, readings: 602 },
  ])
})

test('of two values at one time the greater counts, whichever comes first', async (t) => {
  for (const pair of [
    [5, -1],
    [-1, 5],
  ]) {
    const points = [...every(0, 30, -1), ...pair.map((value) => [31, value] as const), ...every(32, 91, -1)]
    t.equal(judgeReadings(low, series(...points)).length, 0, 'in range at 31 for the low rule')
    const hot = points.map(([minute, value]) => [minute, -value] as const)
    t.equal(
      judgeReadings({ ...high, threshold: 0, durationMs: 91 * MINUTE_MS }, series(...hot)).length,
      1,
      'out of range at 31 for a high rule',
    )
  }
})

test('readings without the quantity are not there', async (t) => {
  const points = series(...every(0, 59, -1), [60, -1]).flatMap((reading) => [
    reading,
    { time: reading.time + 1, values: { humidity: 50 } },
  ])
  t.equal(judgeReadings(low, points).length, 1)
  t.equal(judgeReadings({ ...low, quantity: 'humidity' }, points).length, 0)
})

test('fold says what a reading did', async (t) => {
  const rule: Rule = { ...low, durationMs: 60 }
  const state = initialState()
  const after = (time: number, value: number) => {
    const changed: Run[] = []
    fold(state, rule, time, value, changed)
    return changed
  }
  t.same(after(0, 5), [], 'in range')
  t.same(after(40, -1), [], 'violates')
  const [run] = after(100, -2)
  t.match(run, { startAt: 40, reachedAt: 100, lastAt: 100, endAt: null }, 'opens')
  t.equal(after(110, -1)[0], run, 'extends')
  t.equal(after(120, 1)[0], run, 'ends')
  t.match(run, { reachedAt: 100, lastAt: 110, endAt: 120, readings: 3, peak: -2 })
  t.same(after(130, 1), [], 'in range again')
})
