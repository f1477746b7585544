import { test } from 'tap'
import { openWorld, plantTree } from './world.ts'

const SQL = `'; DROP TABLE device; --`

test('bad input is refused with a problem, and nothing breaks', async (suite) => {
  const world = await openWorld(suite)
  const { get, post, patch, ask, admin } = world
  const { a } = await plantTree(world)
  const facility = { name: 'F', level: 'facility', parentId: a.district, timeZone: 'UTC' }

  await suite.test('bodies', async (t) => {
    const bad: [unknown, RegExp][] = [
      [{ ...facility, name: 5 }, /\/body\/name/],
      [{ ...facility, name: '' }, /\/body\/name/],
      [{ ...facility, name: '   ' }, /\/body\/name/],
      [{ ...facility, name: 'a\u0000b' }, /\/body\/name/],
      [{ ...facility, name: 'x'.repeat(201) }, /\/body\/name/],
      [{ ...facility, name: 'x'.repeat(900_000) }, /\/body\/name/],
      [{ ...facility, name: null }, /\/body\/name/],
      [{ ...facility, name: ['F'] }, /\/body\/name/],
      [{ ...facility, level: 'Facility' }, /\/body\/level/],
      [{ ...facility, parentId: SQL }, /\/body\/parentId/],
      [{ ...facility, parentId: true }, /\/body\/parentId/],
      [{ ...facility, path: '/' }, /\/body\/path.*not known/],
      [{ ...facility, id: a.facility }, /\/body\/id.*not known/],
      [[facility], /\/body/],
      ['5', /\/body/],
      ['null', /\/body/],
      [Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i])), /required|not known/],
    ]
    for (const [body, says] of bad) {
      const answer = await post('/v1/facilities', admin, body)
      const name = JSON.stringify(body).slice(0, 80)
      t.match(
        answer,
        { status: 400, body: { code: 'request.invalid', type: 'urn:coldstream:error:request.invalid' } },
        name,
      )
      t.match(JSON.stringify(answer.body['errors']), says, name)
      t.ok(JSON.stringify(answer.body).length < 20_000, 'the answer stays small')
    }
  })

  const raw = (body: string, type = 'application/json') =>
    ask('POST', '/v1/facilities', { token: admin, body, headers: { 'content-type': type } })
  await suite.test('what is no JSON, too large, or of another type', async (t) => {
    t.match(await raw('{"name":'), { status: 400, body: { code: 'request.malformed' } })
    t.match(await raw(''), { status: 400 })
    t.match(await raw('{"__proto__":{"admin":true},"name":"F"}'), {
      status: 400,
      body: { code: 'request.malformed' },
    })
    t.match(await raw('['.repeat(100_000)), { status: 400 })
    t.match(await raw(`{"name":"${'x'.repeat(10_000_000)}"}`), {
      status: 413,
      body: { code: 'request.tooLarge' },
    })
    t.match(await raw('<a/>', 'application/xml'), {
      status: 415,
      body: { code: 'request.unsupportedMediaType' },
    })
    t.match(await raw('name=F', 'application/x-www-form-urlencoded'), { status: 415 })
  })

  await suite.test('ids, queries and cursors', async (t) => {
    for (const id of [
      encodeURIComponent(SQL),
      '1',
      'x'.repeat(150),
      a.device.toUpperCase(),
      '%00',
      '..%2f..%2fme',
    ])
      t.match(await get(`/v1/devices/${id}`, admin), { status: 400, body: { code: 'request.invalid' } }, id)
    const lists = [
      'users',
      'facilities',
      'storage-points',
      'equipment',
      'devices',
      'breaches',
      'refusals',
      'rules',
    ]
    for (const list of lists) {
      const bad = [
        'limit=0',
        'limit=201',
        'limit=-1',
        'limit=x',
        'cursor=',
        'cursor=%27',
        'cursor=AAAA',
        'unknown=1',
        `cursor=${'A'.repeat(300)}`,
      ]
      for (const query of bad)
        t.match(await get(`/v1/${list}?${query}`, admin), { status: 400 }, `${list}?${query}`)
      t.equal((await get(`/v1/${list}?limit=200`, admin)).status, 200)
    }
    t.match(await get(`/v1/refusals?code=${encodeURIComponent(SQL)}`, admin), {
      status: 200,
      body: { items: [] },
    })
    t.match(await get(`/v1/refusals?code=%25`, admin), { status: 200, body: { items: [] } })
    t.match(await get('/v1/nothing', admin), {
      status: 404,
      body: { code: 'route.notFound', instance: '/v1/nothing' },
    })
    // Answered by the router itself, before there is a route.
    for (const path of ['%zz', 'x'.repeat(300)]) {
      const { status } = await get(`/v1/devices/${path}`, admin)
      t.ok(status >= 400 && status < 500, path)
    }
  })

  await suite.test('text comes back as it was given', async (t) => {
    for (const name of [SQL, '<script>alert(1)</script>', 'Puskesmas Kaliurang – ชื่อ 🧊', '%_\\', "O'Brien"]) {
      const { status, body } = await patch(`/v1/facilities/${a.facility}`, admin, { name })
      t.equal(status, 200)
      t.equal(body['name'] as unknown, name)
    }
  })

  await suite.test('user names that are none', async (t) => {
    for (const username of ['', 'a', SQL, 'ä'.repeat(5), 'x'.repeat(101), 5, { $ne: null }]) {
      const user = { username, name: 'N', password: 'long enough', role: 'viewer', facilityId: a.facility }
      t.match(await post('/v1/users', admin, user), { status: 400 }, String(username))
    }
    const login = { username: { $ne: null }, password: 'x' }
    t.match(await post('/v1/auth/login', undefined, login), { status: 400 })
    t.match(await post('/v1/auth/login', undefined, { username: SQL, password: SQL }), { status: 401 })
  })

  await suite.test('a failure behind us tells nothing', async (t) => {
    const broken = await openWorld(t)
    await broken.db.schema.dropTable('refusal').execute()
    const { status, body } = await broken.get('/v1/refusals', broken.admin)
    t.equal(status, 500)
    t.match(body, { code: 'internal.unexpected', requestId: /^[0-9a-f-]{36}$/ })
    t.notMatch(JSON.stringify(body), /sqlite|refusal"|table|select/i)
    t.equal('detail' in body, false)
  })
})

test('a list is stable while things are added, and gives each once', async (t) => {
  const world = await openWorld(t)
  const { a } = await plantTree(world)
  const names = new Set<string>()
  for (let i = 0; i < 12; i++)
    await world.make('/v1/storage-points', { facilityId: a.facility, name: `P${i}` })
  const seen: string[] = []
  for (let cursor = '', i = 0; ; i++) {
    const { body } = await world.get(
      `/v1/storage-points?facilityId=${a.facility}&limit=5${cursor}`,
      world.admin,
    )
    seen.push(...(body['items'] as unknown as { name: string }[]).map(({ name }) => name))
    if (!body['nextCursor']) break
    if (i === 0) await world.make('/v1/storage-points', { facilityId: a.facility, name: 'late' })
    cursor = `&cursor=${String(body['nextCursor'])}`
  }
  for (const name of seen) t.notOk(names.has(name) || !names.add(name))
  t.same(
    seen.toSorted(),
    ['Vaccine room', ...Array.from({ length: 12 }, (_, i) => `P${i}`), 'late'].toSorted(),
  )
})
