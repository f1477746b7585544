import { randomUUIDv7 } from 'node:crypto'
import { test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { insertDevice } from '../../db/queries/device.ts'
import type { Db, DbOrTrx } from '../../db/schema.ts'
import { inTransaction } from '../../db/transaction.ts'
import { freshDatabase, hasMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'

const skip = skipWithout('MariaDB', hasMariadb)

async function addDevice(db: Db): Promise<string> {
  const id = randomUUIDv7()
  const unplaced = { equipmentId: null, gatewayId: null, tokenHash: null, disabledAt: null }
  await insertDevice(db, { id, name: '0', isGateway: 0, createdAt: 0, ...unplaced })
  return id
}

/** Adds 1 to the number that is the device's name. */
async function countUp(trx: DbOrTrx, id: string): Promise<void> {
  const row = await trx
    .selectFrom('device')
    .select('name')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  await trx
    .updateTable('device')
    .set({ name: String(Number(row.name) + 1) })
    .where('id', '=', id)
    .execute()
}

test('processes that start at once migrate once', { skip }, async (t) => {
  const url = await freshDatabase(t)
  const dbs = await Promise.all(Array.from({ length: 4 }, () => openDb(url)))
  t.teardown(() => Promise.all(dbs.map((db) => db.destroy())))
  await Promise.all(dbs.map(migrate))
  const rules = await dbs[0]?.selectFrom('rule').select('id').execute()
  t.equal(new Set(rules?.map(({ id }) => id)).size, rules?.length)
})

test('transactions that meet crosswise all succeed, each once', { skip }, async (t) => {
  const url = await freshDatabase(t)
  const db = await openDb(url)
  t.teardown(() => db.destroy())
  await migrate(db)
  const [a, b] = [await addDevice(db), await addDevice(db)]
  let begun = 0
  const crosswise = (first: string, second: string) =>
    inTransaction(db, async (trx) => {
      begun++
      await countUp(trx, first)
      await countUp(trx, second)
    })
  const pairs = Array.from({ length: 20 }, (_, i) => (i % 2 ? crosswise(a, b) : crosswise(b, a)))
  await Promise.all(pairs)
  const rows = await db.selectFrom('device').select('name').where('id', 'in', [a, b]).execute()
  t.same(
    rows.map(({ name }) => name),
    ['20', '20'],
  )
  t.ok(begun > 20, `${begun - 20} were tried again`)
})

test('what is no conflict is not tried again', { skip }, async (t) => {
  const url = await freshDatabase(t)
  const db = await openDb(url)
  t.teardown(() => db.destroy())
  let begun = 0
  const fails = inTransaction(db, async () => {
    begun++
    throw new Error('no')
  })
  await t.rejects(fails, /no/)
  t.equal(begun, 1)
})
