import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'tap'
import type { Reading } from '../../domain/reading.ts'
import type { Expectation } from '../../simulators/expect.ts'
import { playScenario, type Scenario } from '../../simulators/scenario.ts'
import { SCENARIOS } from '../../simulators/scenarios/all.ts'
import { openWorld, type TestWorld } from './judge-world.ts'

// P3 on the scenario files: whatever the order of arrival, the breaches are those that are checked in.
const EXPECTED = join(import.meta.dirname, '../../simulators/scenarios/expected')
const RUNS = Number(process.env.PROPERTY_RUNS ?? 1)
const BATCH = 200

type Deliver = (world: TestWorld, readings: readonly Reading[]) => Promise<void>

async function inBatches(world: TestWorld, readings: readonly Reading[], size: number): Promise<void> {
  for (let at = 0; at < readings.length; at += size) await world.publish(readings.slice(at, at + size))
}

const byTime = (readings: readonly Reading[]) => readings.toSorted((a, b) => a.time - b.time)

const deliveries: Readonly<Record<string, Deliver>> = {
  'in order': (world, readings) => inBatches(world, byTime(readings), BATCH),
  'in one batch': (world, readings) => world.publish(readings),
  // Not awaited one by one: the next is on its way while the last is being judged, as with devices.
  'one by one': async (world, readings) => {
    await Promise.all(byTime(readings).map((reading) => world.publish([reading])))
  },
  backwards: (world, readings) => inBatches(world, byTime(readings).toReversed(), BATCH),
  duplicated: (world, readings) => {
    const sorted = byTime(readings)
    return inBatches(world, [...sorted, ...sorted.slice(0, sorted.length / 2), ...sorted], BATCH)
  },
  'with a restart in the middle': async (world, readings) => {
    const sorted = byTime(readings)
    await inBatches(world, sorted.slice(0, sorted.length / 2), BATCH)
    await world.restart()
    await inBatches(world, sorted.slice(sorted.length / 2), BATCH)
  },
}

/** Delivers the readings of a scenario to devices of their own, and returns the breaches as the expectation file writes them. */
async function breachesOf(world: TestWorld, scenario: Scenario, deliver: Deliver) {
  const ids = new Map<string, string>()
  for (const { name } of scenario.devices) ids.set(name, await world.addDevice('who-30dtr'))
  const own = playScenario(scenario).readings.map((reading) => ({
    ...reading,
    deviceId: ids.get(reading.deviceId) ?? '',
  }))
  await deliver(world, own)
  await world.settle()
  const found = []
  for (const [device, id] of ids) for (const row of await world.breaches(id)) found.push({ ...row, device })
  const breaches = found.map((row) => ({
    device: row.device,
    rule: row.ruleId,
    startAt: iso(row.startAt),
    endAt: row.endAt === null ? null : iso(row.endAt),
    peak: row.peak,
    peakAt: iso(row.peakAt),
    lastAt: iso(row.lastAt),
    readings: row.readings,
  }))
  return inOrder(breaches)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

function expected({ name }: Scenario): Expectation['breaches'] {
  const text = readFileSync(join(EXPECTED, `${name}.json`), 'utf8')
  return inOrder((JSON.parse(text) as Expectation).breaches)
}

function inOrder<T extends { readonly device: string; readonly rule: string; readonly startAt: string }>(
  breaches: readonly T[],
): T[] {
  const key = ({ device, rule, startAt }: T) => `${device} ${rule} ${startAt}`
  return breaches.toSorted((a, b) => key(a).localeCompare(key(b)))
}

test('every scenario gives its breaches in whatever way it arrives', async (t) => {
  const world = await openWorld({})
  t.teardown(() => world.close())
  for (const scenario of SCENARIOS)
    for (const [how, deliver] of Object.entries(deliveries))
      t.same(await breachesOf(world, scenario, deliver), expected(scenario), `${scenario.name}, ${how}`)
})

test('every scenario gives its breaches shuffled, cut anywhere', async (t) => {
  const world = await openWorld({})
  t.teardown(() => world.close())
  for (const scenario of SCENARIOS) {
    const shuffle = fc.record({
      seed: fc.integer(),
      size: fc.integer({ min: 50, max: 400 }),
    })
    await fc.assert(
      fc.asyncProperty(shuffle, async ({ seed, size }) => {
        const shuffled: Deliver = (into, readings) => inBatches(into, shuffledBy(seed, readings), size)
        const found = await breachesOf(world, scenario, shuffled)
        return JSON.stringify(found) === JSON.stringify(expected(scenario))
      }),
      { numRuns: RUNS },
    )
    t.pass(scenario.name)
  }
})

/** Fisher and Yates, from a seed, so that a failure can be repeated. */
function shuffledBy(seed: number, readings: readonly Reading[]): Reading[] {
  const shuffled = [...readings]
  let state = seed >>> 0
  for (let at = shuffled.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const other = state % (at + 1)
    const [a, b] = [shuffled[at], shuffled[other]]
    if (a && b) [shuffled[at], shuffled[other]] = [b, a]
  }
  return shuffled
}
