import { deepStrictEqual } from 'node:assert'
import * as fc from 'fast-check'
import { test } from 'tap'
import { findPlacements } from '../../db/queries/placement.ts'
import { insertVersion, listVersionRules, listVersions } from '../../db/queries/rule-profile.ts'
import { ruleOf } from '../../db/queries/rule.ts'
import { listBreachChanges } from '../../db/queries/breach.ts'
import type { Reading } from '../../domain/reading.ts'
import type { Rule } from '../../domain/rule.ts'
import { RULE_DEFAULTS } from '../../domain/shipped-rules.ts'
import { requestRejudge } from '../../notifier/rejudge-request.ts'
import { systemClock } from '../../ports/clock.ts'
import { referenceBreaches } from '../domain/breach-reference.ts'
import { openWorld, plantProfiles, type TestWorld } from './judge-world.ts'

const MINUTE_MS = 60_000
// Half an hour before midnight in Jakarta, where the refrigerators are.
const T0 = Date.UTC(2026, 0, 1, 16, 30)
const timeZone = 'Asia/Jakarta'

// Short durations, so that a few readings are enough for a breach and every boundary is met often.
const base: Rule = {
  ...RULE_DEFAULTS,
  id: '',
  profile: '',
  name: '',
  quantity: 'temperature',
  comparator: 'gt',
  threshold: 8,
  mode: 'consecutive',
  durationMs: 3 * MINUTE_MS,
  gapMsMax: 4 * MINUTE_MS,
  severity: 'critical',
}
const instant = { mode: 'instant', durationMs: 0 } as const
const RULES: readonly Rule[] = [
  { ...base, id: 'high' },
  { ...base, id: 'low', comparator: 'lte', threshold: -0.5, durationMs: 2 * MINUTE_MS },
  { ...base, id: 'hot', ...instant, threshold: 15 },
  { ...base, id: 'damp', quantity: 'humidity', threshold: 80, durationMs: 2 * MINUTE_MS },
  { ...base, id: 'sum', mode: 'cumulative', window: { kind: 'sliding', ms: 10 * MINUTE_MS } },
  {
    ...base,
    id: 'sum-low',
    mode: 'cumulative',
    comparator: 'lte',
    threshold: -0.5,
    window: { kind: 'sliding', ms: 30 * MINUTE_MS },
  },
  { ...base, id: 'day', mode: 'cumulative', window: { kind: 'day', timeZone }, durationMs: 6 * MINUTE_MS },
  { ...base, id: 'lasting', hysteresis: 1 },
  { ...base, id: 'midnight', ...instant, activeHours: { from: '23:45', to: '00:20', timeZone } },
  { ...base, id: 'once', ...instant, validFrom: T0 + 20 * MINUTE_MS, validTo: T0 + 60 * MINUTE_MS },
  { ...base, id: 'rise', ...instant, measure: 'ratePerHour', threshold: 60 },
  { ...base, id: 'jumpy', measure: 'jump', threshold: 1 },
  { ...base, id: 'still', measure: 'stuck', comparator: 'lte', threshold: 0 },
]

let profiles = 0

/** The rules, as those of a profile that is new. */
async function plantRules(world: TestWorld): Promise<string> {
  const profile = `dense${(profiles += 1)}`
  await plantProfiles(
    world.db,
    RULES.map((rule) => ({ ...rule, id: `${profile}-${rule.id}`, profile })),
  )
  return profile
}

/** From an event time on other rules hold: some go, some have another limit, the others stay what they are. */
async function changeRules(
  world: TestWorld,
  devices: readonly string[],
  { fromMinutes, kept, limit }: Version,
) {
  const [placement] = (await findPlacements(world.db, devices.slice(0, 1))).values()
  const profile = placement?.rules[0]?.profile ?? ''
  const version = (await listVersions(world.db, [profile])).length + 1
  const before = new Map(
    (await listVersionRules(world.db, [profile])).map((row) => [row.id, ruleOf(row, timeZone)]),
  )
  const validFrom = fromMinutes === null ? null : T0 + fromMinutes * MINUTE_MS
  const rules = [...before.values()]
    .filter((rule, index) => rule.id.includes('.') === false && kept[index % kept.length] !== 'drop')
    .map((rule, index) =>
      kept[(index + 3) % kept.length] === 'change' && rule.measure === 'value'
        ? { ...rule, id: `${rule.id}.${version}`, version, threshold: rule.threshold + limit }
        : rule,
    )
  const row = { profile, version, validFrom, validTo: null, comment: '', publishedAt: 0, publishedBy: null }
  await insertVersion(world.db, row, rules)
  await requestRejudge({ queue: world.queue, clock: systemClock }, devices, validFrom ?? 0)
}

