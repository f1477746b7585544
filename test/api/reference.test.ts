import { test, type Test } from 'tap'
import { onBothDatabases } from './stock-world.ts'
import { openWorld, plantTree } from './world.ts'

test('reference data', async (suite) => onBothDatabases(suite, referenceSuite))

async function referenceSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openWorld(suite, { databaseUrl })
  const { admin, ask, get, patch, post } = world
  const tree = await plantTree(world)

  await suite.test(
    'a change names the version that it is of, and a reader the one that it has',
    async (t) => {
      const url = `/v1/facilities/${tree.a.facility}`
      const change = (name: string, match: string) =>
        ask('PATCH', url, { token: admin, body: { name }, headers: { 'if-match': match } })
      t.match(await get(url, admin), { status: 200, headers: { etag: '"1"' }, body: { version: 1 } })
      t.match(await change('Two', '"1"'), { status: 200, headers: { etag: '"2"' }, body: { version: 2 } })
      t.match(await change('Three', '"1"'), {
        status: 412,
        body: { code: 'request.preconditionFailed', detail: /current version is 2\b/ },
      })
      t.match(await change('Three', '"1", W/"2"'), { status: 200, headers: { etag: '"3"' } })
      t.match(await change('Four', '*'), { status: 200, headers: { etag: '"4"' } })
      t.match(await change('Five', 'four'), { status: 400, body: { code: 'request.invalid' } })
      t.match(
        await patch(url, admin, { name: 'Four' }),
        { headers: { etag: '"4"' } },
        'the same is no change',
      )

      const read = (match: string) => ask('GET', url, { token: admin, headers: { 'if-none-match': match } })
      t.match(await read('"3"'), { status: 200, body: { name: 'Four' } })
      const unchanged = await read('W/"4"')
      t.match(unchanged, { status: 304, headers: { etag: '"4"' } })
      t.equal(unchanged.headers['content-type'], undefined)
      t.match(await read('"1", "4"'), { status: 304 })
      const made = await post('/v1/facilities', admin, {
        name: 'New',
        level: 'facility',
        parentId: tree.a.district,
        timeZone: 'UTC',
      })
      t.match(made, { status: 201, headers: { etag: '"1"' } })
    },
  )

  await suite.test('of changes that name the same version, one is made', async (t) => {
    const url = `/v1/facilities/${tree.b.facility}`
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        ask('PATCH', url, { token: admin, body: { name: `B${i}` }, headers: { 'if-match': '"1"' } }),
      ),
    )
    t.same(answers.map(({ status }) => status).toSorted(), [200, 412, 412, 412, 412, 412, 412, 412])
  })
}
