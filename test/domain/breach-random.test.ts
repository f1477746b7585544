import { deepStrictEqual } from 'node:assert'
import * as fc from 'fast-check'
import { test } from 'tap'
import { judgeReadings } from '../../domain/breach.ts'
import { referenceBreaches } from './breach-reference.ts'
import { randomPace, randomRule, randomSeries } from './random-series.ts'

const READINGS = Number(process.env.PROPERTY_READINGS ?? 10_000)
const numRuns = Number(process.env.PROPERTY_RUNS ?? 12)

test(
  'the engine is the reference, on random series of 10,000 readings',
  { timeout: 60_000 + numRuns * 10_000 },
  async (t) => {
    const found = new Map<string, number>()
    const property = fc.property(randomRule, randomPace, (rule, { seed, cadenceMs, swing }) => {
      const readings = randomSeries(seed, READINGS, cadenceMs, swing)
      const breaches = judgeReadings(rule, readings)
      found.set(rule.mode, (found.get(rule.mode) ?? 0) + breaches.length)
      deepStrictEqual(breaches, referenceBreaches(rule, readings))
    })
    fc.assert(property, { numRuns })
    t.comment(JSON.stringify(Object.fromEntries(found)))
    t.ok([...found.values()].some((count) => count > 0))
  },
)
