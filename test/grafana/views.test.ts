import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { VIEWS } from '../../db/migrations/0009-grafana.ts'
import { openDb } from '../../db/open.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'

const skip = skipWithout('MariaDB', hasMariadb)
const readerSql = readFileSync(join(import.meta.dirname, '../../grafana/reader.sql'), 'utf8')

for (const order of ['before', 'after'] as const)
  test(
    `the user of Grafana, made ${order} the first start, reads the views and nothing else`,
    { skip },
    async (t) => {
      const server = await startMariadb()
      t.teardown(() => server.stop())
      const root = await createConnection({ uri: server.url, multipleStatements: true })
      const makeReader = () => root.query(`CREATE USER grafana IDENTIFIED BY 'secret'; ${readerSql}`)
      const db = await openDb(server.url)
      if (order === 'before') await makeReader()
      await migrate(db)
      await db.destroy()
      if (order === 'after') await makeReader()

      const url = new URL(server.url)
      const reader = await createConnection({
        host: url.hostname,
        port: Number(url.port),
        user: 'grafana',
        password: 'secret',
        database: 'coldstream',
      })
      for (const name of Object.keys(VIEWS)) await reader.query(`SELECT * FROM ${name}`)
      const [seen] = await reader.query('SHOW FULL TABLES')
      t.same(
        (seen as { Table_type: string }[]).map(({ Table_type }) => Table_type),
        Object.keys(VIEWS).map(() => 'VIEW'),
        'it does not even see a table',
      )
      for (const sql of [
        'SELECT * FROM user_account',
        'SELECT token_hash FROM device',
        'CREATE TABLE grafana_facility_2 (id INT)',
        "UPDATE grafana_facility SET name = 'x'",
        'DROP VIEW grafana_breach',
      ])
        await t.rejects(reader.query(sql), /denied/, sql)
      await reader.end()
      await root.end()
    },
  )

test('the views hold no secret and no address', (t) => {
  for (const [name, sql] of Object.entries(VIEWS))
    t.notMatch(sql, /hash|password|e?mail|phone|payload|recipient|destination|username|comment|chat/i, name)
  t.end()
})
