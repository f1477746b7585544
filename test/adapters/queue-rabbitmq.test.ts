import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'amqplib'
import { test } from 'tap'
import { encode } from '../../adapters/queue/rabbitmq-message.ts'
import { openRabbitQueue } from '../../adapters/queue/rabbitmq.ts'
import type { Batch } from '../../domain/batch.ts'
import { collect, makeBatch, queueContract } from '../contracts/queue.ts'
import { hasRabbitmq, startRabbitmq, type Rabbitmq } from '../services/rabbitmq.ts'
import { startRelay } from '../services/relay.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { firsts, follow, metrics, more, open, quick, startLoad, sweepOf } from './queue-rabbitmq-world.ts'

const skip = skipWithout('RabbitMQ', hasRabbitmq)

if (skip) test('rabbitmq queue', { skip }, async () => undefined)
else testAll(await startRabbitmq())

function testAll(server: Rabbitmq): void {
  let prefixes = 0
  const prefixOf = () => `t${(prefixes += 1)}`
  queueContract(
    'rabbitmq queue',
    async () => {
      const prefix = prefixOf()
      return (options) =>
        openRabbitQueue({ url: server.url, prefix, metrics, limits: { ...quick, ...options } })
    },
    { pendingSinceIsExact: false, limitIsExact: false, bytesOf },
  )
  testSharing(server, prefixOf)
  testLimits(server, prefixOf)
  testFaults(server, prefixOf)
  test('rabbitmq queue: the node is stopped', () => server.stop())
}

function bytesOf(batch: Batch): number {
  return encode(batch, batch.id).body.length
}

