import * as fc from 'fast-check'
import { test, type Test } from 'tap'
import { QUANTITY_NAMES, type Quantity } from '../../domain/reading.ts'
import {
  LOOK_BACK_MS,
  timeToBreach,
  type ChamberReading,
  type TimeToBreach,
} from '../../domain/time-to-breach.ts'
import { uniform } from '../../simulators/random.ts'
import {
  advance,
  createRefrigerator,
  DOMESTIC,
  ICE_LINED,
  observe,
  type Appliance,
  type RefrigeratorOptions,
} from '../../simulators/refrigerator.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const START = Date.parse('2026-03-01T00:00:00Z')
const WHO = { comparator: 'gt', threshold: 8 } as const
/** Simulated power cuts; with PROPERTY_RUNS ten times as many. */
const CUTS = process.env.PROPERTY_RUNS ? 400 : 40

const curve = (celsius: (hour: number) => number, hours: number, more: ChamberReading['values'] = {}) =>
  Array.from({ length: hours * 6 + 1 }, (_, index): ChamberReading => {
    const time = START + index * 10 * MINUTE_MS
    return { time, values: { temperature: Math.round(celsius(index / 6) * 10) / 10, ...more } }
  })

function leftOf(t: Test, found: TimeToBreach) {
  if (found.state !== 'warming') throw new Error(`it is ${found.state}`)
  const { lowMs, medianMs, highMs } = found.left
  t.ok(lowMs >= 0 && lowMs <= medianMs && medianMs <= (highMs ?? Infinity), 'in order')
  return { low: lowMs / HOUR_MS, median: medianMs / HOUR_MS, high: highMs === null ? null : highMs / HOUR_MS }
}

/** In a room of +30, from +4. */
const warming = (hour: number) => 30 - (30 - 4) * Math.exp(-hour / 20)

test('a chamber that warms by Newton’s law', async (t) => {
  const truth = 20 * Math.log(26 / 22)
  for (const more of [{ ambientTemperature: 30, powerOn: 0 }, { powerOn: 0 }, {}]) {
    const left = leftOf(t, timeToBreach(curve(warming, 2, more), WHO))
    t.ok(left.low < truth - 2 && truth - 2 < (left.high ?? Infinity), JSON.stringify(left))
    t.ok(Math.abs(left.median / (truth - 2) - 1) < 0.25, JSON.stringify(left))
  }
  const wild = curve(warming, 2, { ambientTemperature: 30, powerOn: 0 }).map((one, index) =>
    index % 5 === 2 ? { ...one, values: { ...one.values, temperature: -20 + 4 * index } } : one,
  )
  const { median } = leftOf(t, timeToBreach(wild.slice(0, -1), WHO))
  t.ok(Math.abs(median / (truth - 2) - 1) < 0.4, `a wild value now and then: ${median}`)
})

test('what is no warming', async (t) => {
  const state = (readings: readonly ChamberReading[], limit: Parameters<typeof timeToBreach>[1] = WHO) =>
    timeToBreach(readings, limit).state
  t.same(timeToBreach([], WHO), { asOf: null, celsius: null, powerOutSince: null, state: 'unknown' })
  const steady = curve(() => 5, 24)
  t.equal(state(steady), 'steady')
  t.equal(state(steady, null), 'unknown', 'no limit')
  t.equal(state(steady, { comparator: 'lt', threshold: 0 }), 'unknown', 'it can only be too cold')
  t.equal(state(curve(() => 8, 2)), 'steady', '8.0 is not above 8')
  t.equal(state(curve(() => 8.1, 2)), 'beyond')
  t.equal(state(curve((hour) => 7 - hour / 10, 10)), 'steady', 'it cools')
  t.equal(state(curve((hour) => 4 + 2 * (hour % 1), 24)), 'steady', 'a compressor that comes and goes')
  t.equal(state([{ time: START, values: { battery: 7 } }]), 'unknown')
  const cool = timeToBreach(
    curve((hour) => 6 - 4 * Math.exp(-hour / 5), 6, { ambientTemperature: 6, powerOn: 0 }),
    WHO,
  )
  t.match(cool, { state: 'steady', powerOutSince: START }, 'a room that is colder than the limit')
})

