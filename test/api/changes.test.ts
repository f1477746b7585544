import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { insertChanges } from '../../db/queries/change.ts'
import { inTransaction } from '../../db/transaction.ts'
import { onBothDatabases, openStockWorld, type StockWorld } from './stock-world.ts'

interface Item {
  readonly entity: string
  readonly id: string
  readonly kind: 'put' | 'delete'
  readonly data?: Record<string, unknown>
}
interface Page {
  readonly items: readonly Item[]
  readonly nextCursor: string
  readonly more: boolean
  readonly reset: boolean
}

test('what clients have to learn', async (suite) => onBothDatabases(suite, changesSuite))

async function pageOf(world: StockWorld, token: string, since?: string, limit = 200): Promise<Page> {
  const query = since === undefined ? '' : `&since=${since}`
  const { status, body } = await world.get(`/v1/changes?limit=${limit}${query}`, token)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body as unknown as Page
}

/** Everything from a cursor on, and the cursor to go on from. */
async function follow(world: StockWorld, token: string, since?: string, limit = 200) {
  const items: Item[] = []
  for (let cursor = since; ;) {
    const page = await pageOf(world, token, cursor, limit)
    items.push(...page.items)
    cursor = page.nextCursor
    if (!page.more) return { items, cursor }
  }
}

const named = (items: readonly Item[]) =>
  items.map(({ kind, entity, id }) => `${kind} ${entity} ${id}`).toSorted()

