import { randomUUIDv7 } from 'node:crypto'
import { test, type Test } from 'tap'
import { insertBreach, listBreachChanges } from '../../db/queries/breach.ts'
import { insertVersion } from '../../db/queries/rule-profile.ts'
import type { Reading } from '../../domain/reading.ts'
import { RULE_DEFAULTS } from '../../domain/shipped-rules.ts'
import type { Rule } from '../../domain/rule.ts'
import { requestRejudge } from '../../notifier/rejudge-request.ts'
import { systemClock } from '../../ports/clock.ts'
import { openWorld, plantProfiles, type TestWorld } from './judge-world.ts'

const MINUTE_MS = 60_000
const T0 = Date.UTC(2026, 0, 1)

const rule: Rule = {
  ...RULE_DEFAULTS,
  id: 'warm',
  profile: 'changing',
  name: 'Above 8',
  quantity: 'temperature',
  comparator: 'gt',
  threshold: 8,
  mode: 'consecutive',
  durationMs: 60 * MINUTE_MS,
  severity: 'critical',
}
const stricter: Rule = { ...rule, id: 'warm-2', version: 2, threshold: 6 }

function every10(deviceId: string, from: number, to: number, temperature: number): Reading[] {
  return Array.from({ length: (to - from) / 10 + 1 }, (_, index) => ({
    deviceId,
    sensor: 'main',
    time: T0 + (from + index * 10) * MINUTE_MS,
    values: { temperature },
  }))
}

async function open(t: Test): Promise<TestWorld> {
  const world = await openWorld({}, [])
  t.teardown(() => world.close())
  await plantProfiles(world.db, [rule])
  return world
}

/** Other rules hold from a minute on; the judge hears of it through the queue alone. */
async function change(
  world: TestWorld,
  devices: readonly string[],
  fromMinute: number,
  rules: readonly Rule[],
) {
  const validFrom = T0 + fromMinute * MINUTE_MS
  const row = { profile: 'changing', version: 2, comment: '', publishedAt: 0, publishedBy: null }
  await insertVersion(world.db, { ...row, validFrom, validTo: null }, rules)
  await requestRejudge({ queue: world.queue, clock: systemClock }, devices, validFrom)
  await world.settle()
}

test('other rules for the past: what was found by those before ends where they do, or never was', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('changing')
  await world.publish([
    ...every10(deviceId, 0, 100, 9),
    ...every10(deviceId, 110, 190, 7),
    ...every10(deviceId, 200, 300, 9),
    ...every10(deviceId, 310, 400, 7),
  ])
  await world.settle()
  const before = await world.breaches(deviceId)
  t.match(before, [
    { ruleId: 'warm', startAt: T0, endAt: T0 + 110 * MINUTE_MS },
    { ruleId: 'warm', startAt: T0 + 200 * MINUTE_MS, endAt: T0 + 310 * MINUTE_MS },
  ])
  await change(world, [deviceId], 100, [stricter])
  const after = await world.breaches(deviceId)
  t.match(after, [
    { id: before[0]?.id, ruleId: 'warm', startAt: T0, endAt: T0 + 100 * MINUTE_MS, readings: 10 },
    { ruleId: 'warm-2', startAt: T0 + 100 * MINUTE_MS, endAt: null, readings: 31, state: 'open' },
  ])
  const trail = await listBreachChanges(world.db, before[1]?.id ?? '')
  t.same(
    trail.map(({ kind }) => kind),
    ['opened', 'ended', 'withdrawn'],
  )
  // Memory is right again, and knows the new rules.
  await world.publish(every10(deviceId, 410, 410, 7))
  await world.settle()
  await world.publish(every10(deviceId, 420, 420, 5))
  await world.settle()
  t.match((await world.breaches(deviceId))[1], { state: 'ended', endAt: T0 + 420 * MINUTE_MS, readings: 32 })
})

test('no rules any more: what they found from then on is withdrawn, but nothing of other equipment or of the watchdog', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('changing')
  await world.publish(every10(deviceId, 0, 100, 9))
  await world.settle()
  const [found] = await world.breaches(deviceId)
  if (found === undefined) return t.fail('no breach')
  const elsewhere = { ...found, id: randomUUIDv7(), startAt: T0 + 5, equipmentId: randomUUIDv7() }
  await insertBreach(world.db, elsewhere)
  await insertBreach(world.db, { ...found, id: randomUUIDv7(), startAt: T0 + 6, ruleId: 'silence' })
  await change(world, [deviceId], 0, [])
  const left = await world.breaches(deviceId)
  t.same(left.map(({ startAt }) => startAt - T0).toSorted(), [5, 6])
})

function both(reading: Reading): Reading[] {
  return [reading, { ...reading, sensor: 'other' }]
}

test('every sensor of a device, of many devices at once, and together with late data', async (t) => {
  const world = await open(t)
  const devices = await Promise.all(Array.from({ length: 5 }, () => world.addDevice('changing')))
  for (const deviceId of devices) await world.publish(every10(deviceId, 0, 100, 7).flatMap(both))
  await world.settle()
  world.storeDelayMs = 50
  for (const deviceId of devices)
    await world.publish(every10(deviceId, 30, 30, 5).map((one) => ({ ...one, time: one.time + 1 })))
  await change(world, devices, 0, [stricter])
  world.storeDelayMs = 0
  for (const deviceId of devices)
    t.match(await world.breaches(deviceId), [
      { sensor: 'main', startAt: T0 + 40 * MINUTE_MS, readings: 7 },
      { sensor: 'other', startAt: T0, readings: 11 },
    ])
})

test('late readings whose batch was parked before it was stored: replayed, they are judged', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('changing')
  await world.publish([...every10(deviceId, 0, 100, 5), ...every10(deviceId, 300, 400, 5)])
  await world.settle()
  await world.storing.stop()
  const parking = world.queue.consume('store', async (all) => all.map(() => 'drop'), { deliveriesMax: 1 })
  await world.publish(every10(deviceId, 110, 290, 9))
  await world.settle()
  await parking.stop()
  t.same(await world.breaches(deviceId), [], 'the store does not have them')

  const [parked] = await world.queue.parked('store', { limit: 1 })
  t.equal(await world.queue.replay(parked?.id ?? ''), true)
  world.storing = world.queue.consume(
    'store',
    async (deliveries) => {
      await world.series.write(deliveries.flatMap(({ batch }) => batch.readings))
      return deliveries.map(() => 'done')
    },
    { deliveriesMax: 64 },
  )
  await world.settle()
  const [startAt, endAt] = [T0 + 110 * MINUTE_MS, T0 + 300 * MINUTE_MS]
  t.match(await world.breaches(deviceId), [{ ruleId: 'warm', startAt, endAt, readings: 19 }])
})
