import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { openEmbeddedQueue } from '../../adapters/queue/embedded.ts'
import type { IngestDeps } from '../../ingest/index.ts'
import type { Intake, Outcome } from '../../ports/intake.ts'
import { addDevice, NOW, openWorld, packet, type World } from '../ingest/world.ts'
import { waitFor } from '../wait-for.ts'

/** Gives the intake of an ingest on the stores of the world, and closes it after the test. `change` goes to `world.ingest`. */
export type OpenIntake = (t: Test, world: World, change?: Partial<IngestDeps>) => Promise<Intake>

const BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const OUTCOME_OF_ONE: Outcome = { readings: 1, refused: [] }

/** The promises of `ports/intake.ts`. */
export function intakeContract(name: string, open: OpenIntake): void {
  const openHere = async (t: Test, change?: Partial<IngestDeps>) => {
    const world = await openWorld(t)
    return { world, device: await addDevice(world.db), intake: await open(t, world, change) }
  }

  test(`${name}: what is accepted is durable, and counted in the outcome`, async (t) => {
    const { world, device, intake } = await openHere(t)
    const judged: number[] = []
    world.queue.consume(
      'judge',
      async (deliveries) =>
        deliveries.map(({ batch }) => {
          judged.push(batch.readings.length)
          return 'done' as const
        }),
      { deliveriesMax: 1 },
    )
    t.same(await intake.accept(packet(device, { temperature: 4.2 })), OUTCOME_OF_ONE)
    const two = [
      { ts: NOW - 1000, values: { temperature: 4 } },
      { ts: NOW - 2000, values: { temperature: 5 } },
    ]
    t.same(await intake.accept(packet(device, two)), { readings: 2, refused: [] })
    await waitFor(() => judged.length === 2, 'both batches in the queue')
    t.same(judged, [1, 2])
    await world.stored()
    const readings = await world.readings(device)
    t.same(
      readings.map(({ time, values }) => [time, values.temperature]),
      [
        [NOW - 2000, 5],
        [NOW - 1000, 4],
        // The time of arrival is that of the packet, not that of the hand-over.
        [NOW, 4.2],
      ],
    )
  })

  test(`${name}: a packet that can never be valid resolves, and is kept byte for byte`, async (t) => {
    const { world, device, intake } = await openHere(t)
    const payloads = [BYTES, Buffer.alloc(0), Buffer.from('{"t":'), Buffer.from('\u{1f321}\0\r\n')]
    for (const payload of payloads) {
      const outcome = await intake.accept({ ...packet(device, ''), payload })
      t.equal(outcome.readings, 0)
      t.equal(outcome.refused.length, 1)
      t.equal(outcome.refused[0]?.code, payload.length === 0 ? 'packet.empty' : 'packet.notJson')
    }
    await world.stored()
    const rows = await world.db.selectFrom('refusal').select('payload').execute()
    const kept = rows.map((row) => row.payload)
    t.same(kept.toSorted(), payloads.map((payload) => payload.toString('base64')).toSorted())
  })

  test(`${name}: topic and device arrive as they are, whatever they contain`, async (t) => {
    const { world, intake } = await openHere(t)
    const topics = ['', '/', 'a/b\u0000', '"\\,]', '温度/\u{1f321}', 'x'.repeat(60_000)]
    for (const topic of topics) {
      const { refused } = await intake.accept(packet('d"\n\u{1f321}', { t: 4 }, { topic }))
      t.equal(refused[0]?.code, 'packet.unknownTopic')
    }
    await world.stored()
    const rows = await world.db.selectFrom('refusal').select(['topic', 'deviceId']).execute()
    t.same(rows.map(({ topic }) => topic).toSorted(), topics.toSorted())
    t.ok(rows.every(({ deviceId }) => deviceId === 'd"\n\u{1f321}'))
  })

  test(`${name}: a packet that is partly refused says what was refused`, async (t) => {
    const { device, intake } = await openHere(t)
    t.same(await intake.accept(packet(device, [{ t: 4 }, { t: 85 }, { t: -127 }])), {
      readings: 1,
      refused: [
        { code: 'reading.sensorFault', detail: '[1] t: 85' },
        { code: 'reading.sensorFault', detail: '[2] t: -127' },
      ],
    })
  })

  test(`${name}: only a gateway speaks for others`, async (t) => {
    const { world, device, intake } = await openHere(t)
    const gateway = await addDevice(world.db, { isGateway: 1 })
    const body = { A: [{ t: 4 }], B: [{ t: 5 }] }
    const topic = 'v1/gateway/telemetry'
    const given = await intake.accept(packet(gateway, body, { topic, isGateway: true }))
    t.same(given, { readings: 2, refused: [] })
    const { refused } = await intake.accept(packet(device, body, { topic }))
    t.equal(refused[0]?.code, 'packet.notAGateway')
  })

  test(`${name}: of many at once, each is answered with its own outcome`, async (t) => {
    const { world, device, intake } = await openHere(t)
    const outcomes = await Promise.all(
      Array.from({ length: 3000 }, (_, index) => {
        const entries = Array.from({ length: index % 4 }, (_entry, at) => ({
          ts: NOW - 1000 * (4 * index + at),
          values: { temperature: index % 30 },
        }))
        return intake.accept(packet(device, index % 5 === 0 ? BYTES.toString('latin1') : entries))
      }),
    )
    const wrong = outcomes.filter(({ readings, refused }, index) =>
      index % 5 === 0 ? refused[0]?.code !== 'packet.notJson' : readings !== index % 4,
    )
    t.same(wrong, [])
    await world.stored()
    const expected = outcomes.reduce((sum, { readings }) => sum + readings, 0)
    t.equal((await world.readings(device)).length, expected)
  })

  test(`${name}: the same packet twice is the same reading`, async (t) => {
    const { world, device, intake } = await openHere(t)
    const again = packet(device, { temperature: 4.2 })
    await Promise.all([intake.accept(again), intake.accept(again)])
    await intake.accept(again)
    await world.stored()
    t.equal((await world.readings(device)).length, 1)
  })

  test(`${name}: a packet beyond every limit is refused, and its beginning kept`, async (t) => {
    const { world, device, intake } = await openHere(t)
    const payload = Buffer.alloc(20 * 1_048_576, '[')
    const { readings, refused } = await intake.accept({ ...packet(device, ''), payload })
    t.equal(readings, 0)
    t.equal(refused[0]?.code, 'packet.tooLarge')
    await world.stored()
    const [row] = await world.db.selectFrom('refusal').select('payload').execute()
    t.match(row?.payload, /^W1tb/)
  })

  test(`${name}: rejects when nothing could be made durable`, async (t) => {
    const queue = await openEmbeddedQueue({
      file: join(t.testdir(), 'closed.db'),
      metrics: { count() {}, set() {}, observe() {} },
    })
    const { device, intake } = await openHere(t, { queue })
    t.same(await intake.accept(packet(device, { t: 4 })), OUTCOME_OF_ONE)
    await queue.close()
    await t.rejects(intake.accept(packet(device, { t: 4 })))
  })

  test(`${name}: waits while the queue is full, and drops nothing`, async (t) => {
    const bytesMax = 4000
    const queue = await openEmbeddedQueue({
      file: join(t.testdir(), 'full.db'),
      metrics: { count() {}, set() {}, observe() {} },
      limits: { bytesMax },
    })
    t.teardown(() => queue.close())
    const { world, device, intake } = await openHere(t, { queue })
    const give = (index: number) =>
      intake.accept(packet(device, [{ ts: NOW - 1000 * index, values: { temperature: 4 } }]))
    await give(0)
    const { bytes } = queue.depth('judge')
    let count = 1
    for (; queue.depth('judge').bytes + bytes <= bytesMax; count++) await give(count)
    let accepted = false
    const late = give(count).then(() => (accepted = true))
    // That nothing happens cannot be waited for; a little time makes it likely that it would have.
    await Promise.race([late, sleep(200)])
    t.notOk(accepted)
    queue.consume('judge', async (deliveries) => deliveries.map(() => 'done' as const), { deliveriesMax: 8 })
    await late
    await waitFor(() => queue.depth('store').batches === 0, 'the queue to be drained')
    t.equal((await world.readings(device)).length, count + 1)
  })
}
