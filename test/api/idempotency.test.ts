import { test, type Test } from 'tap'
import { findDeviceByToken } from '../../db/queries/device.ts'
import { onBothDatabases } from './stock-world.ts'
import { openWorld, plantTree } from './world.ts'

// P6: twice is once.
test('Idempotency-Key', async (suite) => onBothDatabases(suite, keySuite))

async function keySuite(suite: Test, databaseUrl: string): Promise<void> {
  let now = Date.now()
  const world = await openWorld(suite, { databaseUrl, clock: { now: () => now } })
  const { post, admin } = world
  const tree = await plantTree(world)
  const count = async () => (await world.db.selectFrom('facility').select('id').execute()).length
  const keyOf = (key: string) =>
    world.db.selectFrom('idempotencyKey').selectAll().where('key', '=', key).executeTakeFirstOrThrow()
  const facility = { name: 'Once', level: 'facility', parentId: tree.a.district, timeZone: 'UTC' }

  await suite.test('the same request gets the same answer, and nothing is done again', async (t) => {
    const before = await count()
    const first = await post('/v1/facilities', admin, facility, 'k1')
    const again = await post('/v1/facilities', admin, facility, 'k1')
    t.equal(first.status, 201)
    t.equal(first.headers['idempotency-replayed'], undefined)
    t.equal(again.status, 201)
    t.equal(again.headers['idempotency-replayed'], 'true')
    t.same(again.body, first.body)
    t.equal(await count(), before + 1)
    const audits = await world.db
      .selectFrom('audit')
      .select('id')
      .where('entityId', '=', String(first.body['id']))
      .execute()
    t.equal(audits.length, 1)
  })

  await suite.test('another request under the key is refused, but keys of others are theirs', async (t) => {
    const other = { ...facility, name: 'Other' }
    t.match(await post('/v1/facilities', admin, other, 'k1'), {
      status: 422,
      body: { code: 'request.idempotencyMismatch' },
    })
    const place = { facilityId: tree.a.facility, name: 'P' }
    t.match(await post('/v1/storage-points', admin, place, 'k1'), { status: 422 })
    const manager = await world.person('manager', 'manager', tree.a.district)
    t.match(await post('/v1/facilities', manager, other, 'k1'), { status: 201 })
  })

  await suite.test('twenty at the same moment make one, and all get its answer', async (t) => {
    const before = await count()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post('/v1/facilities', admin, { ...facility, name: 'Race' }, 'k2')),
    )
    t.equal(await count(), before + 1)
    const made = answers.filter(({ status, headers }) => status === 201 && !headers['idempotency-replayed'])
    t.equal(made.length, 1)
    for (const { status, body } of answers) t.match({ status, body }, { status: 201, body: made[0]?.body })
    const audits = await world.db
      .selectFrom('audit')
      .select('id')
      .where('entityId', '=', String(made[0]?.body['id']))
      .execute()
    t.equal(audits.length, 1, 'what the others did is undone')
  })

  await suite.test('a request that failed may be tried again under its key', async (t) => {
    const point = { facilityId: tree.a.facility, name: 'Later' }
    await world.make('/v1/storage-points', point)
    t.match(await post('/v1/storage-points', admin, point, 'k3'), {
      status: 409,
      body: { code: 'resource.conflict' },
    })
    await world.db.deleteFrom('storagePoint').where('name', '=', 'Later').execute()
    t.match(await post('/v1/storage-points', admin, point, 'k3'), { status: 201 })
  })

  await suite.test('the token of a device is not kept for a repetition', async (t) => {
    const device = { name: 'D', equipmentId: tree.a.equipment }
    const first = await post('/v1/devices', admin, device, 'k4')
    const again = await post('/v1/devices', admin, device, 'k4')
    t.match(first.body['accessToken'], /^csd_/)
    t.same(again.body, { ...first.body, accessToken: null })
    t.notMatch(JSON.stringify(await world.db.selectFrom('idempotencyKey').selectAll().execute()), /csd_/)
    const rotated = await post(`/v1/devices/${String(first.body['id'])}/token`, admin, undefined, 'k5')
    const repeated = await post(`/v1/devices/${String(first.body['id'])}/token`, admin, undefined, 'k5')
    t.equal(repeated.body['accessToken'], null)
    t.ok(
      await findDeviceByToken(world.db, String(rotated.body['accessToken'])),
      'the repetition did not rotate',
    )
  })

  await suite.test('a command is sent once', async (t) => {
    const url = `/v1/devices/${tree.a.device}/commands`
    await Promise.all([1, 2, 3].map(() => post(url, admin, { method: 'open' }, 'k6')))
    t.match(await post(url, admin, { method: 'open' }, 'k6'), {
      status: 202,
      headers: { 'idempotency-replayed': 'true' },
    })
    t.equal(world.commands.length, 1)
  })

  await suite.test('a command that its process left behind may be sent again after a while', async (t) => {
    const url = `/v1/devices/${tree.a.device}/commands`
    const { createdAt } = await keyOf('k6')
    await world.db
      .updateTable('idempotencyKey')
      .set({ status: null, body: null })
      .where('key', '=', 'k6')
      .execute()
    const busy = { status: 409, body: { code: 'request.idempotencyBusy' } }
    t.match(await post(url, admin, { method: 'open' }, 'k6'), busy)
    t.equal((await keyOf('k6')).createdAt, createdAt, 'the reservation of the other stays')
    now += 121_000
    t.match(await post(url, admin, { method: 'open' }, 'k6'), { status: 202 })
    t.equal(world.commands.length, 2)
  })

  await suite.test('an answer is kept for a day, and then the key is free', async (t) => {
    const first = await post('/v1/facilities', admin, facility, 'k7')
    now += 23 * 3_600_000
    t.same((await post('/v1/facilities', admin, facility, 'k7')).body, first.body)
    now += 2 * 3_600_000
    const later = await Promise.all([1, 2, 3].map(() => post('/v1/facilities', admin, facility, 'k7')))
    t.ok(later.every(({ status, body }) => status === 201 && body['id'] === later[0]?.body['id']))
    t.not(later[0]?.body['id'], first.body['id'])
  })

  await suite.test('keys have a form, and passwords cannot be guessed from what is kept', async (t) => {
    t.match(await post('/v1/facilities', admin, facility, 'with space'), { status: 400 })
    t.match(await post('/v1/facilities', admin, facility, 'x'.repeat(129)), { status: 400 })
    const user = {
      username: 'idem',
      name: 'N',
      password: 'a long password',
      role: 'viewer',
      facilityId: tree.a.facility,
    }
    await post('/v1/users', admin, user, 'k8')
    const kept = await keyOf('k8')
    t.notMatch(JSON.stringify(kept), /a long password|argon2/)
  })
}
