import { test } from 'tap'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { cacheContract } from '../contracts/cache.ts'

cacheContract('memory cache', async () => openMemoryCache({ entriesMax: 1000 }))

test('memory cache: holds at most entriesMax; the least recently used goes', async (t) => {
  const cache = openMemoryCache({ entriesMax: 2 })
  await cache.set('a', '1', 60_000)
  await cache.set('b', '2', 60_000)
  await cache.get('a')
  await cache.set('c', '3', 60_000)
  t.same([await cache.get('a'), await cache.get('b'), await cache.get('c')], ['1', undefined, '3'])
  await cache.close()
  await t.rejects(cache.ping())
})
