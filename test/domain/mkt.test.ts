import * as fc from 'fast-check'
import { test } from 'tap'
import { addToMkt, BERLINGER, createMkt, meanKineticTemperature, mktCelsius, USP } from '../../domain/mkt.ts'

// Worked out with fifty decimal digits, by the formula as USP <1079.2> writes it, dH/R = 10,000 K.
const VECTORS: readonly (readonly [readonly (readonly [number, number])[], number])[] = [
  [
    [
      [20, 1],
      [30, 1],
    ],
    26.259886916003,
  ],
  [
    [
      [2, 1],
      [5, 3],
      [8, 2],
    ],
    5.752179835898,
  ],
  // A refrigerator at +4 with one hour at +25.
  [
    [
      [4, 1380],
      [25, 60],
    ],
    7.083507450292,
  ],
  [
    [
      [-80, 100],
      [-60, 1],
    ],
    -76.901101194565,
  ],
  [
    [
      [15, 10],
      [-5, 10],
      [40, 10],
    ],
    30.18337611172,
  ],
]

const partsOf = (pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([celsius, weight]) => ({ celsius, weight }))
const near = (a: number | null, b: number, by = 1e-9) => a !== null && Math.abs(a - b) <= by

test('MKT: vectors worked out by hand', async (t) => {
  for (const [pairs, expected] of VECTORS)
    t.ok(near(meanKineticTemperature(partsOf(pairs)), expected), `${JSON.stringify(pairs)}: ${expected}`)
  t.equal(meanKineticTemperature([]), null)
  t.equal(meanKineticTemperature([{ celsius: 4, weight: 0 }]), null, 'no time at all')
})

test('MKT: the energy and the cutting off of Berlinger are parameters', async (t) => {
  const parts = partsOf([
    [2, 1],
    [5, 3],
    [8, 2],
  ])
  t.ok(near(meanKineticTemperature(parts, { activationKilojoules: 83 }), 5.751731188667))
  t.equal(meanKineticTemperature(parts, BERLINGER), 5.7)
  const tenths = Array.from({ length: 1501 }, (_, index) => (index - 900) / 10)
  const shown = tenths.map((celsius) => meanKineticTemperature([{ celsius, weight: 7 }], BERLINGER))
  t.same(shown, tenths, 'a steady temperature is its own, to the tenth')
})

const parts = fc.array(
  fc.record({
    celsius: fc.double({ min: -90, max: 60, noNaN: true }),
    weight: fc.integer({ min: 1, max: 100_000 }),
  }),
  { minLength: 1, maxLength: 50 },
)

test('MKT: agrees with the plain sum of exponentials, in any order, and lies between mean and peak', async (t) => {
  fc.assert(
    fc.property(parts, (all) => {
      const factor = 10_000
      const sum = all.reduce((s, p) => s + p.weight * Math.exp(-factor / (p.celsius + 273.15)), 0)
      const time = all.reduce((s, p) => s + p.weight, 0)
      const plain = factor / -Math.log(sum / time) - 273.15
      const mkt = meanKineticTemperature(all, USP) ?? NaN
      const mean = all.reduce((s, p) => s + p.weight * p.celsius, 0) / time
      return (
        near(mkt, plain, 1e-7) &&
        near(meanKineticTemperature(all.toReversed()), mkt, 1e-9) &&
        mkt >= mean - 1e-9 &&
        mkt <= Math.max(...all.map((p) => p.celsius)) + 1e-9
      )
    }),
  )
  t.pass()
})

test('MKT: cold beyond what a double could hold, and a year of minutes', async (t) => {
  const cold = createMkt({ activationKilojoules: 8314.4 })
  for (const celsius of [-90, -89]) addToMkt(cold, celsius, 1)
  t.ok(near(mktCelsius(cold), -89, 0.3), String(mktCelsius(cold)))
  const year = createMkt()
  for (let minute = 0; minute < 525_600; minute += 1) addToMkt(year, 5 + 3 * Math.sin(minute), 60_000)
  t.ok(near(mktCelsius(year), 5.28, 0.02), String(mktCelsius(year)))
})
