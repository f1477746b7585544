import * as fc from 'fast-check'
import { test, type Test } from 'tap'
import { greater, QUANTITIES, QUANTITY_NAMES, type Reading, type Values } from '../../domain/reading.ts'
import type { Bucket, Series } from '../../ports/series.ts'

/** How to open the same, at first empty, store again. */
export type OpenSeries = () => Promise<Series>

/** What a technology cannot do otherwise. */
export interface SeriesCapabilities {
  /** Values keep this many; undefined where every double comes back as it was. No sensor measures as finely as either. */
  readonly significantDigits?: number
}

const MINUTE_MS = 60_000
const NOON = 1_763_899_200_000
const everything = { from: -(2 ** 52), to: 2 ** 52, limit: 10_000, order: 'ascending' } as const

const reading = (time: number, values: Values, sensor = 'main', deviceId = 'fridge'): Reading => ({
  deviceId,
  sensor,
  time,
  values,
})

const all = (series: Series, sensor = 'main', deviceId = 'fridge') =>
  series.read({ ...everything, deviceId, sensor })

const descending = (a: number, b: number) => b - a

/** The promises of `ports/series.ts`. `setUp` makes an empty store for one test. */
export function seriesContract(
  name: string,
  setUp: (t: Test) => Promise<OpenSeries>,
  { significantDigits }: SeriesCapabilities = {},
): void {
  // As a double has about sixteen digits, a few less can be off in the last of them.
  const kept = (value: number) =>
    significantDigits === undefined ? value : Number(value.toPrecision(significantDigits - 1))
  const roundedValues = (values: Values): Values =>
    Object.fromEntries(Object.entries(values).map(([quantity, value]) => [quantity, kept(value)]))

  const withSeries = async (t: Test) => {
    const series = await (await setUp(t))()
    t.teardown(() => series.close())
    return series
  }

  test(`${name}: the newest readings of many sensors come together`, async (t) => {
    const series = await withSeries(t)
    const odd = 'a "b" | c.*\\'
    await series.write([
      ...[1, 2, 3].map((minute) => reading(NOON + minute * MINUTE_MS, { temperature: minute, humidity: 50 })),
      reading(NOON, { temperature: 9 }, 'door'),
      reading(NOON + 2 * MINUTE_MS, { temperature: 7 }, 'main', odd),
      reading(NOON + 2 * MINUTE_MS, { temperature: 8 }, 'main', 'a b'),
    ])
    const sensors = [
      { deviceId: odd, sensor: 'main' },
      { deviceId: 'fridge', sensor: 'door' },
      { deviceId: 'fridge', sensor: 'main' },
    ]
    t.same(await series.readTails(sensors, NOON + 2 * MINUTE_MS, 100), [
      [reading(NOON + 2 * MINUTE_MS, { temperature: 7 }, 'main', odd)],
      [],
      [2, 3].map((minute) => reading(NOON + minute * MINUTE_MS, { temperature: minute, humidity: 50 })),
    ])
    t.equal(await series.readTails(sensors, NOON, 1), undefined, 'more than were asked for')
    t.same(await series.readTails([], NOON, 1), [])
  })

  test(`${name}: gives back what was written, in time order, either way`, async (t) => {
    const series = await withSeries(t)
    const times = [3, 1, 5, 2, 4].map((minute) => NOON + minute * MINUTE_MS)
    await series.write(times.map((time) => reading(time, { temperature: time % 7, humidity: 51.25 })))
    await series.write([])
    const read = await all(series)
    t.same(
      read.map(({ time }) => time),
      times.toSorted(),
    )
    t.same(read[0], reading(NOON + MINUTE_MS, { temperature: (NOON + MINUTE_MS) % 7, humidity: 51.25 }))
    const newest = await series.read({ ...everything, ...aKey, order: 'descending', limit: 2 })
    t.same(
      newest.map(({ time }) => time),
      times.toSorted(descending).slice(0, 2),
    )
    t.same(await series.read({ ...everything, ...aKey, limit: 0 }), [])
    await series.ping()
  })

  test(`${name}: from is inclusive, to is exclusive`, async (t) => {
    const series = await withSeries(t)
    await series.write([1, 2, 3].map((time) => reading(NOON + time, { temperature: time })))
    const read = await series.read({ ...everything, ...aKey, from: NOON + 1, to: NOON + 3 })
    t.same(
      read.map(({ time }) => time - NOON),
      [1, 2],
    )
    t.same(await series.read({ ...everything, ...aKey, from: NOON + 3, to: NOON + 3 }), [])
  })

  test(`${name}: the same again changes nothing, of two values the greater stays, in any order`, async (t) => {
    const series = await withSeries(t)
    const [low, high] = [reading(NOON, { temperature: -4.5 }), reading(NOON, { temperature: -0.25 })]
    await series.write([low, high, low])
    await series.write([low])
    t.same(await all(series), [high])
    await series.write([reading(NOON, { temperature: 8 })])
    await series.write([high])
    t.same(await all(series), [reading(NOON, { temperature: 8 })])
  })

  test(`${name}: other quantities at the same time are added to what is there`, async (t) => {
    const series = await withSeries(t)
    await series.write([reading(NOON, { temperature: 4 })])
    await series.write([reading(NOON, { humidity: 60, temperature: 3 }), reading(NOON, { doorOpen: 0 })])
    t.same(await all(series), [reading(NOON, { temperature: 4, humidity: 60, doorOpen: 0 })])
  })

  test(`${name}: keeps each of the ${QUANTITY_NAMES.length} quantities apart, to the last digit`, async (t) => {
    const series = await withSeries(t)
    const values = Object.fromEntries(
      QUANTITY_NAMES.map((quantity, index) => [quantity, QUANTITIES[quantity].min / 2 + index / 3]),
    )
    await series.write([reading(NOON, values)])
    const [whole, ...others] = await all(series)
    t.same(others, [])
    t.same({ ...whole, values: roundedValues(whole?.values ?? {}) }, reading(NOON, roundedValues(values)))
    for (const [index, quantity] of QUANTITY_NAMES.entries())
      await series.write([reading(NOON + 1 + index, { [quantity]: 1 })])
    const singles = (await all(series)).slice(1)
    t.same(
      singles.map((single) => Object.keys(single.values)),
      QUANTITY_NAMES.map((quantity) => [quantity]),
    )
  })

  test(`${name}: sensors and devices never mix, whatever they are called`, async (t) => {
    const series = await withSeries(t)
    const names = [
      'main',
      'Main',
      "o'clock",
      'a b',
      'a,b',
      'a=b',
      'a"b',
      '%',
      '_',
      '\\',
      '{x="y"}',
      'šeď 冷蔵 🌡',
      '; --',
      '.*',
    ]
    const readings = names.flatMap((device, row) =>
      names.map((sensor, column) =>
        reading(NOON, { temperature: row * names.length + column }, sensor, device),
      ),
    )
    await series.write(readings)
    for (const one of readings) t.same(await all(series, one.sensor, one.deviceId), [one])
    t.same(await all(series, 'no such sensor'), [])
  })

  test(`${name}: latest is the newest reading of each sensor of the device`, async (t) => {
    const series = await withSeries(t)
    t.same(await series.latest('fridge'), [])
    await series.write([
      reading(NOON + 2, { temperature: 2, battery: 80 }),
      reading(NOON + 1, { temperature: 1 }),
      reading(NOON - 5, { temperature: 9 }, 'lid'),
      reading(NOON + 9, { temperature: 7 }, 'main', 'another'),
    ])
    const latest = await series.latest('fridge')
    t.same(
      latest.toSorted((a, b) => (a.sensor < b.sensor ? -1 : 1)),
      [reading(NOON - 5, { temperature: 9 }, 'lid'), reading(NOON + 2, { temperature: 2, battery: 80 })],
    )
  })

  test(`${name}: aggregates like a naive sum over the raw readings`, async (t) => {
    const series = await withSeries(t)
    let run = 0
    const points = fc.array(
      fc.record({
        at: fc.integer({ min: 0, max: 5000 }),
        value: fc
          .double({ min: -99, max: 99, noNaN: true })
          .map(significantDigits === undefined ? exactly : inThousandths),
      }),
      { minLength: 1, maxLength: 60 },
    )
    const span = fc.integer({ min: -100, max: 5100 })
    const property = fc.asyncProperty(
      points,
      span,
      span,
      fc.integer({ min: 1, max: 2000 }),
      async (raw, a, b, everyMs) => {
        const sensor = `run ${(run += 1)}`
        const query = {
          deviceId: 'fridge',
          sensor,
          quantity: 'temperature',
          from: NOON + a,
          to: NOON + b,
          everyMs,
        } as const
        await series.write([
          ...raw.map(({ at, value }) => reading(NOON + at, { temperature: value }, sensor)),
          // Others in the same place, which must not count.
          reading(NOON + 10, { humidity: 1 }, sensor),
          reading(NOON + 10, { temperature: 1 }, 'main', sensor),
        ])
        const expected = naive(raw, query)
        const found = await series.aggregate(query)
        t.same(found.map(withoutMean), expected.map(withoutMean))
        t.ok(found.every((bucket, index) => Math.abs(bucket.mean - (expected[index]?.mean ?? NaN)) < 1e-9))
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  test(`${name}: what write has resolved survives a reopen, and many writers get in each other's way not`, async (t) => {
    const open = await setUp(t)
    const first = await open()
    const times = Array.from({ length: 200 }, (_, index) => NOON + index)
    await Promise.all(times.map((time) => first.write([reading(time, { temperature: 5 })])))
    t.equal((await all(first)).length, 200)
    await first.close()
    const second = await open()
    t.teardown(() => second.close())
    t.equal((await all(second)).length, 200)
    await second.write([reading(NOON, { temperature: 6 })])
    t.equal((await all(second))[0]?.values.temperature, 6)
  })
}

const aKey = { deviceId: 'fridge', sensor: 'main' }

function exactly(value: number): number {
  return value
}

function inThousandths(value: number): number {
  // Plus zero, since there is no minus zero in a decimal number.
  return Math.round(value * 1000) / 1000 + 0
}

function withoutMean({ start, count, min, max, last }: Bucket) {
  return { start, count, min, max, last }
}

function naive(
  raw: readonly { at: number; value: number }[],
  { from, to, everyMs }: { from: number; to: number; everyMs: number },
): Bucket[] {
  const kept = new Map<number, number>()
  for (const { at, value } of raw) kept.set(NOON + at, greater(kept.get(NOON + at), value) ?? value)
  const inRange = [...kept].filter(([time]) => time >= from && time < to).toSorted(([a], [b]) => a - b)
  const starts = new Set(inRange.map(([time]) => Math.floor(time / everyMs) * everyMs))
  return [...starts].map((start) => {
    const values = inRange
      .filter(([time]) => time >= start && time < start + everyMs)
      .map(([, value]) => value)
    const sum = values.reduce((total, value) => total + value, 0)
    return {
      start,
      count: values.length,
      min: Math.min(...values),
      max: Math.max(...values),
      mean: sum / values.length,
      last: values.at(-1) ?? NaN,
    }
  })
}
