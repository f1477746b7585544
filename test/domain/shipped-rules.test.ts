import { test } from 'tap'
import { judgeReadings } from '../../domain/breach.ts'
import type { Quantity } from '../../domain/reading.ts'
import { EVERYWHERE } from '../../domain/rule-resolution.ts'
import { SHIPPED_RULES, shippedRules } from '../../domain/shipped-rules.ts'
import { referenceBreaches } from './breach-reference.ts'

const MINUTE_MS = 60_000

type Point = readonly [minute: number, value: number]

/** The same value every `step` minutes from 0 to `to`, both included. */
function steady(value: number, to: number, step = 1): Point[] {
  return Array.from({ length: Math.floor(to / step) + 1 }, (_, index) => [index * step, value])
}

/** One after the other, a minute after each. */
function then(...parts: readonly (readonly Point[])[]): Point[] {
  const all: Point[] = []
  for (const part of parts) {
    const from = all.length === 0 ? 0 : (all.at(-1)?.[0] ?? 0) + 1
    all.push(...part.map(([minute, value]) => [from + minute, value] as const))
  }
  return all
}

/** By which rules of the profile the readings are breaches, and how often. */
function breachesIn(profile: string, quantity: Quantity, points: readonly Point[]): string[] {
  const readings = points.map(([minute, value]) => ({
    time: minute * MINUTE_MS,
    values: { [quantity]: value },
  }))
  return shippedRules(profile).flatMap((rule) => {
    const found = judgeReadings(rule, readings)
    const said = referenceBreaches(rule, readings)
    if (JSON.stringify(found) !== JSON.stringify(said)) return [`${rule.id}: not as the reference`]
    return found.map(() => rule.id)
  })
}

interface Boundary {
  readonly rule: string
  readonly quantity?: Quantity
  /** Nothing, however long. */
  readonly inside: number
  /** Ends it, where that takes more than to be inside. */
  readonly back?: number
  /** A breach after exactly so many minutes, and not one minute earlier. */
  readonly outside: number
  readonly minutes: number
}

interface Profile {
  readonly profile: string
  readonly source: string
  readonly boundaries: readonly Boundary[]
}

