import { createHmac } from 'node:crypto'
import { test } from 'tap'
import { networkOf } from '../../api/attempts.ts'
import { hashPassword, verifyPassword } from '../../api/password.ts'
import { ensureAdministrator } from '../../api/index.ts'
import { findUserByName } from '../../db/queries/user.ts'
import { ADMIN_PASSWORD, openWorld, PASSWORD, plantTree } from './world.ts'

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const user = (username: string, role: string, facilityId?: string | null) => ({
  username,
  role,
  facilityId,
  name: 'N',
  password: PASSWORD,
})

const cookieOf = (answer: { headers: Record<string, unknown> }) => String(answer.headers['set-cookie'])
const pairOf = (set: string) => ({ cookie: `other=1; ${set.split(';', 1)[0]}; more=2` })

test('passwords are argon2id with the parameters of OWASP', async (t) => {
  const hash = await hashPassword('correct horse')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.ok(await verifyPassword('correct horse', hash))
  t.notOk(await verifyPassword('correct horsf', hash))
  t.notOk(await verifyPassword('correct horse', undefined))
  t.not(hash, await hashPassword('correct horse'), 'salted')
})

test('an IPv6 subscriber is one address', async (t) => {
  t.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:db8:1:2::9'))
  t.not(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  t.equal(networkOf('::1'), '0:0:0:0::/64')
  t.equal(networkOf('192.0.2.7'), '192.0.2.7')
})

test('logging in and out', async (suite) => {
  const world = await openWorld(suite)
  const { get, post, patch, admin } = world
  const tree = await plantTree(world)
  const login = (username: string, password: string) =>
    post('/v1/auth/login', undefined, { username, password })
  const refresh = (refreshToken: unknown) => post('/v1/auth/refresh', undefined, { refreshToken })

  await suite.test('the administrator is made once', async (t) => {
    t.same(await ensureAdministrator(world.db), { created: false })
    t.match(await get('/v1/me', admin), {
      status: 200,
      body: { username: 'admin', role: 'administrator', facilityId: null },
    })
    t.notMatch(JSON.stringify((await get('/v1/me', admin)).body), /argon2/)
  })

  await suite.test('a wrong name, a wrong password and a disabled user look the same', async (t) => {
    await world.person('gone', 'viewer', tree.a.facility)
    const gone = await findUserByName(world.db, 'gone')
    await patch(`/v1/users/${gone?.id}`, admin, { disabled: true })
    const answers = await Promise.all([
      login('nobody', PASSWORD),
      login('admin', 'wrong'),
      login('gone', PASSWORD),
    ])
    for (const { status, body, headers } of answers) {
      t.equal(status, 401)
      t.match(body, { code: 'auth.invalidCredentials', status: 401 })
      t.match(headers, { 'content-type': /application\/problem\+json/, 'www-authenticate': /Bearer/ })
    }
    const shapes = new Set(answers.map(({ body }) => JSON.stringify({ ...body, requestId: '' })))
    t.equal(shapes.size, 1)
  })

  await suite.test('user names do not mind case', async (t) => {
    t.equal((await login('ADMIN', ADMIN_PASSWORD)).status, 200)
  })

  await suite.test(
    'refresh tokens rotate; a used one ends the session, access tokens included',
    async (t) => {
      const first = (await login('admin', ADMIN_PASSWORD)).body
      const second = (await refresh(first['refreshToken'])).body
      t.not(second['refreshToken'], first['refreshToken'])
      t.equal((await get('/v1/me', String(second['accessToken']))).status, 200)
      t.match(await refresh(first['refreshToken']), { status: 401, body: { code: 'auth.refreshInvalid' } })
      t.match(
        await refresh(second['refreshToken']),
        { status: 401 },
        'the thief or the owner: nobody can tell',
      )
      t.match(await get('/v1/me', String(second['accessToken'])), {
        status: 401,
        body: { code: 'auth.required' },
      })
      t.equal((await get('/v1/me', admin)).status, 200, 'other sessions go on')
    },
  )

  await suite.test('of two refreshes at the same moment at most one wins', async (t) => {
    const { refreshToken } = (await login('admin', ADMIN_PASSWORD)).body
    const statuses = (await Promise.all([refresh(refreshToken), refresh(refreshToken)])).map(
      (it) => it.status,
    )
    t.equal(statuses.filter((status) => status === 200).length, 1)
  })

  await suite.test('logout ends the session at once, and says nothing of unknown tokens', async (t) => {
    const { refreshToken, accessToken } = (await login('admin', ADMIN_PASSWORD)).body
    const logout = await world.post('/v1/auth/logout', undefined, { refreshToken })
    t.equal(logout.status, 204)
    t.equal((await get('/v1/me', String(accessToken))).status, 401)
    t.equal((await refresh(refreshToken)).status, 401)
    t.equal((await post('/v1/auth/logout', undefined, { refreshToken: 'nonsense' })).status, 204)
  })

  await suite.test('a browser keeps its session in a cookie that no script sees', async (t) => {
    const send = async (what: string, body: object, headers: Record<string, string> = {}) =>
      world.app.inject({ method: 'POST', url: `/v1/auth/${what}`, payload: body, headers })
    const session = 'cookie'
    const first = await send('login', { username: 'admin', password: ADMIN_PASSWORD, session })
    t.notHas(first.json(), { refreshToken: String }, 'the answer has no refresh token')
    t.match(
      cookieOf(first),
      /^coldstream_refresh=csr_\S+; Path=\/v1\/auth; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
    )
    const second = await send(
      'refresh',
      { session },
      { ...pairOf(cookieOf(first)), 'x-forwarded-proto': 'https' },
    )
    t.match(cookieOf(second), /; Secure$/, 'behind a proxy that ends TLS')
    t.not(pairOf(cookieOf(second)).cookie, pairOf(cookieOf(first)).cookie)
    t.equal((await get('/v1/me', second.json().accessToken)).status, 200)
    t.equal((await send('refresh', { session })).statusCode, 401, 'without the cookie')
    const asForm = { ...pairOf(cookieOf(second)), 'content-type': 'text/plain' }
    t.equal(
      (
        await world.app.inject({
          method: 'POST',
          url: '/v1/auth/refresh',
          payload: '{"session":"cookie"}',
          headers: asForm,
        })
      ).statusCode,
      400,
      'what a form of another site can send is refused',
    )
    const preflight = await world.app.inject({
      method: 'OPTIONS',
      url: '/v1/auth/refresh',
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    t.notHas(preflight.headers, { 'access-control-allow-origin': String }, 'nor JSON of another origin')
    t.not(preflight.statusCode, 204)
    const out = await send('logout', { session }, pairOf(cookieOf(second)))
    t.match(cookieOf(out), /^coldstream_refresh=; .*Max-Age=0/)
    t.equal((await get('/v1/me', second.json().accessToken)).status, 401)
    t.equal((await send('refresh', { session }, pairOf(cookieOf(second)))).statusCode, 401)

    const stolen = await send('login', { username: 'admin', password: ADMIN_PASSWORD, session })
    const owners = await send('refresh', { session }, pairOf(cookieOf(stolen)))
    t.equal(
      (await send('refresh', { session }, pairOf(cookieOf(stolen)))).statusCode,
      401,
      'good for one use',
    )
    t.equal(
      (await send('refresh', { session }, pairOf(cookieOf(owners)))).statusCode,
      401,
      'and a second use ends the session',
    )
  })

  await suite.test('a changed role and a disabled user count from the next request on', async (t) => {
    const token = await world.person('changing', 'manager', tree.a.district)
    const id = (await findUserByName(world.db, 'changing'))?.id
    t.equal((await get('/v1/users', token)).status, 200)
    await patch(`/v1/users/${id}`, admin, { role: 'viewer' })
    t.equal((await get('/v1/users', token)).status, 403)
    await patch(`/v1/users/${id}`, admin, { facilityId: tree.b.district })
    t.equal((await get(`/v1/devices/${tree.a.device}`, token)).status, 404)
    await patch(`/v1/users/${id}`, admin, { disabled: true })
    t.equal((await get('/v1/me', token)).status, 401)
    await patch(`/v1/users/${id}`, admin, { disabled: false })
    t.equal((await get('/v1/me', token)).status, 401, 'their old sessions do not come back')
  })

  await suite.test('changing the own password asks for the old one and ends other sessions', async (t) => {
    const token = await world.person('me', 'viewer', tree.a.facility)
    const other = await world.login('me')
    const change = (currentPassword: string, newPassword: string) =>
      post('/v1/me/password', token, { currentPassword, newPassword })
    t.match(await change('wrong', 'something else'), {
      status: 401,
      body: { code: 'auth.invalidCredentials' },
    })
    t.match(await change(PASSWORD, 'short'), { status: 400 })
    t.match(await change(PASSWORD, 'aaaaaaaaaaaaa'), { status: 400 })
    t.equal((await change(PASSWORD, 'something else')).status, 204)
    t.equal((await get('/v1/me', token)).status, 200)
    t.equal((await get('/v1/me', other)).status, 401)
    t.equal((await login('me', PASSWORD)).status, 401)
    t.equal((await login('me', 'something else')).status, 200)
  })

  await suite.test('tokens of somebody else are no tokens', async (t) => {
    const [header = '', payload = '', signature = ''] = admin.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const signed = (of: unknown, key: string, alg = 'HS256') => {
      const text = `${part({ alg, typ: 'JWT' })}.${part(of)}`
      return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
    }
    const secret = 'a secret of at least thirty-two characters'
    t.equal((await get('/v1/me', signed(claims, secret))).status, 200, 'this is how ours are made')
    const bad = [
      `${part({ alg: 'none' })}.${payload}.`,
      `${header}.${part({ ...claims, sub: 'other' })}.${signature}`,
      signed(claims, 'another secret of at least thirty-two'),
      signed({ ...claims, iss: 'elsewhere' }, secret),
      signed({ ...claims, exp: undefined }, secret),
      signed({ ...claims, sid: undefined }, secret),
      signed(claims, secret, 'HS512'),
      'x',
      `${admin} ${admin}`,
    ]
    for (const token of bad)
      t.match(await get('/v1/me', token), { status: 401, body: { code: 'auth.required' } })
    const expired = signed({ ...claims, iat: 1, exp: 1000 }, secret)
    t.match(await get('/v1/me', expired), { status: 401, body: { code: 'auth.tokenExpired' } })
    const basic = await world.ask('GET', '/v1/me', { headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } })
    t.equal(basic.status, 401)
  })
})

test('people make people with no more rights than their own', async (t) => {
  const world = await openWorld(t)
  const { get, post, patch, admin } = world
  const tree = await plantTree(world)
  const manager = await world.person('boss', 'manager', tree.a.district)
  t.match(await post('/v1/users', manager, user('u1', 'administrator', null)), { status: 403 })
  t.match(await post('/v1/users', manager, user('u1', 'viewer', tree.b.facility)), { status: 404 })
  t.match(await post('/v1/users', manager, user('u1', 'viewer', tree.country)), { status: 404 })
  t.match(await post('/v1/users', manager, user('u1', 'viewer')), { status: 400 })
  const made = await post('/v1/users', manager, user('U1', 'operator', tree.a.facility))
  t.match(made, { status: 201, body: { username: 'u1', disabled: false } })
  t.match(await post('/v1/users', admin, user('u1', 'viewer', tree.b.facility)), { status: 409 })
  t.match(
    await post('/v1/users', admin, {
      ...user('abcdefghijkl', 'viewer', tree.b.facility),
      password: 'abcdefghijkl',
    }),
    {
      status: 400,
    },
  )
  const url = `/v1/users/${String(made.body['id'])}`
  t.match(await patch(url, manager, { role: 'administrator', facilityId: null }), { status: 403 })
  t.match(await patch(url, manager, { facilityId: tree.b.facility }), { status: 404 })
  t.match(await patch(url, manager, { name: 'New', email: 'a@example.org' }), {
    status: 200,
    body: { name: 'New', email: 'a@example.org' },
  })
  t.match(await patch(url, manager, { email: 'not an address' }), { status: 400 })

  const me = String((await get('/v1/me', manager)).body['id'])
  t.match(await patch(`/v1/users/${me}`, manager, { facilityId: tree.a.facility }), { status: 403 })
  t.match(await patch(`/v1/users/${me}`, manager, { disabled: true }), { status: 403 })
  t.match(await patch(`/v1/users/${me}`, manager, { password: 'another password' }), { status: 403 })
  const root = String((await get('/v1/me', admin)).body['id'])
  t.match(
    await patch(`/v1/users/${root}`, manager, { disabled: true }),
    { status: 404 },
    'no administrator in sight',
  )
  const list = (await get('/v1/users', manager)).body['items'] as unknown as { username: string }[]
  t.same(list.map(({ username }) => username).toSorted(), ['boss', 'u1'])
  const named = await get(`/v1/users?facilityId=${tree.a.facility}&q=NEW`, manager)
  t.match(named.body['items'], [{ username: 'u1', facilityName: 'Clinic A', lastSeenAt: null }])
  t.same((await get('/v1/users?q=nobody', manager)).body['items'], [])
  const before = new Date().toISOString()
  await world.login('u1')
  const seen = await get(url, manager)
  t.match(seen, { status: 200, body: { username: 'u1', timeZone: 'Asia/Jakarta' } })
  t.ok(String(seen.body['lastSeenAt']) >= before, 'since the login they were seen')
})

test('guessing is slowed down, per name and per address', async (t) => {
  const world = await openWorld(t, { settings: { loginTriesPerUserMax: 3, loginTriesPerAddressMax: 7 } })
  const guess = (username: string, password = 'wrong') =>
    world.post('/v1/auth/login', undefined, { username, password })
  for (let i = 0; i < 3; i++) t.equal((await guess('admin')).status, 401)
  const { status, body, headers } = await guess('admin', ADMIN_PASSWORD)
  t.equal(status, 429, 'even with the right password: or it could be found out')
  t.equal(body['code'], 'auth.tooManyAttempts')
  t.equal(headers['retry-after'], '300')
  t.equal((await guess('a')).status, 401)
  t.equal((await guess('b')).status, 401)
  t.equal((await guess('c')).status, 429, 'the address has had its share')
})
