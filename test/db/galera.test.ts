import { randomUUIDv7 } from 'node:crypto'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { insertDevice } from '../../db/queries/device.ts'
import type { Db, DbOrTrx } from '../../db/schema.ts'
import { inTransaction } from '../../db/transaction.ts'
import { SHIPPED_RULES } from '../../domain/shipped-rules.ts'
import { WATCH_RULES } from '../../domain/watch-rule.ts'
import { hasGalera, startGalera, type Galera } from '../services/galera.ts'
import { skipWithout } from '../services/required.ts'
import { dialectContract } from './dialect-contract.ts'

const MIGRATIONS = 6
const TRANSACTIONS = 60
const STATEMENTS = 60
const READS = 200
/** A paused node is shut out after 5 s, a statement on it given up after 15 s. */
const FAILOVER_MS_MAX = 40_000

test('Galera', { skip: skipWithout('Galera', hasGalera) }, async (t) => {
  const cluster = await startGalera()
  t.teardown(() => cluster.stop())
  const dbs = await Promise.all(cluster.nodes.map(({ url }) => openDb(url)))
  t.teardown(() => Promise.all(dbs.map((db) => db.destroy())))
  const [first, second, third] = dbs
  if (!first || !second || !third) throw new Error('no nodes')

  await t.test('processes that start at once on different nodes migrate once', async (t) => {
    for (let i = 0; i < MIGRATIONS; i += 1) {
      const starting = await Promise.all((await newDatabase(cluster, `start_${i}`)).map((url) => openDb(url)))
      t.teardown(() => Promise.all(starting.map((db) => db.destroy())))
      await Promise.all(starting.map(migrate))
      for (const db of starting) {
        const rules = await db.selectFrom('rule').select('id').execute()
        t.equal(rules.length, SHIPPED_RULES.length + WATCH_RULES.length)
      }
    }
  })

  await t.test('what holds on every database', async (t) => {
    await dialectContract(t, cluster.url)
  })

  await t.test('every table has a primary key, which Galera asks for', async (t) => {
    t.same(await tablesWithoutKey(cluster), [])
  })

  await t.test('transactions on all nodes that meet crosswise all succeed, each once', async (t) => {
    const [a, b] = [await addDevice(first), await addDevice(first)]
    let begun = 0
    const crosswise = (db: Db, one: string, other: string) =>
      inTransaction(db, async (trx) => {
        begun++
        await countUp(trx, one)
        await countUp(trx, other)
      })
    // In each node's turn one after the other: tries are counted, and a crowd would use them up.
    await Promise.all(
      dbs.map(async (db) => {
        for (let i = 0; i < TRANSACTIONS; i += 1) await (i % 2 ? crosswise(db, a, b) : crosswise(db, b, a))
      }),
    )
    const expected = String(dbs.length * TRANSACTIONS)
    for (const db of dbs) t.same(await namesOf(db, [a, b]), [expected, expected])
    t.ok(begun > dbs.length * TRANSACTIONS, 'some were tried again')
  })

  await t.test('statements on all nodes, outside of transactions, all take effect', async (t) => {
    const id = await addDevice(first)
    await Promise.all(
      dbs.map(async (db) => {
        for (let i = 0; i < STATEMENTS; i += 1) await countUp(db, id)
      }),
    )
    t.same(await namesOf(third, [id]), [String(dbs.length * STATEMENTS)])
  })

  await t.test('what one node has committed is seen on every other', async (t) => {
    const id = await addDevice(first)
    for (let i = 1; i <= READS; i += 1) {
      await first
        .updateTable('device')
        .set({ name: String(i) })
        .where('id', '=', id)
        .execute()
      t.same(await namesOf(i % 2 ? second : third, [id]), [String(i)])
    }
  })

  await t.test('work goes on at another node when one is killed, and when one stands still', async (t) => {
    const db = await openDb(cluster.url)
    t.teardown(() => db.destroy())
    const id = await addDevice(db)
    const [one, two] = cluster.nodes
    if (!one || !two) throw new Error('no nodes')
    await one.kill()
    await inTransaction(db, (trx) => countUp(trx, id))
    await one.restart()
    two.pause()
    const begun = performance.now()
    // The first may be given up: nobody knows whether what stood still during a commit took place.
    await Promise.allSettled(Array.from({ length: 5 }, () => inTransaction(db, (trx) => countUp(trx, id))))
    t.ok(performance.now() - begun < FAILOVER_MS_MAX, 'nothing hangs')
    const [before] = await namesOf(db, [id])
    await inTransaction(db, (trx) => countUp(trx, id))
    two.resume()
    t.same(await namesOf(db, [id]), [String(Number(before) + 1)])
  })
})

/** An empty database of its own. Answers its address on each node. */
async function newDatabase(cluster: Galera, name: string): Promise<string[]> {
  const urls = cluster.nodes.map(({ url }) => url)
  const connection = await createConnection(urls[0] ?? '')
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`)
  await connection.end()
  return urls.map((url) => url.replace(/[^/]+$/, name))
}

async function tablesWithoutKey(cluster: Galera): Promise<unknown[]> {
  const connection = await createConnection(cluster.nodes[0]?.url ?? '')
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT t.table_name FROM information_schema.tables t LEFT JOIN information_schema.table_constraints c
      ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.constraint_type = 'PRIMARY KEY'
      WHERE t.table_type = 'BASE TABLE' AND t.table_schema = DATABASE() AND c.constraint_name IS NULL`,
  )
  await connection.end()
  return rows
}

async function addDevice(db: Db): Promise<string> {
  const id = randomUUIDv7()
  const unplaced = { equipmentId: null, gatewayId: null, tokenHash: null, disabledAt: null }
  await insertDevice(db, { id, name: '0', isGateway: 0, createdAt: 0, ...unplaced })
  return id
}

/** Adds 1 to the number that is the device's name. */
async function countUp(db: DbOrTrx, id: string): Promise<void> {
  await db
    .updateTable('device')
    .set((eb) => ({ name: eb('name', '+', '1') }))
    .where('id', '=', id)
    .execute()
}

async function namesOf(db: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('device').select('name').where('id', 'in', ids).execute()
  return rows.map(({ name }) => name)
}