// The numbers are written down here again from their sources, not taken from the rules.
const profiles: readonly Profile[] = [
  {
    profile: 'who-30dtr',
    source: 'WHO PQS E006/TR06; Fridge-tag 2 exports `1: T AL: +8.0, t AL: 600`, `0: T AL: -0.5, t AL: 60`',
    boundaries: [
      { rule: 'who-30dtr-high', inside: 8, outside: 8.1, minutes: 600 },
      { rule: 'who-30dtr-low', inside: -0.4, outside: -0.5, minutes: 60 },
    ],
  },
  {
    profile: 'cold-room',
    source: 'WHO PQS E006/TR03, as a refrigerator; delays (unverified)',
    boundaries: [
      { rule: 'cold-room-high', inside: 8, outside: 8.1, minutes: 600 },
      { rule: 'cold-room-low', inside: -0.4, outside: -0.5, minutes: 60 },
    ],
  },
  {
    profile: 'freezer',
    source: 'WHO PQS E006/TR03; delay (unverified)',
    boundaries: [{ rule: 'freezer-high', inside: -15, outside: -14.9, minutes: 60 }],
  },
  {
    profile: 'ultra-cold',
    source: 'Fridge-tag UL export `T AL: -90.0, t AL: 60 / -60.0, t AL: 60`',
    boundaries: [
      { rule: 'ultra-cold-high', inside: -60, outside: -59.9, minutes: 60 },
      { rule: 'ultra-cold-low', inside: -90, outside: -90.1, minutes: 60 },
    ],
  },
  {
    profile: 'controlled-room-temperature',
    source: 'USP, quoted in the cold-chain accelerator of dev.blues.io; low delay and humidity (unverified)',
    boundaries: [
      { rule: 'controlled-room-temperature-high', inside: 30, outside: 30.1, minutes: 1440 },
      { rule: 'controlled-room-temperature-low', inside: 15, outside: 14.9, minutes: 60 },
      {
        rule: 'controlled-room-temperature-humidity',
        quantity: 'humidity',
        inside: 65,
        outside: 66,
        back: 63,
        minutes: 1440,
      },
    ],
  },
  {
    profile: 'shipping-type-1',
    source:
      'WHO PQS E006/TR07; LogTag USRID-16W1: threshold values themselves are included in the alarm range',
    boundaries: [
      // 45.0 also adds to the ten hours at or above 30.
      { rule: 'shipping-type-1-hot', inside: 29.9, outside: 45, minutes: 60 },
      { rule: 'shipping-type-1-warm', inside: 29.9, outside: 30, minutes: 600 },
      { rule: 'shipping-type-1-low', inside: -0.4, outside: -0.5, minutes: 60 },
    ],
  },
  {
    profile: 'shipping-type-2',
    source: 'WHO PQS E006/TR07; LogTag USRID-16W1',
    boundaries: [
      { rule: 'shipping-type-2-hot', inside: 9.9, outside: 45, minutes: 60 },
      { rule: 'shipping-type-2-warm', inside: 9.9, outside: 30, minutes: 600 },
      { rule: 'shipping-type-2-mild', inside: 9.9, outside: 10, minutes: 1200 },
    ],
  },
  {
    profile: 'us-vfc-refrigerator',
    source: 'US VFC digital data loggers, Alabama guidelines',
    boundaries: [
      { rule: 'us-vfc-refrigerator-high', inside: 8, outside: 8.1, minutes: 60 },
      { rule: 'us-vfc-refrigerator-low', inside: 2, outside: 1.9, minutes: 15 },
    ],
  },
  {
    profile: 'us-vfc-freezer',
    source: 'US VFC digital data loggers, Alabama guidelines',
    boundaries: [{ rule: 'us-vfc-freezer-high', inside: -15, outside: -14.9, minutes: 60 }],
  },
  {
    profile: 'msupply',
    source: 'msupply-foundation/mobile#843',
    boundaries: [
      { rule: 'msupply-high', inside: 8, outside: 8.1, minutes: 60 },
      { rule: 'msupply-low', inside: 2, outside: 1.9, minutes: 15 },
    ],
  },
  {
    profile: EVERYWHERE,
    source: '(unverified)',
    boundaries: [
      { rule: 'power-out', quantity: 'powerOn', inside: 1, outside: 0, minutes: 30 },
      { rule: 'power-out-seconds', quantity: 'powerGoodSeconds', inside: 1, outside: 0, minutes: 30 },
      { rule: 'door-open', quantity: 'doorOpen', inside: 0, outside: 1, minutes: 10 },
      { rule: 'door-open-seconds', quantity: 'doorOpenSeconds', inside: 599, outside: 600, minutes: 0 },
      { rule: 'battery-low', quantity: 'battery', inside: 20, outside: 19.9, minutes: 0 },
      { rule: 'battery-voltage-low', quantity: 'batteryVoltage', inside: 2.7, outside: 2.69, minutes: 0 },
      { rule: 'battery-days-low', quantity: 'batteryDays', inside: 30, outside: 29, minutes: 0 },
    ],
  },
]

for (const { profile, source, boundaries } of profiles) {
  test(`${profile}: ${source}`, async (t) => {
    for (const { rule, quantity = 'temperature', inside, back = inside, outside, minutes } of boundaries) {
      const of = (points: readonly Point[]) =>
        breachesIn(profile, quantity, points).filter((id) => id === rule)
      t.same(breachesIn(profile, quantity, steady(inside, 47 * 60, 5)), [], `${inside} for two days`)
      if (minutes > 0) t.same(of(steady(outside, minutes - 1)), [], `${outside} for ${minutes - 1} minutes`)
      t.same(of(steady(outside, minutes)), [rule], `${outside} for ${minutes} minutes`)
      t.same(of(steady(outside, minutes + 1)), [rule], `${outside} for ${minutes + 1} minutes`)
      // One reading less at another cadence, and a reading inside that starts the clock anew.
      if (minutes >= 10) t.same(of(steady(outside, minutes - 5, 5)), [], `every 5 minutes, one reading less`)
      const isCumulative = shippedRules(profile).some(({ id, mode }) => id === rule && mode === 'cumulative')
      const twice = then(steady(outside, minutes - 1), [[0, back]], steady(outside, minutes - 1))
      if (minutes > 0) t.same(of(twice), isCumulative ? [rule] : [], 'twice a minute less')
    }
  })
}