test('what the refrigerator says of its holdover counts while nothing else is known', async (t) => {
  const says = (values: ChamberReading['values'], hours = 3) =>
    timeToBreach(
      curve(() => 4, hours, values),
      WHO,
    )
  const left = leftOf(t, says({ powerOn: 0, holdover: 2 }))
  t.match(left, { low: 28.8, median: 48, high: 72 })
  t.equal(says({ powerOn: 1, holdover: 2 }).state, 'steady')
  t.equal(says({ holdover: 2 }).state, 'steady', 'nobody says that the power is out')
  const cut = curve(() => 4, 3, { powerOn: 0 })
  const before = { time: START - HOUR_MS, values: { temperature: 4, powerOn: 1, holdover: 1 } }
  const since = leftOf(t, timeToBreach([before, ...cut], WHO))
  t.equal(since.median, 24 - 3, 'less the time since the cut')
  const over = timeToBreach([{ ...before, values: { ...before.values, holdover: 0.1 } }, ...cut], WHO)
  t.match(over, { state: 'warming', basis: 'holdover', left: { lowMs: 0, medianMs: 0, highMs: 0 } })
})

interface Cut {
  readonly readings: readonly ChamberReading[]
  readonly cutAt: number
  /** When the true temperature passes +8. */
  readonly limitAt: number
}

/** A power cut in some refrigerator, some room, at some hour, with a logger of some interval and doors that are opened all the same. */
function simulateCut(seed: number): Cut {
  const any = (index: number) => uniform(seed, 77, index)
  const base = any(0) < 0.5 ? DOMESTIC : ICE_LINED
  const appliance: Appliance = { ...base, tauHours: base.tauHours * (0.6 + 0.9 * any(1)) }
  const cutAt = START + Math.floor((24 + 24 * any(2)) * 60) * MINUTE_MS
  const ambient = {
    meanCelsius: 18 + 20 * any(3),
    amplitudeKelvin: 5 * any(4),
    warmestHour: 14,
    utcOffsetHours: 7,
  }
  const everyMs = ([1, 2, 5, 10, 15][Math.floor(any(5) * 5)] ?? 1) * MINUTE_MS
  const options: RefrigeratorOptions = {
    seed,
    startAt: START,
    appliance,
    ambient,
    doorOpeningsPerHour: 3 * any(6),
    episodes: [{ kind: 'power-cut', from: cutAt, to: Infinity }],
  }
  return { cutAt, ...run(options, everyMs, cutAt) }
}

function run(options: RefrigeratorOptions, everyMs: number, cutAt: number): Omit<Cut, 'cutAt'> {
  let fridge = createRefrigerator(options)
  const readings: ChamberReading[] = []
  for (;;) {
    const time = fridge.time + everyMs
    for (let now = fridge; now.time < time; now = advance(now, now.time + MINUTE_MS))
      if (now.time > cutAt && now.celsius > 8) return { readings, limitAt: now.time }
    const { values, next } = observe(fridge, time)
    readings.push({ time, values })
    fridge = next
  }
}

/** As if the logger did not measure these. */
function without(readings: readonly ChamberReading[], ...left: readonly Quantity[]): ChamberReading[] {
  return readings.map(({ time, values }) => ({
    time,
    values: Object.fromEntries(
      QUANTITY_NAMES.filter((name) => !left.includes(name)).map((name) => [name, values[name]]),
    ),
  }))
}

