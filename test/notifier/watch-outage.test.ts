import { test } from 'tap'
import { createWatchWorld, DAY, HOUR, MINUTE, oneFacility, reading, speak } from './watch-world.ts'

test('a place without power whose loggers go on: one outage, and no word of each refrigerator', async (t) => {
  const world = await createWatchWorld(t)
  const { facility, devices } = await oneFacility(world, 6)
  const power = async (powerOn: 0 | 1, forMs: number) => {
    const until = world.clock.at + forMs
    while (world.clock.at < until) {
      world.clock.at += 5 * MINUTE
      await world.arrive(devices.map((id) => reading(id, world.clock.at, { temperature: 5, powerOn })))
      await world.sweep()
    }
  }
  await power(1, 30 * MINUTE)
  const last = world.clock.at
  await world.arrive(devices.map((id) => reading(id, last + MINUTE, { temperature: 5, powerOn: 0 })))
  // What the judge makes of it.
  for (const [index, deviceId] of devices.entries())
    await world.judged(deviceId, `power-${index}`, 'power-out', facility.id)
  await power(0, 3 * HOUR)
  const [outage] = await world.breaches('site-outage')
  t.match(outage, { state: 'open', cause: 'power', peak: 6, startAt: last + MINUTE, facilityId: facility.id })
  t.ok((await world.breaches('power-out')).every(({ outageId }) => outageId === outage?.id))
  t.same(world.mails.map(({ to, step, subject }) => [to.split('@')[0], step, subject]).toSorted(), [
    ['chief', 'opened', 'Cut off: Cisarua'],
    ['nurse', 'opened', 'Cut off: Cisarua'],
  ])
  await power(1, 20 * MINUTE)
  t.match(await world.breaches('site-outage'), [{ state: 'ended' }])
  t.equal(world.mails.length, 4)
})

test('one that was told alone becomes part of the outage; what stays silent after it is told alone', async (t) => {
  const world = await createWatchWorld(t)
  const { devices } = await oneFacility(world, 8)
  await speak(world, devices.slice(1), 50 * MINUTE)
  t.same(
    world.mails.map(({ step }) => step),
    ['opened'],
  )
  await speak(world, [], 70 * MINUTE)
  const [outage] = await world.breaches('site-outage')
  t.match(outage, { state: 'open', peak: 8 })
  t.ok((await world.breaches('silence')).every(({ outageId }) => outageId === outage?.id))
  t.equal(world.mails.length, 3, 'the nurse and the chief hear of the outage')
  await speak(world, devices.slice(2), 10 * MINUTE)
  t.match(await world.breaches('site-outage'), [{ state: 'ended' }])
  await speak(world, devices.slice(2), 20 * MINUTE)
  const open = (await world.breaches('silence')).filter(({ state }) => state === 'open')
  t.same(
    open.map(({ deviceId, outageId }) => [deviceId, outageId]).toSorted(),
    [
      [devices[0], null],
      [devices[1], null],
    ].toSorted(),
  )
  const rest = world.mails.slice(3).map(({ to, step }) => `${to.split('@')[0]} ${step}`)
  // Of the first device the nurse knows already.
  t.same(rest.toSorted(), ['chief recovered', 'nurse opened', 'nurse recovered'])
})

test('a week of backlog, newest first: the messages that a person can bear, and nothing missing in the end', async (t) => {
  const world = await createWatchWorld(t, { settings: { absentMsMin: 2 * HOUR, quietFacilitiesMin: 9 } })
  const { devices, district } = await oneFacility(world, 6)
  const other = await world.place('facility', 'Ciawi', district)
  const hourly = await world.device(other.id, 'hourly')
  const last = world.clock.at
  for (let hour = 1; hour <= 7 * 24; hour += 1) {
    world.clock.at = last + hour * HOUR
    await world.arrive([reading(hourly, world.clock.at)])
    await world.sweep()
    // The nurse reads the first message, and says so.
    if (hour === 3) await world.db.updateTable('breach').set({ acknowledgedAt: world.clock.at }).execute()
  }
  const steps = () => world.mails.map(({ to, step }) => `${to.split('@')[0]} ${step}`).toSorted()
  t.same(steps(), ['chief opened', 'nurse opened'])
  for (let packet = 0; packet < 7; packet += 1) {
    for (const id of devices) {
      const to = world.clock.at - packet * DAY
      await world.arrive(Array.from({ length: 144 }, (_, index) => reading(id, to - index * 10 * MINUTE)))
    }
    world.clock.at += MINUTE
    await world.sweep()
  }
  await world.arrive(
    devices.flatMap((id) => Array.from({ length: 1008 }, (_, n) => reading(id, last + n * 10 * MINUTE))),
  )
  await world.sweep()
  t.same(steps(), ['chief opened', 'chief recovered', 'nurse opened', 'nurse recovered'])
  t.ok((await world.breaches('silence')).every(({ state }) => state === 'withdrawn'))
  t.match(await world.breaches('site-outage'), [{ state: 'ended' }])
})