function testSharing(server: Rabbitmq, prefixOf: () => string): void {
  test('rabbitmq queue: two processes share the partitions; when one closes the other has all, in order', async (t) => {
    const opening = { url: server.url, prefix: prefixOf(), limits: { partitions: 8 } }
    const [one, two] = [await open(t, opening), await open(t, opening)]
    const times = new Map<string, number[]>()
    let gaps = 0
    const judges = [follow(one, 'judge', times), follow(two, 'judge', times, () => (gaps += 1))]
    const rejudges = [follow(one, 'rejudge', new Map()), follow(two, 'rejudge', new Map())]
    let time = 0
    const publish = async () => one.publish(sweepOf(100, (time += 1)), ['judge', 'rejudge'])
    await waitFor(async () => {
      await publish()
      return judges.every(({ own }) => own.size > 0)
    }, 'both to have deliveries')
    for (const follower of [...judges, ...rejudges]) follower.own.clear()
    await waitFor(async () => {
      await publish()
      return judges.reduce((sum, { own }) => sum + own.size, 0) === 100
    }, 'each device to be with one of them')
    t.ok(
      judges.every(({ own }) => own.size > 10),
      `${judges.map(({ own }) => own.size)} devices`,
    )
    await waitFor(() => rejudges[1]?.own.size === judges[1]?.own.size, 'rejudge')
    t.same(rejudges[1]?.own, judges[1]?.own, 'a device has the same process in both queues')

    t.ok(gaps > 0, 'it was told that it may have missed something')
    gaps = 0
    for (const { own } of judges) own.clear()
    const publishing = Array.from({ length: 20 }, publish)
    await Promise.all([one.close(), ...publishing.map((one_) => one_.catch(() => undefined))])
    const last = async () => two.publish(sweepOf(100, (time += 1)), ['judge'])
    await last()
    await waitFor(() => [...times.values()].every((seen) => seen.includes(time)), 'all to be with the other')
    t.ok(gaps > 0, 'it was told when it took over')
    const unordered = [...times.values()].filter((seen) =>
      firsts(seen).some((at, index, all) => at < (all[index - 1] ?? 0)),
    )
    t.equal(unordered.length, 0, 'the readings of a device came in order')
  })

  test('rabbitmq queue: a process that only looks sees what the others do', async (t) => {
    const opening = { url: server.url, prefix: prefixOf(), limits: { beatMs: 200 } }
    const [ingest, notifier] = [await open(t, opening), await open(t, opening)]
    const looking = await open(t, opening)
    const gate = Promise.withResolvers<void>()
    notifier.consume(
      'judge',
      (deliveries) => gate.promise.then(() => deliveries.map(() => 'done' as const)),
      {
        deliveriesMax: 1,
      },
    )
    await waitFor(() => looking.state('judge').consumers === 1, 'the consumer to be known')
    // Rates are of what was counted since it first heard of a process.
    await waitFor(async () => {
      await ingest.publish(makeBatch(1), ['store'])
      return looking.state('store').inPerSecond > 0
    }, 'the publisher to be known')
    const batches = Array.from({ length: 10 }, () => makeBatch(3))
    for (const batch of batches) await ingest.publish(batch, ['judge'])
    await waitFor(() => {
      const { batches: count, oldestAcceptedAt } = looking.state('judge')
      return count === 10 && oldestAcceptedAt === batches[0]?.acceptedAt
    }, 'the backlog to be seen, with its age')
    t.ok(looking.state('judge').bytes > 0)
    await waitFor(() => looking.state('judge').inPerSecond > 0, 'what came in')
    t.equal(looking.state('judge').outPerSecond, 0)
    gate.resolve()
    await waitFor(() => {
      const { batches: count, inPerSecond, outPerSecond } = looking.state('judge')
      return count === 0 && inPerSecond === outPerSecond
    }, 'as much to have left as came')
    t.equal(looking.state('store').outPerSecond, 0)
  })

  test('rabbitmq queue: opens without RabbitMQ for those who can do without, and connects later', async (t) => {
    const proxy = await startRelay(server.url)
    t.teardown(() => proxy.stop())
    proxy.refuse()
    const prefix = prefixOf()
    const queue = await openRabbitQueue({
      url: proxy.url,
      prefix,
      metrics,
      limits: quick,
      opensWithout: true,
    })
    t.teardown(() => queue.close())
    t.throws(() => queue.state('store'), { code: 'service.unavailable' })
    await t.rejects(queue.parked('store', { limit: 1 }), { code: 'service.unavailable' })
    proxy.accept()
    const isThere = () => {
      try {
        return queue.state('store').batches === 0
      } catch {
        return false
      }
    }
    await waitFor(isThere, 'the connection')
  })

  test('rabbitmq queue: a process that vanishes is replaced', async (t) => {
    const opening = { url: server.url, prefix: prefixOf(), limits: { beatMs: 200, partitions: 8 } }
    const proxy = await startRelay(server.url)
    t.teardown(() => proxy.stop())
    const one = await open(t, { ...opening, url: proxy.url })
    const two = await open(t, opening)
    const times = new Map<string, number[]>()
    const judges = [follow(one, 'judge', times), follow(two, 'judge', times)]
    let time = 0
    await waitFor(async () => {
      await two.publish(sweepOf(100, (time += 1)), ['judge'])
      return judges.every(({ own }) => own.size > 10)
    }, 'both to have deliveries')
    proxy.refuse()
    judges[1]?.own.clear()
    await waitFor(async () => {
      await two.publish(sweepOf(100, (time += 1)), ['judge'])
      return judges[1]?.own.size === 100
    }, 'the other to have all')
    proxy.accept()
    judges[0]?.own.clear()
    await waitFor(async () => {
      await two.publish(sweepOf(100, (time += 1)), ['judge'])
      return (judges[0]?.own.size ?? 0) > 10
    }, 'the first to have its share again')
  })

  test('rabbitmq queue: pendingSince knows what another process holds, and what it gives back', async (t) => {
    const opening = { url: server.url, prefix: prefixOf() }
    const [one, two] = [await open(t, opening), await open(t, opening)]
    const gate = Promise.withResolvers<void>()
    const batch = makeBatch(1, Date.now())
    let held = false
    const holder = one.consume(
      'store',
      async () => {
        held = true
        await gate.promise
        return []
      },
      { deliveriesMax: 1 },
    )
    await two.publish(batch, ['store'])
    let earliest = Infinity
    const since = () => {
      const now = two.pendingSince('store') ?? Infinity
      earliest = Math.min(earliest, now > batch.acceptedAt ? now : Infinity)
      return now
    }
    await waitFor(() => since() === batch.acceptedAt && held, 'it to be known')
    gate.resolve()
    await holder.stop()
    await waitFor(() => two.depth('store').batches === 1, 'it to be back')
    // Nobody has it; that nothing becomes known of it has no event.
    for (let count = 0; count < 100; count += 1) {
      since()
      await sleep(10)
    }
    t.equal(earliest, Infinity, 'it was not passed')
    const other = collect(two, 'store')
    await waitFor(() => since() > batch.acceptedAt, 'it to be passed')
    t.same(other.attempts, [2])
  })

  test('rabbitmq queue: pendingSince passes neither what a silent consumer holds nor what waits', async (t) => {
    const [heldPrefix, waitingPrefix] = [prefixOf(), prefixOf()]
    const held = await open(t, { url: server.url, prefix: heldPrefix })
    const waiting = await open(t, { url: server.url, prefix: waitingPrefix })
    const stranger = await connect(server.url)
    t.teardown(() => stranger.close().catch(() => undefined))
    const channel = await stranger.createChannel()
    await channel.prefetch(1)
    let kept = 0
    await channel.consume(`${heldPrefix}.store`, () => (kept += 1))
    const [silent, newer, older] = [
      makeBatch(1, Date.now()),
      makeBatch(1, Date.now()),
      makeBatch(1, Date.now() - 500),
    ]
    await held.publish(silent, ['store'])
    await waitFor(() => kept === 1, 'the stranger to have it')
    collect(held, 'store')

    const gate = Promise.withResolvers<void>()
    const handler = (deliveries: readonly unknown[]) =>
      gate.promise.then(() => deliveries.map(() => 'done' as const))
    // It has places for two.
    waiting.consume('store', handler, { deliveriesMax: 1 })
    for (const batch of [newer, newer, older]) await waiting.publish(batch, ['store'])

    const passed = () => [
      (held.pendingSince('store') ?? Infinity) > silent.acceptedAt,
      (waiting.pendingSince('store') ?? Infinity) > older.acceptedAt,
    ]
    // Long enough for several rounds of questions; that they tell nothing has no event.
    for (const until = Date.now() + 4500; Date.now() < until; await sleep(10))
      if (passed().includes(true)) return t.fail(`passed: ${passed()}`)
    await stranger.close()
    gate.resolve()
    await waitFor(() => passed().every(Boolean), 'both to be passed')
  })
}

