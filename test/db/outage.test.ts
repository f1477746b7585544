import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection, type Connection } from 'mysql2/promise'
import { sql } from 'kysely'
import { test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { insertDevice } from '../../db/queries/device.ts'
import type { Db, DbOrTrx } from '../../db/schema.ts'
import { inTransaction } from '../../db/transaction.ts'
import { SHIPPED_RULES } from '../../domain/shipped-rules.ts'
import { WATCH_RULES } from '../../domain/watch-rule.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'

const PASSWORD = 'p@ss,w/rd'
/** After so long a statement is given up. */
const GIVEN_UP_MS = 15_000
/** Connecting is given up after 3 s, a statement after 15 s. */
const ANSWER_MS_MAX = 25_000

test('MariaDB that goes away', { skip: skipWithout('MariaDB', hasMariadb) }, async (t) => {
  const server = await startMariadb()
  t.teardown(() => server.stop())
  const root = await createConnection(server.url)
  await root.query(`CREATE USER app@'%' IDENTIFIED BY '${PASSWORD}'`)
  await root.query(`GRANT ALL ON coldstream.* TO app@'%'`)
  const hosts = `127.0.0.1:1,${new URL(server.url).host}`
  const db = await openDb(`mysql://app:${encodeURIComponent(PASSWORD)}@${hosts}/coldstream`)
  t.teardown(() => db.destroy())

  await t.test('a host that does not answer is passed over, and needs no privileges', async (t) => {
    await migrate(db)
    t.equal(await countRules(db), SHIPPED_RULES.length + WATCH_RULES.length)
  })

  await t.test('a migration that died half-way begins again, in another process', async (t) => {
    await root.query('DELETE FROM kysely_migration')
    await root.query('DROP TABLE refusal')
    await root.query('DROP INDEX facility_path ON facility')
    await root.query('UPDATE migration_lock SET beat = 7')
    await migrate(db)
    t.same(await db.selectFrom('refusal').selectAll().execute(), [])
    t.equal(await countRules(db), SHIPPED_RULES.length + WATCH_RULES.length)
    t.equal((await rowsOf(root, "SHOW INDEX FROM facility WHERE key_name = 'facility_path'")).length, 1)
  })

  await t.test('a transaction whose connection is lost before the commit is done again, once', async (t) => {
    const id = await addDevice(db)
    let begun = 0
    await inTransaction(db, async (trx) => {
      begun += 1
      await countUp(trx, id)
      if (begun > 1) return
      const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(trx)
      await root.query(`KILL CONNECTION ${rows[0]?.id}`)
      await countUp(trx, id)
    })
    t.equal(begun, 2)
    t.equal(await nameOf(db, id), '1')
  })

  await t.test('one that is lost during the commit is not, since nobody knows', async (t) => {
    const id = await addDevice(db)
    let begun = 0
    const lost = inTransaction(db, async (trx) => {
      begun += 1
      await countUp(trx, id)
      server.pause()
    })
    // Soon after the commit is given up, so that another try would succeed.
    const resumed = sleep(GIVEN_UP_MS + 1000).then(() => server.resume())
    await t.rejects(lost, { code: 'service.unavailable' })
    await resumed
    t.equal(begun, 1)
    t.match(await nameOf(db, id), /^[01]$/)
  })

  await t.test('while it stands still everybody gets an answer in time, and it goes on after', async (t) => {
    // As many connections as there may be, and more who wait for one.
    await Promise.all(Array.from({ length: 10 }, () => countRules(db)))
    server.pause()
    const begun = performance.now()
    const asked = await Promise.allSettled(Array.from({ length: 40 }, () => countRules(db)))
    t.ok(performance.now() - begun < ANSWER_MS_MAX, 'in time')
    t.ok(asked.every((one) => one.status === 'rejected' && one.reason.code === 'service.unavailable'))
    server.resume()
    t.equal(await countRules(db), SHIPPED_RULES.length + WATCH_RULES.length)
  })

  await t.test('killed and started again', async (t) => {
    await server.kill()
    await t.rejects(countRules(db), { code: 'service.unavailable' })
    await server.start()
    t.equal(await countRules(db), SHIPPED_RULES.length + WATCH_RULES.length)
  })
})

async function countRules(db: Db): Promise<number> {
  return (await db.selectFrom('rule').select('id').execute()).length
}

async function rowsOf(connection: Connection, query: string): Promise<unknown[]> {
  const [rows] = await connection.query(query)
  return rows as unknown[]
}

async function addDevice(db: Db): Promise<string> {
  const id = randomUUIDv7()
  const unplaced = { equipmentId: null, gatewayId: null, tokenHash: null, disabledAt: null }
  await insertDevice(db, { id, name: '0', isGateway: 0, createdAt: 0, ...unplaced })
  return id
}

async function countUp(db: DbOrTrx, id: string): Promise<void> {
  await db
    .updateTable('device')
    .set((eb) => ({ name: eb('name', '+', '1') }))
    .where('id', '=', id)
    .execute()
}

async function nameOf(db: Db, id: string): Promise<string | undefined> {
  return (await db.selectFrom('device').select('name').where('id', '=', id).executeTakeFirst())?.name
}
