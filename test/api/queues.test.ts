import { randomUUIDv7 } from 'node:crypto'
import { test } from 'tap'
import { listAudit } from '../../db/queries/audit.ts'
import type { Batch } from '../../domain/batch.ts'
import { waitFor } from '../wait-for.ts'
import { openWorld, plantTree, type World } from './world.ts'

function batchOf(deviceId: string, count: number): Batch {
  const readings = Array.from({ length: count }, (_, index) => ({
    deviceId,
    sensor: 'main',
    time: 1_700_000_000_000 + index * 1000,
    values: { temperature: 5 },
  }))
  return { id: randomUUIDv7(), acceptedAt: Date.now() - 60_000, readings, refusals: [], attributes: [] }
}

/** Parks batches of the queue `judge`, which nobody consumes here. */
async function park({ queue }: World, batches: readonly Batch[]): Promise<void> {
  const before = queue.depth('judge').parked
  const consumer = queue.consume('judge', async (all) => all.map(() => 'drop'), { deliveriesMax: 10 })
  for (const batch of batches) await queue.publish(batch, ['judge'])
  await waitFor(() => queue.depth('judge').parked === before + batches.length, 'them to be parked')
  await consumer.stop()
}

interface Items {
  readonly items: readonly Record<string, unknown>[]
  readonly nextCursor: string | null
}
const read = async (world: World, url: string) =>
  (await world.get(url, world.admin)).body as unknown as Items & Record<string, unknown>

test('queues: what waits, since when, and who takes it', async (t) => {
  const world = await openWorld(t)
  const batch = batchOf('d', 3)
  await world.queue.publish(batch, ['judge'])
  const { items } = await read(world, '/v1/queues')
  t.same(
    items.map(({ name }) => name),
    ['store', 'judge', 'rejudge'],
  )
  const oldestAcceptedAt = new Date(batch.acceptedAt).toISOString()
  t.match(items[0], { consumers: 1, batches: 0, oldestAcceptedAt: null, oldestAgeMs: null })
  t.match(items[1], { consumers: 0, batches: 1, parked: 0, oldestAcceptedAt })
  t.ok(Number(items[1]?.['oldestAgeMs']) >= 60_000)
})

test('parked batches: listed page by page, read whole, replayed and discarded, each once and written down', async (t) => {
  const world = await openWorld(t)
  const { a } = await plantTree(world)
  const batches = Array.from({ length: 5 }, (_, index) => batchOf(a.device, index === 0 ? 500 : 1))
  await park(world, batches)

  const first = await read(world, '/v1/parked-batches?limit=3')
  const rest = await read(world, `/v1/parked-batches?limit=3&cursor=${first.nextCursor}`)
  const rows = [...first.items, ...rest.items]
  t.equal(rest.nextCursor, null)
  t.same(
    rows.map(({ batchId }) => batchId),
    batches.map(({ id }) => id),
  )
  t.match(rows[0], { queue: 'judge', attempts: 1, reason: /.+/, readings: 500, deviceIds: [a.device] })
  t.ok(String(rows[0]?.['excerpt']).length <= 1000)
  t.same((await read(world, '/v1/parked-batches?queue=store')).items, [])
  const ids = rows.map(({ id }) => String(id))
  const [one = '', two = '', three = '', four = '', five = ''] = ids
  t.same((await read(world, `/v1/parked-batches/${one}`))['batch'], batches[0])

  const seen: string[] = []
  world.queue.consume(
    'judge',
    async (all) => {
      seen.push(...all.map(({ batch }) => batch.id))
      return all.map(() => 'done')
    },
    { deliveriesMax: 10 },
  )
  const key = randomUUIDv7()
  const replayed = { status: 200, body: { id: one, outcome: 'replayed' } }
  t.match(await world.post(`/v1/parked-batches/${one}/replay`, world.admin, {}, key), replayed)
  t.match(await world.post(`/v1/parked-batches/${one}/replay`, world.admin, {}, key), replayed)
  t.match(await world.post(`/v1/parked-batches/${one}/replay`, world.admin, {}), { status: 404 })
  const many = await world.post('/v1/parked-batches/replay', world.admin, { ids: [two, three, one] })
  t.same(many.body, {
    items: [
      { id: two, outcome: 'replayed' },
      { id: three, outcome: 'replayed' },
      { id: one, outcome: 'notFound' },
    ],
  })
  const reason = 'made by a test bench'
  t.equal((await world.post(`/v1/parked-batches/${four}/discard`, world.admin, {})).status, 400)
  t.equal((await world.post(`/v1/parked-batches/${four}/discard`, world.admin, { reason })).status, 200)
  t.equal((await world.post(`/v1/parked-batches/${four}/discard`, world.admin, { reason })).status, 404)
  await waitFor(() => seen.length === 3, 'the replayed ones')
  t.same(
    seen.toSorted(),
    batches
      .slice(0, 3)
      .map(({ id }) => id)
      .toSorted(),
  )
  t.same(
    (await read(world, '/v1/parked-batches')).items.map(({ id }) => id),
    [five],
  )

  const trail = await listAudit(world.db, 'queue', 'judge')
  t.same(
    trail.map(({ action, before }) => [action, (JSON.parse(before ?? '{}') as { id: string }).id]),
    [
      ['parkedBatch.replayed', one],
      ['parkedBatch.replayed', two],
      ['parkedBatch.replayed', three],
      ['parkedBatch.discarded', four],
    ],
  )
  t.same(JSON.parse(trail.at(-1)?.after ?? ''), { outcome: 'discarded', reason })
})

test('parked batches: no more than a bounded selection, and only what can be an id', async (t) => {
  const world = await openWorld(t)
  const ask = (ids: readonly string[]) => world.post('/v1/parked-batches/replay', world.admin, { ids })
  const tooMany = Array.from({ length: 51 }, (_, index) => `store-${index}`)
  for (const ids of [[], tooMany, ['store-1', 'store-1'], ['other-1'], ['store-ü']])
    t.equal((await ask(ids)).status, 400)
  t.equal((await world.get('/v1/parked-batches/store-1', world.admin)).status, 404)
  t.equal((await world.get('/v1/parked-batches?cursor=AAAA', world.admin)).status, 400)
})
