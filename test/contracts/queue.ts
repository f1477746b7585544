import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type Test } from 'tap'
import type { Batch } from '../../domain/batch.ts'
import type { Delivery, Parked, Queue, QueueName, Verdict } from '../../ports/queue.ts'
import { waitFor } from '../wait-for.ts'

/** What a test may ask of the queue under it; an adapter sets its own limits from these. */
export interface QueueContractOptions {
  /** Per queue: where publish begins to wait. */
  readonly bytesMax?: number
  readonly triesMax?: number
}

/** How to open the same, at first empty, queue again. Retries come back within some 10 ms. */
export type OpenQueue = (options?: QueueContractOptions) => Promise<Queue>

/** Where adapters differ in what the port leaves open. */
export interface QueueCapabilities {
  /** `pendingSince` is that of the oldest unfinished batch; otherwise a lower bound, and never undefined. */
  readonly pendingSinceIsExact: boolean
  /** Not a batch more than the limit is let in; otherwise a few that were on their way. */
  readonly limitIsExact: boolean
  /** What a batch counts against the limit. */
  bytesOf(batch: Batch): number
}

const EXACT: QueueCapabilities = {
  pendingSinceIsExact: true,
  limitIsExact: true,
  bytesOf: (batch) => JSON.stringify(batch).length,
}

let lastAcceptedAt = 1_763_899_200_000

/** A batch with `readings` readings; each batch is accepted a millisecond after the one before, unless a time is given. */
export function makeBatch(readings = 1, acceptedAt?: number): Batch {
  lastAcceptedAt += 1
  return {
    id: randomUUIDv7(),
    acceptedAt: acceptedAt ?? lastAcceptedAt,
    readings: Array.from({ length: readings }, (_, index) => ({
      deviceId: 'fridge \u{1f9ca}',
      sensor: 'main',
      time: lastAcceptedAt + index,
      values: { temperature: 4.25, humidity: 51 },
    })),
    refusals: [],
    attributes: [],
  }
}

/** Answers `verdict` to everything and notes the ids and attempts. */
export function collect(queue: Queue, name: QueueName, verdict: Verdict = 'done', deliveriesMax = 10) {
  const seen: string[] = []
  const attempts: number[] = []
  const handler = async (deliveries: readonly Delivery[]) => {
    for (const { batch, attempt } of deliveries) {
      seen.push(batch.id)
      attempts.push(attempt)
    }
    return deliveries.map(() => verdict)
  }
  return { seen, attempts, ...queue.consume(name, handler, { deliveriesMax }) }
}

async function inTurn(batches: readonly Batch[], publish: (batch: Batch) => Promise<unknown>): Promise<void> {
  for (const batch of batches) await publish(batch)
}

async function firstParked(queue: Queue, name: QueueName): Promise<Parked> {
  const [first] = await queue.parked(name, { limit: 1 })
  if (!first) throw new Error(`nothing is parked in ${name}`)
  return first
}

const ids = (batches: readonly Batch[]) => batches.map(({ id }) => id)

