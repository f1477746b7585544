import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { openEmbeddedQueue, type EmbeddedQueueLimits } from '../../adapters/queue/embedded.ts'
import { waitFor } from '../wait-for.ts'
import { collect, makeBatch, queueContract } from '../contracts/queue.ts'

const metrics = { count() {}, set() {}, observe() {} }
const quick = { retryDelayMs: 2, retryDelayMsMax: 20 }

queueContract('embedded queue', async (t) => {
  const file = join(t.testdir(), 'queue.sqlite')
  return (options) => openEmbeddedQueue({ file, metrics, limits: { ...quick, ...options } })
})

queueContract('embedded queue with a window of a few batches', async (t) => {
  const file = join(t.testdir(), 'queue.sqlite')
  return (options) =>
    openEmbeddedQueue({ file, metrics, limits: { ...quick, windowBytesMax: 3000, ...options } })
})

async function openHere(t: Test, limits: Partial<EmbeddedQueueLimits> = {}) {
  const file = join(t.testdir(), 'queue.sqlite')
  const queue = await openEmbeddedQueue({ file, metrics, limits })
  t.teardown(() => queue.close())
  return { queue, file }
}

test('embedded queue: publishers at the same time share commits', async (t) => {
  const { queue } = await openHere(t)
  const before = queue.commits()
  await Promise.all(Array.from({ length: 500 }, () => queue.publish(makeBatch(), ['store', 'judge'])))
  t.ok(queue.commits() - before <= 3, `${queue.commits() - before} commits`)
})

test('embedded queue: memory holds no more than the window; the rest is read back in order', async (t) => {
  const size = JSON.stringify(makeBatch(50)).length
  const { queue } = await openHere(t, { windowBytesMax: size * 6 })
  const batches = Array.from({ length: 200 }, () => makeBatch(50))
  const gate = Promise.withResolvers<void>()
  const seen: string[] = []
  let most = 0
  queue.consume(
    'store',
    async (deliveries) => {
      await gate.promise
      most = Math.max(most, queue.windowBytes('store'))
      seen.push(...deliveries.map(({ batch }) => batch.id))
      return deliveries.map(() => 'done' as const)
    },
    { deliveriesMax: 2 },
  )
  await Promise.all(batches.slice(0, 150).map((batch) => queue.publish(batch, ['store'])))
  t.ok(queue.windowBytes('store') <= size * 6)
  t.equal(queue.depth('store').batches, 150)
  gate.resolve()
  // Publishing goes on while the backlog is read back: the two must neither overtake nor repeat each other.
  for (const batch of batches.slice(150)) await queue.publish(batch, ['store'])
  await waitFor(() => queue.pendingSince('store') === undefined, 'the backlog to drain')
  t.same(
    seen,
    batches.map(({ id }) => id),
  )
  t.ok(most <= size * 6 + 100, `${most} bytes were in memory`)
})

test('embedded queue: what is published while retries are read back comes once', async (t) => {
  const { queue } = await openHere(t, { retryDelayMs: 1, retryDelayMsMax: 1 })
  const attempts: string[] = []
  queue.consume(
    'store',
    async (deliveries) =>
      deliveries.map(({ batch, attempt }) => {
        attempts.push(`${batch.id} ${attempt}`)
        return attempt === 1 ? 'retry' : 'done'
      }),
    { deliveriesMax: 5 },
  )
  const batches = Array.from({ length: 400 }, () => makeBatch())
  for (const batch of batches) await queue.publish(batch, ['store'])
  await waitFor(() => queue.pendingSince('store') === undefined, 'the queue to be finished')
  const expected = batches.flatMap(({ id }) => [`${id} 1`, `${id} 2`])
  t.same(attempts.toSorted(), expected.toSorted())
})

test('embedded queue: a small batch does not overtake a large one that waits for room', async (t) => {
  const { queue } = await openHere(t, { bytesMax: 5000 })
  const confirmed: string[] = []
  const publish = (name: string, readings: number) =>
    queue.publish(makeBatch(readings), ['store']).then(() => confirmed.push(name))
  await publish('first', 30)
  const rest = [publish('large', 30), publish('small', 1)]
  // Another queue is not concerned; its commit shows that the small one, which would fit, was not in it.
  await queue.publish(makeBatch(), ['judge'])
  t.same(confirmed, ['first'])
  collect(queue, 'store')
  await Promise.all(rest)
  t.same(confirmed, ['first', 'large', 'small'])
})

