import { join } from 'node:path'
import { test, type Test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { openDb, openLogDb } from '../../db/open.ts'
import { findLogEntries, type LogQuery } from '../../db/queries/log.ts'
import type { Db } from '../../db/schema.ts'
import { createLogKeeper, type LogKeeperLimits } from '../../main/log-keeper.ts'
import { createLog } from '../../main/log.ts'
import { createMetrics } from '../../main/metrics.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

const NOTHING: LogQuery = {
  before: undefined,
  from: undefined,
  to: undefined,
  levelMin: undefined,
  part: undefined,
  requestId: undefined,
  deviceId: undefined,
  userId: undefined,
  traceId: undefined,
  text: undefined,
  limit: 10_000,
}

function openKeeper(t: Test, limits: Partial<LogKeeperLimits> = {}) {
  const keeper = createLogKeeper({ delayMs: 5, retryDelayMs: 5, ...limits })
  t.teardown(() => keeper.stop())
  const shown: string[] = []
  const log = createLog('debug', { destination: { write: (line) => shown.push(line) }, taps: [keeper.tap] })
  const metrics = createMetrics()
  const counted = async (name: string) =>
    Number(new RegExp(`^coldstream_logs_${name}_total (\\d+)`, 'm').exec(await metrics.scrape())?.[1] ?? 0)
  return { keeper, log, shown, metrics, counted }
}

const messages = async (db: Db, query: Partial<LogQuery> = {}) =>
  (await findLogEntries(db, { ...NOTHING, ...query })).map(({ message }) => message)

/** What must hold in the file of a box and in the database of many. */
async function keepsLogs(t: Test, db: Db): Promise<void> {
  await t.test('lines are kept, redacted, in order, and found by each of their fields', async (t) => {
    const { keeper, log, shown, metrics, counted } = openKeeper(t)
    log.info({ part: 'ingest', deviceId: 'd-1' }, 'before it was opened')
    keeper.start({ db, metrics, retentionDays: 1, bytesMax: 1e9 })
    const child = log.child({ part: 'http', reqId: 'r-1' })
    child.warn({ userId: 'u-1', password: 'hunter2', err: new Error('550 ani@example.org') }, 'no 100% luck')
    log.debug({ traceId: 'a'.repeat(32) }, 'last')
    const all = await waitFor(async () => {
      const found = await findLogEntries(db, NOTHING)
      return found.length === 3 && found
    }, 'the lines to be kept')
    t.same(
      all.map(({ message }) => message),
      ['last', 'no 100% luck', 'before it was opened'],
    )
    t.match(all[1], { part: 'http', requestId: 'r-1', userId: 'u-1', level: 40, deviceId: null })
    for (const secret of ['hunter2', 'ani@'])
      t.notOk(`${shown} ${JSON.stringify(all)}`.includes(secret), secret)
    t.equal((JSON.parse(all[1]?.data ?? '') as { err: { message: string } }).err.message, '550 [e-mail]')
    t.same(await messages(db, { levelMin: 40 }), ['no 100% luck'])
    t.same(await messages(db, { requestId: 'r-1' }), ['no 100% luck'])
    t.same(await messages(db, { deviceId: 'd-1' }), ['before it was opened'])
    t.same(await messages(db, { traceId: 'a'.repeat(32) }), ['last'])
    t.same(await messages(db, { text: '100% LUCK' }), ['no 100% luck'])
    t.same(await messages(db, { text: '0_l' }), [])
    t.same(await messages(db, { text: 'e-mail' }), ['no 100% luck'], 'in the data too')
    t.same(await messages(db, { to: all[2]?.at }), [])
    t.equal((await messages(db, { from: all[2]?.at, to: Date.now() + 1 })).length, 3)
    t.same(await messages(db, { before: all[1]?.id }), ['before it was opened'])
    t.equal(await counted('kept'), 3)
  })

  await t.test(
    'too many at once are dropped and counted, and nobody waits; what is left is kept at the stop',
    async (t) => {
      await db.deleteFrom('logEntry').execute()
      const { keeper, log, shown, metrics, counted } = openKeeper(t, { linesMax: 1500, delayMs: 60_000 })
      for (let line = 0; line < 2000; line += 1) log.info(`line ${line}`)
      t.equal(shown.length, 2000, 'all of them were shown')
      keeper.start({ db, metrics, retentionDays: 1, bytesMax: 1e9 })
      await keeper.stop()
      const kept = await messages(db)
      t.equal(kept.length, 1500)
      t.same([kept.at(-1), kept[0]], ['line 0', 'line 1499'])
      t.same([await counted('kept'), await counted('dropped')], [1500, 500])
    },
  )

  await t.test('what is too old or too much goes, the oldest first', async (t) => {
    await db.deleteFrom('logEntry').execute()
    const first = openKeeper(t)
    first.keeper.tap(JSON.stringify({ time: Date.now() - 3 * 86_400_000, msg: 'three days old' }))
    for (let line = 0; line < 3000; line += 1) first.log.info(`line ${line}`)
    first.keeper.start({ db, metrics: first.metrics, retentionDays: 2, bytesMax: 1e9 })
    await waitFor(async () => (await messages(db)).length === 3000, 'the old one to be gone')
    const second = openKeeper(t)
    // An entry counts 250 bytes and what it says.
    second.keeper.start({ db, metrics: second.metrics, retentionDays: 2, bytesMax: 300_000 })
    const left = await waitFor(async () => {
      const found = await messages(db)
      return found.length <= 1200 && found
    }, 'the oldest to be gone')
    t.ok(left.length >= 900, `${left.length} are left`)
    t.equal(left[0], 'line 2999')
  })
}

test('logs are kept in a file of their own', async (t) => {
  const db = await openLogDb(join(t.testdir(), 'logs.sqlite'))
  t.teardown(() => db.destroy())
  await keepsLogs(t, db)
})

test('logs are kept in MariaDB', { skip: skipWithout('MariaDB', hasMariadb) }, async (t) => {
  const server = await startMariadb()
  t.teardown(() => server.stop())
  const db = await openDb(server.url)
  t.teardown(() => db.destroy())
  await migrate(db)
  await keepsLogs(t, db)

  await t.test('while the database is away lines wait', async (t) => {
    await db.deleteFrom('logEntry').execute()
    const { keeper, log, metrics } = openKeeper(t)
    keeper.start({ db, metrics, retentionDays: 1, bytesMax: 1e9 })
    await server.kill()
    log.error('the database is away')
    await server.start()
    await waitFor(async () => (await messages(db)).includes('the database is away'), 'the line', 30_000)
  })
})
