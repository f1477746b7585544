import { randomUUIDv7 } from 'node:crypto'
import { test, type Test } from 'tap'
import type { Reading } from '../../domain/reading.ts'
import { findBreach, listBreachChanges, listBreaches } from '../../db/queries/breach.ts'
import type { JudgeSettings } from '../../notifier/judge.ts'
import { waitFor } from '../wait-for.ts'
import { openWorld } from './judge-world.ts'

const MINUTE_MS = 60_000
const T0 = Date.UTC(2026, 0, 1)

async function open(t: Test, settings: Partial<JudgeSettings> = {}) {
  const world = await openWorld(settings, [])
  t.teardown(() => world.close())
  return world
}

/** A reading every ten minutes, from `from` to `to` minutes after the start. */
function warm(deviceId: string, from: number, to: number, temperature: number): Reading[] {
  const readings: Reading[] = []
  for (let minute = from; minute <= to; minute += 10)
    readings.push({ deviceId, sensor: 'main', time: T0 + minute * MINUTE_MS, values: { temperature } })
  return readings
}

test('a warm night is one breach, with a trail', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  const readings = [
    ...warm(deviceId, 0, 60, 5),
    ...warm(deviceId, 70, 800, 11),
    ...warm(deviceId, 810, 900, 6),
  ]
  for (const reading of readings) await world.publish([reading])
  await world.settle()

  const [listed, ...others] = await listBreaches(world.db, { deviceId, limit: 10 })
  t.same(others, [])
  t.match(listed, {
    state: 'ended',
    startAt: T0 + 70 * MINUTE_MS,
    endAt: T0 + 810 * MINUTE_MS,
    lastAt: T0 + 800 * MINUTE_MS,
    peak: 11,
    readings: 74,
    ruleName: 'Above +8.0 °C for 10 hours',
    threshold: 8,
    comparator: 'gt',
    durationMs: 600 * MINUTE_MS,
    equipmentName: 'Refrigerator 3',
    facilityName: 'Cisarua',
    deviceName: `logger ${deviceId}`,
    severity: 'critical',
  })
  const id = listed?.id ?? ''
  t.same(await findBreach(world.db, id), listed)
  t.equal(await findBreach(world.db, id, 'elsewhere/'), undefined, 'not seen from another part of the tree')
  const changes = await listBreachChanges(world.db, id)
  t.same(
    changes.map(({ kind, actor, toldAt }) => ({ kind, actor, toldAt })),
    [
      { kind: 'opened', actor: 'judge', toldAt: null },
      { kind: 'ended', actor: 'judge', toldAt: null },
    ],
  )
  t.match(JSON.parse(changes[0]?.after ?? '{}'), { state: 'open', endAt: null, startAt: T0 + 70 * MINUTE_MS })
  t.same([world.published.at(0), world.published.at(-1)], ['opened', 'ended'])
})

test('late readings split, end and withdraw a breach, and bring it back', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  await world.publish(warm(deviceId, 0, 1300, 9))
  await world.settle()
  const [first] = await world.breaches(deviceId)
  t.match(first, { state: 'open', startAt: T0 })

  const cold = (minute: number): Reading[] => warm(deviceId, minute, minute, 4)
  await world.publish(cold(655))
  await world.settle()
  t.match(await world.breaches(deviceId), [
    { id: first?.id, state: 'ended', endAt: T0 + 655 * MINUTE_MS },
    { state: 'open', startAt: T0 + 660 * MINUTE_MS },
  ])

  await world.publish(cold(305))
  await world.settle()
  const [remaining, ...others] = await world.breaches(deviceId)
  t.match(remaining, { state: 'open', startAt: T0 + 660 * MINUTE_MS })
  t.same(others, [])
  const kinds = (await listBreachChanges(world.db, first?.id ?? '')).map((change) => change.kind)
  t.same(kinds, ['opened', 'ended', 'withdrawn'])

  // Of two values at one time the greater counts: the cold readings are contradicted and the breach is what it was.
  await world.publish([...warm(deviceId, 305, 305, 9), ...warm(deviceId, 655, 655, 9)])
  await world.settle()
  const whole = await world.breaches(deviceId)
  t.match(whole, [{ id: first?.id, state: 'open', startAt: T0, readings: 133 }])
  t.equal(whole.length, 1)
})

