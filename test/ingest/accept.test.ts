import { test } from 'tap'
import type { Batch } from '../../domain/batch.ts'
import type { Queue } from '../../ports/queue.ts'
import { waitFor } from '../wait-for.ts'
import { NOW, openWorld, packet } from './world.ts'

/** The queue given, but each publish first waits for its turn: a slow disk under the control of the test. */
function heldBack(queue: Queue) {
  const held: { readonly batch: Batch; readonly go: PromiseWithResolvers<void> }[] = []
  const publish: Queue['publish'] = async (batch, to) => {
    const go = Promise.withResolvers<void>()
    held.push({ batch, go })
    await go.promise
    return queue.publish(batch, to)
  }
  return { held, queue: { ...queue, publish } }
}

test('what is accepted is in the series store once the queue is drained', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const body = [
    { ts: NOW - 60_000, values: { temperature: 4.2, probe: 7 } },
    { ts: NOW, values: { temperature: 4.4 } },
  ]
  t.same(await intake.accept(packet('d', body)), { readings: 3, refused: [] })
  await world.stored()
  t.same(
    (await world.readings('d')).map(({ time, values }) => [time, values.temperature]),
    [
      [NOW - 60_000, 4.2],
      [NOW, 4.4],
    ],
  )
  t.equal((await world.readings('d', 'probe')).length, 1)
  t.equal(await world.metric('coldstream_readings_accepted_total'), 3)
  t.equal(await world.metric('coldstream_readings_stored_total'), 3)
})

test('packets of one turn share one batch, and it goes to both queues', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const taken = Array.from({ length: 100 }, (_, i) => intake.accept(packet(`d${i}`, { temperature: 4 })))
  for (const outcome of await Promise.all(taken)) t.same(outcome, { readings: 1, refused: [] })
  t.equal(await world.metric('coldstream_batch_readings_count'), 1)
  t.equal(world.queue.depth('judge').batches, 1)
})

test('what comes while a confirm is awaited goes next, in one batch', async (t) => {
  const world = await openWorld(t)
  const { queue, held } = heldBack(world.queue)
  const { intake } = await world.ingest({ queue })
  const first = intake.accept(packet('a', { t: 1 }))
  await waitFor(() => held.length === 1, 'the first publish')
  const rest = ['b', 'c', 'd'].map((id) => intake.accept(packet(id, { t: 1 })))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(held.length, 1, 'one confirm at a time')
  held[0]?.go.resolve()
  await first
  await waitFor(() => held.length === 2, 'the second publish')
  t.equal(held[1]?.batch.readings.length, 3)
  held[1]?.go.resolve()
  await Promise.all(rest)
})

test('batches stay within their limits, and a packet is never divided', async (t) => {
  const world = await openWorld(t)
  const { queue, held } = heldBack(world.queue)
  const { intake } = await world.ingest({ queue, settings: { batchReadingsMax: 10, inFlightMax: 100 } })
  const five = [1, 2, 3, 4, 5].map((ts) => ({ ts: NOW - ts, values: { t: 1 } }))
  const taken = [five, five, [...five, ...five, ...five], five].map((body) =>
    intake.accept(packet('a', body)),
  )
  await waitFor(() => held.length === 3, 'three publishes')
  t.same(
    held.map(({ batch }) => batch.readings.length),
    [10, 15, 5],
  )
  for (const { go } of held) go.resolve()
  await Promise.all(taken)
})

test('at the bound of pending bytes accept waits, and goes on when there is room (P5)', async (t) => {
  const world = await openWorld(t)
  const { queue, held } = heldBack(world.queue)
  const settings = { pendingBytesMax: 1000, batchReadingsMax: 1 }
  const { intake } = await world.ingest({ queue, settings })
  const taken = Array.from({ length: 50 }, (_, i) => intake.accept(packet(`d${i}`, { t: 1 })))
  for (let published = 0; published < 50; published++) {
    await waitFor(() => held.length > published, 'a publish')
    if (held.length !== published + 1) t.fail('one confirm at a time')
    t.ok((await world.metric('coldstream_intake_pending_bytes')) < 1500)
    held[published]?.go.resolve()
  }
  t.equal((await Promise.all(taken)).length, 50, 'and none was dropped')
  await waitFor(async () => (await world.metric('coldstream_intake_pending_bytes')) === 0, 'nothing pending')
})

