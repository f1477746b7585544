import { deepStrictEqual } from 'node:assert'
import { randomUUIDv7 } from 'node:crypto'
import * as fc from 'fast-check'
import { pino } from 'pino'
import { test, type Test } from 'tap'
import { findPlacements } from '../../db/queries/placement.ts'
import { judgeReadings } from '../../domain/breach.ts'
import type { Reading } from '../../domain/reading.ts'
import { EVERYWHERE } from '../../domain/rule-resolution.ts'
import { JUDGE_SETTINGS, startJudge } from '../../notifier/judge.ts'
import { startRuleChanges } from '../../notifier/rule-changes.ts'
import { systemClock } from '../../ports/clock.ts'
import { QUEUES } from '../../ports/queue.ts'
import { waitFor } from '../wait-for.ts'
import { openWorld, plantTree, type Json, type Tree, type World } from './world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const T0 = Date.UTC(2026, 0, 1)
const iso = (time: number) => new Date(time).toISOString()

const warm = {
  name: 'Warm for an hour',
  quantity: 'temperature',
  comparator: 'gt',
  threshold: 8,
  mode: 'consecutive',
  durationMs: HOUR_MS,
  severity: 'critical',
}
/** One of each kind. */
const RULES = [
  { ...warm, hysteresis: 1 },
  { ...warm, name: 'Hot', threshold: 12, mode: 'instant', durationMs: 0 },
  { ...warm, name: 'Sum of a day', mode: 'cumulative', durationMs: 3 * HOUR_MS, window: { kind: 'day' } },
  {
    ...warm,
    name: 'Sum of six hours',
    mode: 'cumulative',
    threshold: 7,
    durationMs: 2 * HOUR_MS,
    window: { kind: 'sliding', ms: 6 * HOUR_MS },
  },
  { ...warm, name: 'By night', threshold: 6, activeHours: { from: '18:00', to: '06:00' } },
  { ...warm, name: 'Rises', measure: 'ratePerHour', threshold: 20, mode: 'instant', durationMs: 0 },
  { ...warm, name: 'Jumps', measure: 'jump', threshold: 6, mode: 'instant', durationMs: 0 },
  { ...warm, name: 'Stuck', measure: 'stuck', comparator: 'lte', threshold: 0 },
]

interface Judged extends World {
  readonly tree: Tree
  /** Gives readings to the whole system, and waits until all is stored and judged. */
  take(readings: readonly Reading[]): Promise<void>
}

async function openJudged(t: Test): Promise<Judged> {
  const world = await openWorld(t)
  const log = pino({ level: 'silent' })
  const judge = await startJudge({ ...world, log, clock: systemClock, settings: JUDGE_SETTINGS })
  const ruleChanges = startRuleChanges({ ...world, log, clock: systemClock })
  t.teardown(async () => {
    await ruleChanges.stop()
    await judge.stop()
  })
  const tree = await plantTree(world)
  // Only the rules that a test gives.
  const damp = { ...warm, quantity: 'humidity', threshold: 99 }
  await world.make('/v1/profiles', { id: 'quiet', name: 'Quiet', rules: [damp] })
  const quiet = { facilityId: tree.country, profile: EVERYWHERE, replacement: 'quiet', from: null }
  await world.post('/v1/profile-overrides', world.admin, quiet)
  return {
    ...world,
    tree,
    async take(readings) {
      const batch = { id: randomUUIDv7(), acceptedAt: Date.now(), readings, refusals: [], attributes: [] }
      await world.queue.publish(batch, ['store', 'judge'])
      const isEmpty = () => QUEUES.every((queue) => world.queue.depth(queue).batches === 0)
      await waitFor(isEmpty, 'all queues to be empty', 20_000)
    },
  }
}

/** Stretches at a temperature, each so many readings long, with a gap before it. */
const stretches = fc.array(
  fc.record({
    gapMinutes: fc.constantFrom(10, 10, 10, 150),
    length: fc.integer({ min: 1, max: 15 }),
    temperature: fc.constantFrom(4, 5, 6.5, 7.5, 8.1, 8.5, 9, 12.5),
    wobble: fc.constantFrom(0, 0.1),
  }),
  { minLength: 20, maxLength: 60 },
)

