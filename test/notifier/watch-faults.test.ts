import { randomUUIDv7 } from 'node:crypto'
import { test } from 'tap'
import { insertCalibration } from '../../db/queries/calibration.ts'
import { insertRefusals } from '../../db/queries/refusal.ts'
import type { ErrorCode } from '../../domain/errors.ts'
import { clockOffset } from '../../domain/clock.ts'
import { createWatchWorld, DAY, HOUR, MINUTE, reading, type WatchWorld } from './watch-world.ts'

async function oneDevice(world: WatchWorld) {
  const facility = await world.place('facility', 'Cisarua')
  await world.person('nurse', facility.id, 'operator')
  return world.device(facility.id, 'logger')
}

async function refuse(world: WatchWorld, deviceId: string, code: ErrorCode) {
  await insertRefusals(world.db, [
    {
      id: randomUUIDv7(),
      deviceId,
      topic: 'v1/devices/me/telemetry',
      code,
      detail: '',
      payload: '',
      receivedAt: world.clock.at,
    },
  ])
}

async function pass(world: WatchWorld, forMs: number, each?: () => Promise<void>) {
  const until = world.clock.at + forMs
  while (world.clock.at < until) {
    world.clock.at += 10 * MINUTE
    await each?.()
    await world.sweep()
  }
}

for (const [ruleId, code, subject] of [
  ['sensor-unplugged', 'reading.sensorFault', 'Without its sensor'],
  ['clock-wrong', 'reading.timeTooOld', 'Showing the wrong time'],
] as const)
  test(`${ruleId}: from the third refusal to the last`, async (t) => {
    const world = await createWatchWorld(t)
    const device = await oneDevice(world)
    const speak = () => world.arrive([reading(device, world.clock.at)])
    await pass(world, HOUR, speak)
    const from = world.clock.at
    await pass(world, 20 * MINUTE, () => refuse(world, device, code))
    t.same(await world.breaches(ruleId), [], 'twice is a hiccup')
    await pass(world, 10 * MINUTE, () => refuse(world, device, code))
    t.match(await world.breaches(ruleId), [
      { state: 'open', deviceId: device, startAt: from + 10 * MINUTE, readings: 3 },
    ])
    t.match(world.mails, [{ step: 'opened', subject: `${subject}: Fridge of logger, Cisarua` }])
    await pass(world, HOUR, () => refuse(world, device, code))
    const last = world.clock.at
    await pass(world, HOUR, speak)
    t.match(await world.breaches(ruleId), [{ state: 'open' }])
    await pass(world, 20 * MINUTE, speak)
    t.match(await world.breaches(ruleId), [{ state: 'ended', endAt: last }])
    t.match(world.mails.slice(1), [{ step: 'recovered' }], 'and no word of a silence')
  })

test('a clock that is steadily off, and a device that only catches up', async (t) => {
  const world = await createWatchWorld(t)
  const device = await oneDevice(world)
  const behind = (ms: number) => () => world.arrive([reading(device, world.clock.at - ms)])
  await pass(world, 2 * HOUR, behind(0))
  await pass(world, 3 * HOUR, behind(40 * MINUTE))
  t.match(await world.breaches('clock-wrong'), [{ state: 'open', deviceId: device }])
  await pass(world, 4 * HOUR, behind(0))
  t.match(await world.breaches('clock-wrong'), [{ state: 'ended' }])
  for (const [lags, observed, offset] of [
    [[40, 41, 42, 40, 41, 42, 40, 41], HOUR, 40],
    [[40, 41, 42, 40, 41, 42, 40, 41], HOUR - 1, null],
    [[40, 41, 42, 40, 41, 42, 40], HOUR, null],
    [[900, 800, 700, 600, 500, 400, 300, 200], 2 * HOUR, null],
    [[14, 15, 15, 15, 15, 15, 15, 15], HOUR, null],
    [[-3, -2, -3, -2, -3, -2, -3, -2], HOUR, -2],
    [[-3, -2, -3, -2, -3, -2, -3, -1], HOUR, null],
  ] as const)
    t.equal(
      clockOffset(
        lags.map((lag) => lag * MINUTE),
        observed,
      ),
      offset && offset * MINUTE,
      String(lags),
    )
})

test('a calibration that is overdue, until the sensor was calibrated again', async (t) => {
  const world = await createWatchWorld(t)
  const device = await oneDevice(world)
  const calibrate = (calibratedAt: number, dueAt: number) =>
    world.db.transaction().execute((trx) =>
      insertCalibration(trx, {
        id: randomUUIDv7(),
        deviceId: device,
        sensor: 'main',
        calibratedAt,
        dueAt,
        certificate: null,
        performedBy: null,
        comment: null,
        createdBy: 'x',
        createdAt: world.clock.at,
      }),
    )
  const now = world.clock.at
  await calibrate(now - 365 * DAY, now + 20 * MINUTE)
  await pass(world, 10 * MINUTE)
  t.same(await world.breaches('calibration-overdue'), [])
  await pass(world, 10 * MINUTE)
  t.match(await world.breaches('calibration-overdue'), [
    { state: 'open', sensor: 'main', startAt: now + 20 * MINUTE },
  ])
  await calibrate(now - 700 * DAY, now - 335 * DAY)
  await pass(world, 10 * MINUTE)
  t.match(await world.breaches('calibration-overdue'), [{ state: 'open' }], 'an older one changes nothing')
  await calibrate(now + 25 * MINUTE, now + 365 * DAY)
  await pass(world, 10 * MINUTE)
  t.match(await world.breaches('calibration-overdue'), [{ state: 'ended', endAt: now + 25 * MINUTE }])
  t.same(
    world.mails.map(({ step }) => step),
    ['opened', 'recovered'],
  )
})
