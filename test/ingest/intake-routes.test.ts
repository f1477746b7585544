import { test } from 'tap'
import {
  decodeAnswers,
  encodeAnswers,
  encodePackets,
  INTAKE_CONTENT_TYPE,
  INTAKE_PATH,
  type Answer,
} from '../../ports/intake-wire.ts'
import { reading, startWorker, TOKEN } from '../adapters/intake-world.ts'
import { waitFor } from '../wait-for.ts'
import { addDevice, NOW, openWorld } from './world.ts'

const head = (rows: unknown, rest = '') => {
  const json = Buffer.from(JSON.stringify(rows))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json, Buffer.from(rest)])
}

test('intake route: what is no hand-over is refused, and the route is in no document', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const { app } = await startWorker(t, world, { settings: { intakePacketsMax: 3 } })
  const post = (payload: Buffer, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: INTAKE_PATH,
      payload,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': INTAKE_CONTENT_TYPE, ...headers },
    })
  const good = encodePackets([reading(device, 0), reading(device, 1)])
  t.same((await post(good)).json(), [1, 1])
  for (const authorization of ['', 'Bearer ', `Bearer ${TOKEN}x`, TOKEN, `Basic ${TOKEN}`])
    t.equal((await post(good, { authorization })).statusCode, 401, authorization)
  t.equal((await post(good, { 'content-type': 'application/json' })).statusCode, 415)
  t.equal((await post(encodePackets([0, 1, 2, 3].map((index) => reading(device, index))))).statusCode, 413)
  const malformed = [
    Buffer.alloc(0),
    Buffer.of(0, 0, 0),
    Buffer.of(255, 255, 255, 255),
    Buffer.of(0, 0, 0, 1, 0x7b),
    head({}),
    head([1]),
    head([[device, 0, 't', NOW, 1]]),
    head([[device, 0, 't', NOW, 0]], 'x'),
    head([[device, 0, 't', NOW, -1]]),
    head([[device, 0, 't', NOW, 0.5]]),
    head([[device, 2, 't', NOW, 0]]),
    head([[device, 0, 't', null, 0]]),
    head([[device, 0, null, NOW, 0]]),
    head([[device, 0, 't', NOW]]),
  ]
  for (const body of malformed) t.match((await post(body)).json(), { code: 'request.malformed' })
  t.notMatch((await app.inject('/docs/json')).body, INTAKE_PATH)
})

test('intake route: without a token there is none', async (t) => {
  const world = await openWorld(t)
  const { app } = await startWorker(t, world, { settings: { intakeToken: '' } })
  for (const authorization of ['', 'Bearer '])
    t.equal(
      (await app.inject({ method: 'POST', url: INTAKE_PATH, headers: { authorization } })).statusCode,
      404,
    )
})

test('intake route: bodies that are not answered yet are bounded, though their senders have gone', async (t) => {
  const world = await openWorld(t)
  const device = await addDevice(world.db)
  const gate = Promise.withResolvers<void>()
  const worker = await startWorker(t, world, {
    queue: {
      ...world.queue,
      publish: (batch, to) => gate.promise.then(() => world.queue.publish(batch, to)),
    },
    settings: { intakeHeldBytesMax: 1000 },
  })
  const post = (signal?: AbortSignal) =>
    fetch(worker.url + INTAKE_PATH, {
      method: 'POST',
      body: encodePackets(Array.from({ length: 8 }, (_, index) => reading(device, index))),
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': INTAKE_CONTENT_TYPE },
      signal: signal ?? null,
    })
  const leaving = new AbortController()
  const left = post(leaving.signal)
  await waitFor(() => worker.requests === 1, 'the first body')
  leaving.abort()
  await t.rejects(left)
  t.equal((await post()).status, 503)
  gate.resolve()
  await waitFor(async () => (await post()).status === 200, 'room')
})

test('an answer is bounded, and still says of each packet that something was refused', (t) => {
  const refused = Array.from(
    { length: 5000 },
    () => ({ code: 'reading.sensorFault', detail: 't: 85' }) as const,
  )
  const answers: Answer[] = Array.from({ length: 1000 }, () => ({ readings: 1, refused }))
  const text = encodeAnswers([
    ...answers,
    { readings: 2, refused: [] },
    { failed: 'packet.empty', detail: 'd' },
  ])
  t.ok(text.length < 1_000_000, `${text.length} characters`)
  const decoded = decodeAnswers(text, 1002) ?? []
  const told = decoded.slice(0, 1000).map((answer) => ('failed' in answer ? 0 : answer.refused.length))
  t.equal(Math.max(...told), 100)
  t.equal(Math.min(...told), 1)
  t.same(decoded.slice(1000), [
    { readings: 2, refused: [] },
    { failed: 'packet.empty', detail: 'd' },
  ])
  t.same(decodeAnswers('[{"failed":"of.a.newer.worker"}]', 1), [
    { failed: 'internal.unexpected', detail: undefined },
  ])
  t.end()
})