test('late data alone neither ends nor opens anything twice', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  const readings = warm(deviceId, 0, 700, 9)
  await world.publish(readings)
  await world.settle()
  const before = await world.breaches(deviceId)
  await world.publish(readings)
  await world.publish(readings.toReversed())
  await world.settle()
  t.same(await world.breaches(deviceId), before)
  t.same(
    (await listBreachChanges(world.db, before[0]?.id ?? '')).map((change) => change.kind),
    ['opened'],
  )
})

test('devices without equipment, or that nobody knows, are not judged; once placed they are', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  await world.db.updateTable('device').set({ equipmentId: null }).where('id', '=', deviceId).execute()
  await world.publish(warm(randomUUIDv7(), 0, 700, 9))
  await world.publish(warm(deviceId, 0, 700, 9))
  await world.settle()
  t.same(await world.db.selectFrom('breach').selectAll().execute(), [])

  const other = await world.db.selectFrom('equipment').select('id').executeTakeFirstOrThrow()
  await world.db.updateTable('device').set({ equipmentId: other.id }).where('id', '=', deviceId).execute()
  world.cache.publish('registry', { deviceId })
  await world.publish(warm(deviceId, 710, 710, 9))
  await world.settle()
  t.match(await world.breaches(deviceId), [{ startAt: T0, readings: 72, equipmentId: other.id }])
})

test('what waits of a sensor is judged in one go, however many batches it is in', async (t) => {
  const world = await open(t, { deliveriesMax: 1, lateDeliveriesMax: 1 })
  const deviceIds = await Promise.all(Array.from({ length: 50 }, () => world.addDevice('who-30dtr')))
  world.storeDelayMs = 500
  for (let minute = 0; minute <= 700; minute += 10)
    await world.publish(deviceIds.flatMap((deviceId) => warm(deviceId, minute, minute, 9)))
  world.storeDelayMs = 0
  await world.settle()
  for (const deviceId of deviceIds)
    t.match(await world.breaches(deviceId), [{ state: 'open', startAt: T0, readings: 71 }])
  // As history they are read sensor by sensor, some three times each: not for each of 71 batches.
  t.ok(world.reads < 50 * 20, `${world.reads} reads`)
  const windows = world.judged('window')
  await world.publish(deviceIds.flatMap((deviceId) => warm(deviceId, 710, 710, 9)))
  await world.settle()
  t.equal(world.judged('window'), windows, 'they are judged in order again')
})

test('what came just now is read for many sensors at once', async (t) => {
  const world = await open(t)
  const deviceIds = await Promise.all(Array.from({ length: 50 }, () => world.addDevice('who-30dtr')))
  const now = Date.now()
  for (const agoMs of [2000, 1000])
    await world.publish(
      deviceIds.map((deviceId) => ({
        deviceId,
        sensor: 'main',
        time: now - agoMs,
        values: { temperature: 5 },
      })),
    )
  await world.settle()
  world.tellGap(() => true)
  const { reads } = world
  const windows = world.judged('window')
  await world.publish(
    deviceIds.map((deviceId) => ({ deviceId, sensor: 'main', time: now, values: { temperature: 9 } })),
  )
  await world.settle()
  t.equal(world.judged('window'), windows + 50, 'nothing was remembered of them')
  t.equal(world.reads - reads, 1)
})

test('readings in order are not held up by a slow store, not even late ones of others', async (t) => {
  const world = await open(t)
  const [known, late] = [await world.addDevice('who-30dtr'), await world.addDevice('who-30dtr')]
  await world.publish([...warm(known, 0, 0, 5), ...warm(late, 500, 500, 5)])
  await world.settle()
  world.storeDelayMs = 3000
  const startedAt = Date.now()
  await world.publish([...warm(late, 0, 490, 9), ...warm(known, 10, 700, 9)])
  await waitFor(async () => (await world.breaches(known)).length === 1, 'the breach', 2500)
  t.ok(Date.now() - startedAt < 2500)
  t.ok(world.queue.depth('store').batches > 0, 'the store is still busy')
  world.storeDelayMs = 0
  await world.settle()
})

test('a stream that never pauses gets in order nevertheless', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  world.storeDelayMs = 5
  let minute = 0
  const deadline = Date.now() + 8000
  while (world.judged('in-order') < 500 && Date.now() < deadline) {
    await world.publish(warm(deviceId, minute, minute + 20, 5))
    minute += 30
  }
  t.ok(world.judged('in-order') >= 500, `${world.judged('in-order')} in order of ${minute / 10}`)
  world.storeDelayMs = 0
  await world.settle()
})

