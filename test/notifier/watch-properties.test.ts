import { deepStrictEqual } from 'node:assert'
import * as fc from 'fast-check'
import { test } from 'tap'
import { silencesIn } from '../../domain/silence.ts'
import type { Reading } from '../../domain/reading.ts'
import { createWatchWorld, HOUR, MINUTE, NOW, reading } from './watch-world.ts'

/** More with SILENCE_RUNS in the environment. */
const RUNS = Number(process.env['SILENCE_RUNS'] ?? 25)

const gap = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 5, max: 15 }) },
  { weight: 2, arbitrary: fc.integer({ min: 16, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 61, max: 900 }) },
)

/** What happens to a batch on its way. */
const step = fc.record({
  order: fc.nat(),
  sensor: fc.constantFrom('main', 'ambient'),
  isRepeated: fc.boolean(),
  doesRestart: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  sweepsBefore: fc.boolean(),
  passes: fc.integer({ min: 0, max: 40 }),
})

test('the silences of a device are those that its readings show, in whatever order they come', async (t) => {
  const world = await createWatchWorld(t, { settings: { absentMsMin: Infinity } })
  const facility = await world.place('facility', 'Cisarua')
  let runs = 0
  const property = fc.asyncProperty(
    fc.array(fc.tuple(gap, step), { minLength: 10, maxLength: 50 }),
    fc.integer({ min: 1, max: 6 }),
    async (gaps, size) => {
      runs += 1
      const device = await world.device(facility.id, `logger ${runs}`)
      let time = NOW - 60 * 24 * HOUR
      const all = gaps.map(([minutes, how]) => {
        time += minutes * MINUTE
        return { one: { ...reading(device, time), sensor: how.sensor }, how }
      })
      const shuffled = all.toSorted((a, b) => a.how.order - b.how.order)
      for (let at = 0; at < shuffled.length; at += size) {
        const some = shuffled.slice(at, at + size)
        const how = some[0]?.how
        const readings: Reading[] = some.map(({ one }) => one)
        world.clock.at += (how?.passes ?? 0) * MINUTE
        if (how?.doesRestart) world.world.watches = [world.open(), world.open()]
        await world.arrive(readings)
        if (how?.sweepsBefore) await world.sweep()
        // Twice is once.
        if (how?.isRepeated) await world.arrive(readings)
      }
      await world.sweep()
      const rows = (await world.breaches('silence')).filter(
        (row) => row.deviceId === device && row.state !== 'withdrawn' && row.endAt !== null,
      )
      const times = all.map(({ one }) => one.time).toSorted((a, b) => a - b)
      const expected = silencesIn(times, { settings: [], absences: [] })
      deepStrictEqual(
        rows.map(({ startAt, endAt, peak }) => ({ startAt, endAt, peak })),
        expected.map(({ startAt, endAt }) => ({ startAt, endAt, peak: (endAt - startAt) / MINUTE })),
      )
      await world.db.deleteFrom('outageMember').execute()
      await world.db.deleteFrom('notification').execute()
      await world.db.deleteFrom('breachChange').execute()
      await world.db.deleteFrom('breach').execute()
    },
  )
  await fc.assert(property, { numRuns: RUNS })
  t.equal(runs >= RUNS, true)
})
