import { test, type Test } from 'tap'
import type { Logger } from 'pino'
import { buildHttp } from '../../main/http.ts'
import { addDevice, openWorld } from './world.ts'

async function open(t: Test) {
  const world = await openWorld(t)
  const part = await world.ingest({ settings: { bodyBytesMax: 100_000 } })
  const app = await buildHttp({ log: world.log as Logger, metrics: world.metrics, parts: [part] })
  t.teardown(() => app.close())
  const device = await addDevice(world.db, { token: 'secret' })
  const post = (
    payload: string | Buffer,
    headers: Record<string, string> = { authorization: 'Bearer secret' },
  ) => app.inject({ method: 'POST', url: '/v1/telemetry', payload, headers })
  return { world, app, device, post }
}

test('readings over HTTP are durable when answered', async (t) => {
  const { world, device, post } = await open(t)
  const answer = await post('{"temperature":4.2}')
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { accepted: 1, refused: [] })
  await world.stored()
  t.equal((await world.readings(device)).length, 1)
})

test('the content type does not matter, since devices get it wrong', async (t) => {
  const { post } = await open(t)
  for (const type of ['application/json', 'application/json; charset=utf-8', 'text/plain', 'x/y']) {
    const answer = await post('{"t":4}', { authorization: 'Bearer secret', 'content-type': type })
    t.equal(answer.statusCode, 200, type)
  }
})

test('a part that is refused is told, the rest accepted', async (t) => {
  const { post } = await open(t)
  const answer = await post('[{"t":4},{"t":85}]')
  t.same(answer.json(), { accepted: 1, refused: [{ code: 'reading.sensorFault', detail: '[1] t: 85' }] })
})

test('when all of it is refused the answer is a problem, and the packet is kept', async (t) => {
  const { world, device, post } = await open(t)
  const bodies = { '{"t":85}': 'reading.sensorFault', '': 'packet.empty', '{"t":': 'packet.notJson' }
  for (const [body, code] of Object.entries(bodies)) {
    const answer = await post(body)
    t.equal(answer.statusCode, 422, code)
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.match(answer.json(), { code, status: 422 })
  }
  await world.stored()
  const rows = await world.db.selectFrom('refusal').select(['deviceId', 'code', 'payload']).execute()
  t.same(rows.map(({ code }) => code).toSorted(), Object.values(bodies).toSorted())
  t.ok(rows.every((row) => row.deviceId === device))
})

test('binary and __proto__ bodies reach the codec as they are', async (t) => {
  const { post } = await open(t)
  t.match((await post(Buffer.of(0xff, 0xfe, 0x00))).json(), { code: 'packet.notJson' })
  const json = { authorization: 'Bearer secret', 'content-type': 'application/json' }
  t.same((await post('{"__proto__":1,"constructor":{"prototype":2}}', json)).json(), {
    accepted: 1,
    refused: [],
  })
})

test('nobody but an enabled device gets in', async (t) => {
  const { world, device, post } = await open(t)
  const wrong: Record<string, string>[] = [
    {},
    { authorization: 'Bearer other' },
    { authorization: 'Basic secret' },
    { authorization: 'Bearer ' },
  ]
  for (const headers of wrong) {
    const answer = await post('{"t":4}', headers)
    t.equal(answer.statusCode, 401)
    t.match(answer.json(), { code: 'device.unauthorized' })
  }
  t.equal((await post('{"t":4}')).statusCode, 200)
  await world.db.updateTable('device').set({ disabledAt: 1 }).where('id', '=', device).execute()
  world.cache.publish('registry', { deviceId: device })
  t.equal((await post('{"t":4}')).statusCode, 401)
})

test('a body beyond the limit is refused before it is read', async (t) => {
  const { post } = await open(t)
  const answer = await post(`[${'{"t":4},'.repeat(20_000)}{"t":4}]`)
  t.equal(answer.statusCode, 413)
  t.match(answer.json(), { code: 'request.tooLarge' })
})

test('a gateway may send for its devices or for itself', async (t) => {
  const { world, post } = await open(t)
  const gateway = await addDevice(world.db, { isGateway: 1, token: 'gate' })
  const headers = { authorization: 'Bearer gate' }
  t.same((await post('{"A":[{"t":4}],"B":[{"t":5}]}', headers)).json(), { accepted: 2, refused: [] })
  t.same((await post('{"t":4}', headers)).json(), { accepted: 1, refused: [] })
  await world.stored()
  t.equal((await world.readings(gateway)).length, 1)
  t.equal(
    (await world.db.selectFrom('device').selectAll().where('gatewayId', '=', gateway).execute()).length,
    2,
  )
})

test('the other routes of the server keep their own content types', async (t) => {
  const { app } = await open(t)
  const { paths } = (await app.inject('/docs/json')).json()
  const { post } = paths['/v1/telemetry']
  t.equal(post.operationId, 'sendTelemetry')
  t.same(Object.keys(post.responses), ['200', '401', '413', '422'])
  t.ok(post.requestBody)
})