async function changesSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openStockWorld(suite, databaseUrl)
  const { a, b } = world.tree
  const clinicA = await world.person('clinic-a', 'operator', a.facility)
  const districtB = await world.person('district-b', 'manager', b.district)
  const receive = (facility: typeof a, id = randomUUID()) =>
    world.post('/v1/stock-events', world.admin, {
      id,
      kind: 'receive',
      facilityId: facility.facility,
      lines: [{ storagePointId: facility.storagePoint, lotId: world.penta.lot, doses: 10 }],
    })

  await suite.test(
    'everything of one place from the beginning, as it is now, and nothing of another',
    async (t) => {
      const { body: event } = await receive(a)
      await receive(b)
      const { items } = await follow(world, clinicA, undefined, 2)
      const kinds = new Set(items.map(({ entity }) => entity))
      for (const kind of ['facility', 'storagePoint', 'equipment', 'device', 'stockEvent'])
        t.ok(kinds.has(kind), kind)
      t.same(items.find(({ entity }) => entity === 'stockEvent')?.data, event)
      const { body: device } = await world.get(`/v1/devices/${a.device}`, clinicA)
      const { latest: _, attributes: __, watch: ___, ...shown } = device
      t.same(items.find(({ entity }) => entity === 'device')?.data, shown)
      t.notMatch(JSON.stringify(items), new RegExp([b.facility, b.device, b.storagePoint].join('|')))
      t.notMatch(JSON.stringify(items), /csd_|tokenHash|requestHash/)
    },
  )

  await suite.test('from now on: only what changed since, and once, however often it changed', async (t) => {
    const { nextCursor: now } = await pageOf(world, clinicA, 'now')
    t.same((await pageOf(world, clinicA, now)).items, [])
    for (const name of ['one', 'two', 'three'])
      await world.patch(`/v1/equipment/${a.equipment}`, world.admin, { name })
    await world.patch(`/v1/equipment/${b.equipment}`, world.admin, { name: 'other' })
    const { items, nextCursor } = await pageOf(world, clinicA, now)
    t.same(named(items), [`put equipment ${a.equipment}`])
    t.match(items[0]?.data, { name: 'three' })
    t.same((await pageOf(world, clinicA, nextCursor)).items, [])
    const rows = await world.db
      .selectFrom('change')
      .select('id')
      .where('entityId', '=', a.equipment)
      .where('seq', 'is not', null)
      .execute()
    t.equal(rows.length, 1, 'older changes of the same thing are not kept')
  })

  await suite.test('what moves away is gone here and new there, what hangs in it too', async (t) => {
    const here = (await pageOf(world, clinicA, 'now')).nextCursor
    const there = (await pageOf(world, districtB, 'now')).nextCursor
    await world.patch(`/v1/equipment/${a.equipment}`, world.admin, { facilityId: b.facility })
    t.same(named((await pageOf(world, clinicA, here)).items), [
      `delete device ${a.device}`,
      `delete equipment ${a.equipment}`,
    ])
    t.same(named((await pageOf(world, districtB, there)).items), [
      `put device ${a.device}`,
      `put equipment ${a.equipment}`,
    ])
    await world.patch(`/v1/equipment/${a.equipment}`, world.admin, { facilityId: a.facility })
  })

  await suite.test('a facility that moves brings all that is in it', async (t) => {
    const districtA = await world.person('district-a', 'manager', a.district)
    const here = (await pageOf(world, districtA, 'now')).nextCursor
    const there = (await pageOf(world, districtB, 'now')).nextCursor
    await world.patch(`/v1/facilities/${a.facility}`, world.admin, { parentId: b.district })
    t.same(named((await follow(world, districtA, here)).items), [`delete facility ${a.facility}`])
    const news = named((await follow(world, districtB, there)).items)
    t.ok(news.includes(`put facility ${a.facility}`))
    t.ok(news.includes(`put equipment ${a.equipment}`))
    t.ok(news.includes(`put storagePoint ${world.secondPoint}`))
    t.ok(news.some((one) => one.startsWith('put stockEvent')))
    await world.patch(`/v1/facilities/${a.facility}`, world.admin, { parentId: a.district })
  })

  await suite.test('who is sent to another place starts again, and is told so', async (t) => {
    const token = await world.person('rover', 'viewer', a.facility)
    const { id } = (await world.get('/v1/me', token)).body
    const { nextCursor } = await pageOf(world, token, 'now')
    await world.patch(`/v1/users/${String(id)}`, world.admin, { facilityId: b.facility })
    const page = await pageOf(world, token, nextCursor)
    t.equal(page.reset, true)
    t.ok(named(page.items).includes(`put facility ${b.facility}`))
    t.equal((await pageOf(world, token, page.nextCursor)).reset, false)
    const ahead = Buffer.from(`999999999.${b.facility}`).toString('base64url')
    t.equal((await pageOf(world, token, ahead)).reset, true, 'the server is behind what the client saw')
    t.same((await pageOf(world, token, '')).items, (await pageOf(world, token)).items, 'from the beginning')
    for (const since of ['x', 'bm9uc2Vuc2U', Buffer.from('1.2.3').toString('base64url'), "' or 1=1"])
      t.match(await world.get(`/v1/changes?since=${encodeURIComponent(since)}`, token), {
        status: 400,
        body: { code: 'request.invalid' },
      })
  })

  await suite.test('a change that is committed late is not passed over', async (t) => {
    // On SQLite a transaction holds up everybody else, so nothing comes late there.
    if (databaseUrl.startsWith('sqlite')) return
    const { nextCursor } = await pageOf(world, world.admin, 'now')
    const ids = [randomUUID(), randomUUID()] as const
    const late = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    const slow = inTransaction(world.db, async (trx) => {
      await insertChanges(trx, 1, [a.facility], 'probe', ids[0])
      written.resolve()
      await late.promise
    })
    await written.promise
    await insertChanges(world.db, 2, [a.facility], 'probe', ids[1])
    const first = await pageOf(world, world.admin, nextCursor)
    t.same(named(first.items), [`put probe ${ids[1]}`])
    late.resolve()
    await slow
    t.same(named((await pageOf(world, world.admin, first.nextCursor)).items), [`put probe ${ids[0]}`])
  })

  await suite.test(
    'many writers and readers: every reader learns of everything, of nothing else',
    async (t) => {
      const start = (await pageOf(world, world.admin, 'now')).nextCursor
      const startA = (await pageOf(world, clinicA, 'now')).nextCursor
      const written = { a: new Set<string>(), b: new Set<string>(), gone: new Set<string>() }
      let writing = true
      const write = async (n: number) => {
        for (let i = 0; i < 40; i++) {
          const place = (i + n) % 2 === 0 ? 'a' : 'b'
          const id = randomUUID()
          await inTransaction(world.db, async (trx) => {
            await insertChanges(trx, 2 * i, [world.tree[place].facility], 'probe', id)
            for (let turns = Math.floor(Math.random() * 5); turns > 0; turns--) await turn()
            if (i % 5 === 0)
              await insertChanges(trx, 2 * i + 1, [world.tree[place].facility], 'probe', id, 'delete')
          })
          written[place].add(id)
          if (i % 5 === 0) written.gone.add(id)
        }
      }
      const read = async (token: string, from: string, limit: number) => {
        const seen: Item[] = []
        for (let cursor = from, idle = false; ;) {
          const wasWriting = writing
          const page = await pageOf(world, token, cursor, limit)
          seen.push(...page.items.filter(({ entity }) => entity === 'probe'))
          cursor = page.nextCursor
          idle = page.items.length === 0 && !page.more
          if (idle && !wasWriting) return seen
        }
      }
      const readers = [
        read(world.admin, start, 7),
        read(world.admin, start, 200),
        read(clinicA, startA, 3),
        read(clinicA, startA, 50),
      ]
      await Promise.all(Array.from({ length: 10 }, (_, n) => write(n)))
      writing = false
      const [all1 = [], all2 = [], own1 = [], own2 = []] = await Promise.all(readers)
      for (const [seen, expected] of [
        [all1, written.a.union(written.b)],
        [all2, written.a.union(written.b)],
        [own1, written.a],
        [own2, written.a],
      ] as const) {
        t.equal(seen.length, expected.size, 'once each')
        t.same(new Set(seen.map(({ id }) => id)), expected)
        t.ok(
          seen.every(({ id, kind }) => (kind === 'delete') === written.gone.has(id)),
          'in its last state',
        )
      }
    },
  )
}
