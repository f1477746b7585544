import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { test, type Test } from 'tap'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { openEmbeddedQueue } from '../../adapters/queue/embedded.ts'
import { openSqliteSeries } from '../../adapters/series/sqlite.ts'
import { openSessions } from '../../adapters/session/sqlite.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { readConfig } from '../../main/config.ts'
import { buildHttp } from '../../main/http.ts'
import { createMetrics } from '../../main/metrics.ts'
import { startParts } from '../../main/parts.ts'
import { systemClock } from '../../ports/clock.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

const PAUSE_MS = 30_000
/** What a load balancer may be expected to wait, on a machine that is busy. */
const ANSWER_MS_MAX = 5000
const ALL_READY = { broker: 'ready', ingest: 'ready', notifier: 'ready', api: 'ready' }

interface Readiness {
  readonly status: string
  readonly parts: Readonly<Record<string, string>>
}

/** All parts on a MariaDB; the other stores are not what fails here. */
async function startAll(t: Test, databaseUrl: string): Promise<() => Promise<Readiness>> {
  const stack = new AsyncDisposableStack()
  t.teardown(() => stack.disposeAsync())
  const dir = t.testdir()
  const log = pino({ level: 'silent' })
  const metrics = createMetrics()
  const file = (name: string) => join(dir, name)
  const closing = <T extends { close(): Promise<void> }>(it: T) => stack.adopt(it, (one) => one.close())
  const config = readConfig({ DATA_DIR: dir, HTTP_HOST: '127.0.0.1', MQTT_PORT: '0', MQTT_WS_PORT: '0' })
  const db = await openDb(databaseUrl)
  stack.defer(() => db.destroy())
  await migrate(db)
  const parts = await startParts({
    config,
    log,
    metrics,
    stack,
    db,
    logs: db,
    channels: [],
    clock: systemClock,
    sessions: closing(await openSessions(file('mqtt'))),
    cache: closing(openMemoryCache({ entriesMax: 1000 })),
    series: closing(await openSqliteSeries({ file: file('series.sqlite') })),
    queue: closing(await openEmbeddedQueue({ file: file('queue.sqlite'), metrics, log })),
  })
  const http = await buildHttp({ log, metrics, parts: parts.all })
  stack.defer(() => http.close())
  return async () => (await http.inject('/readyz')).json<Readiness>()
}

test(
  'a database that goes away and comes back, with no hand laid on the process',
  { skip: skipWithout('MariaDB', hasMariadb) },
  async (t) => {
    const server = await startMariadb()
    t.teardown(() => server.stop())
    const readiness = await startAll(t, server.url)
    t.same(await readiness(), { status: 'ready', parts: ALL_READY })
    const isReadyAgain = () => waitFor(async () => (await readiness()).status === 'ready', 'ready', 60_000)

    await t.test('killed', async (t) => {
      await server.kill()
      const { status, parts } = await readiness()
      t.equal(status, 'not ready')
      for (const part of Object.keys(ALL_READY)) t.match(parts[part], /database does not answer/i, part)
      await server.start()
      await isReadyAgain()
    })

    await t.test('standing still', async (t) => {
      server.pause()
      const resumed = sleep(PAUSE_MS).then(() => server.resume())
      const begun = performance.now()
      const { status, parts } = await readiness()
      t.ok(performance.now() - begun < ANSWER_MS_MAX, 'it says so in time')
      t.equal(status, 'not ready')
      for (const part of Object.keys(ALL_READY)) t.not(parts[part], 'ready', part)
      await resumed
      await isReadyAgain()
    })
  },
)