test('embedded queue: a retry never comes before its back-off is over', async (t) => {
  const { queue } = await openHere(t, { retryDelayMs: 100, retryDelayMsMax: 100 })
  const firstAt = new Map<string, number>()
  const gapsMs: number[] = []
  queue.consume(
    'store',
    async ([delivery]) => {
      const before = firstAt.get(delivery?.batch.id ?? '')
      if (before === undefined) firstAt.set(delivery?.batch.id ?? '', performance.now())
      else gapsMs.push(performance.now() - before)
      return [before === undefined ? 'retry' : 'done']
    },
    { deliveriesMax: 1 },
  )
  // Apart, so that one is due while others are not yet.
  for (let count = 0; count < 5; count += 1) {
    await queue.publish(makeBatch(), ['store'])
    await sleep(20)
  }
  await waitFor(() => gapsMs.length === 5, 'all retries')
  t.ok(Math.min(...gapsMs) >= 98, `the shortest gap was ${Math.min(...gapsMs)} ms`)
})

test('embedded queue: without room to park, a batch is tried again and not lost', async (t) => {
  const { queue } = await openHere(t, { ...quick, triesMax: 2, parkedBytesMax: 0 })
  const failing = collect(queue, 'store', 'retry')
  await queue.publish(makeBatch(), ['store'])
  await waitFor(() => failing.attempts.length >= 5, 'more tries than triesMax')
  t.same(queue.depth('store').parked, 0)
  t.equal(queue.depth('store').batches, 1)
})

test('embedded queue: the number of tries outlives the process', async (t) => {
  const { queue, file } = await openHere(t, { retryDelayMs: 60_000, retryDelayMsMax: 60_000 })
  const first = collect(queue, 'store', 'retry')
  await queue.publish(makeBatch(), ['store'])
  await waitFor(() => first.seen.length === 1, 'the first try')
  await queue.close()
  const again = await openEmbeddedQueue({ file, metrics })
  t.teardown(() => again.close())
  const second = collect(again, 'store')
  await waitFor(() => second.seen.length === 1, 'the second try, at once')
  t.same(second.attempts, [2])
})

test('embedded queue: a file that is open already, or is no database, is refused', async (t) => {
  const { file } = await openHere(t)
  await t.rejects(openEmbeddedQueue({ file, metrics }), /locked/)
  await t.rejects(openEmbeddedQueue({ file: join(t.testdirName, 'no', 'folder'), metrics }))
})

test('embedded queue: when a commit fails publish rejects, readiness says why, and it recovers', async (t) => {
  // The page limit stands for a full disk: SQLite fails in the same way, SQLITE_FULL.
  const { queue } = await openHere(t, { pagesMax: 200, recoveryDelayMs: 20 })
  t.equal(queue.ready(), undefined)
  const kept: string[] = []
  const fill = async () => {
    for (;;) {
      const batch = makeBatch(500)
      await queue.publish(batch, ['store'])
      kept.push(batch.id)
    }
  }
  await t.rejects(fill(), { code: 'service.unavailable', message: /full/ })
  t.match(queue.ready(), /full/)
  t.equal(queue.depth('store').batches, kept.length)
  const { seen } = collect(queue, 'store')
  await waitFor(() => queue.pendingSince('store') === undefined, 'the kept ones to drain')
  t.same(seen, kept)
  await queue.publish(makeBatch(), ['store'])
  t.equal(queue.ready(), undefined)
})

test('embedded queue: every batch confirmed before kill -9 is there after it', async (t) => {
  const file = join(t.testdir(), 'queue.sqlite')
  const confirmed = new Set<string>()
  const answered = new Set<string>()
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, [childFile, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await waitFor(() => text.includes('+'), 'the first confirmation', 20_000)
    // Random on purpose: the kill should hit every phase of a commit in the long run.
    await sleep(Math.random() * 300)
    child.kill('SIGKILL')
    await exited
    // The last line may be cut short; nobody was told anything by it.
    for (const line of text.split('\n').slice(0, -1))
      (line[0] === '+' ? confirmed : answered).add(line.slice(1))
  }
  t.ok(confirmed.size > 50, `${confirmed.size} batches were confirmed`)
  const queue = await openEmbeddedQueue({ file, metrics })
  t.teardown(() => queue.close())
  const [store, judge] = [collect(queue, 'store', 'done', 100), collect(queue, 'judge', 'done', 100)]
  await waitFor(() => queue.pendingSince('store') === undefined, 'the queue to be finished', 20_000)
  await waitFor(() => queue.pendingSince('judge') === undefined, 'the other queue to be finished', 20_000)
  const stored = new Set(store.seen)
  t.equal(stored.size, store.seen.length, 'none came twice')
  const judged = new Set([...judge.seen, ...answered])
  t.same(
    [...confirmed].filter((id) => !stored.has(id) || !judged.has(id)),
    [],
  )
})

const childFile = fileURLToPath(new URL('./queue-embedded-child.ts', import.meta.url))
