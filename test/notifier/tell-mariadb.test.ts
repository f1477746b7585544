import { test } from 'tap'
import { openDb } from '../../db/open.ts'
import type { BreachTable } from '../../db/schema.ts'
import type { NoticeChannel } from '../../ports/notice.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { createWorld, endBreach, HOUR_MS, insertUser, openBreach, settled } from './tell-world.ts'

const BREACHES = 20

test(
  'MariaDB: three notifiers with connections of their own say everything once',
  { skip: skipWithout('MariaDB', hasMariadb) },
  async (t) => {
    const server = await startMariadb()
    t.teardown(() => server.stop())
    const world = await createWorld(t, server.url)
    await insertUser(world.db, 'sari')
    const heard: string[] = []
    const channel: NoticeChannel = {
      kind: 'smtp',
      destination: 'mail',
      needsRecipient: true,
      send: async (notice) => void heard.push(`${notice.step} ${String(notice.data['breachId'])}`),
      close: async () => {},
    }
    const others = [await openDb(server.url), await openDb(server.url)]
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
  },
)
