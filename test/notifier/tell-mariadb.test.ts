import { test, type Test } from 'tap'
import { openDb } from '../../db/open.ts'
import type { BreachTable } from '../../db/schema.ts'
import type { NoticeChannel } from '../../ports/notice.ts'
import { hasGalera, startGalera } from '../services/galera.ts'
import { freshDatabase, hasMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { createWorld, endBreach, HOUR_MS, insertUser, openBreach, settled } from './tell-world.ts'

const BREACHES = 20

test('MariaDB', { skip: skipWithout('MariaDB', hasMariadb) }, async (t) => {
  const url = await freshDatabase(t)
  await sayEverythingOnce(t, [url, url, url])
})

test('Galera', { skip: skipWithout('Galera', hasGalera) }, async (t) => {
  const cluster = await startGalera()
  t.teardown(() => cluster.stop())
  await sayEverythingOnce(
    t,
    cluster.nodes.map((node) => node.url),
  )
})

/** Three notifiers with connections of their own. */
async function sayEverythingOnce(t: Test, urls: readonly string[]): Promise<void> {
  const world = await createWorld(t, urls[0])
  await insertUser(world.db, 'sari')
  const heard: string[] = []
  const channel: NoticeChannel = {
    kind: 'smtp',
    destination: 'mail',
    needsRecipient: true,
    send: async (notice) => void heard.push(`${notice.step} ${String(notice.data['breachId'])}`),
    close: async () => {},
  }
  const others = await Promise.all(urls.slice(1).map(openDb))
  t.teardown(() => Promise.all(others.map((db) => db.destroy())))
  for (const db of [world.db, ...others]) await world.start([channel], {}, db)

  const breaches: BreachTable[] = []
  for (let i = 0; i < BREACHES; i += 1) breaches.push(await openBreach(world, { sensor: `s${i}` }))
  await settled(world)
  world.clock.at += 4 * HOUR_MS
  await waitFor(() => heard.length >= 2 * BREACHES, 'the reminders')
  await settled(world)
  for (const breach of breaches) await endBreach(world, breach.id)
  await settled(world)
  const expected = ['opened', 'reminder', 'recovered'].flatMap((step) =>
    breaches.map((breach) => `${step} ${breach.id}`),
  )
  t.same(heard.toSorted(), expected.toSorted())
}
