import { test } from 'tap'
import { uniform } from '../../simulators/random.ts'
import {
  createRefrigerator,
  observe,
  type Episode,
  type Refrigerator,
} from '../../simulators/refrigerator.ts'
import type { Reading } from '../../domain/reading.ts'
import { createWatchWorld, HOUR, MINUTE, type Mail, type WatchWorld } from './watch-world.ts'

const FACILITIES = 30
const DEVICES = 500
const CADENCE = 10 * MINUTE
/** Notifiers at once: nothing that is expected here may depend on it. */
const WATCHERS = Number(process.env['WATCHERS'] ?? 2)

interface Logger {
  readonly id: string
  readonly facility: number
  readonly behindGateway: boolean
  refrigerator: Refrigerator
  nextAt: number
  /** Kept while it has no network. */
  readonly kept: Reading[]
  hasNetwork: boolean
  isOn: boolean
}

/** 30 facilities of two districts, 500 simulated refrigerators, one gateway; an operator in each facility, a manager in each district and in the province. */
async function createFleet(
  world: WatchWorld,
  episodesOf: (facility: number) => readonly Episode[],
  startAt: number,
) {
  const province = await world.place('province', 'Jawa Barat')
  const districts = [
    await world.place('district', 'Bogor', province),
    await world.place('district', 'Cianjur', province),
  ]
  const people = {
    province: await world.person('province', province.id, 'manager'),
    districts: [] as string[],
    nurses: [] as string[],
  }
  for (const [index, district] of districts.entries())
    people.districts.push(await world.person(`district-${index}`, district.id, 'manager'))
  const facilities: { id: string; path: string; name: string }[] = []
  for (let index = 0; index < FACILITIES; index += 1) {
    const facility = await world.place('facility', `Puskesmas ${index}`, districts[index < 20 ? 0 : 1])
    facilities.push(facility)
    people.nurses.push(await world.person(`nurse-${index}`, facility.id, 'operator'))
  }
  const gateway = await world.device(facilities[25]?.id ?? '', 'gateway', null, true)
  const loggers: Logger[] = []
  for (let index = 0; index < DEVICES; index += 1) {
    const facility = index % FACILITIES
    // Five of the sixteen of this facility speak through the gateway: it is their outage, and not that of the facility.
    const behindGateway = facility === 25 && index < 150
    const id = await world.device(
      facilities[facility]?.id ?? '',
      `logger ${index}`,
      behindGateway ? gateway : null,
    )
    const options = { seed: index, stepMs: 60_000 * 10, episodes: episodesOf(facility) }
    const refrigerator = createRefrigerator({ ...options, startAt })
    const nextAt = startAt + Math.floor(CADENCE * uniform(index, 20, 0))
    loggers.push({
      id,
      facility,
      behindGateway,
      refrigerator,
      nextAt,
      kept: [],
      hasNetwork: true,
      isOn: true,
    })
  }
  return { loggers, people, gateway, facilities, districts, province }
}

type Fleet = Awaited<ReturnType<typeof createFleet>>

/** What the loggers measure and send; everything happens every five minutes. */
async function run(world: WatchWorld, fleet: Fleet, forMs: number): Promise<void> {
  const until = world.clock.at + forMs
  while (world.clock.at < until) {
    world.clock.at += 5 * MINUTE
    const sent: Reading[] = []
    for (const logger of fleet.loggers) {
      while (logger.nextAt <= world.clock.at) {
        const { values, next } = observe(logger.refrigerator, logger.nextAt)
        logger.refrigerator = next
        if (logger.isOn)
          logger.kept.push({ deviceId: logger.id, sensor: 'main', time: logger.nextAt, values })
        logger.nextAt += CADENCE
      }
      if (logger.hasNetwork) sent.push(...logger.kept.splice(0))
    }
    if (sent.length > 0) await world.arrive(sent)
    await world.sweep()
  }
}

const count = (mails: readonly Mail[]) => {
  const counts: Record<string, number> = {}
  for (const { to, step } of mails)
    counts[`${to.split('@')[0]} ${step}`] = (counts[`${to.split('@')[0]} ${step}`] ?? 0) + 1
  return counts
}

async function story(world: WatchWorld, fleet: Fleet) {
  const take = () => world.mails.splice(0)
  await run(world, fleet, 2.5 * HOUR)
  const quiet = take()

  // The gateway dies for two hours. Its loggers keep what they measure.
  for (const logger of fleet.loggers) if (logger.behindGateway) logger.hasNetwork = false
  await run(world, fleet, 1.5 * HOUR)
  for (const logger of fleet.loggers) logger.hasNetwork = true
  await run(world, fleet, 0.5 * HOUR)
  const gateway = take()

  // A district loses power, and with it the network of its facilities; loggers without battery measure nothing.
  const dark = fleet.loggers.filter(({ facility }) => facility < 20)
  for (const logger of dark) Object.assign(logger, { hasNetwork: false, isOn: false })
  await run(world, fleet, 2 * HOUR)
  const cut = take()
  for (const logger of dark) Object.assign(logger, { hasNetwork: true, isOn: true })
  await run(world, fleet, 0.5 * HOUR)
  const restored = take()

  // One logger that stops for good.
  const lone = fleet.loggers[29]
  if (lone) lone.isOn = false
  await run(world, fleet, HOUR)
  const single = take()
  return {
    quiet: count(quiet),
    gateway: count(gateway),
    cut: count(cut),
    restored: count(restored),
    single: count(single),
  }
}

/** What people get: no more than they can bear. */
const EXPECTED = {
  quiet: {},
  // The nurse of the facility, and the manager of the district; nobody is told of five loggers.
  gateway: {
    'nurse-25 opened': 1,
    'nurse-25 recovered': 1,
    'district-1 opened': 1,
    'district-1 recovered': 1,
  },
  // One each: the nurses of their own facility, the managers of the district. The province hears of what lasts for two hours.
  cut: {
    ...Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`nurse-${index} opened`, 1])),
    'district-0 opened': 1,
  },
  restored: {
    ...Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`nurse-${index} recovered`, 1])),
    'district-0 recovered': 1,
  },
  single: { 'nurse-29 opened': 1 },
}

test('500 devices, 30 facilities: a dead gateway, a district without power, a dead logger', async (t) => {
  const world = await createWatchWorld(t)
  world.world.watches = Array.from({ length: WATCHERS }, () => world.open())
  const fleet = await createFleet(world, () => [], world.clock.at)
  const told = await story(world, fleet)
  t.same(told, EXPECTED)
  const outages = await world.breaches('site-outage')
  t.equal(outages.length, 1 + 20 + 1, 'the gateway, each facility, the district')
  t.ok(outages.every(({ state }) => state === 'ended'))
  const silences = await world.breaches('silence')
  const open = silences.filter(({ state }) => state === 'open')
  t.match(open, [{ deviceId: fleet.loggers[29]?.id, outageId: null }])
  t.equal(
    silences.filter(({ outageId }) => outageId !== null).length,
    fleet.loggers.filter(({ facility }) => facility < 20).length + 5,
  )
})
