import * as fc from 'fast-check'
import { test } from 'tap'
import { cadenceSetAt, learnCadence, learnPause, silenceLimit } from '../../domain/cadence.ts'
import { heardFor, silencesIn, type Listening, type Silence } from '../../domain/silence.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const everybody: Listening = { settings: [], absences: [] }

/** Readings so far apart, in minutes, from 0 on. */
const every = (...gaps: number[]) =>
  gaps.reduce<number[]>((times, gap) => [...times, (times.at(-1) ?? 0) + gap * MINUTE], [0])
const regular = (minutes: number, count: number) => every(...Array.from({ length: count }, () => minutes))

test('what a cadence is learned from', async (t) => {
  const table: readonly [number[], number | undefined][] = [
    [[], undefined],
    [[10, 10, 10], undefined],
    [[10, 10, 10, 10], 10],
    // One of four is missing, as always: that is what to expect.
    [[10, 20, 10, 20], 20],
    [[10, 10, 10, 4000], 10],
    // Three sensors, a second apart, every hour.
    [[1 / 60, 1 / 60, 59, 1 / 60, 1 / 60, 59, 1 / 60, 1 / 60, 59, 1 / 60, 1 / 60, 59], 59],
    [[0.1, 0.1, 0.1, 0.1], 1],
  ]
  for (const [minutes, cadence] of table)
    t.equal(learnCadence(minutes.map((m) => m * MINUTE)), cadence && cadence * MINUTE, String(minutes))
  t.equal(learnPause([6, 6, 6].map((h) => h * HOUR)), undefined)
  t.equal(learnPause([6, 5, 6, 7, 90].map((h) => h * HOUR)), 7 * HOUR)
})

test('how long a device may say nothing', async (t) => {
  const table: readonly [number | undefined, number | undefined, number][] = [
    [undefined, undefined, 6 * HOUR],
    [MINUTE, undefined, 30 * MINUTE],
    [10 * MINUTE, undefined, 30 * MINUTE],
    [15 * MINUTE, undefined, 45 * MINUTE],
    [24 * HOUR, undefined, 48 * HOUR],
    [10 * MINUTE, 7 * 24 * HOUR, 21 * 24 * HOUR],
    [undefined, MINUTE, 30 * MINUTE],
  ]
  for (const [learned, set, limit] of table) t.equal(silenceLimit(learned, set), limit)
  const settings = [
    { validFrom: 100, cadenceMs: 7 },
    { validFrom: 50, cadenceMs: 5 },
    { validFrom: 200, cadenceMs: null },
  ]
  for (const [time, set] of [
    [49, undefined],
    [50, 5],
    [99, 5],
    [100, 7],
    [199, 7],
    [200, undefined],
  ] as const)
    t.equal(cadenceSetAt(settings, time), set)
})

test('a gap that is as long as it may be is none that is longer', async (t) => {
  const before = regular(10, 16)
  const last = before.at(-1) ?? 0
  const after = (gap: number) => silencesIn([...before, last + gap], everybody)
  t.same(after(30 * MINUTE), [])
  t.same(after(30 * MINUTE + 1), [{ startAt: last, endAt: last + 30 * MINUTE + 1 }])
  const slow = regular(60, 16)
  const then = slow.at(-1) ?? 0
  t.same(silencesIn([...slow, then + 3 * HOUR], everybody), [])
  t.equal(silencesIn([...slow, then + 3 * HOUR + 1], everybody).length, 1)
  t.same(silencesIn([0, 6 * HOUR], everybody), [], 'nothing is known yet')
  t.equal(silencesIn([0, 6 * HOUR + 1], everybody).length, 1)
})

test('time in which nobody listened is held against no device', async (t) => {
  const before = regular(10, 16)
  const last = before.at(-1) ?? 0
  const times = [...before, last + 5 * HOUR]
  const away = (from: number, to: number) => ({ from: last + from * MINUTE, to: last + to * MINUTE })
  const found = (...absences: { from: number; to: number }[]) =>
    silencesIn(times, { settings: [], absences }).length
  t.equal(found(), 1)
  t.equal(found(away(10, 280)), 0)
  t.equal(found(away(10, 279)), 1)
  t.equal(found(away(10, 100), away(50, 280)), 0, 'overlapping')
  t.equal(found(away(-500, 900)), 0)
  t.equal(
    heardFor(0, 100, [
      { from: 90, to: 200 },
      { from: 10, to: 20 },
      { from: 15, to: 18 },
    ]),
    80,
  )
})

test('what was set holds for gaps that end later', async (t) => {
  const before = regular(10, 16)
  const last = before.at(-1) ?? 0
  const times = [...before, last + 2 * HOUR]
  const set = (validFrom: number) =>
    silencesIn(times, { settings: [{ validFrom, cadenceMs: HOUR }], absences: [] })
  t.equal(set(last + 2 * HOUR).length, 0)
  t.equal(set(last + 2 * HOUR + 1).length, 1)
})

/** Obviously right: every gap for itself, minute by minute where nobody listened. */
function reference(times: readonly number[], { settings, absences }: Listening): Silence[] {
  return times.slice(1).flatMap((endAt, index) => {
    const startAt = times[index] ?? 0
    const known = times.slice(Math.max(0, index - 16), index + 1)
    const gaps = known.slice(1).map((time, at) => time - (known[at] ?? 0))
    const sorted = gaps.toSorted((a, b) => a - b)
    const learned =
      gaps.length < 4 ? undefined : Math.max(MINUTE, sorted[Math.ceil(0.75 * gaps.length) - 1] ?? 0)
    const set = settings
      .filter((s) => s.validFrom <= endAt)
      .toSorted((a, b) => b.validFrom - a.validFrom)[0]?.cadenceMs
    const limit = set
      ? Math.max(3 * set, 30 * MINUTE)
      : learned === undefined
        ? 6 * HOUR
        : Math.min(48 * HOUR, Math.max(30 * MINUTE, 3 * learned))
    let heard = 0
    for (let at = startAt; at < endAt; at += MINUTE)
      if (!absences.some(({ from, to }) => at >= from && at < to)) heard += MINUTE
    return heard > limit ? [{ startAt, endAt }] : []
  })
}

test('agrees with a reference that looks at every gap for itself', async (t) => {
  const gap = fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 1, max: 30 }) },
    { weight: 2, arbitrary: fc.integer({ min: 31, max: 400 }) },
    { weight: 1, arbitrary: fc.integer({ min: 400, max: 6000 }) },
  )
  const minute = fc.integer({ min: 0, max: 20_000 }).map((m) => m * MINUTE)
  const absence = fc
    .tuple(minute, fc.integer({ min: 0, max: 3000 }))
    .map(([from, m]) => ({ from, to: from + m * MINUTE }))
  const setting = fc.record({
    validFrom: minute,
    cadenceMs: fc.oneof(
      fc.constant(null),
      fc.integer({ min: 5, max: 300 }).map((m) => m * MINUTE),
    ),
  })
  const property = fc.property(
    fc.array(gap, { minLength: 1, maxLength: 120 }),
    fc.uniqueArray(setting, { maxLength: 3, selector: ({ validFrom }) => validFrom }),
    fc.array(absence, { maxLength: 3 }),
    (gaps, settings, absences) => {
      const times = every(...gaps)
      const listening = { settings, absences }
      t.same(silencesIn(times, listening), reference(times, listening))
    },
  )
  fc.assert(property, { numRuns: 150 })
})
