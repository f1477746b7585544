import { Type, type Static } from 'typebox'
import type { BreachDetail } from '../db/queries/breach.ts'
import { createExposures, isHigh, type Exposed } from '../domain/exposure.ts'
import { QUANTITIES } from '../domain/reading.ts'
import type { Series } from '../ports/series.ts'
import { hundredths, minutes, summed } from './exposure.ts'
import { nullable } from './schemas.ts'
import { toRfc3339 } from './time.ts'

/** At a reading a minute these are two months; of a breach that is longer, what came first is summed up. */
const READINGS_MAX = 100_000
/** Readings of an open breach may come from a clock that is ahead. */
const AHEAD_MS = 86_400_000

export const BreachExposure = Type.Object(
  {
    until: Type.String({
      format: 'date-time',
      description: 'What came until then is summed up: the end, or the newest reading.',
    }),
    coveredMinutes: Type.Number({
      description: 'Of which it is known what was measured: gaps do not count.',
    }),
    minutesBeyond: Type.Number({ description: 'Beyond the threshold of the rule, summed up.' }),
    degreeMinutes: Type.Number({ description: 'How far beyond, times minutes.' }),
    mean: nullable(Type.Number({ description: 'By time.' })),
    mkt: nullable(Type.Number({ description: 'Mean kinetic temperature, USP, of temperatures.' })),
  },
  { title: 'BreachExposure' },
)

/**
 * What the sensor went through from the start of a breach to its end, from the readings as they are now: kept with the breach it would be wrong as
 * soon as late data came. Null of what is no breach of a limit.
 */
export async function breachExposure(
  series: Series,
  breach: BreachDetail,
  nowMs: number,
): Promise<Static<typeof BreachExposure> | null> {
  const { deviceId, sensor, quantity, comparator, threshold, startAt } = breach
  if (deviceId === null || !isQuantity(quantity) || comparator === null || threshold === null) return null
  const endMs = breach.endAt ?? Math.max(nowMs, breach.lastAt) + AHEAD_MS
  const limit = { comparator, threshold }
  const limits = isHigh(limit) ? { high: limit, low: null } : { high: null, low: limit }
  const exposures = createExposures([{ name: '', startMs: startAt, endMs, days: 0 }], () => limits)
  const query = { key: { deviceId, sensor }, quantity, from: startAt, to: endMs, readingsMax: READINGS_MAX }
  let exposed: Exposed | undefined
  for await (const one of summed(series, query, exposures)) exposed = one
  if (exposed === undefined) return null
  const { coveredMs, aboveMs, belowMs, aboveKelvinMs, belowKelvinMs, mean, mktCelsius } = exposed.exposure
  return {
    until: toRfc3339(Math.min(endMs, exposures.lastAt() ?? startAt)),
    coveredMinutes: minutes(coveredMs),
    minutesBeyond: minutes(aboveMs + belowMs),
    degreeMinutes: minutes(aboveKelvinMs + belowKelvinMs),
    mean: hundredths(mean),
    mkt: QUANTITIES[quantity].unit === 'Cel' ? hundredths(mktCelsius) : null,
  }
}

function isQuantity(name: string | null): name is keyof typeof QUANTITIES {
  return name !== null && Object.hasOwn(QUANTITIES, name)
}