test(`${CUTS} simulated power cuts: the interval holds the true time nine times of ten`, async (t) => {
  const tally = new Map<string, { asked: number; silent: number; held: number; errors: number[] }>()
  const note = (name: string, found: TimeToBreach, truth: number) => {
    const sums = tally.get(name) ?? { asked: 0, silent: 0, held: 0, errors: [] }
    tally.set(name, sums)
    sums.asked += 1
    if (found.state !== 'warming') return void (sums.silent += 1)
    const { lowMs, medianMs, highMs } = found.left
    if (lowMs <= truth && truth <= (highMs ?? Infinity)) sums.held += 1
    sums.errors.push(Math.abs(medianMs - truth) / truth)
  }
  for (let seed = 0; seed < CUTS; seed += 1) {
    const { readings, cutAt, limitAt } = simulateCut(seed)
    for (const share of [0.2, 0.35, 0.5, 0.7, 0.9]) {
      const askedAt = cutAt + share * (limitAt - cutAt)
      const known = readings.filter(({ time }) => time <= askedAt && time > askedAt - LOOK_BACK_MS)
      const truth = limitAt - (known.at(-1)?.time ?? 0)
      note('power and room', timeToBreach(known, WHO), truth)
      note('power', timeToBreach(without(known, 'ambientTemperature'), WHO), truth)
      const bare = without(known, 'ambientTemperature', 'powerGoodSeconds', 'powerOn')
      note('nothing but the temperature', timeToBreach(bare, WHO), truth)
    }
  }
  t.equal(tally.size, 3)
  for (const [name, { asked, silent, held, errors }] of tally) {
    const said = asked - silent
    const middle = errors.toSorted((a, b) => a - b)[errors.length >> 1] ?? NaN
    t.ok(held / said >= 0.9, `${name}: held in ${held} of ${said}, median error ${middle.toFixed(2)}`)
    t.ok(middle < 0.2, `${name}: the median is near`)
    t.ok(said / asked > 0.5, `${name}: said something in ${said} of ${asked}`)
  }
})

test('a refrigerator that is well is never said to warm', async (t) => {
  let asked = 0
  for (const [seed, appliance] of [DOMESTIC, ICE_LINED].entries()) {
    let fridge = createRefrigerator({ seed, startAt: START, appliance, doorOpeningsPerHour: 2 })
    const readings: ChamberReading[] = []
    for (let time = START + 10 * MINUTE_MS; time < START + 96 * HOUR_MS; time += 10 * MINUTE_MS) {
      const { values, next } = observe(fridge, time)
      readings.push({ time, values })
      fridge = next
      if (time < START + 24 * HOUR_MS) continue
      const known = readings.filter((one) => one.time > time - LOOK_BACK_MS)
      for (const seen of [known, without(known, 'powerGoodSeconds')]) {
        asked += 1
        const found = timeToBreach(seen, WHO)
        if (found.state === 'warming') t.fail(JSON.stringify(found))
      }
    }
  }
  t.ok(asked > 1000)
})

const tenths = (value: number | undefined) => (value === undefined ? undefined : value / 10)

test('whatever it is fed: numbers in order, none out of noise', async (t) => {
  const reading = fc.record({
    minutes: fc.integer({ min: 0, max: 60 }),
    temperature: fc.option(fc.integer({ min: -400, max: 400 }), { nil: undefined }),
    ambientTemperature: fc.option(fc.integer({ min: -100, max: 450 }), { nil: undefined }),
    powerOn: fc.constantFrom(undefined, 0, 1),
    holdover: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 60 }), (all) => {
      let time = START
      const readings = all.map(({ minutes, temperature, ambientTemperature, powerOn, holdover }) => {
        const values = {
          temperature: tenths(temperature),
          ambientTemperature: tenths(ambientTemperature),
          powerOn,
          holdover,
        }
        const given = Object.entries(values).filter(([, value]) => value !== undefined)
        return { time: (time += minutes * MINUTE_MS), values: Object.fromEntries(given) }
      })
      const found = timeToBreach(readings, WHO)
      if (found.state !== 'warming') return true
      const { lowMs, medianMs, highMs } = found.left
      return lowMs >= 0 && lowMs <= medianMs && Number.isFinite(medianMs) && medianMs <= (highMs ?? Infinity)
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 20, maxLength: 150 }), (noise) => {
      const readings = noise.map((tenth, index) => ({
        time: START + index * 10 * MINUTE_MS,
        values: { temperature: 5 + tenth / 10 },
      }))
      return timeToBreach(readings, WHO).state !== 'warming'
    }),
    { numRuns: 300 },
  )
  t.pass()
})
