import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { test } from 'tap'
import { languageOf, titleOf } from '../../api/language.ts'
import { ERRORS, type ErrorCode } from '../../domain/errors.ts'
import { openStockWorld } from './stock-world.ts'
import { openWorld } from './world.ts'

test('what is wrong with a stock event is said of the line and the field', async (t) => {
  const world = await openStockWorld(t, 'sqlite::memory:')
  const { a } = world.tree
  const line = { storagePointId: a.storagePoint, lotId: world.penta.lot, doses: 1 }
  const errorsOf = async (body: unknown, language = 'en') => {
    const headers = { 'accept-language': language }
    const answer = await world.ask('POST', '/v1/stock-events', { token: world.admin, body, headers })
    t.match(answer, { status: 400, body: { code: 'request.invalid' } })
    return answer.body['errors'] as unknown as { path: string; message: string }[]
  }
  const receive = { kind: 'receive', facilityId: a.facility }
  t.same(await errorsOf({ ...receive, lines: [line, { ...line, doses: 1.5, colour: 'red' }] }), [
    { path: '/body/lines/1/colour', message: 'is not known here' },
    { path: '/body/lines/1/doses', message: 'must be integer' },
  ])
  t.same(await errorsOf({ ...receive, lines: [{ ...line, lotId: undefined, doses: 0 }] }, 'fr'), [
    { path: '/body/lines/0/lotId', message: 'est obligatoire' },
    { path: '/body/lines/0/doses', message: 'doit être >= 1' },
  ])
  const [kind, ...others] = await errorsOf({ ...receive, kind: 'recieve', lines: [line] }, 'id')
  t.match(kind, { path: '/body/kind', message: /^harus salah satu dari receive, issue, / })
  t.same(others, [])
  for (const body of [[], 'x', null, {}])
    t.match(await errorsOf(JSON.stringify(body)), [{ path: '/body/kind' }])
})

test('problems are told in the language that was asked for', async (t) => {
  const world = await openWorld(t)
  const ask = (language: string | undefined) =>
    world.ask('GET', '/v1/me', language === undefined ? {} : { headers: { 'accept-language': language } })
  for (const [header, language] of [
    [undefined, 'en'],
    ['id-ID,id;q=0.9,en;q=0.8', 'id'],
    ['fr-CM', 'fr'],
    ['de, fr;q=0.5, en;q=0.4', 'fr'],
    ['sw', 'en'],
    ['in', 'id'],
    ['fr;q=0, id;q=0.1', 'id'],
    [',;;q=,*;q=x', 'en'],
    ['fr;q=nonsense, id', 'id'],
  ] as const) {
    const answer = await ask(header)
    t.match(
      answer,
      {
        status: 401,
        headers: { 'content-language': language, vary: /accept-language/ },
        body: { code: 'auth.required', title: titleOf('auth.required', language) },
      },
      String(header),
    )
  }
  t.equal(languageOf(`${'de,'.repeat(1000)}fr`), 'en', 'a header is not read for ever')
  const missing = await world.ask('GET', '/nowhere', { headers: { 'accept-language': 'fr' } })
  t.match(missing.body, { code: 'route.notFound', title: titleOf('route.notFound', 'fr') })
  for (const code of Object.keys(ERRORS) as ErrorCode[])
    t.equal(new Set([titleOf(code, 'en'), titleOf(code, 'id'), titleOf(code, 'fr')]).size, 3, code)
})

test('long answers are compressed as the client likes', async (t) => {
  const world = await openWorld(t)
  for (let i = 0; i < 10; i++)
    await world.make('/v1/facilities', { name: `Country ${i}`, level: 'country', timeZone: 'UTC' })
  const get = (url: string, encoding: string) =>
    world.app.inject({
      url,
      headers: { authorization: `Bearer ${world.admin}`, 'accept-encoding': encoding },
    })
  const plain = await get('/v1/facilities', 'identity')
  t.equal(plain.headers['content-encoding'], undefined)
  for (const [asked, encoding, decode] of [
    ['gzip, deflate', 'gzip', gunzipSync],
    ['gzip, deflate, br', 'br', brotliDecompressSync],
  ] as const) {
    const answer = await get('/v1/facilities', asked)
    t.equal(answer.headers['content-encoding'], encoding)
    t.match(answer.headers['vary'], /accept-encoding/)
    t.ok(answer.rawPayload.length < plain.rawPayload.length / 2)
    t.same(JSON.parse(decode(answer.rawPayload).toString()), plain.json())
  }
  t.equal((await get('/v1/me', 'gzip')).headers['content-encoding'], undefined, 'short ones are not')
  const bomb = await world.app.inject({
    method: 'POST',
    url: '/v1/facilities',
    headers: {
      authorization: `Bearer ${world.admin}`,
      'content-encoding': 'gzip',
      'content-type': 'application/json',
    },
    payload: '{}',
  })
  t.ok(bomb.statusCode >= 400 && bomb.statusCode < 500)
})

test('a list that has not changed is not sent again', async (t) => {
  const world = await openStockWorld(t, 'sqlite::memory:')
  const { a } = world.tree
  const get = (tag: string) =>
    world.ask('GET', '/v1/stock', { token: world.admin, headers: { 'if-none-match': tag } })
  const first = await get('"nothing"')
  const tag = String(first.headers['etag'])
  t.match(tag, /^W\/"[\w-]+"$/)
  t.match(await get(tag), { status: 304, body: {}, headers: { etag: tag } })
  await world.post('/v1/stock-events', world.admin, {
    kind: 'receive',
    facilityId: a.facility,
    lines: [{ storagePointId: a.storagePoint, lotId: world.penta.lot, doses: 10 }],
  })
  t.match(await get(tag), { status: 200, body: { items: [{ doses: 10 }] } })
})