function readingsOf(deviceId: string, parts: typeof stretches extends fc.Arbitrary<infer S> ? S : never) {
  const readings: Reading[] = []
  let time = T0
  for (const { gapMinutes, length, temperature, wobble } of parts) {
    time += gapMinutes * MINUTE_MS
    for (let index = 0; index < length; index += 1, time += 10 * MINUTE_MS)
      readings.push({
        deviceId,
        sensor: 'main',
        time,
        values: { temperature: temperature + (index % 2) * wobble },
      })
  }
  return readings
}

interface Line {
  readonly rule: string
  readonly startAt: string
  readonly endAt: string | null
  readonly peak: number
  readonly readings: number
}

function line(rule: string, { startAt, endAt, peak, readings }: Line): Line {
  return { rule, startAt, endAt, peak, readings }
}

const inOrder = (lines: readonly Line[]) => lines.map((line) => JSON.stringify(line)).toSorted()

test('a preview finds what the judge recorded, wherever it begins and ends', async (t) => {
  const world = await openJudged(t)
  const { a } = world.tree
  await world.make('/v1/profiles', { id: 'many', name: 'Many', rules: RULES })
  const [sample = []] = fc.sample(stretches, {
    numRuns: 1,
    seed: Number(process.env.SEED ?? Date.now() % 1e9),
  })
  await world.patch(`/v1/equipment/${a.equipment}`, world.admin, { profile: 'many', profileFrom: null })
  const readings = readingsOf(a.device, sample)
  await world.take(readings)
  const end = (readings.at(-1)?.time ?? T0) + 1
  const names = new Map<string, string>()
  for (const { id, name } of (await findPlacements(world.db, [a.device])).get(a.device)?.rules ?? [])
    names.set(id, name)
  const ask = async (from: number, to: number) => {
    const body = { profile: 'many', deviceId: a.device, from: iso(from), to: iso(to) }
    const answer = await world.post('/v1/rules/preview', world.admin, body)
    t.equal(answer.status, 200)
    return answer.body as unknown as {
      items: { found: (Line & { name: string })[]; recorded: (Line & { ruleId: string })[] }[]
      counts: Record<string, number>
    }
  }
  const whole = await ask(T0, end)
  const found = whole.items.flatMap((item) => item.found.map((one) => line(one.name, one)))
  const recorded = whole.items.flatMap((item) =>
    item.recorded.map((one) => line(names.get(one.ruleId) ?? '', one)),
  )
  deepStrictEqual(inOrder(found), inOrder(recorded))
  t.ok(found.length > 0, `${found.length} breaches in ${readings.length} readings`)
  t.match(whole.counts, { sensors: 1, readings: readings.length, foundOnly: 0, recordedOnly: 0 })

  const rules =
    (await findPlacements(world.db, [a.device]))
      .get(a.device)
      ?.rules.filter(({ profile }) => profile === 'many') ?? []
  const spans = fc.sample(
    fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    25,
  )
  for (const [one, other] of spans) {
    const at = (share: number) => Math.floor(T0 + share * (end - T0))
    const [from, to] = [Math.min(at(one), at(other)), Math.max(at(one), at(other)) + 1]
    const part = await ask(from, to)
    const until = readings.filter(({ time }) => time < to)
    const expected = rules.flatMap((rule) =>
      judgeReadings(rule, until)
        .filter(({ endAt }) => endAt === null || endAt > from)
        .map((breach) => {
          const { startAt, endAt, peak, readings: count } = breach
          return {
            rule: rule.name,
            startAt: iso(startAt),
            endAt: endAt === null ? null : iso(endAt),
            peak,
            readings: count,
          }
        }),
    )
    deepStrictEqual(
      inOrder(part.items.flatMap((item) => item.found.map((each) => line(each.name, each)))),
      inOrder(expected),
      `${iso(from)} to ${iso(to)}`,
    )
  }
})