/** The promises of `ports/queue.ts`. `setUp` makes an empty queue for one test. */
export function queueContract(
  name: string,
  setUp: (t: Test) => Promise<OpenQueue>,
  capabilities: QueueCapabilities = EXACT,
): void {
  const { pendingSinceIsExact, limitIsExact, bytesOf } = capabilities
  const isFinished = (queue: Queue, queueName: QueueName) =>
    pendingSinceIsExact
      ? queue.pendingSince(queueName) === undefined
      : queue.depth(queueName).batches === 0 && queue.pendingSince(queueName) !== undefined
  const checkPending = (t: Test, queue: Queue, queueName: QueueName, acceptedAt = 0) => {
    const since = queue.pendingSince(queueName)
    if (pendingSinceIsExact) t.equal(since, acceptedAt)
    else t.ok(since !== undefined && since <= acceptedAt, `${since} is not after ${acceptedAt}`)
  }
  const withQueue = async (t: Test, options?: QueueContractOptions) => {
    const queue = await (await setUp(t))(options)
    t.teardown(() => queue.close())
    return queue
  }

  test(`${name}: each of the named queues gets the batch as it was, the others do not`, async (t) => {
    const queue = await withQueue(t)
    const bodies: Batch[] = []
    queue.consume(
      'store',
      async (deliveries) => deliveries.map(({ batch }) => (bodies.push(batch), 'done')),
      {
        deliveriesMax: 1,
      },
    )
    const judge = collect(queue, 'judge')
    const rejudge = collect(queue, 'rejudge')
    const [both, one] = [makeBatch(3), makeBatch()]
    await queue.publish(both, ['store', 'judge', 'store'])
    await queue.publish(one, ['store'])
    await waitFor(() => bodies.length === 2 && judge.seen.length === 1, 'the deliveries')
    t.same(bodies, [both, one])
    t.same(judge.seen, [both.id])
    t.same(rejudge.seen, [])
    await t.rejects(queue.publish(makeBatch(), []), 'to no queue')
  })

  test(`${name}: delivers in the order of publishing, one call at a time, at most deliveriesMax together`, async (t) => {
    const queue = await withQueue(t)
    const batches = Array.from({ length: 50 }, () => makeBatch())
    for (const batch of batches) await queue.publish(batch, ['store'])
    const seen: string[] = []
    let [running, together] = [0, 0]
    queue.consume(
      'store',
      async (deliveries) => {
        running += 1
        t.equal(running, 1)
        together = Math.max(together, deliveries.length)
        await sleep(1)
        seen.push(...deliveries.map(({ batch }) => batch.id))
        running -= 1
        return deliveries.map(() => 'done' as const)
      },
      { deliveriesMax: 7 },
    )
    await waitFor(() => seen.length === batches.length, 'all batches')
    t.same(seen, ids(batches))
    t.ok(together > 1 && together <= 7, `${together} were handed over together`)
  })

  test(`${name}: what is done never comes back, what was not answered does, after a reopen`, async (t) => {
    const open = await setUp(t)
    const first = await open()
    const batches = Array.from({ length: 6 }, () => makeBatch(20))
    for (const batch of batches) await first.publish(batch, ['store', 'judge'])
    let answered = 0
    const consumer = first.consume(
      'store',
      async (deliveries) => {
        answered += deliveries.length
        if (answered === 3) void consumer.stop()
        return ['done']
      },
      { deliveriesMax: 1 },
    )
    await waitFor(() => answered === 3, 'three answers')
    await first.close()
    await t.rejects(first.publish(makeBatch(), ['store']), 'it is closed')

    const second = await open()
    t.teardown(() => second.close())
    checkPending(t, second, 'store', batches[3]?.acceptedAt)
    checkPending(t, second, 'judge', batches[0]?.acceptedAt)
    t.equal(second.depth('store').batches, 3)
    const [store, judge] = [collect(second, 'store'), collect(second, 'judge')]
    await waitFor(() => isFinished(second, 'judge'), 'judge to be empty')
    await waitFor(() => isFinished(second, 'store'), 'store to be empty')
    t.same(store.seen, ids(batches.slice(3)))
    t.same(judge.seen, ids(batches))
    t.same(second.depth('store'), { batches: 0, bytes: 0, parked: 0 })
  })

  test(`${name}: retries with a growing attempt, lets others pass, and parks after triesMax`, async (t) => {
    const queue = await withQueue(t, { triesMax: 3 })
    const [bad, good] = [makeBatch(), makeBatch()]
    const attempts: number[] = []
    const done: string[] = []
    queue.consume(
      'store',
      async (deliveries) =>
        deliveries.map(({ batch, attempt }) => {
          if (batch.id === bad.id) attempts.push(attempt)
          else done.push(batch.id)
          return batch.id === bad.id ? 'retry' : 'done'
        }),
      { deliveriesMax: 1 },
    )
    await queue.publish(bad, ['store'])
    await queue.publish(good, ['store'])
    await waitFor(() => queue.depth('store').parked === 1, 'it to be parked')
    t.same(attempts, [1, 2, 3])
    t.same(done, [good.id])
    await waitFor(() => isFinished(queue, 'store'), 'the queue to be finished')
    const [parked] = await queue.parked('store', { limit: 10 })
    t.match(parked, { queue: 'store', batch: bad, attempts: 3 })
    t.ok(Math.abs(Date.now() - (parked?.parkedAt ?? 0)) < 60_000)
    t.same(await queue.parked('judge', { limit: 10 }), [])
  })

  test(`${name}: drop parks at once; parked batches survive a reopen, can be replayed and discarded`, async (t) => {
    const open = await setUp(t)
    const first = await open()
    const batches = [makeBatch(), makeBatch(), makeBatch()]
    const dropped = collect(first, 'judge', 'drop')
    for (const batch of batches) await first.publish(batch, ['judge'])
    await waitFor(() => first.depth('judge').parked === 3, 'all to be parked')
    t.same(dropped.attempts, [1, 1, 1])
    await first.close()

    const second = await open()
    t.teardown(() => second.close())
    t.same(second.depth('judge'), { batches: 0, bytes: 0, parked: 3 })
    t.ok(isFinished(second, 'judge'))
    t.equal((await second.parked('judge', { limit: 2 })).length, 2)
    const parked = await second.parked('judge', { limit: 10 })
    t.same(parked.map(({ batch }) => batch?.id).toSorted(), ids(batches).toSorted())
    const seen = collect(second, 'judge')
    const replayed = await firstParked(second, 'judge')
    t.equal(await second.replay(replayed.id), true)
    const discarded = await firstParked(second, 'judge')
    t.equal(await second.discard(discarded.id), true)
    await waitFor(() => seen.seen.length === 1, 'the replayed one')
    t.same(seen.seen, [replayed.batch?.id])
    t.same(seen.attempts, [1])
    t.equal(await second.replay(replayed.id), false)
    t.equal(await second.discard(discarded.id), false)
    for (const unknown of ['', 'judge-0', 'no-such-id', "judge-1' OR 1"])
      t.equal(await second.replay(unknown), false)
    t.equal((await second.parked('judge', { limit: 10 })).length, 1)
  })

  test(`${name}: parked batches are paged through and found one by one; of what is discarded nothing is left`, async (t) => {
    const queue = await withQueue(t)
    collect(queue, 'rejudge', 'drop')
    const batches = Array.from({ length: 7 }, () => makeBatch(2))
    for (const batch of batches) await queue.publish(batch, ['rejudge'])
    await waitFor(() => queue.depth('rejudge').parked === 7, 'all to be parked')
    const seen: string[] = []
    let after: string | undefined
    for (let pages = 0; pages < 4; pages += 1) {
      const page = await queue.parked('rejudge', { limit: 2, after })
      t.equal(page.length, pages < 3 ? 2 : 1)
      after = page.at(-1)?.id
      seen.push(...page.map(({ batch }) => batch?.id ?? ''))
      // What is behind a cursor may go: the next page begins where it would have.
      if (after !== undefined && pages === 1) t.equal(await queue.discard(after), true)
    }
    t.same(seen.toSorted(), ids(batches).toSorted())
    t.same(await queue.parked('rejudge', { limit: 2, after }), [])
    const first = await firstParked(queue, 'rejudge')
    t.same(await queue.findParked(first.id), first)
    t.ok(first.bytes > 0)
    await queue.discard(first.id)
    t.equal(await queue.findParked(first.id), undefined)
    t.equal(await queue.findParked('rejudge-none'), undefined)
    t.equal(queue.depth('store').batches, 0)
  })

  test(`${name}: a batch of store that is replayed is judged again as well, once it is stored`, async (t) => {
    const queue = await withQueue(t)
    const parking = collect(queue, 'store', 'drop')
    const batch = makeBatch(3, Date.now())
    await queue.publish(batch, ['store', 'judge'])
    await waitFor(() => queue.depth('store').parked === 1, 'it to be parked')
    await parking.stop()
    const rejudged: Batch[] = []
    queue.consume(
      'rejudge',
      async (deliveries) => {
        rejudged.push(...deliveries.map(({ batch: of }) => of))
        return deliveries.map(() => 'done' as const)
      },
      { deliveriesMax: 1 },
    )
    t.equal(await queue.replay((await firstParked(queue, 'store')).id), true)
    await waitFor(() => rejudged.length === 1, 'it to be judged again')
    t.match(rejudged, [{ readings: batch.readings }])
    // Whoever judges can see that it is not stored yet.
    checkPending(t, queue, 'store', batch.acceptedAt)
    const { seen } = collect(queue, 'store')
    await waitFor(() => seen.length === 1 && isFinished(queue, 'rejudge'), 'it to be stored')
    t.same(seen, [batch.id])
    t.equal(queue.depth('judge').batches, 1, 'it is not judged as if it were new')
  })

  test(`${name}: says what there is, who takes it, how old it is and how fast it goes`, async (t) => {
    const queue = await withQueue(t)
    const idle = { batches: 0, bytes: 0, parked: 0, consumers: 0, inPerSecond: 0, outPerSecond: 0 }
    t.match(queue.state('store'), { ...idle, oldestAcceptedAt: undefined })
    const gate = Promise.withResolvers<void>()
    const consumer = queue.consume(
      'store',
      (deliveries) => gate.promise.then(() => deliveries.map(() => 'done' as const)),
      { deliveriesMax: 10 },
    )
    const batches = Array.from({ length: 10 }, () => makeBatch(4))
    for (const batch of batches) await queue.publish(batch, ['store'])
    await waitFor(() => {
      const { batches: count, consumers, oldestAcceptedAt, inPerSecond } = queue.state('store')
      const isOldest = oldestAcceptedAt === batches[0]?.acceptedAt
      return count === 10 && consumers === 1 && isOldest && inPerSecond > 0
    }, 'the backlog to be seen')
    t.ok(queue.state('store').bytes > 0)
    t.equal(queue.state('store').outPerSecond, 0)
    gate.resolve()
    await waitFor(() => {
      const { batches: count, inPerSecond, outPerSecond } = queue.state('store')
      return count === 0 && outPerSecond > 0 && inPerSecond === outPerSecond
    }, 'as much to have left as came')
    t.equal(queue.state('store').oldestAcceptedAt, undefined)
    t.match(queue.state('judge'), idle)
    await consumer.stop()
    await waitFor(() => queue.state('store').consumers === 0, 'the consumer to be gone')
  })

  test(`${name}: a handler that throws, or answers too little, has its batches again`, async (t) => {
    const queue = await withQueue(t)
    let calls = 0
    const attempts: number[] = []
    queue.consume(
      'store',
      (deliveries) => {
        calls += 1
        attempts.push(...deliveries.map(({ attempt }) => attempt))
        if (calls === 1) throw new Error('thrown at once')
        if (calls === 2) return Promise.reject(new Error('rejected'))
        return Promise.resolve(calls === 3 ? [] : ['done'])
      },
      { deliveriesMax: 1 },
    )
    await queue.publish(makeBatch(), ['store'])
    await waitFor(() => calls === 4 && isFinished(queue, 'store'), 'the fourth try')
    t.same(attempts, [1, 2, 3, 4])
  })

  const exactly = pendingSinceIsExact ? {} : { skip: 'its pendingSince is a lower bound' }
  test(
    `${name}: pendingSince is that of the oldest batch accepted, not of the first published`,
    exactly,
    async (t) => {
      const queue = await withQueue(t)
      t.equal(queue.pendingSince('store'), undefined)
      const [older, newer] = [makeBatch(), makeBatch()]
      await queue.publish(newer, ['store'])
      t.equal(queue.pendingSince('store'), newer.acceptedAt)
      await queue.publish(older, ['store'])
      t.equal(queue.pendingSince('store'), older.acceptedAt)
      t.equal(queue.pendingSince('judge'), undefined)
      collect(queue, 'store')
      await waitFor(() => queue.pendingSince('store') === undefined, 'the queue to be finished')
    },
  )

  test(`${name}: pendingSince passes a batch when it is finished, not before`, async (t) => {
    const queue = await withQueue(t)
    const gate = Promise.withResolvers<void>()
    const batch = makeBatch(1, Date.now())
    const isPassed = (since = Infinity) => since > batch.acceptedAt
    let begun = false
    queue.consume(
      'store',
      async (deliveries) => {
        begun = true
        await gate.promise
        return deliveries.map(() => 'done')
      },
      { deliveriesMax: 1 },
    )
    await queue.publish(batch, ['store'])
    let early = false
    await waitFor(() => {
      const since = queue.pendingSince('store')
      early ||= isPassed(since)
      return begun && since === batch.acceptedAt
    }, 'the batch to be the oldest')
    t.notOk(early)
    gate.resolve()
    await waitFor(() => isPassed(queue.pendingSince('store')), 'the batch to be passed')
  })

  test(`${name}: at its limit publish waits, and goes on in order as the queue drains; nothing is lost`, async (t) => {
    const size = bytesOf(makeBatch(50))
    const queue = await withQueue(t, { bytesMax: size * 4 })
    const batches = Array.from({ length: 40 }, () => makeBatch(50))
    const confirmed: string[] = []
    const publish = (batch: Batch) =>
      queue.publish(batch, ['store', 'judge']).then(() => confirmed.push(batch.id))
    const publishing = limitIsExact ? batches.map(publish) : [inTurn(batches, publish)]
    const judge = collect(queue, 'judge')
    await waitFor(() => confirmed.length >= 3 && judge.seen.length >= 3, 'the first ones')
    // No event says "still waiting"; a slow queue that is not full by now would only make this pass by luck, not fail.
    await sleep(50)
    const inMax = limitIsExact ? 5 : 10
    t.ok(confirmed.length <= inMax, `${confirmed.length} were let in`)
    t.ok(queue.depth('store').bytes <= size * inMax)
    await queue.publish(makeBatch(), ['rejudge'])
    t.pass('another queue takes batches all the same')
    const store = collect(queue, 'store')
    await Promise.all(publishing)
    await waitFor(() => store.seen.length === 40 && judge.seen.length === 40, 'all of them in both')
    t.same(confirmed, ids(batches))
    t.same(store.seen, ids(batches))
  })

  test(`${name}: a batch larger than the limit goes through an empty queue`, async (t) => {
    const queue = await withQueue(t, { bytesMax: 1024 })
    await queue.publish(makeBatch(200), ['store'])
    const { seen } = collect(queue, 'store')
    await queue.publish(makeBatch(200), ['store'])
    await waitFor(() => seen.length === 2, 'both')
  })

  test(`${name}: closing refuses those who wait for room`, async (t) => {
    const open = await setUp(t)
    const [kept, waiting] = [makeBatch(20), makeBatch(20)]
    const first = await open({ bytesMax: Math.floor(bytesOf(kept) / 2) })
    await first.publish(kept, ['store'])
    const refused = t.rejects(first.publish(waiting, ['store']))
    await first.close()
    await refused
    const second = await open()
    t.teardown(() => second.close())
    t.equal(second.depth('store').batches, 1)
  })

  test(`${name}: a slow consumer of one queue does not delay another queue`, async (t) => {
    const queue = await withQueue(t)
    const gate = Promise.withResolvers<void>()
    queue.consume('store', (deliveries) => gate.promise.then(() => deliveries.map(() => 'done' as const)), {
      deliveriesMax: 1,
    })
    const judge = collect(queue, 'judge')
    const batches = Array.from({ length: 100 }, () => makeBatch())
    await Promise.all(batches.map((batch) => queue.publish(batch, ['store', 'judge'])))
    await waitFor(() => judge.seen.length === 100, 'judge to have all')
    checkPending(t, queue, 'store', batches[0]?.acceptedAt)
    gate.resolve()
    await waitFor(() => isFinished(queue, 'store'), 'store to catch up')
  })

  test(`${name}: several consumers share a queue`, async (t) => {
    const queue = await withQueue(t)
    const gate = Promise.withResolvers<void>()
    const held: string[] = []
    queue.consume(
      'store',
      async (deliveries) => {
        held.push(...deliveries.map(({ batch }) => batch.id))
        await gate.promise
        return deliveries.map(() => 'done' as const)
      },
      { deliveriesMax: 1 },
    )
    const other = collect(queue, 'store', 'done', 1)
    const batches = Array.from({ length: 10 }, () => makeBatch())
    for (const batch of batches) await queue.publish(batch, ['store'])
    await waitFor(() => held.length + other.seen.length === 10, 'all, while one of them is busy')
    t.equal(held.length, 1)
    gate.resolve()
    await waitFor(() => isFinished(queue, 'store'), 'the queue to be finished')
    t.same([...held, ...other.seen].toSorted(), ids(batches).toSorted())
  })

  test(`${name}: stop and close wait for the running handler and keep its verdicts`, async (t) => {
    const open = await setUp(t)
    const first = await open()
    const gate = Promise.withResolvers<void>()
    let [began, ended] = [0, 0]
    const handler = async (deliveries: readonly Delivery[]) => {
      began += 1
      await gate.promise
      ended += 1
      return deliveries.map(() => 'done' as const)
    }
    const stopped = first.consume('store', handler, { deliveriesMax: 1 })
    first.consume('judge', handler, { deliveriesMax: 1 })
    for (let count = 0; count < 2; count += 1) await first.publish(makeBatch(), ['store', 'judge'])
    await waitFor(() => began === 2, 'both handlers to run')
    const ends = [stopped.stop(), first.close()].map((end) => end.then(() => t.equal(ended, 2)))
    gate.resolve()
    await Promise.all(ends)
    t.equal(began, 2, 'nothing more was handed over')
    const second = await open()
    t.teardown(() => second.close())
    t.same([second.depth('store').batches, second.depth('judge').batches], [1, 1])
  })
}
