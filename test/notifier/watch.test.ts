import { test } from 'tap'
import { createWatchWorld, DAY, HOUR, MINUTE, NOW, oneFacility, reading, speak } from './watch-world.ts'

const spans = (rows: readonly { state: string; startAt: number; endAt: number | null }[], from: number) =>
  rows.map(({ state, startAt, endAt }) => [
    state,
    (startAt - from) / MINUTE,
    endAt === null ? null : (endAt - from) / MINUTE,
  ])

test('a device that stops is found while it is silent, and told once (ThingsBoard #319, #12755)', async (t) => {
  const world = await createWatchWorld(t)
  const { devices } = await oneFacility(world, 2)
  const [first, second] = devices as [string, string]
  const last = world.clock.at
  await speak(world, [second], 30 * MINUTE)
  t.same(await world.breaches('silence'), [], 'thirty minutes are allowed')
  await speak(world, [second], 10 * MINUTE)
  t.match(await world.breaches('silence'), [{ deviceId: first, state: 'open', startAt: last, sensor: '*' }])
  t.match(world.mails, [
    { to: 'nurse@example.org', step: 'opened', subject: 'Silent: Fridge of logger 0, Cisarua' },
  ])
  await speak(world, [second], 3 * HOUR)
  t.equal(world.mails.length, 1)
  await speak(world, devices, 10 * MINUTE)
  t.same(spans(await world.breaches('silence'), last), [['ended', 0, 230]])
  t.match(world.mails.slice(1), [{ to: 'nurse@example.org', step: 'recovered' }])
})

test('backlog withdraws a silence, whatever comes first', async (t) => {
  const world = await createWatchWorld(t)
  const { devices } = await oneFacility(world, 2)
  const [first, second] = devices as [string, string]
  const last = world.clock.at
  await speak(world, [second], 2 * HOUR)
  const backlog = Array.from({ length: 12 }, (_, index) => reading(first, last + (index + 1) * 10 * MINUTE))

  await t.test('oldest first: nothing was missing', async (t) => {
    await world.arrive(backlog.slice(0, 6))
    await world.sweep()
    t.same(spans(await world.breaches('silence'), last), [['withdrawn', 0, null]])
    t.match(world.mails.at(-1), {
      step: 'withdrawn',
      subject: 'Alarm withdrawn: Fridge of logger 0, Cisarua',
    })
    await world.arrive(backlog.slice(6))
    await world.sweep()
    t.same(spans(await world.breaches('silence'), last), [['withdrawn', 0, null]])
  })

  await t.test('newest first: it ends, then it is shortened, split, and gone', async (t) => {
    const from = world.clock.at
    await speak(world, [second], 3 * HOUR)
    const at = (minutes: number) => [reading(first, from + minutes * MINUTE)]
    const now = async (...minutes: number[]) => {
      for (const minute of minutes) await world.arrive(at(minute))
      await world.sweep()
      return spans(
        (await world.breaches('silence')).filter((row) => row.state !== 'withdrawn'),
        from,
      )
    }
    const told = world.mails.length
    t.same(await now(180), [['ended', 0, 180]])
    t.equal(world.mails.length, told + 1)
    t.same(await now(150, 160, 170), [['ended', 0, 150]])
    t.same((await now(80, 90)).toSorted(), [
      ['ended', 0, 80],
      ['ended', 90, 150],
    ])
    t.same(await now(10, 20, 30, 40, 50, 60, 70, 100, 110, 120, 130, 140), [])
    t.equal(world.mails.length, told + 1, 'that it is back was said once')
  })
})

test('a reading that comes while the silence is being found ends it (ThingsBoard #7909, #6821)', async (t) => {
  const world = await createWatchWorld(t)
  const { devices } = await oneFacility(world, 1)
  const [only] = devices as [string]

  for (const order of ['reading first', 'at once', 'silence first'] as const) {
    const last = world.clock.at
    await speak(world, [], 30 * MINUTE)
    world.clock.at += 11 * MINUTE
    const back = world.clock.at
    if (order === 'silence first') await world.sweep()
    const coming = world.arrive([reading(only, back)])
    if (order === 'reading first') await coming
    await Promise.all([coming, world.world.watches[0]?.sweep()])
    await world.sweep()
    t.same(
      spans(
        (await world.breaches('silence')).filter(({ startAt }) => startAt === last),
        last,
      ),
      [['ended', 0, 41]],
      order,
    )
    await speak(world, devices, HOUR)
  }
  t.notOk((await world.breaches('silence')).some(({ state }) => state === 'open'))
})

