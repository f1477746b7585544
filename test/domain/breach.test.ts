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

const DAY: Partial<Rule> = { mode: 'cumulative', window: { kind: 'day', timeZone: 'Europe/Berlin' } }
const SLIDING: Partial<Rule> = { mode: 'cumulative', window: { kind: 'sliding', ms: 24 * 60 * MINUTE_MS } }

/** Every minute of [from, to] at a time of Berlin on a day. */
function berlin(day: string, from: string, to: string, temperature: number): [number, number][] {
  const at = (time: string) =>
    Temporal.PlainDateTime.from(`${day}T${time}`).toZonedDateTime('Europe/Berlin').epochMilliseconds /
    MINUTE_MS
  return every(at(from), at(to), temperature)
}

// 20 minutes, twice, and a third time.
function pieces(last: number) {
  return series(...every(0, 20, 9), [21, 5], ...every(300, 320, 9), [321, 5], ...every(600, last, 9))
}

test('cumulative: what adds up to the duration exactly counts, in however many pieces', async (t) => {
  const rule: Rule = { ...high, ...SLIDING, durationMs: 60 * MINUTE_MS }
  t.same(inMinutes(judgeReadings(rule, pieces(619))), [], '59 minutes')
  t.same(inMinutes(judgeReadings(rule, pieces(620))), [
    { start: 0, end: null, peak: 9, peakAt: 0, last: 620, readings: 63 },
  ])
})

// 30 minutes at first; 24 hours later 30 minutes more take just as many out of the window.
function again(first: number) {
  return series(...every(0, 30, 9), [31, 5], ...every(first, first + 30, 9))
}

test('cumulative: what leaves the window counts no more, to the minute', async (t) => {
  const rule: Rule = { ...high, ...SLIDING, durationMs: 60 * MINUTE_MS }
  t.equal(judgeReadings(rule, again(1440 - 30)).length, 1, 'all of it is still there')
  t.equal(judgeReadings(rule, again(1440 - 29)).length, 0, 'a minute is gone')
})

test('cumulative: a silence adds nothing, and ends no breach', async (t) => {
  const rule: Rule = { ...high, ...SLIDING, durationMs: 60 * MINUTE_MS, gapMsMax: 10 * MINUTE_MS }
  t.equal(judgeReadings(rule, series([0, 9], [59, 9], [120, 9])).length, 0)
  t.equal(
    judgeReadings(rule, series(...every(0, 30, 9), ...every(41, 70, 9))).length,
    0,
    '11 minutes of silence',
  )
  t.equal(judgeReadings(rule, series(...every(0, 30, 9), ...every(40, 60, 9))).length, 1, '10 minutes count')
  t.match(inMinutes(judgeReadings(rule, series(...every(0, 60, 9), [300, 9], [301, 5]))), [
    { end: 301, last: 300 },
  ])
})

test('cumulative: violated again while the window holds a part of it, it is the same breach', async (t) => {
  const rule: Rule = { ...high, ...SLIDING, durationMs: 60 * MINUTE_MS }
  const points = [...every(0, 60, 9), [61, 5], ...every(100, 101, 10), [102, 5]] as const
  t.same(inMinutes(judgeReadings(rule, series(...points))), [
    { start: 0, end: 102, peak: 10, peakAt: 100, last: 101, readings: 63 },
  ])
  const later = [...points, ...every(3000, 3060, 9)]
  t.match(inMinutes(judgeReadings(rule, series(...later))), [
    { start: 0, end: 102 },
    { start: 3000, end: null },
  ])
})

test('cumulative by day: each local day adds up by itself, also those of 23 and of 25 hours', async (t) => {
  const rule: Rule = { ...high, ...DAY, durationMs: 10 * 60 * MINUTE_MS }
  const count = (...parts: [number, number][][]) => judgeReadings(rule, series(...parts.flat())).length
  const cool = (day: string, time: string) => berlin(day, time, time, 5)
  // Five hours before midnight and five after it.
  t.equal(count(berlin('2026-06-01', '19:00', '23:59', 9), berlin('2026-06-02', '00:00', '05:00', 9)), 0)
  t.equal(count(berlin('2026-06-01', '00:00', '10:00', 9)), 1)
  // 00:00 to 10:00 is nine hours on the day the clocks go forward, eleven on the day they go back.
  t.equal(count(berlin('2026-03-29', '00:00', '10:00', 9), cool('2026-03-29', '10:01')), 0)
  t.equal(count(berlin('2026-03-29', '00:00', '11:00', 9)), 1)
  t.equal(count(berlin('2026-10-25', '00:00', '08:59', 9)), 0)
  t.equal(count(berlin('2026-10-25', '00:00', '09:00', 9)), 1)
})

