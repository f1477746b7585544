import { test } from 'tap'
import { insertLogEntries } from '../../db/queries/log.ts'
import { createLineReader } from '../../main/log-line.ts'
import { openWorld, plantTree, type World } from './world.ts'

interface Entry {
  readonly kind: string
  readonly id: string
  readonly message: string
  readonly requestId: string | null
  readonly data: Readonly<Record<string, unknown>> | null
}

async function say(world: World, lines: readonly object[]): Promise<void> {
  const read = createLineReader()
  await insertLogEntries(
    world.db,
    lines.flatMap((line) => read(JSON.stringify({ level: 30, time: Date.now(), ...line })) ?? []),
  )
}

async function read(world: World, query: string, token = world.admin) {
  const { status, body } = await world.get(`/v1/logs?${query}`, token)
  if (status !== 200) throw new Error(`${query}: ${status}`)
  return body as unknown as { readonly items: readonly Entry[]; readonly nextCursor: string | null }
}

test('logs and audit in one list, page by page, the newest first', async (t) => {
  const world = await openWorld(t)
  await say(world, [{ msg: 'earlier' }])
  const { a } = await plantTree(world)
  await say(world, [
    { msg: 'later', part: 'ingest', deviceId: a.device },
    { msg: 'last', level: 50 },
  ])
  const seen: Entry[] = []
  let cursor = ''
  do {
    const page = await read(world, `limit=4${cursor}`)
    seen.push(...page.items)
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`
  } while (cursor !== '')
  t.same(
    seen.map(({ id }) => id),
    seen
      .map(({ id }) => id)
      .toSorted()
      .toReversed(),
  )
  t.equal(new Set(seen.map(({ id }) => id)).size, seen.length)
  const application = seen.filter(({ kind }) => kind === 'application').map(({ message }) => message)
  t.same(application, ['last', 'later', 'earlier'])
  const audit = seen.filter(({ kind }) => kind === 'audit')
  t.ok(audit.length >= 8)
  t.equal(seen.at(-1)?.message, 'earlier', 'what was said before what was done')

  t.same(
    (await read(world, 'level=error')).items.map(({ message }) => message),
    ['last'],
  )
  const ofDevice = (await read(world, `deviceId=${a.device}`)).items
  t.same(
    ofDevice.map(({ kind, message }) => [kind, message]),
    [
      ['application', 'later'],
      ['audit', 'device.created'],
    ],
  )
  t.match(ofDevice[1]?.data, { entity: 'device', entityId: a.device, before: null })
  const requestId = ofDevice[1]?.requestId
  t.match((await read(world, `requestId=${requestId}`)).items, [{ message: 'device.created' }])
  t.same((await read(world, `kind=audit&text=${a.device}&part=ingest`)).items, [])
  t.equal((await world.get('/v1/logs?from=yesterday', world.admin)).status, 400)
})

test('of what the parts said nothing is for managers, and of the audit what was done in their part', async (t) => {
  const world = await openWorld(t)
  const { a, b } = await plantTree(world)
  await say(world, [{ msg: 'of the machine' }])
  const [ours, theirs] = [
    await world.person('ours', 'manager', a.district),
    await world.person('theirs', 'manager', b.district),
  ]
  await world.patch(`/v1/facilities/${a.facility}`, ours, { name: 'Renamed by ours' })
  await world.patch(`/v1/facilities/${b.facility}`, theirs, { name: 'Renamed by theirs' })
  const seen = (await read(world, '', ours)).items
  t.same(
    seen.map(({ kind, data }) => [kind, data?.['entityId']]),
    [['audit', a.facility]],
  )
  t.match(await world.get('/v1/logs?kind=application', ours), { status: 403 })
  t.equal((await read(world, 'text=renamed%20by')).items.length, 2)
})

test('addresses and numbers of people do not come out', async (t) => {
  const world = await openWorld(t)
  const { a } = await plantTree(world)
  const phone = '+6281234567890'
  t.equal((await world.patch('/v1/me/contact', world.admin, { phone })).status, 200)
  const name = 'Ani, ani@example.org'
  t.equal((await world.patch(`/v1/facilities/${a.facility}`, world.admin, { name })).status, 200)
  const { items } = await read(world, 'kind=audit&limit=2')
  t.equal(items.length, 2)
  t.notOk(/ani@example|81234567890/.test(JSON.stringify(items)), JSON.stringify(items))
})

test('all that fits comes as NDJSON or CSV, streamed', async (t) => {
  const world = await openWorld(t)
  await say(
    world,
    Array.from({ length: 1200 }, (_, index) => ({ msg: `line ${index}`, part: 'ingest', note: '=1+1,"x"' })),
  )
  const ask = (format: string) =>
    world.app.inject({
      url: `/v1/logs?part=ingest&format=${format}`,
      headers: { authorization: `Bearer ${world.admin}` },
    })
  const ndjson = await ask('ndjson')
  t.match(ndjson.headers['content-type'], /^application\/x-ndjson/)
  const entries = ndjson.body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry)
  t.equal(entries.length, 1200)
  t.equal(new Set(entries.map(({ message }) => message)).size, 1200)
  const csv = await ask('csv')
  t.match(csv.headers['content-type'], /^text\/csv/)
  t.equal(csv.body.trimEnd().split('\r\n').length, 1201)
  t.match(csv.body, /^kind,id,at,level,part,message,/)
})