test('every shipped rule is in the table, or has a test of its own', async (t) => {
  const tabled = profiles.flatMap(({ boundaries }) => boundaries.map(({ rule }) => rule))
  const others = ['controlled-room-temperature-spike', 'sensor-stuck', 'sensor-jumping', 'warming-fast']
  t.same([...tabled, ...others].toSorted(), SHIPPED_RULES.map(({ id }) => id).toSorted())
  t.equal(new Set(SHIPPED_RULES.map(({ id }) => id)).size, SHIPPED_RULES.length, 'ids are unique')
})

test('controlled room temperature: a spike of 40.0 is allowed, of 40.1 it is not', async (t) => {
  const profile = 'controlled-room-temperature'
  t.same(breachesIn(profile, 'temperature', then(steady(22, 10), [[0, 40]], steady(22, 10))), [])
  t.same(breachesIn(profile, 'temperature', then(steady(22, 10), [[0, 40.1]], steady(22, 10))), [
    'controlled-room-temperature-spike',
  ])
})

test('shipping type 2: ten hours of 30 are in two pieces, twenty of 10 in three', async (t) => {
  const cool = steady(5, 300)
  const points = then(steady(30, 300), cool, steady(30, 299), cool)
  t.same(breachesIn('shipping-type-2', 'temperature', points), [], '599 minutes')
  const more = then(steady(30, 300), cool, steady(30, 300), cool)
  t.same(breachesIn('shipping-type-2', 'temperature', more), ['shipping-type-2-warm'])
  // What is warm is mild too.
  t.same(breachesIn('shipping-type-2', 'temperature', then(more, steady(10, 599))), ['shipping-type-2-warm'])
  t.same(breachesIn('shipping-type-2', 'temperature', then(more, steady(10, 600))), [
    'shipping-type-2-warm',
    'shipping-type-2-mild',
  ])
})

test('a battery that comes back from 19 to 24 is still low, at 25 it is not', async (t) => {
  const low = shippedRules(EVERYWHERE).filter(({ id }) => id === 'battery-low')
  const readings = [19, 24, 19, 24.9, 25, 24, 19].map((battery, index) => ({
    time: index,
    values: { battery },
  }))
  t.match(
    low.map((rule) => judgeReadings(rule, readings)),
    [
      [
        { startAt: 0, endAt: 4, lastAt: 2, readings: 2 },
        { startAt: 6, endAt: null, readings: 1 },
      ],
    ],
  )
})

test('a sensor at one value for 48 hours is stuck; one that moved by a tenth is not', async (t) => {
  const days2 = 48 * 60
  t.same(breachesIn(EVERYWHERE, 'temperature', steady(5, days2, 10)), ['sensor-stuck'])
  t.same(breachesIn(EVERYWHERE, 'temperature', steady(5, days2 - 10, 10)), [])
  const moved = steady(5, days2, 10).map(
    ([minute, value]) => [minute, minute === 1440 ? value + 0.1 : value] as const,
  )
  t.same(breachesIn(EVERYWHERE, 'temperature', moved), [])
})

test('a sensor that jumps by more than 10 degrees from reading to reading, for 30 minutes, is broken', async (t) => {
  const jumping = (step: number, to: number) =>
    steady(0, to, 10).map(([minute], index) => [minute, index % 2 ? step : 0] as const)
  t.same(
    breachesIn(EVERYWHERE, 'temperature', jumping(10, 600)).filter((id) => id === 'sensor-jumping'),
    [],
    '10',
  )
  t.same(breachesIn(EVERYWHERE, 'temperature', jumping(10.1, 40)), ['sensor-jumping'], '10.1')
  t.same(breachesIn(EVERYWHERE, 'temperature', jumping(10.1, 30)), [], 'one reading less')
  t.same(
    breachesIn(EVERYWHERE, 'temperature', then(steady(5, 60), steady(29, 60))),
    [],
    'a logger that was moved',
  )
})

/** From 5 upwards, every 5 minutes; the first reading has no change. */
function warming(perHour: number, to: number) {
  return steady(0, to, 5).map(([minute]) => [minute, 5 + (perHour * minute) / 60] as const)
}

test('warming by more than 10 degrees an hour for 30 minutes', async (t) => {
  t.same(breachesIn(EVERYWHERE, 'temperature', warming(10, 120)), [], '10')
  t.same(breachesIn(EVERYWHERE, 'temperature', warming(10.2, 35)), ['warming-fast'], '10.2')
  t.same(breachesIn(EVERYWHERE, 'temperature', warming(10.2, 30)), [], 'one reading less')
  t.same(breachesIn(EVERYWHERE, 'temperature', warming(-20, 120)), [], 'cooling')
})
