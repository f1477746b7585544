import { test } from 'tap'
import {
  DOMESTIC,
  ICE_LINED,
  advance,
  ambientCelsius,
  createRefrigerator,
  observe,
  type Appliance,
  type RefrigeratorOptions,
} from '../../simulators/refrigerator.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const START = Date.parse('2025-03-03T00:00:00+07:00')
const STEADY_30 = { meanCelsius: 30, amplitudeKelvin: 0, warmestHour: 14, utcOffsetHours: 7 }

function record(options: Omit<RefrigeratorOptions, 'startAt'>, hours: number, everyMs = 10 * MINUTE_MS) {
  let refrigerator = createRefrigerator({ ...options, startAt: START })
  const readings = []
  for (let at = START + everyMs; at <= START + hours * HOUR_MS; at += everyMs) {
    const { values, next } = observe(refrigerator, at)
    refrigerator = next
    readings.push({ at, ...values })
  }
  return readings
}

/** The time constant that fits a warming curve best: the slope of ln(ambient - T) over time is -1/tau. */
function fittedTauHours(readings: { at: number; temperature?: number }[], ambient: number): number {
  const points = readings.map(({ at, temperature = NaN }) => ({
    x: (at - START) / HOUR_MS,
    y: Math.log(ambient - temperature),
  }))
  const mean = (of: 'x' | 'y') => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean('x'), mean('y')]
  const covariance = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0)
  const variance = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  return -variance / covariance
}

const appliances: [string, Appliance, number][] = [
  ['domestic', DOMESTIC, 10],
  ['ice-lined', ICE_LINED, 100],
]

for (const [name, appliance, hours] of appliances) {
  test(`${name}: warms by Newton's law after a power cut`, async (t) => {
    const cut = { kind: 'power-cut', from: START, to: START + 1000 * HOUR_MS } as const
    const readings = record(
      { seed: 5, appliance, ambient: STEADY_30, episodes: [cut], doorOpeningsPerHour: 0 },
      hours,
    )
    const tau = fittedTauHours(readings, 30)
    t.ok(
      Math.abs(tau / appliance.tauHours - 1) < 0.02,
      `tau is ${tau} h, the model has ${appliance.tauHours} h`,
    )
    t.ok(
      readings.every(
        ({ compressorSeconds, powerGoodSeconds }) => compressorSeconds === 0 && powerGoodSeconds === 0,
      ),
    )
  })

  test(`${name}: the compressor runs 20 to 60 % of the time at 30 °C`, async (t) => {
    const readings = record({ seed: 6, appliance, ambient: STEADY_30 }, 7 * 24)
    const seconds = readings.reduce((sum, { compressorSeconds = 0 }) => sum + compressorSeconds, 0)
    const duty = seconds / (7 * 24 * 3600)
    t.ok(duty > 0.2 && duty < 0.6, `duty cycle ${duty}`)
    t.ok(readings.some(({ compressorSeconds }) => compressorSeconds === 0) || appliance === ICE_LINED)
  })

  test(`${name}: stays within +2 to +8 °C for a week`, async (t) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const temperatures = record({ seed, appliance, doorOpeningsPerHour: 6 }, 7 * 24).map(
        ({ temperature = NaN }) => temperature,
      )
      t.ok(Math.min(...temperatures) > 2, `lowest ${Math.min(...temperatures)}`)
      t.ok(Math.max(...temperatures) < 8, `highest ${Math.max(...temperatures)}`)
    }
  })
}

test('the same seed gives the same readings, another seed gives others', async (t) => {
  t.same(record({ seed: 9 }, 24), record({ seed: 9 }, 24))
  t.ok(JSON.stringify(record({ seed: 9 }, 24)) !== JSON.stringify(record({ seed: 10 }, 24)))
})

test('how often one looks changes nothing of what happens', async (t) => {
  const end = START + 30 * HOUR_MS + 12_345
  let often = createRefrigerator({ seed: 3, startAt: START })
  for (let at = START; at < end; at += 7_777) often = advance(often, at)
  t.same(advance(often, end), advance(createRefrigerator({ seed: 3, startAt: START }), end))
})

test('the size of the step does not change the warming', async (t) => {
  const cut = { kind: 'power-cut', from: START, to: START + 100 * HOUR_MS } as const
  const options = { seed: 3, startAt: START, ambient: STEADY_30, episodes: [cut], doorOpeningsPerHour: 0 }
  const end = START + 10 * HOUR_MS
  const fine = advance(createRefrigerator({ ...options, stepMs: 1000 }), end)
  const coarse = advance(createRefrigerator({ ...options, stepMs: 600_000 }), end)
  t.ok(Math.abs(fine.celsius - coarse.celsius) < 1e-9)
})

test('the room is warmest at its hour, and a degree is shown in tenths', async (t) => {
  const ambient = { meanCelsius: 28, amplitudeKelvin: 3, warmestHour: 14, utcOffsetHours: 7 }
  t.equal(ambientCelsius(ambient, Date.parse('2025-03-03T14:00:00+07:00')), 31)
  t.ok(Math.abs(ambientCelsius(ambient, Date.parse('2025-03-03T02:00:00+07:00')) - 25) < 1e-9)
  for (const { temperature = NaN } of record({ seed: 1 }, 24))
    t.equal(temperature, Number(temperature.toFixed(1)))
})

function last(episode: NonNullable<RefrigeratorOptions['episodes']>[number], hours: number): number {
  return record({ seed: 4, episodes: [episode] }, hours).at(-1)?.temperature ?? NaN
}

test('failures fail as they should', async (t) => {
  const forever = { from: START, to: START + 1000 * HOUR_MS }
  const stuck = last({ kind: 'thermostat-stuck-on', ...forever }, 24)
  t.ok(stuck < -0.5 && stuck > DOMESTIC.evaporatorCelsius, `stuck on: ${stuck}`)
  const leaking = last({ kind: 'refrigerant-leak', halfLifeHours: 24, ...forever }, 120)
  t.ok(leaking > 12, `leaking for five days: ${leaking}`)
  const open = last({ kind: 'door-open', share: 1, ...forever }, 6)
  t.ok(open > 15, `door open: ${open}`)
  const [before, after] = [0, 5].map((kelvin) =>
    last({ kind: 'warm-load', kelvin, from: START, to: START + HOUR_MS / 2 }, 0.5),
  )
  const rise = (after ?? NaN) - (before ?? NaN)
  t.ok(rise > 2 && rise < 5.5, `warm load of 5 K: ${rise}`)
})
