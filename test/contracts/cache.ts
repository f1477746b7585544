import { randomUUID } from 'node:crypto'
import { test, type Test } from 'tap'
import type { Reading } from '../../domain/reading.ts'
import type { Cache } from '../../ports/cache.ts'
import { waitFor } from '../wait-for.ts'

const aReading: Reading = { deviceId: 'd', sensor: 'main', time: 1, values: { temperature: 4 } }

/** The promises of `ports/cache.ts`. `open` gives a cache that the test may fill; it is closed after the test. */
export function cacheContract(name: string, open: (t: Test) => Promise<Cache>): void {
  const withCache = async (t: Test) => {
    const cache = await open(t)
    t.teardown(() => cache.close())
    // Keys of their own, since a server may be shared between tests.
    return { cache, key: randomUUID() }
  }

  test(`${name}: keeps, replaces and forgets a value`, async (t) => {
    const { cache, key } = await withCache(t)
    t.equal(await cache.get(key), undefined)
    await cache.set(key, 'one', 60_000)
    await cache.set(key, 'two \u{1f321} ', 60_000)
    t.equal(await cache.get(key), 'two \u{1f321} ')
    await cache.delete(key)
    t.equal(await cache.get(key), undefined)
    await cache.ping()
  })

  test(`${name}: forgets many at once, whether they are there or not`, async (t) => {
    const { cache, key } = await withCache(t)
    const keys = Array.from({ length: 500 }, (_, index) => `${key}-${index}`)
    await Promise.all(keys.slice(1).map((one) => cache.set(one, 'value', 60_000)))
    await cache.delete(...keys.slice(0, -1))
    await cache.delete()
    t.same(await Promise.all(keys.slice(-2).map((one) => cache.get(one))), [undefined, 'value'])
  })

  test(`${name}: remembers what was made, until it is deleted or its life time is over`, async (t) => {
    const { cache, key } = await withCache(t)
    let made = 0
    const make = async () => `=${(made += 1)}`
    t.equal(await cache.remember(key, 60_000, make), '=1')
    t.equal(await cache.remember(key, 60_000, make), '=1')
    await cache.delete(key)
    t.equal(await cache.remember(key, 40, make), '=2')
    await waitFor(async () => (await cache.remember(key, 60_000, make)) === '=3', 'it to be made again')
    await t.rejects(
      cache.remember(`${key}-failing`, 60_000, () => Promise.reject(new Error('no'))),
      /no/,
    )
    t.equal(await cache.remember(`${key}-failing`, 60_000, make), '=4')
  })

  test(`${name}: what was made before a deletion is not remembered`, async (t) => {
    const { cache, key } = await withCache(t)
    const gate = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    const old = cache.remember(key, 60_000, () => {
      begun.resolve()
      return gate.promise
    })
    await begun.promise
    await cache.delete(key)
    gate.resolve('old')
    t.equal(await old, 'old')
    t.equal(await cache.remember(key, 60_000, async () => 'new'), 'new')
    t.equal(await cache.remember(key, 60_000, async () => 'newer'), 'new')
  })

  test(`${name}: a value is gone after its life time`, async (t) => {
    const { cache, key } = await withCache(t)
    await cache.set(key, 'short', 40)
    await cache.set(`${key}-long`, 'long', 60_000)
    await waitFor(async () => (await cache.get(key)) === undefined, 'the value to expire')
    t.equal(await cache.get(`${key}-long`), 'long')
  })

  test(`${name}: refuses a life time that is not above zero`, async (t) => {
    const { cache, key } = await withCache(t)
    await t.rejects(cache.set(key, 'value', 0))
    await t.rejects(cache.increment(key, -1))
  })

  test(`${name}: counts up, also concurrently`, async (t) => {
    const { cache, key } = await withCache(t)
    const sums = await Promise.all(Array.from({ length: 20 }, () => cache.increment(key, 60_000)))
    t.same(
      sums.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
  })

  test(`${name}: only the first addition starts the life time of a counter`, async (t) => {
    const { cache, key } = await withCache(t)
    await cache.increment(key, 150)
    // Were the life time renewed by each addition, the counter would never start again.
    await waitFor(async () => (await cache.increment(key, 60_000)) === 1, 'the counter to start again')
    t.equal(await cache.increment(key, 60_000), 2)
  })

  test(`${name}: a message reaches every subscriber of its channel, in order, and nobody else`, async (t) => {
    const { cache } = await withCache(t)
    const heard: string[] = []
    cache.subscribe('registry', ({ deviceId }) => heard.push(`first ${deviceId}`))
    cache.subscribe('registry', ({ deviceId }) => heard.push(`second ${deviceId}`))
    cache.subscribe('breaches', () => heard.push('breaches'))
    cache.publish('registry', { deviceId: 'a' })
    cache.publish('registry', { deviceId: 'b' })
    await waitFor(() => heard.length >= 4, 'four messages')
    t.same(heard.toSorted(), ['first a', 'first b', 'second a', 'second b'])
    t.ok(heard.indexOf('first a') < heard.indexOf('first b'))
  })

  test(`${name}: a listener that throws hurts neither the others nor the publisher`, async (t) => {
    const { cache } = await withCache(t)
    const heard: (readonly Reading[])[] = []
    cache.subscribe('readings', () => {
      throw new Error('a listener with a bug')
    })
    cache.subscribe('readings', (readings) => heard.push(readings))
    cache.publish('readings', [aReading])
    await waitFor(() => heard.length === 1, 'the message')
    t.same(heard, [[aReading]])
  })

  test(`${name}: who has unsubscribed hears nothing more; the same function may subscribe twice`, async (t) => {
    const { cache } = await withCache(t)
    const heard: string[] = []
    const listener = (message: { deviceId: string }) => void heard.push(message.deviceId)
    const stopFirst = cache.subscribe('registry', listener)
    const stopSecond = cache.subscribe('registry', listener)
    stopFirst()
    stopFirst()
    cache.publish('registry', { deviceId: 'a' })
    await waitFor(() => heard.length === 1, 'one message')
    stopSecond()
    cache.subscribe('registry', ({ deviceId }) => heard.push(`last ${deviceId}`))
    cache.publish('registry', { deviceId: 'b' })
    await waitFor(() => heard.includes('last b'), 'the last message')
    t.same(heard, ['a', 'last b'])
  })
}