test('one packet is one refusal, whatever was refused in it, and its good readings are kept (P2)', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const sent = packet('d', '[{"t":85},{"t":4},{"t":"5","humidity":50}]')
  const outcome = await intake.accept(sent)
  t.same(outcome, {
    readings: 2,
    refused: [
      { code: 'reading.sensorFault', detail: '[0] t: 85' },
      { code: 'reading.notANumber', detail: '[2] t: "5"' },
    ],
  })
  await world.stored()
  const rows = await world.db.selectFrom('refusal').selectAll().execute()
  t.equal(rows.length, 1)
  t.match(rows[0], {
    deviceId: 'd',
    topic: sent.topic,
    code: 'reading.sensorFault',
    detail: '[0] t: 85; [2] t: "5" (reading.notANumber)',
    payload: sent.payload.toString('base64'),
    receivedAt: NOW,
  })
  t.match(rows[0]?.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.equal(await world.metric('coldstream_refusals_total{code="reading.sensorFault"}'), 1)
  t.equal(await world.metric('coldstream_refusals_total{code="reading.notANumber"}'), 1)
})

test('a replay judges times as when the packet came, tells what became of it, and adds no second refusal', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const past = NOW - 40 * 86_400_000
  const sent = {
    ...packet('d', [{ t: 4 }, { t: 85 }, { ts: past + 700_000, values: { t: 4 } }]),
    receivedAt: past,
  }
  const first = await intake.accept(sent)
  t.same(
    first.refused.map(({ code }) => code),
    ['reading.sensorFault', 'reading.timeInFuture'],
  )
  t.same(await intake.accept(sent), first)
  await world.stored()
  t.equal((await world.db.selectFrom('refusal').selectAll().execute()).length, 1)
  t.same(
    (await world.readings('d')).map(({ time }) => time),
    [past],
  )
})

test('a packet of refusals only is not handed to the judge', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  await intake.accept(packet('d', 'not JSON'))
  await intake.accept(packet('d', { firmware: '1.2' }))
  t.equal(world.queue.depth('judge').batches, 0)
})

test('a packet beyond the limit is refused, and only its beginning kept', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const { refused } = await intake.accept(packet('d', `[${'{"t":4},'.repeat(1_250_000)}{"t":4}]`))
  t.equal(refused[0]?.code, 'packet.tooLarge')
  await world.stored()
  const { payload } = await world.db.selectFrom('refusal').select('payload').executeTakeFirstOrThrow()
  t.equal(Buffer.from(payload, 'base64').length, 65_536)
})

test('when nothing could be made durable accept rejects, and the next packets are served', async (t) => {
  const world = await openWorld(t)
  let broken = true
  const queue: Queue = {
    ...world.queue,
    publish: async (batch, to) => {
      if (broken) throw new Error('disk full')
      return world.queue.publish(batch, to)
    },
  }
  const { intake } = await world.ingest({ queue })
  await t.rejects(intake.accept(packet('d', { t: 4 })), { message: 'disk full' })
  t.equal(await world.metric('coldstream_readings_accepted_total'), 0)
  broken = false
  t.same(await intake.accept(packet('d', { t: 4 })), { readings: 1, refused: [] })
})

test('stop waits until what was begun is durable, and takes nothing new', async (t) => {
  const world = await openWorld(t)
  const { queue, held } = heldBack(world.queue)
  const part = await world.ingest({ queue })
  const begun = part.intake.accept(packet('d', { t: 4 }))
  let stopped = false
  const stopping = part.stop().then(() => (stopped = true))
  await t.rejects(part.intake.accept(packet('d', { t: 5 })), { code: 'service.unavailable' })
  await waitFor(() => held.length === 1, 'the publish')
  t.equal(stopped, false)
  held[0]?.go.resolve()
  t.same(await begun, { readings: 1, refused: [] })
  await stopping
})