test('previews', async (suite) => {
  const world = await openJudged(suite)
  const { admin, tree } = world
  const { a, b } = tree
  // Two hours above +8, on two sensors of A and the one of B.
  const sensors = [
    [a.device, 'main'],
    [a.device, 'second'],
    [b.device, 'main'],
  ] as const
  for (const [deviceId, sensor] of sensors)
    await world.take(
      Array.from({ length: 24 }, (_, index) => ({
        deviceId,
        sensor,
        time: T0 + index * 10 * MINUTE_MS,
        values: { temperature: index >= 6 && index <= 18 ? 9 : 5 },
      })),
    )
  const span = { from: iso(T0), to: iso(T0 + DAY_MS) }
  const preview = (body: object, token = admin) =>
    world.post('/v1/rules/preview', token, { ...span, ...body })
  const counts = async (body: object) => (await preview(body)).body['counts']

  await suite.test('of a device, of equipment, of all below a place', async (t) => {
    const rules = [warm]
    t.match(await counts({ rules, deviceId: a.device }), { sensors: 2, readings: 48, found: 2, foundOnly: 2 })
    t.match(await counts({ rules, equipmentId: b.equipment }), { sensors: 1, found: 1 })
    t.match(await counts({ rules, facilityId: tree.country }), { sensors: 3, found: 3, recorded: 0 })
    const { body } = await preview({ rules, equipmentId: b.equipment })
    t.match(body['items'], [
      {
        deviceId: b.device,
        facilityId: b.facility,
        found: [
          {
            rule: 0,
            startAt: iso(T0 + HOUR_MS),
            endAt: iso(T0 + 190 * MINUTE_MS),
            peak: 9,
            readings: 13,
            isRecorded: false,
          },
        ],
      },
    ])
    t.match(await counts({ rules: [{ ...warm, durationMs: 2 * HOUR_MS + 1 }], facilityId: tree.country }), {
      found: 0,
    })
    t.match(await counts({ profile: 'who-30dtr', facilityId: tree.country }), { sensors: 3, found: 0 })
  })

  await suite.test('what is recorded and not found is said too', async (t) => {
    await world.make('/v1/profiles', { id: 'strict', name: 'N', rules: [warm] })
    await world.patch(`/v1/equipment/${b.equipment}`, admin, { profile: 'strict', profileFrom: null })
    await world.take([
      { deviceId: b.device, sensor: 'main', time: T0 + 5 * HOUR_MS, values: { temperature: 5 } },
    ])
    await world.take([
      { deviceId: b.device, sensor: 'main', time: T0 + 95 * MINUTE_MS, values: { temperature: 9 } },
    ])
    const equipmentId = b.equipment
    t.match(await counts({ profile: 'strict', equipmentId }), {
      found: 1,
      recorded: 1,
      foundOnly: 0,
      recordedOnly: 0,
    })
    const { body } = await preview({ profile: 'who-30dtr', equipmentId })
    t.match(body, {
      counts: { found: 0, recorded: 1, recordedOnly: 1 },
      items: [{ recorded: [{ ruleId: 'strict.1.1', isFound: false }] }],
    })
    // Of another quantity, and so beside the point.
    t.match(await counts({ rules: [{ ...warm, quantity: 'humidity' }], equipmentId }), { recorded: 0 })
  })

  await suite.test('a version that reaches into the past has it judged again', async (t) => {
    const open = async () =>
      (await world.get(`/v1/breaches?deviceId=${b.device}`, admin)).body['items'] as unknown as Json[]
    const before = await open()
    t.match(before, [{ ruleId: 'strict.1.1', state: 'ended' }])
    const lax = { rules: [{ ...warm, threshold: 8.9 }], validFrom: null }
    t.equal((await world.post('/v1/profiles/strict/versions', admin, lax)).status, 201)
    await waitFor(async () => (await open()).length === 2, 'it to be judged again', 20_000)
    const states = (await open()).map(({ ruleId, state }) => `${String(ruleId)} ${String(state)}`)
    t.same(states.toSorted(), ['strict.1.1 withdrawn', 'strict.2.1 ended'])
  })

  await suite.test('hours are those of the facility', async (t) => {
    // 01:00 to 03:00 UTC is 08:00 to 10:00 in Jakarta.
    const night = { ...warm, activeHours: { from: '00:00', to: '06:00' } }
    const morning = { ...warm, activeHours: { from: '08:00', to: '12:00' } }
    t.match(await counts({ rules: [night], deviceId: a.device }), { found: 0 })
    t.match(await counts({ rules: [morning], deviceId: a.device }), { found: 2 })
  })

  await suite.test('pages follow each other by device', async (t) => {
    const many = Array.from({ length: 50 }, (_, index) => ({
      deviceId: a.device,
      sensor: `s${index}`,
      time: T0,
      values: { temperature: 5 },
    }))
    await world.take(many)
    const body = { rules: [warm], facilityId: tree.country }
    const first = (await preview(body)).body
    t.match(first['counts'], { sensors: 52 })
    const second = (await preview({ ...body, cursor: first['nextCursor'] })).body
    t.match(second, { counts: { sensors: 1 }, nextCursor: null })
  })

  await suite.test('what began long before is found from where it began', async (t) => {
    const readings = Array.from({ length: 241 }, (_, hour) => ({
      deviceId: a.device,
      sensor: 'long',
      time: T0 + 100 * DAY_MS + hour * HOUR_MS,
      values: { temperature: hour === 0 ? 5 : 9 },
    }))
    await world.take(readings)
    const from = iso(T0 + 109 * DAY_MS)
    const body = { rules: [warm], deviceId: a.device, from, to: iso(T0 + 110 * DAY_MS) }
    const { items } = (await preview(body)).body as unknown as { items: Json[] }
    const startAt = iso(T0 + 100 * DAY_MS + HOUR_MS)
    t.match(
      items.find(({ sensor }) => String(sensor) === 'long'),
      { readings: 24, found: [{ startAt, endAt: null, readings: 239 }] },
    )
  })

  await suite.test('asked wrongly', async (t) => {
    const rules = [warm]
    const cases: [object, number, string][] = [
      [{ rules }, 400, 'request.invalid'],
      [{ rules, deviceId: a.device, facilityId: a.facility }, 400, 'request.invalid'],
      [{ deviceId: a.device }, 400, 'request.invalid'],
      [{ rules, profile: 'who-30dtr', deviceId: a.device }, 400, 'request.invalid'],
      [{ profile: 'who-30dtr', version: 9, deviceId: a.device }, 400, 'request.invalid'],
      [{ profile: 'none', deviceId: a.device }, 404, 'resource.notFound'],
      [{ rules, deviceId: randomUUIDv7() }, 404, 'resource.notFound'],
      [{ rules, deviceId: a.device, from: iso(T0 + DAY_MS) }, 400, 'request.invalid'],
      [{ rules, deviceId: a.device, from: iso(T0 - 400 * DAY_MS) }, 400, 'request.invalid'],
      [{ rules: [{ ...warm, threshold: 100 }], deviceId: a.device }, 422, 'rule.neverViolated'],
    ]
    for (const [body, status, code] of cases)
      t.match(await preview(body), { status, body: { code } }, JSON.stringify(body))
    const viewer = await world.person('b-viewer', 'viewer', b.district)
    t.equal((await preview({ rules, deviceId: b.device }, viewer)).status, 200)
    t.equal((await preview({ rules, deviceId: a.device }, viewer)).status, 404)
    t.equal((await preview({ rules, facilityId: tree.country }, viewer)).status, 404)
  })

  await suite.test('a few at once', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => preview({ rules: [warm], facilityId: tree.country })),
    )
    const statuses = answers.map(({ status }: { status: number }) => status)
    t.ok(statuses.includes(200))
    t.ok(statuses.includes(429))
    t.match(answers.find(({ status }) => status === 429)?.body as Json, { code: 'request.tooMany' })
  })
})
