import type { RowDataPacket } from 'mysql2/promise'
import { createConnection } from 'mysql2/promise'
import { test } from 'tap'
import { hasGalera, startGalera, type GaleraNode } from './galera.ts'
import { skipWithout } from './required.ts'

async function clusterSize(node: GaleraNode): Promise<number> {
  const connection = await createConnection(node.url)
  const [rows] = await connection.query<RowDataPacket[]>("SHOW STATUS LIKE 'wsrep_cluster_size'")
  await connection.end()
  return Number(rows[0]?.Value)
}

async function query(node: GaleraNode, sql: string): Promise<RowDataPacket[]> {
  const connection = await createConnection(node.url)
  const [rows] = await connection.query<RowDataPacket[]>(sql)
  await connection.end()
  return rows
}

test(
  'Galera: a node that died comes back with what it missed, and so does the whole cluster',
  {
    skip: skipWithout('Galera', hasGalera),
  },
  async (t) => {
    const cluster = await startGalera()
    t.teardown(() => cluster.stop())
    const [first, second, third] = cluster.nodes
    if (!first || !second || !third) throw new Error('no nodes')
    await query(first, 'CREATE TABLE seen (id integer PRIMARY KEY)')
    await second.kill()
    await query(third, 'INSERT INTO seen VALUES (1)')
    await second.restart()
    t.equal(await clusterSize(second), 3)
    t.equal((await query(second, 'SELECT * FROM seen')).length, 1)

    await Promise.all(cluster.nodes.map((node) => node.kill()))
    await Promise.all(cluster.nodes.map((node) => node.restart()))
    t.equal(await clusterSize(first), 3)
    t.equal((await query(third, 'SELECT * FROM seen')).length, 1)
  },
)
