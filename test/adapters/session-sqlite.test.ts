import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { openSessions } from '../../adapters/session/sqlite.ts'
import { openOrderedStore } from '../../adapters/session/ordered-store.ts'

const RANGE = { gte: 'a', lt: 'b' }

test('the store keeps keys in byte order, page by page, and survives being closed', async (t) => {
  const file = join(t.testdir(), 'store.sqlite')
  const first = openOrderedStore(file)
  const keys = Array.from({ length: 250 }, (_, n) => `a${String(n).padStart(3, '0')}`)
  await first.batch(keys.toReversed().map((key) => ({ type: 'put' as const, key, value: Buffer.from(key) })))
  await first.put('aé', Buffer.from('not ASCII'))
  await first.put('b', Buffer.from('beyond the range'))
  await first.close()
  const store = openOrderedStore(file)
  t.teardown(() => store.close())
  const seen: string[] = []
  for await (const value of store.values(RANGE)) seen.push(value.toString())
  t.same(seen, [...keys, 'not ASCII'])
  t.same(store.keys(RANGE, 2), ['a000', 'a001'])
  t.equal(await store.get('nothing'), undefined)
})

test('a write is seen at once, and a range may change while it is read', async (t) => {
  const store = openOrderedStore(join(t.testdir(), 'store.sqlite'))
  t.teardown(() => store.close())
  const written = store.put('a1', Buffer.from('1'))
  t.equal(String(await store.get('a1')), '1')
  await written
  await store.put('a2', Buffer.from('2'))
  const seen: string[] = []
  for await (const value of store.values(RANGE)) {
    seen.push(value.toString())
    await store.del(`a${value.toString()}`)
  }
  t.same(seen, ['1', '2'])
  t.same(store.keys(RANGE, 9), [])
  await store.put('a3', Buffer.from('3'))
  const chained = store.batch()
  chained.del('a3')
  await chained.write()
  await store.put('a4', Buffer.from('4'))
  await store.clear(RANGE)
  t.same(store.keys(RANGE, 9), [])
})

test('two programs never share a folder', async (t) => {
  const folder = t.testdir()
  const sessions = await openSessions(folder)
  await t.rejects(openSessions(folder), /locked/)
  await sessions.close()
  const again = await openSessions(folder)
  await again.close()
  t.ok((await readFile(join(folder, 'sessions.sqlite'))).length > 0)
})
