import { test } from 'tap'
import { freshDatabase, hasMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { dialectContract } from './dialect-contract.ts'

test('SQLite', async (t) => {
  await dialectContract(t, `sqlite:${t.testdir()}/db.sqlite`)
})

test('MariaDB', { skip: skipWithout('MariaDB', hasMariadb) }, async (t) => {
  await dialectContract(t, await freshDatabase(t))
})