test('while the database fails nothing is lost', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  await world.publish(warm(deviceId, 0, 0, 5))
  await world.settle()
  await world.publish(warm(deviceId, 10, 600, 9))
  await world.settle()
  // The very reading that opens it, alone: memory has seen it when it comes again, and must not take it for a repetition.
  world.fuse = 1
  await world.publish(warm(deviceId, 610, 610, 9))
  await waitFor(() => world.judge.ready(), 'the judge to complain')
  t.same(await world.breaches(deviceId), [])
  world.fuse = Infinity
  await world.settle()
  t.match(await world.breaches(deviceId), [{ startAt: T0 + 10 * MINUTE_MS, readings: 61, state: 'open' }])
  t.equal(await world.judge.ready(), undefined)
})

test('an old batch that comes again does not undo what is judged in order meanwhile', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  await world.publish(warm(deviceId, 0, 700, 9))
  await world.settle()
  await world.publish(warm(deviceId, 710, 710, 9))
  await world.settle()
  world.storeDelayMs = 500
  await world.publish(warm(deviceId, 720, 720, 9))
  const calls = world.calls.get('rejudge') ?? 0
  const old = { id: randomUUIDv7(), acceptedAt: 0, readings: warm(deviceId, 300, 300, 9) }
  await world.queue.publish({ ...old, refusals: [], attributes: [] }, ['rejudge'])
  await waitFor(() => (world.calls.get('rejudge') ?? 0) > calls, 'the old batch to wait for the store')
  await world.publish(warm(deviceId, 730, 730, 5))
  await world.settle()
  t.match(await world.breaches(deviceId), [{ state: 'ended', endAt: T0 + 730 * MINUTE_MS, readings: 73 }])
})

test('after a restart an old reading is judged with all that is newer', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  await world.publish(warm(deviceId, 0, 700, 9))
  await world.settle()
  const [before] = await world.breaches(deviceId)
  await world.restart()
  await world.publish(warm(deviceId, 300, 300, 9))
  await world.settle()
  t.same(await world.breaches(deviceId), [before])
  await world.publish(warm(deviceId, 710, 710, 5))
  await world.settle()
  t.match(await world.breaches(deviceId), [{ id: before?.id, state: 'ended', readings: 71 }])
})

test('the newest reading again, greater: it is judged again; lesser or equal: it changes nothing', async (t) => {
  const world = await open(t)
  const deviceId = await world.addDevice('who-30dtr')
  await world.publish(warm(deviceId, 0, 0, 5))
  await world.settle()
  await world.publish(warm(deviceId, 10, 80, -1))
  await world.settle()
  const before = await world.breaches(deviceId)
  t.match(before, [{ ruleId: 'who-30dtr-low', state: 'open', readings: 8 }])
  for (const temperature of [-1, -3]) {
    await world.publish(warm(deviceId, 80, 80, temperature))
    await world.settle()
    t.same(await world.breaches(deviceId), before)
  }
  await world.publish(warm(deviceId, 80, 80, 5))
  await world.settle()
  t.match(await world.breaches(deviceId), [{ state: 'ended', endAt: T0 + 80 * MINUTE_MS, readings: 7 }])
})

test('pages of breaches, newest first', async (t) => {
  const world = await open(t)
  const devices = [await world.addDevice('who-30dtr'), await world.addDevice('who-30dtr')]
  for (const deviceId of devices)
    await world.publish([
      ...warm(deviceId, 0, 700, 9),
      ...warm(deviceId, 710, 710, 5),
      ...warm(deviceId, 720, 1500, 9),
    ])
  await world.settle()
  const all = await listBreaches(world.db, { limit: 10 })
  t.same(
    all.map((breach) => (breach.startAt - T0) / MINUTE_MS),
    [720, 720, 0, 0],
  )
  const first = await listBreaches(world.db, { limit: 3 })
  const rest = await listBreaches(world.db, { limit: 3, cursor: first.at(-1) })
  t.same([...first, ...rest], all)
  t.equal((await listBreaches(world.db, { state: 'open', limit: 10 })).length, 2)
  const { facilityId = '' } = all[0] ?? {}
  t.equal((await listBreaches(world.db, { facilityPathPrefix: `${facilityId}/`, limit: 10 })).length, 4)
  t.equal((await listBreaches(world.db, { facilityPathPrefix: 'other/', limit: 10 })).length, 0)
  t.equal((await listBreaches(world.db, { scope: 'other/', limit: 10 })).length, 0)
})