function testLimits(server: Rabbitmq, prefixOf: () => string): void {
  test('rabbitmq queue: many publishers at a full queue lose nothing', async (t) => {
    const size = bytesOf(makeBatch(50))
    const queue = await open(t, {
      url: server.url,
      prefix: prefixOf(),
      limits: { bytesMax: size * 20, inFlightBytesMax: size * 10 },
    })
    const batches = Array.from({ length: 400 }, () => makeBatch(50))
    const publishing = batches.map((batch) => queue.publish(batch, ['store']))
    let answered = 0
    for (const one of publishing) void one.then(() => (answered += 1))
    // RabbitMQ counts more than the body, and may refuse before all that were under way are in.
    await waitFor(() => queue.depth('store').batches > 15, 'the limit')
    t.ok(answered <= 40, `${answered} were let in`)
    const store = collect(queue, 'store')
    await Promise.all(publishing)
    await waitFor(() => new Set(store.seen).size === 400, 'all')
    t.equal(queue.ready(), undefined)
  })

  test('rabbitmq queue: publish waits while RabbitMQ is short of memory, and consumers go on', async (t) => {
    const queue = await open(t, { url: server.url, prefix: prefixOf(), limits: { publishTimeoutMs: 1000 } })
    await queue.publish(makeBatch(), ['store'])
    await server.control('set_vm_memory_high_watermark', '0.000001')
    t.teardown(() => server.control('set_vm_memory_high_watermark', '0.6').then(() => undefined))
    let kept = false
    await waitFor(() => {
      void queue.publish(makeBatch(), ['judge']).catch(() => undefined)
      return queue.ready()?.includes('takes no messages')
    }, 'the alarm')
    const waiting = queue.publish(makeBatch(), ['store']).then(() => (kept = true))
    const { seen } = collect(queue, 'store')
    await waitFor(() => seen.length === 1, 'the first one to be consumed')
    await sleep(1500)
    t.equal(kept, false)
    await server.control('set_vm_memory_high_watermark', '0.6')
    await waiting
    await waitFor(() => seen.length === 2, 'the other one')
    t.equal(queue.ready(), undefined)
  })

  test('rabbitmq queue: what is no batch is parked', async (t) => {
    const prefix = prefixOf()
    const queue = await open(t, { url: server.url, prefix })
    const model = await connect(server.url)
    t.teardown(() => model.close())
    const channel = await model.createConfirmChannel()
    for (const body of ['', '{', 'null', '[]', '{"id":"x"}', '\u{0}'])
      channel.publish(prefix, `${prefix}.store`, Buffer.from(body))
    await channel.waitForConfirms()
    const good = makeBatch()
    await queue.publish(good, ['store'])
    const { seen } = collect(queue, 'store')
    await waitFor(() => queue.depth('store').parked === 6 && seen.length === 1, 'them to be parked')
    const parked = await queue.parked('store', { limit: 10 })
    t.equal(new Set(parked.map(({ id }) => id)).size, 6)
    t.match(parked[0], { error: 'it is not a batch', batch: undefined })
    t.equal(await queue.replay(parked[0]?.id ?? ''), false)
    t.equal(await queue.discard(parked[0]?.id ?? ''), true)
  })

  test('rabbitmq queue: a batch that kills its consumers is parked by RabbitMQ', async (t) => {
    const opening = { url: server.url, prefix: prefixOf(), limits: { deliveriesMax: 2 } }
    const publisher = await open(t, opening)
    const batch = makeBatch()
    await publisher.publish(batch, ['judge'])
    const proxy = await startRelay(server.url)
    t.teardown(() => proxy.stop())
    const victim = await open(t, { ...opening, url: proxy.url })
    let deliveries = 0
    victim.consume(
      'judge',
      async () => {
        deliveries += 1
        proxy.cut()
        return ['done']
      },
      { deliveriesMax: 1 },
    )
    await waitFor(() => publisher.depth('judge').parked === 1, 'it to be parked', 20_000)
    t.equal(deliveries, 3)
    const [parked] = await publisher.parked('judge', { limit: 1 })
    t.match(parked, { batch: { id: batch.id }, queue: 'judge' })
    t.match(parked?.error, /too often/)
    await victim.close()
    const { seen } = collect(publisher, 'judge')
    t.equal(await publisher.replay(parked?.id ?? ''), true)
    await waitFor(() => seen.length === 1, 'the replayed one')
  })
}

