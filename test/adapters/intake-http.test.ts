import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { test } from 'tap'
import { openHttpIntake } from '../../adapters/intake/http.ts'
import { intakeRoutes } from '../../ingest/intake-routes.ts'
import { INGEST_DEFAULTS } from '../../ingest/settings.ts'
import type { Intake } from '../../ports/intake.ts'
import { decodePackets, encodeAnswers } from '../../ports/intake-wire.ts'
import { intakeContract } from '../contracts/intake.ts'
import { addDevice, openWorld, packet } from '../ingest/world.ts'
import { waitFor } from '../wait-for.ts'
import {
  allStored,
  connectTo,
  publish,
  QUICK,
  reading,
  serve,
  startImpostor,
  startProxy,
  startWorker,
  TOKEN,
} from './intake-world.ts'

intakeContract('function-call intake', async (_t, world, change) => (await world.ingest(change)).intake)

intakeContract('HTTP intake', async (t, world, change) => {
  const workers = [await startWorker(t, world, change), await startWorker(t, world, change)]
  return connectTo(t, world, workers)
})

test('HTTP intake: both workers have their share, and one is enough', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const [one, two] = [await startWorker(t, world), await startWorker(t, world)]
  const intake = connectTo(t, world, [one, two], QUICK)
  await waitFor(() => intake.ready() === undefined, 'readiness before the first packet')
  const load = publish(intake, device)
  await load.more(200)
  t.ok(one.requests > 5 && two.requests > 5, `${one.requests} and ${two.requests} requests`)
  await one.kill()
  await load.more(500)
  t.equal(load.rejected, 0, 'the other one took what was under way')
  t.equal(intake.ready(), undefined)
  const port = Number(new URL(one.url).port)
  const back = await startWorker(t, world, {}, port)
  await waitFor(() => back.requests > 5, 'the worker to be used again')
  await load.stop()
  await allStored(t, world, device, load.accepted)
})

test('HTTP intake: with no worker left accept rejects at once, and works again when one is back', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const worker = await startWorker(t, world)
  const intake = connectTo(t, world, [worker], QUICK)
  await intake.accept(reading(device, 0))
  await worker.kill()
  await t.rejects(intake.accept(reading(device, 1)), { code: 'service.unavailable', message: /ECONNREFUSED/ })
  t.match(intake.ready(), /ECONNREFUSED/)
  t.ok((await world.metric('coldstream_intake_workers_out')) === 1)
  await startWorker(t, world, {}, Number(new URL(worker.url).port))
  await waitFor(() => intake.ready() === undefined, 'the probe to find it')
  await intake.accept(reading(device, 2))
})

test('HTTP intake: a connection that the worker has closed meanwhile costs nothing', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const worker = await startWorker(t, world)
  const intake = connectTo(t, world, [worker])
  for (let index = 0; index < 20; index++) {
    await intake.accept(reading(device, index))
    worker.app.server.closeAllConnections()
  }
  t.equal(await world.metric('coldstream_intake_workers_out'), 0)
})

test('HTTP intake: what a slow worker holds goes to another one', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const slow = await startImpostor(t, () => undefined)
  const worker = await startWorker(t, world)
  const intake = connectTo(t, world, [slow, worker], QUICK)
  const indexes = Array.from({ length: 50 }, (_, index) => index)
  await Promise.all(indexes.map((index) => intake.accept(reading(device, index))))
  await allStored(t, world, device, indexes)
})

test('HTTP intake: a partition is passed by on the other side, and forgotten when it is over', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const [far, near] = [await startWorker(t, world), await startWorker(t, world)]
  const proxy = await startProxy(t, far)
  const intake = connectTo(t, world, [proxy, near], QUICK)
  const load = publish(intake, device)
  await load.more(100)
  proxy.swallowing = true
  await waitFor(async () => (await world.metric('coldstream_intake_workers_out')) === 1, 'it to be left out')
  await load.more(300)
  t.equal(load.rejected, 0)
  proxy.swallowing = false
  const before = far.requests
  await waitFor(() => far.requests > before + 5, 'the worker to be used again')
  await load.stop()
  await allStored(t, world, device, load.accepted)
})

test('HTTP intake: with the only worker cut off, what waits is rejected after the timeout', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const proxy = await startProxy(t, await startWorker(t, world))
  const intake = connectTo(t, world, [proxy], QUICK)
  await intake.accept(reading(device, 0))
  proxy.swallowing = true
  await t.rejects(intake.accept(reading(device, 1)), {
    code: 'service.unavailable',
    message: /within 1000 ms/,
  })
  t.match(intake.ready(), /no answer/)
})

test('HTTP intake: a worker that is cut off from its queue does not attract what it rejects', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const broken = await startWorker(t, world, {
    queue: { ...world.queue, publish: () => Promise.reject(new Error('no queue')) },
  })
  const worker = await startWorker(t, world)
  const intake = connectTo(t, world, [broken, worker], { ...QUICK, backOffMsMax: 10_000 })
  const load = publish(intake, device)
  await load.more(1000)
  t.ok(load.rejected < 100, `${load.rejected} rejected`)
  await load.stop()
  await allStored(t, world, device, load.accepted)
})