test('what waits in the queues is no silence', async (t) => {
  const world = await createWatchWorld(t)
  await oneFacility(world, 1)
  const last = world.clock.at
  world.pending.judge = last + 5 * MINUTE
  await speak(world, [], 5 * HOUR)
  t.same(await world.breaches('silence'), [], 'the judge is behind: it may have spoken')
  world.pending.store = last + 5 * MINUTE
  delete world.pending.judge
  await speak(world, [], HOUR)
  t.same(await world.breaches('silence'), [], 'the store is behind')
  delete world.pending.store
  await speak(world, [], HOUR)
  t.same(spans(await world.breaches('silence'), last), [['open', 0, null]])
})

test('time in which nobody watched is held against nobody', async (t) => {
  const world = await createWatchWorld(t)
  const { devices } = await oneFacility(world, 6)
  const last = world.clock.at
  // The whole system was down for five hours, and starts anew: its memory is gone.
  world.clock.at += 5 * HOUR
  world.world.watches = [world.open()]
  await world.sweep()
  await speak(world, devices.slice(1), 20 * MINUTE)
  t.same(await world.breaches('silence'), [], 'nobody could send, and what was lost is not held against them')
  await speak(world, devices.slice(1), 40 * MINUTE)
  t.match(await world.breaches('silence'), [{ deviceId: devices[0], startAt: last, state: 'open' }])
  t.equal(world.mails.length, 1)
})

test('when nothing comes from anybody the fault is taken for our own', async (t) => {
  const world = await createWatchWorld(t)
  const district = await world.place('district', 'Bogor')
  const places = await Promise.all(
    [0, 1, 2, 3].map((index) => world.place('facility', `F${index}`, district)),
  )
  await world.person('chief', district.id, 'manager')
  const devices = await Promise.all(
    places.flatMap(({ id }) => [0, 1, 2, 3].map((n) => world.device(id, `d${n}`))),
  )
  await speak(world, devices, 4 * HOUR)
  await speak(world, [], 90 * MINUTE)
  t.same(await world.breaches('silence'), [])
  t.match(await world.metrics.scrape(), /coldstream_watch_quiet 1/)
  await speak(world, devices.slice(1), 20 * MINUTE)
  t.same(await world.breaches('silence'), [], 'each has its time again')
  await speak(world, devices.slice(1), 30 * MINUTE)
  t.equal((await world.breaches('silence')).length, 1)
  await speak(world, [], 4 * HOUR)
  t.ok((await world.breaches('silence')).length > 10, 'but not for ever')
})

test('a logger that hands over every six hours is expected every six hours', async (t) => {
  const world = await createWatchWorld(t)
  const { facility } = await oneFacility(world, 1)
  const slow = await world.device(facility.id, 'slow')
  const upload = async () => {
    await world.arrive(
      Array.from({ length: 36 }, (_, index) => reading(slow, world.clock.at - (35 - index) * 10 * MINUTE)),
    )
  }
  for (let day = 0; day < 4 * 4; day += 1) {
    await upload()
    for (let hour = 0; hour < 6; hour += 1) {
      world.clock.at += HOUR
      await world.sweep()
    }
  }
  const mine = async () => (await world.breaches('silence')).filter(({ deviceId }) => deviceId === slow)
  t.same(
    (await mine()).filter(({ startAt }) => startAt > NOW + 2 * DAY),
    [],
    'after a day it is known',
  )
  await speak(world, [], 24 * HOUR)
  t.match((await mine()).at(-1), { state: 'open' })
})

test('what a person has set holds from then on, also for a silence that is open', async (t) => {
  const world = await createWatchWorld(t)
  const { devices } = await oneFacility(world, 1)
  const [only] = devices as [string]
  await speak(world, [], 2 * HOUR)
  t.match(await world.breaches('silence'), [{ state: 'open' }])
  const { setCadence } = await import('../../db/queries/watch.ts')
  await world.db.transaction().execute((trx) => setCadence(trx, only, world.clock.at, 8 * HOUR))
  await speak(world, [], 20 * HOUR)
  t.match(await world.breaches('silence'), [{ state: 'withdrawn' }])
  await speak(world, [], 3 * HOUR)
  t.match(await world.breaches('silence'), [{ state: 'open' }])
})
