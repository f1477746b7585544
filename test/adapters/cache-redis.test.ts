import { randomUUID } from 'node:crypto'
import { test, type Test } from 'tap'
import { openRedisCache } from '../../adapters/cache/redis.ts'
import type { Reading } from '../../domain/reading.ts'
import { cacheContract } from '../contracts/cache.ts'
import { hasRedis, startRedis, type RedisServer } from '../services/redis.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

const skip = skipWithout('Redis', hasRedis)
const aReading: Reading = { deviceId: 'd', sensor: 'main', time: 1, values: { temperature: 4 } }

if (skip) test('Redis cache', { skip }, async () => {})
else await testOn(await startRedis())

async function testOn(server: RedisServer): Promise<void> {
  const logged: string[] = []
  const log = { warn: (...args: unknown[]) => note(args), info: (...args: unknown[]) => note(args) }
  const note = (args: unknown[]): void => void logged.push(String(args.at(-1)))
  const openCache = async (t: Test) => {
    const cache = await openRedisCache({ url: server.url, log })
    t.teardown(() => cache.close())
    return cache
  }

  cacheContract('Redis cache', () => openRedisCache({ url: server.url, log }))

  test('Redis cache: what one process says reaches the others once, and itself once', async (t) => {
    const [a, b] = [await openCache(t), await openCache(t)]
    const heard: string[] = []
    let linked = 0
    a.subscribe('registry', ({ deviceId }) => heard.push(`a ${deviceId}`))
    b.subscribe(
      'registry',
      ({ deviceId }) => heard.push(`b ${deviceId}`),
      () => linked++,
    )
    await waitFor(() => linked > 0, 'the subscription')
    await b.ping()
    a.publish('registry', { deviceId: '1' })
    a.publish('registry', { deviceId: '2' })
    await waitFor(() => heard.includes('b 2'), 'the messages')
    b.publish('registry', { deviceId: '3' })
    await waitFor(() => heard.includes('a 3'), 'the answer')
    t.same(heard, ['a 1', 'a 2', 'b 1', 'b 2', 'b 3', 'a 3'])
  })

  test('Redis cache: values are shared', async (t) => {
    const [a, b] = [await openCache(t), await openCache(t)]
    const key = randomUUID()
    await a.set(key, 'one', 60_000)
    t.equal(await b.get(key), 'one')
    t.equal(await a.increment(`${key}-n`, 60_000), 1)
    t.equal(await b.increment(`${key}-n`, 60_000), 2)
    await a.set(key, 'text', 60_000)
    await t.rejects(b.increment(key, 60_000), /not an integer/)
  })

  test('Redis cache: readings travel only while somebody elsewhere listens', async (t) => {
    const [a, b] = [await openCache(t), await openCache(t)]
    const own: number[] = []
    a.subscribe('readings', (readings) => own.push(readings.length))
    await server.commands()
    for (let n = 0; n < 10_000; n++) a.publish('readings', [aReading])
    await a.ping()
    t.equal(own.length, 10_000, 'the listener in the same process hears all')
    t.notOk((await server.commands())['publish'], 'and Redis nothing of it')
    const heard: (readonly Reading[])[] = []
    const stop = b.subscribe('readings', (readings) => heard.push(readings))
    await waitFor(() => {
      a.publish('readings', [aReading])
      return heard.length > 0
    }, 'a reading')
    t.same(heard[0], [aReading])
    const sent = own.length
    a.publish('readings', [aReading, aReading])
    await waitFor(() => heard.at(-1)?.length === 2, 'the last one')
    t.ok(heard.length <= sent + 1)
    stop()
    await waitFor(async () => {
      a.publish('readings', [aReading])
      await a.ping()
      return !(await server.commands())['publish']
    }, 'silence')
  })

  test('Redis cache: forgets during an outage, and says afterwards that something was missed', async (t) => {
    const [a, b] = [await openCache(t), await openCache(t)]
    const heard: string[] = []
    let gaps = 0
    a.subscribe('registry', ({ deviceId }) => heard.push(`a ${deviceId}`))
    b.subscribe(
      'registry',
      ({ deviceId }) => heard.push(`b ${deviceId}`),
      () => gaps++,
    )
    await waitFor(() => gaps > 0, 'the subscription')
    const key = randomUUID()
    await a.set(key, 'kept', 60_000)
    const before = gaps
    logged.length = 0
    await server.kill()
    t.equal(await a.get(key), undefined)
    await a.set(key, 'lost', 60_000)
    await a.delete(key)
    a.publish('registry', { deviceId: 'lost' })
    a.publish('readings', [aReading])
    t.same(heard, ['a lost'], 'its own listeners hear it all the same')
    await t.rejects(a.ping())
    t.same([await a.increment(key, 60_000), await a.increment(key, 60_000)], [1, 2], 'counted here alone')
    t.equal(await b.increment(key, 60_000), 1)
    const started = performance.now()
    for (let n = 0; n < 1000; n++) await a.get(key)
    t.ok(performance.now() - started < 1000, 'a miss costs no waiting')
    await server.restart()
    await waitFor(() => gaps > before, 'word of the gap')
    await waitFor(
      () =>
        a.ping().then(
          () => true,
          () => false,
        ),
      'the connection',
    )
    t.equal(await a.get(key), 'kept')
    await waitFor(() => {
      a.publish('registry', { deviceId: 'again' })
      return heard.includes('b again')
    }, 'a message')
    t.ok(logged.length < 20, `logged once per burst: ${logged.length}`)
  })

  test('Redis cache: a server that does not answer is one that is away', async (t) => {
    const cache = await openCache(t)
    await cache.set('k', 'v', 60_000)
    server.pause()
    t.teardown(() => server.resume())
    t.equal(await cache.get('k'), undefined)
    t.equal(await cache.increment(randomUUID(), 60_000), 1)
    await waitFor(async () => {
      const started = performance.now()
      await cache.get('k')
      return performance.now() - started < 100
    }, 'the connection to be given up')
    server.resume()
    await waitFor(async () => (await cache.get('k')) === 'v', 'the value')
    await waitFor(
      () =>
        cache.ping().then(
          () => true,
          () => false,
        ),
      'the connection',
    )
  })

  test('Redis cache: opens without a server, and refuses wrong credentials', async (t) => {
    await t.rejects(openRedisCache({ url: server.url.replace('//', '//nobody:wrong@'), log }), /WRONGPASS/)
    await server.kill()
    const opening = openRedisCache({ url: server.url, log })
    const cache = await opening
    t.teardown(() => cache.close())
    await t.rejects(cache.ping())
    await server.restart()
    await waitFor(
      () =>
        cache.ping().then(
          () => true,
          () => false,
        ),
      'the connection',
    )
  })

  test('stop', async () => server.stop())
}