test('HTTP intake: one packet that fails does not hold back the others of its request', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const { intake: real } = await world.ingest()
  const failing = reading(device, 13).payload.toString()
  const picky: Intake = {
    accept: (given) =>
      Buffer.from(given.payload).toString() === failing
        ? Promise.reject(new Error('secret'))
        : real.accept(given),
  }
  const settings = { ...INGEST_DEFAULTS, intakeToken: TOKEN }
  const routes = intakeRoutes({ intake: picky, log: world.log, settings })
  const worker = await serve(
    t,
    world,
    { name: 'ingest', routes, ready: async () => undefined, stop: async () => {} },
    0,
  )
  const intake = connectTo(t, world, [worker])
  const settled = await Promise.allSettled(
    Array.from({ length: 30 }, (_, index) => intake.accept(reading(device, index))),
  )
  t.same(
    settled.flatMap(({ status }, index) => (status === 'rejected' ? [index] : [])),
    [13],
  )
  t.same((settled[13] as PromiseRejectedResult).reason.message, 'internal.unexpected')
})

test('HTTP intake: a wrong token is told apart from a worker that is down', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const worker = await startWorker(t, world)
  const intake = connectTo(t, world, [worker], QUICK, 'another token')
  await t.rejects(intake.accept(reading(device, 0)), { code: 'service.unavailable' })
  t.match(intake.ready(), /INTAKE_TOKEN/)
  t.equal(worker.requests, 0)
})

test('HTTP intake: a worker that answers nonsense is left out', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const worker = await startWorker(t, world)
  const nonsense = [
    '',
    'null',
    '[]',
    '{"length":1}',
    '["1"]',
    '[-1]',
    '[1.5]',
    '[null]',
    '[{}]',
    '[1,1]',
    '<html>',
    '[{"readings":1}]',
  ]
  for (const text of nonsense) {
    const liar = await startImpostor(t, (_request, response) => response.end(text))
    const alone = connectTo(t, world, [liar], QUICK)
    await t.rejects(alone.accept(reading(device, 0)), { code: 'service.unavailable' }, text)
    const both = connectTo(t, world, [liar, worker], QUICK)
    t.same(await both.accept(reading(device, 0)), { readings: 1, refused: [] }, text)
  }
  const endless = await startImpostor(t, (_request, response) => {
    pipeline(createReadStream('/dev/zero'), response, () => undefined)
  })
  const intake = connectTo(t, world, [endless, worker], { ...QUICK, answerBytesMax: 100_000 })
  t.same(await intake.accept(reading(device, 0)), { readings: 1, refused: [] })
})

test('HTTP intake: a worker that takes less at once is given less at once', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const worker = await startWorker(t, world, { settings: { intakeBodyBytesMax: 20_000 } })
  const intake = connectTo(t, world, [worker], QUICK)
  const indexes = Array.from({ length: 1000 }, (_, index) => index)
  await Promise.all(indexes.map((index) => intake.accept(reading(device, index))))
  await allStored(t, world, device, indexes)
  const large = packet(device, 'x'.repeat(30_000))
  await t.rejects(intake.accept(large), { code: 'service.unavailable', message: /413/ })
  t.equal(intake.ready(), undefined, 'the worker is not to blame')
})

test('HTTP intake: beyond its bounds accept waits, and nothing is dropped', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const pendingBytes: number[] = []
  let most = 0
  let open = 0
  const worker = await startImpostor(t, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const packets = decodePackets(Buffer.concat(chunks)) ?? []
    most = Math.max(most, (open += Math.sign(packets.length)))
    pendingBytes.push(await world.metric('coldstream_intake_pending_bytes'))
    open -= Math.sign(packets.length)
    response.end(encodeAnswers(packets.map(() => ({ readings: packets.length, refused: [] }))))
  })
  const intake = connectTo(t, world, [worker], { pendingPacketsMax: 50, requestPacketsMax: 20 })
  const packets = Array.from({ length: 500 }, (_, index) => reading(device, index))
  const outcomes = await Promise.all(packets.map((given) => intake.accept(given)))
  t.equal(Math.max(...outcomes.map(({ readings }) => readings)), 20)
  t.ok(most <= 2, `${most} requests at once`)
  const bytesMax = 50 * Math.max(...packets.map(({ payload }) => payload.byteLength))
  t.ok(Math.max(...pendingBytes) <= bytesMax, `${Math.max(...pendingBytes)} bytes, ${bytesMax} at most`)
  t.ok(Math.max(...pendingBytes) > 0)
})

test('HTTP intake: what came while requests were under way goes with the next one', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const worker = await startWorker(t, world)
  const intake = connectTo(t, world, [worker])
  const waves = Array.from({ length: 20 }, async (_, wave) => {
    for (let turn = 0; turn < wave; turn++) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all(
      Array.from({ length: 50 }, (_each, index) => intake.accept(reading(device, wave * 50 + index))),
    )
  })
  await Promise.all(waves)
  t.ok(worker.requests < 15, `${worker.requests} requests for 20 waves`)
})

test('HTTP intake: once closed it takes nothing, and what was under way is answered', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const intake = connectTo(t, world, [await startWorker(t, world)])
  await intake.accept(reading(device, 0))
  const given = Array.from({ length: 10 }, (_, index) => intake.accept(reading(device, index)))
  await new Promise((resolve) => setImmediate(resolve))
  const closed = intake.close()
  await t.rejects(intake.accept(reading(device, 99)), { code: 'service.unavailable' })
  await closed
  t.equal((await Promise.all(given)).length, 10)
})

test('HTTP intake: addresses that are none are refused at once', async (t) => {
  const world = await openWorld(t)
  const { log, metrics } = world
  for (const urls of [[], ['ingest:8080'], [''], ['ftp://ingest']])
    t.throws(() => openHttpIntake({ urls, token: TOKEN, log, metrics }), TypeError)
})