const point = fc.record({
  sensor: fc.constantFrom('main', 'main', 'main', 'door'),
  device: fc.constantFrom(0, 0, 1),
  // 0: again at the same time, with the same value or one that contradicts it.
  minutes: fc.constantFrom(0, 1, 1, 1, 1, 2, 4, 5, 9),
  temperature: fc.constantFrom(5, 8, 8.1, 9, 9, 9, 12, 16, -0.4, -0.5, -1, -1, undefined),
  humidity: fc.constantFrom(undefined, undefined, undefined, 50, 81, 90),
  // Where in the order of arrival: how much later than its turn, in points.
  delay: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 60 })),
  isRepeated: fc.constantFrom(false, false, false, true),
})
type Point = typeof point extends fc.Arbitrary<infer P> ? P : never

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), size: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 6, arbitrary: fc.constant({ kind: 'settle' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.integer({ min: 0, max: 12 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('store' as const), delayMs: fc.constantFrom(0, 2, 15) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'registry' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rules' as const),
      fromMinutes: fc.option(fc.integer({ min: 0, max: 200 }), { freq: 5 }),
      kept: fc.array(fc.constantFrom('keep' as const, 'keep' as const, 'change' as const, 'drop' as const), {
        minLength: 5,
        maxLength: 9,
      }),
      limit: fc.constantFrom(-1, 0.1, 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('gap' as const), device: fc.constantFrom(0, 1, undefined) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
type Version = Step & { kind: 'rules' }

function readingsOf(points: readonly Point[], devices: readonly string[], hasDelays: boolean): Reading[] {
  const times = new Map<string, number>()
  const arrivals = points.flatMap((p, index) => {
    const key = `${p.device} ${p.sensor}`
    const time = (times.get(key) ?? T0) + p.minutes * MINUTE_MS
    times.set(key, time)
    const values = {
      ...(p.temperature === undefined ? {} : { temperature: p.temperature }),
      ...(p.humidity === undefined ? {} : { humidity: p.humidity }),
    }
    const reading: Reading = { deviceId: devices[p.device] ?? '', sensor: p.sensor, time, values }
    const at = index + (hasDelays ? p.delay : 0)
    return p.isRepeated
      ? [
          { at, reading },
          { at: at + 3, reading },
        ]
      : [{ at, reading }]
  })
  return arrivals.toSorted((a, b) => a.at - b.at).map((arrival) => arrival.reading)
}

async function run(
  world: TestWorld,
  readings: readonly Reading[],
  devices: readonly string[],
  steps: readonly Step[],
): Promise<void> {
  let next = 0
  const publish = async (size: number) => {
    const some = readings.slice(next, next + size)
    next += size
    if (some.length > 0) await world.publish(some)
  }
  for (let index = 0; next < readings.length; index += 1) {
    const doing = steps[index % steps.length] ?? { kind: 'publish', size: 3 }
    // Only once each: opening everything again takes longer than all of the rest.
    const isFirstRound = index < steps.length
    if (doing.kind === 'publish') await publish(doing.size)
    else if (doing.kind === 'settle') await world.settle()
    else if (doing.kind === 'store') world.storeDelayMs = doing.delayMs
    else if (doing.kind === 'gap')
      world.tellGap((id) => doing.device === undefined || id === devices[doing.device])
    else if (doing.kind === 'registry')
      for (const { deviceId } of readings.slice(0, 3)) world.cache.publish('registry', { deviceId })
    else if (doing.kind === 'rules') {
      if (isFirstRound) await changeRules(world, devices, doing)
    } else if (isFirstRound) await interrupt(world, doing, publish)
  }
  await world.settle()
}

async function interrupt(
  world: TestWorld,
  doing: Step & { kind: 'restart' | 'crash' },
  publish: (size: number) => Promise<void>,
): Promise<void> {
  if (doing.kind === 'crash') {
    world.fuse = doing.after
    await publish(5)
    await publish(5)
  }
  await world.restart()
}

async function check(world: TestWorld, readings: readonly Reading[], devices: readonly string[]) {
  for (const deviceId of devices) {
    const own = readings.filter((reading) => reading.deviceId === deviceId)
    const rows = await world.breaches(deviceId)
    const found = rows.map(({ sensor, ruleId, startAt, endAt, peak, peakAt, lastAt, readings: count }) => {
      return { sensor, ruleId, startAt, endAt, peak, peakAt, lastAt, readings: count }
    })
    const rules = (await findPlacements(world.db, [deviceId])).get(deviceId)?.rules ?? []
    deepStrictEqual(found, expectedOf(rules, own))
    for (const row of rows) await checkTrail(world, row)
  }
}

function expectedOf(rules: readonly Rule[], readings: readonly Reading[]) {
  const sensors = [...new Set(readings.map((reading) => reading.sensor))]
  const all = sensors.flatMap((sensor) =>
    rules.flatMap((rule) => {
      const own = readings.filter((reading) => reading.sensor === sensor)
      return referenceBreaches(rule, own).map((breach) => ({ sensor, ruleId: rule.id, ...breach }))
    }),
  )
  return all.toSorted(
    (a, b) => compare(a.sensor, b.sensor) || compare(a.ruleId, b.ruleId) || compare(a.startAt, b.startAt),
  )
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

// The trail must lead from nothing to where the breach stands, each change from where the one before had led.
async function checkTrail(world: TestWorld, row: { id: string; state: string }): Promise<void> {
  let state = 'none'
  for (const { kind, before, after } of await listBreachChanges(world.db, row.id)) {
    deepStrictEqual(before === null ? 'none' : JSON.parse(before).state, state, `before ${kind}`)
    state = JSON.parse(after ?? '{}').state
  }
  deepStrictEqual(state, row.state)
}

const numRuns = Number(process.env.PROPERTY_RUNS ?? 4)
const timeout = 60_000 + numRuns * 10_000

async function checkProperty(world: TestWorld): Promise<void> {
  const property = fc.asyncProperty(
    fc.array(point, { minLength: 1, maxLength: 120, size: 'max' }),
    fc.array(step, { minLength: 1, maxLength: 40 }),
    fc.boolean(),
    async (points, steps, hasDelays) => {
      const profile = await plantRules(world)
      const devices = [await world.addDevice(profile), await world.addDevice(profile)]
      const readings = readingsOf(points, devices, hasDelays)
      await run(world, readings, devices, [...steps, { kind: 'publish', size: 3 }])
      await check(world, readings, devices)
    },
  )
  await fc.assert(property, { numRuns, endOnFailure: process.env.NO_SHRINK === '1' })
}

test('P3: breaches are a function of the readings, however these arrive', { timeout }, async (t) => {
  const world = await openWorld({ deliveriesMax: 4 }, [])
  t.teardown(() => world.close())
  await checkProperty(world)
  t.comment(`in order ${world.judged('in-order')}, over a window ${world.judged('window')}`)
  t.ok(world.judged('in-order') > 0, 'some were judged in order')
  t.ok(world.judged('window') > 0, 'some were judged over a window')
})

test('P3: also when memory holds few streams and few late readings', { timeout }, async (t) => {
  const settings = { streamsMax: 2, lateReadingsMax: 5, lateBatchReadingsMax: 3, deliveriesMax: 2 }
  const world = await openWorld(settings, [])
  t.teardown(() => world.close())
  await checkProperty(world)
  t.comment(`in order ${world.judged('in-order')}, over a window ${world.judged('window')}`)
})
