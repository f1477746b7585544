import * as fc from 'fast-check'
import { test } from 'tap'
import { eventTime, implausibility, TIME_MIN } from '../../domain/plausibility.ts'
import { QUANTITIES, QUANTITY_NAMES, type Quantity } from '../../domain/reading.ts'

const judged: readonly (readonly [Quantity, number, string | undefined])[] = [
  ['temperature', 4.2, undefined],
  ['temperature', 0, undefined],
  ['temperature', -0, undefined],
  ['temperature', 85, 'reading.sensorFault'],
  ['temperature', 85.1, undefined],
  ['temperature', -127, 'reading.sensorFault'],
  ['temperature', 327.67, 'reading.sensorFault'],
  ['freezerTemperature', 85, 'reading.sensorFault'],
  ['ambientTemperature', 85, 'reading.sensorFault'],
  ['temperature', 100, undefined],
  ['temperature', 100.01, 'reading.implausible'],
  ['temperature', -100.01, 'reading.implausible'],
  ['humidity', 85, undefined],
  ['humidity', 101, 'reading.implausible'],
  ['battery', -1, 'reading.implausible'],
  ['value', -127, undefined],
  ['value', Infinity, 'reading.notANumber'],
  ['temperature', NaN, 'reading.notANumber'],
  ['temperature', -Infinity, 'reading.notANumber'],
]
for (const [quantity, value, expected] of judged)
  test(`${quantity} ${value} is ${expected ?? 'plausible'}`, async (t) => {
    t.equal(implausibility(quantity, value), expected)
  })

test('what is called plausible is finite and in the range of its quantity', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...QUANTITY_NAMES), fc.double(), (quantity, value) => {
      const { min, max } = QUANTITIES[quantity]
      return implausibility(quantity, value) !== undefined || (value >= min && value <= max)
    }),
  )
})

const NOW = 1_732_233_600_000
const LIMIT = 600_000
const times: readonly (readonly [string, unknown, number | string])[] = [
  ['milliseconds', NOW, NOW],
  ['seconds', NOW / 1000, NOW],
  ['seconds with a fraction', 1_680_962_879.62, 1_680_962_879_620],
  ['milliseconds with a fraction', NOW + 0.4, NOW],
  ['the first millisecond of 2020', TIME_MIN, TIME_MIN],
  ['the last millisecond of 2019', TIME_MIN - 1, 'reading.timeTooOld'],
  ['the epoch', 0, 'reading.timeTooOld'],
  ['1970 in seconds', 86_400, 'reading.timeTooOld'],
  ['a negative time', -NOW, 'reading.timeTooOld'],
  ['the limit of the future', NOW + LIMIT, NOW + LIMIT],
  ['beyond the limit of the future', NOW + LIMIT + 1, 'reading.timeInFuture'],
  ['microseconds', NOW * 1000, 'reading.timeInFuture'],
  ['the largest number', Number.MAX_VALUE, 'reading.timeInFuture'],
  ['Infinity', Infinity, 'reading.timeInvalid'],
  ['NaN', NaN, 'reading.timeInvalid'],
  ['text', String(NOW), 'reading.timeInvalid'],
  ['null', null, 'reading.timeInvalid'],
  ['an object', {}, 'reading.timeInvalid'],
]
for (const [title, ts, expected] of times)
  test(`time: ${title}`, async (t) => {
    t.equal(eventTime(ts, NOW, LIMIT), expected)
  })
