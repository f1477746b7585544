import { test } from 'tap'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { dialectContract } from './dialect-contract.ts'

test('SQLite', async (t) => {
  await dialectContract(t, `sqlite:${t.testdir()}/db.sqlite`)
})

test('MariaDB', { skip: skipWithout('MariaDB', hasMariadb) }, async (t) => {
  const server = await startMariadb()
  t.teardown(() => server.stop())
  await dialectContract(t, server.url)
})