function testFaults(server: Rabbitmq, prefixOf: () => string): void {
  test('rabbitmq queue: a lost connection loses nothing, and readings stay in order', async (t) => {
    const proxy = await startRelay(server.url)
    t.teardown(() => proxy.stop())
    const queue = await open(t, { url: proxy.url, prefix: prefixOf() })
    const times = new Map<string, number[]>()
    follow(queue, 'rejudge', times)
    const load = startLoad(t, queue)
    for (let cut = 0; cut < 5; cut += 1) {
      for (let time = 0; time < 20; time += 1)
        void queue.publish(sweepOf(10, cut * 20 + time), ['rejudge']).catch(() => undefined)
      await more(load, 20)
      proxy.cut()
    }
    await load.end()
    await waitFor(
      () => times.size === 10 && [...times.values()].every((seen) => seen.includes(99)),
      'the last',
    )
    for (const seen of times.values())
      t.same(
        firsts(seen),
        firsts(seen).toSorted((a, b) => a - b),
      )
  })

  test('rabbitmq queue: a queue that is missing is made again', async (t) => {
    const prefix = prefixOf()
    const queue = await open(t, { url: server.url, prefix })
    const { seen } = collect(queue, 'store')
    const model = await connect(server.url)
    t.teardown(() => model.close())
    const channel = await model.createChannel()
    await channel.deleteQueue(`${prefix}.store`)
    const batch = makeBatch()
    await queue.publish(batch, ['store'])
    await waitFor(() => seen.includes(batch.id), 'it to be consumed')
    await waitFor(() => queue.ready() === undefined, 'it to be well')
  })

  test('rabbitmq queue: publish gives up in time, and opening does', async (t) => {
    const proxy = await startRelay(server.url)
    t.teardown(() => proxy.stop())
    const limits = { publishTimeoutMs: 300, openTimeoutMs: 300 }
    const opening = { url: proxy.url, prefix: prefixOf(), limits }
    const queue = await openRabbitQueue({
      ...opening,
      metrics,
      limits: { ...quick, ...limits, openTimeoutMs: 9000 },
    })
    t.teardown(() => queue.close())
    proxy.refuse()
    await waitFor(() => queue.ready(), 'it to notice')
    await t.rejects(queue.publish(makeBatch(), ['store']), { code: 'service.unavailable' })
    await t.rejects(openRabbitQueue({ ...opening, metrics }), { code: 'service.unavailable' })
    proxy.accept()
    await waitFor(() => queue.ready() === undefined, 'it to be connected again')
    await queue.publish(makeBatch(), ['store'])
  })

  test('rabbitmq queue: kill -9 of the node loses nothing that was confirmed', async (t) => {
    const queue = await open(t, { url: server.url, prefix: prefixOf(), limits: { publishTimeoutMs: 90_000 } })
    const load = startLoad(t, queue)
    await more(load)
    await server.kill()
    await waitFor(() => queue.ready(), 'it to notice')
    await server.restart()
    await more(load)
    await waitFor(() => queue.ready() === undefined, 'it to be well again')
    await load.end()
  })
}