function until(time: string) {
  return series(...berlin('2026-03-29', '23:10', '23:59', 9), ...berlin('2026-03-30', '00:00', time, 9))
}

test('cumulative by day: the day of 23 hours ends at midnight', async (t) => {
  const rule: Rule = { ...high, ...DAY, durationMs: 60 * MINUTE_MS }
  t.equal(judgeReadings(rule, until('00:59')).length, 0)
  t.equal(judgeReadings(rule, until('01:00')).length, 1)
})

test('cumulative by day: what begins at midnight exactly counts from there', async (t) => {
  const rule: Rule = { ...high, ...DAY, durationMs: 60 * MINUTE_MS }
  const midnight = berlin('2026-06-01', '23:00', '23:59', 9).length
  t.equal(midnight, 60)
  const points = [...berlin('2026-06-01', '23:50', '23:59', 9), ...berlin('2026-06-02', '00:00', '00:00', 9)]
  const until = (time: string) => series(...points, ...berlin('2026-06-02', '00:02', time, 9))
  t.equal(judgeReadings(rule, until('00:59')).length, 0)
  t.equal(judgeReadings(rule, until('01:00')).length, 1)
})

test('hysteresis: what is neither starts nor ends nor counts, but time goes on', async (t) => {
  const rule: Rule = { ...high, hysteresis: 0.5, durationMs: 60 * MINUTE_MS }
  t.same(judgeReadings(rule, series(...every(0, 100, 7.8))), [], 'it starts nothing')
  t.same(judgeReadings(rule, series([0, 8.1], ...every(1, 100, 7.8))), [], 'it reaches nothing')
  t.same(
    inMinutes(judgeReadings(rule, series([0, 8.1], ...every(1, 59, 7.6), [60, 8.2], [61, 7.6], [62, 7.5]))),
    [{ start: 0, end: 62, peak: 8.2, peakAt: 60, last: 60, readings: 2 }],
  )
  t.same(
    judgeReadings(rule, series([0, 8.1], [1, 7.5], ...every(2, 61, 8.1))),
    [],
    '7.5 starts the clock anew',
  )
})

test('hours and validity: outside of them there is no rule, and what goes on ends where they end', async (t) => {
  const night = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' }
  const rule: Rule = { ...instant, activeHours: night }
  const [from = 0] = berlin('2026-06-01', '21:00', '21:00', 9)[0] ?? []
  t.same(inMinutes(judgeReadings(rule, series(...every(from, from + 1600, 9)))), [
    { start: from + 60, end: from + 540, peak: 9, peakAt: from + 60, last: from + 539, readings: 480 },
    { start: from + 1500, end: null, peak: 9, peakAt: from + 1500, last: from + 1600, readings: 101 },
  ])
  // The night of 28 March has seven hours, that of 24 October nine.
  for (const [day, next, hours] of [
    ['2026-03-28', '2026-03-29', 7],
    ['2026-10-24', '2026-10-25', 9],
  ] as const) {
    const points = series(...berlin(day, '20:00', '23:59', 9), ...berlin(next, '00:00', '12:00', 9))
    t.match(
      judgeReadings(rule, points).map(({ readings }) => readings),
      [hours * 60],
    )
  }
  const valid: Rule = { ...low, validFrom: 100 * MINUTE_MS, validTo: 200 * MINUTE_MS }
  t.same(inMinutes(judgeReadings(valid, series(...every(0, 300, -1)))), [
    { start: 100, end: 200, peak: -1, peakAt: 100, last: 199, readings: 100 },
  ])
  t.match(inMinutes(judgeReadings(valid, series(...every(0, 199, -1)))), [{ end: null }], 'nobody knows yet')
})
