import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { openWorld } from './world.ts'

const PAGE = '<!doctype html><title>Coldstream</title>'
const SCRIPT = `export const words = ${JSON.stringify('cold '.repeat(400))}`
const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

/** A website as the build leaves it: each text beside what it is when compressed. */
function writeWebsite(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'coldstream-website-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'assets'), { recursive: true })
  const texts = { 'index.html': PAGE, 'assets/main-abc123.js': SCRIPT }
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(root, name), text)
    writeFileSync(join(root, `${name}.br`), brotliCompressSync(text))
    writeFileSync(join(root, `${name}.gz`), gzipSync(text))
  }
  return root
}

test('serving the website', async (suite) => {
  const root = writeWebsite(suite)
  const { app, admin } = await openWorld(suite, { settings: { websiteDir: root } })
  const get = async (url: string, headers: Record<string, string> = asBrowser) =>
    app.inject({ method: 'GET', url, headers })

  await suite.test('an address of a screen opens the page', async (t) => {
    for (const url of ['/', '/breaches', '/breaches/01HXYZ?state=open', '/admin/facilities']) {
      const answer = await get(url)
      t.match(answer, { statusCode: 200, body: PAGE, headers: { 'cache-control': 'no-cache' } }, url)
      t.match(answer.headers['content-type'], /^text\/html/)
    }
  })

  await suite.test('nothing else becomes the page', async (t) => {
    for (const url of ['/v1/nothing', '/v1', '/api/v1/nothing', '/assets/gone.js', '/docs/nothing'])
      t.match((await get(url)).json(), { code: 'route.notFound', status: 404 }, url)
    t.equal((await get('/breaches', { accept: 'application/json' })).statusCode, 404, 'no browser')
    t.equal((await get('/assets/..%2f..%2fpackage.json')).statusCode, 404)
    t.equal((await get('/assets/../../package.json', {})).statusCode, 404)
    const me = await get('/v1/me', { ...asBrowser, authorization: `Bearer ${admin}` })
    t.match(me.json(), { username: 'admin' }, 'the API answers browsers as it does others')
  })

  await suite.test('the page runs nothing inline and nothing from elsewhere', async (t) => {
    const policy = String((await get('/breaches')).headers['content-security-policy'])
    t.match(policy, /default-src 'none'/)
    t.match(policy, /script-src 'self'(;|$)/)
    t.match(policy, /style-src 'self'(;|$)/)
    t.match(policy, /frame-ancestors 'none'/)
    t.notMatch(policy, /unsafe|\*|https?:/)
  })

  await suite.test('what is named by its content is kept for ever', async (t) => {
    const { headers } = await get('/assets/main-abc123.js')
    t.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
    t.match(headers['content-type'], /javascript/)
    t.equal(headers['x-content-type-options'], 'nosniff')
  })

  await suite.test('it goes out as it was compressed once', async (t) => {
    const script = '/assets/main-abc123.js'
    const br = await get(script, { 'accept-encoding': 'gzip, deflate, br' })
    t.equal(br.headers['content-encoding'], 'br')
    t.equal(brotliDecompressSync(br.rawPayload).toString(), SCRIPT)
    const gz = await get(script, { 'accept-encoding': 'gzip' })
    t.equal(gz.headers['content-encoding'], 'gzip')
    t.equal(gunzipSync(gz.rawPayload).toString(), SCRIPT)
    t.match(br.headers['vary'], /accept-encoding/i, 'caches keep them apart')
    t.equal((await get(script, { 'accept-encoding': 'identity' })).body, SCRIPT)
  })
})

test('a website that was not built says so, and the API works', async (t) => {
  const { app, admin } = await openWorld(t, { settings: { websiteDir: join(t.testdir(), 'dist') } })
  const page = await app.inject({ method: 'GET', url: '/breaches', headers: asBrowser })
  t.match(page.json(), { status: 503, code: 'website.notBuilt' })
  const headers = { authorization: `Bearer ${admin}` }
  t.equal((await app.inject({ method: 'GET', url: '/v1/me', headers })).statusCode, 200)
})
