import * as fc from 'fast-check'
import { test } from 'tap'
import { packReadings, unpackReadings } from '../../adapters/queue/rabbitmq-readings.ts'
import { QUANTITY_NAMES, type Reading } from '../../domain/reading.ts'

const values = fc
  .subarray(QUANTITY_NAMES)
  .chain((names) =>
    fc.record(
      Object.fromEntries(names.map((name) => [name, fc.double({ noNaN: true, noDefaultInfinity: true })])),
    ),
  )
const reading: fc.Arbitrary<Reading> = fc.record({
  deviceId: fc.constantFrom('a', 'b', '__proto__'),
  sensor: fc.constantFrom('main', 'freezer', 'constructor'),
  time: fc.integer({ min: 0, max: 8.64e15 }),
  values,
})
// JSON knows one zero.
const plain = (readings: readonly Reading[]): unknown => JSON.parse(JSON.stringify(readings))

test('readings come out of a message as they went in, whatever their quantities', async (t) => {
  fc.assert(
    fc.property(fc.array(reading), (readings) => {
      const packed: unknown = JSON.parse(JSON.stringify(packReadings(readings)))
      t.strictSame(plain(unpackReadings(packed) ?? []), plain(readings))
    }),
  )
})

test('what is no list of readings is none', async (t) => {
  const whole = packReadings([{ deviceId: 'a', sensor: 'main', time: 1, values: { temperature: 4 } }])
  t.equal(unpackReadings(whole)?.length, 1)
  const broken: unknown[] = [
    undefined,
    null,
    [],
    {},
    { ...whole, rows: whole.rows.slice(0, -1) },
    { ...whole, rows: [...whole.rows, 0] },
    { ...whole, rows: [1, 0, 1, 4] },
    { ...whole, streams: ['a'] },
    { ...whole, from: null },
  ]
  for (const one of broken) t.equal(unpackReadings(one), undefined, JSON.stringify(one))
})
