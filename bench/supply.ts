import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { migrate } from '../db/migrate.ts'
import { openDb } from '../db/open.ts'
import { ensureAdministrator } from '../api/index.ts'
import { ADMIN_PASSWORD, Api, startColdstream, type Coldstream } from '../test/services/coldstream.ts'
import { startMariadb } from '../test/services/mariadb.ts'
import { startRedis } from '../test/services/redis.ts'
import { startVictoriaMetrics } from '../test/services/victoriametrics.ts'
import { median, percentile, profiling } from './harness.ts'
import type { Figure, Report } from './report.ts'
import { READS, readTimes, type ReadTimes } from './supply-read.ts'
import { checkLedger, entriesOf, seed, type Size } from './supply-seed.ts'
import type { Job, Outcome } from './supply-work.ts'

const LARGE: Size = {
  facilities: Number(process.env.BENCH_FACILITIES ?? 5000),
  eventsPerFacility: 1000,
}
/** As many entries on a card, lines on hand and places on the way of a lot as answers of the large one have. */
const SMALL: Size = { facilities: 20, eventsPerFacility: 250 }
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const CLIENTS = 32
const CROWD = 1000
/** A month of SMILE, the national system of Indonesia. */
const MONTH = 1_200_000
const MONTH_PART = Number(process.env.BENCH_MONTH ?? MONTH)
const MINUTES_MAX = 20

const SLOWER_MAX = 1.5
const PER_BARE_MIN = 0.6

/** A folder where the seeded database stays, so that a second run begins at once; what the first one posted is in it. */
const PLACE = process.env.BENCH_DIR === undefined ? {} : { dir: process.env.BENCH_DIR }

// Durable at each commit is what the server does by itself: innodb_flush_log_at_trx_commit=1. With the log and the pace of writing pages that it
// has by itself, whatever is posted stands still for seconds while pages are written in haste.
const SETTLED_PAGES_MAX = 1000
const DATABASE = [
  '--innodb-buffer-pool-size=10G',
  '--innodb-log-file-size=4G',
  '--innodb-io-capacity=2000',
  '--max-connections=300',
]

/**
 * The stock of a country on MariaDB, through the API of one process. Reads: on ten million entries and on ten thousand, in turn. Writes: events
 * through the API against the same statements by hand, in turn, on the ten million.
 */
export async function benchSupply(): Promise<Report> {
  await using stack = new AsyncDisposableStack()
  const { server, servers, large } = await startCountry(stack)
  const other = server.url.replace(/coldstream$/, 'small')
  await createDatabase(server.url, 'small')
  await prepare(other, SMALL)
  const small = await startApi(stack, other, servers)
  const reads = await compareReads(large, small)
  const rounds = await comparePosts(server.url, large)
  await checkLedger(other)
  await checkLedger(server.url)
  return supplyReport(reads, rounds)
}

/** The events of a month of a large country, from a thousand clients at once. */
export async function benchMonth(): Promise<Report> {
  await using stack = new AsyncDisposableStack()
  const { server, large } = await startCountry(stack)
  const month = await postMonth(large)
  await checkLedger(server.url)
  return monthReport(month)
}

async function startCountry(stack: AsyncDisposableStack) {
  const server = stack.adopt(await startMariadb(PLACE, DATABASE), (it) => it.stop())
  await prepare(server.url, LARGE)
  await settle(server.url)
  const servers = {
    CACHE_URL: stack.adopt(await startRedis(), (it) => it.stop()).url,
    SERIES_URL: stack.adopt(await startVictoriaMetrics(), (it) => it.stop()).url,
  }
  return { server, servers, large: await startApi(stack, server.url, servers) }
}

/** As in a country that has run for years: what was seeded is on disk, and what is asked for is in memory. */
async function settle(url: string): Promise<void> {
  const db = await createConnection(url)
  const startedAt = performance.now()
  const [indexes] = await db.query(
    'select distinct table_name as t, index_name as i from information_schema.statistics where table_schema = database()',
  )
  for (const { t, i } of indexes as { t: string; i: string }[])
    await db.query('select count(*) from ?? force index (??)', [t, i])
  await db.query('set global innodb_max_dirty_pages_pct=0')
  for (;;) {
    const [rows] = await db.query("show global status like 'Innodb_buffer_pool_pages_dirty'")
    if (Number((rows as { Value: string }[])[0]?.Value) < SETTLED_PAGES_MAX) break
    await sleep(1000)
  }
  await db.query('set global innodb_max_dirty_pages_pct=default')
  await db.end()
  console.error(`settled after ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
}

async function createDatabase(url: string, name: string): Promise<void> {
  const db = await createConnection(url)
  await db.query(`create database if not exists ${name} character set utf8mb4 collate utf8mb4_bin`)
  await db.end()
}

async function prepare(url: string, size: Size): Promise<void> {
  const db = await openDb(url)
  await migrate(db)
  await ensureAdministrator(db, { password: ADMIN_PASSWORD })
  await db.destroy()
  const startedAt = performance.now()
  await seed(url, size)
  const seconds = (performance.now() - startedAt) / 1000
  console.error(`${entriesOf(size).toLocaleString('en')} entries in ${seconds.toFixed(0)} s`)
}

interface Running {
  readonly program: Coldstream
  readonly token: string
  readonly userId: string
}

async function startApi(
  stack: AsyncDisposableStack,
  url: string,
  servers: Record<string, string>,
): Promise<Running> {
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-bench-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const program = await startColdstream(dir, {
    ...servers,
    ...profiling(),
    DATABASE_URL: url,
    PARTS: 'api',
    // Neither is asked for what is measured here.
    QUEUE_URL: 'amqp://127.0.0.1:9',
    INTAKE_URL: 'http://127.0.0.1:9',
    INTAKE_TOKEN: 'a token for an intake that is not there',
    JWT_SECRET: 'a secret of at least thirty-two characters',
    // Longer than the benchmark.
    ACCESS_TOKEN_TTL_MS: '36000000',
  })
  stack.defer(async () => void (await program.end('SIGTERM')))
  const api = await Api.login(program.http)
  const { id } = await api.get<{ id: string }>('me')
  return { program, token: api.token, userId: id }
}

/** A stall of the machine falls on one of them; the median of the rounds is not moved by it. */
async function compareReads(large: Running, small: Running): Promise<Comparison[]> {
  const rounds: Comparison[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const round = await readTimes([
      { http: large.program.http, token: large.token, size: LARGE },
      { http: small.program.http, token: small.token, size: SMALL },
    ])
    console.error(`round ${i + 1} of ${ROUNDS}`)
    for (const { name } of READS) say(name, round)
    rounds.push(round)
  }
  return rounds
}

type Comparison = readonly [large: ReadTimes, small: ReadTimes]

interface Round {
  readonly bare: Outcome
  readonly api: Outcome
}

async function comparePosts(url: string, { program, token, userId }: Running): Promise<Round[]> {
  const job = { clients: CLIENTS, seconds: SECONDS, size: LARGE, userId, token }
  // Pages that nobody has touched since they were seeded are read and merged first.
  await work('bare', { ...job, url })
  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const bare = await work('bare', { ...job, url })
    const api = await work('post', { ...job, url: program.http })
    console.error(
      `round ${i + 1} of ${ROUNDS}: by hand ${rate(bare).toFixed(0)}/s, API ${rate(api).toFixed(0)}/s`,
    )
    rounds.push({ bare, api })
  }
  return rounds
}

async function postMonth({ program, token, userId }: Running): Promise<Outcome> {
  const job = {
    url: program.http,
    clients: CROWD,
    seconds: 0,
    events: MONTH_PART,
    size: LARGE,
    userId,
    token,
  }
  const month = await work('post', job)
  console.error(
    `${CROWD} clients: ${month.latencies.length} events at ${rate(month).toFixed(0)}/s, ${month.errors} errors ${month.firstError ?? ''}`,
  )
  return month
}

function rate({ latencies, errors, seconds }: Outcome): number {
  return (latencies.length - errors) / seconds
}

/** In a process of its own. */
async function work(script: 'bare' | 'post', job: Job): Promise<Outcome> {
  const child: ChildProcess = fork(resolve(import.meta.dirname, `supply-${script}.ts`))
  child.send(job)
  const [outcome] = (await once(child, 'message')) as [Outcome]
  child.kill('SIGKILL')
  if (outcome.latencies.length === 0) throw new Error(outcome.firstError)
  return outcome
}

function say(name: string, [large, small]: Comparison): void {
  const text = ({ [name]: times = [] }: ReadTimes) =>
    `p50 ${percentile(times, 0.5).toFixed(1)}, p99 ${percentile(times, 0.99).toFixed(1)}`
  console.error(`${name}: ${text(large)} ms; on ten thousand ${text(small)} ms`)
}

const ENTRIES = entriesOf(LARGE).toLocaleString('en')

function supplyReport(reads: readonly Comparison[], rounds: readonly Round[]): Report {
  const of = (pick: (round: Round) => number) => rounds.map(pick)
  const perBare = of((r) => rate(r.api) / rate(r.bare))
  const read = READS.map(({ name }) => readFigures(name, reads))
  const errors = rounds.reduce((sum, { api }) => sum + api.errors, 0)
  return {
    name: 'supply',
    title: `Stock: ${ENTRIES} ledger entries over ${LARGE.facilities.toLocaleString('en')} facilities on MariaDB`,
    baseline: `for reads ${entriesOf(SMALL).toLocaleString('en')} entries, for posts the statements of the same event by hand through mysql2, prepared, ${CLIENTS} connections`,
    figures: [
      ...read.flatMap(({ figures }) => figures),
      { name: `by hand, ${CLIENTS} connections`, unit: '1/s', values: of((r) => rate(r.bare)) },
      {
        name: `posted through the API, ${CLIENTS} clients`,
        unit: '1/s',
        values: of((r) => rate(r.api)),
        ratio: perBare,
      },
      { name: 'the same, p50', unit: 'ms', values: of((r) => percentile(r.api.latencies, 0.5)) },
      { name: 'the same, p99', unit: 'ms', values: of((r) => percentile(r.api.latencies, 0.99)) },
    ],
    target: `reads at p99 within ${SLOWER_MAX} × of ten thousand entries; posts at ${PER_BARE_MIN} × the statements by hand`,
    passes:
      read.every(({ slower }) => median(slower) <= SLOWER_MAX) &&
      median(perBare) >= PER_BARE_MIN &&
      errors === 0,
  }
}

function monthReport(month: Outcome): Report {
  const minutes = MONTH / rate(month) / 60
  return {
    name: 'month',
    title: `A month of stock events from ${CROWD.toLocaleString('en')} clients at once, into ${ENTRIES} ledger entries on MariaDB`,
    baseline: 'none',
    figures: [
      { name: `${month.latencies.length.toLocaleString('en')} events`, unit: '1/s', values: [rate(month)] },
      { name: 'the same, p50', unit: 'ms', values: [percentile(month.latencies, 0.5)] },
      { name: 'the same, p99', unit: 'ms', values: [percentile(month.latencies, 0.99)] },
      { name: 'the same, errors', unit: '', values: [month.errors] },
      { name: `so ${MONTH.toLocaleString('en')} events take`, unit: 'minutes', values: [minutes] },
    ],
    target: `${CROWD.toLocaleString('en')} clients without an error; ${MONTH.toLocaleString('en')} events in under ${MINUTES_MAX} minutes`,
    passes: month.errors === 0 && minutes < MINUTES_MAX,
  }
}

function readFigures(name: string, rounds: readonly Comparison[]): { figures: Figure[]; slower: number[] } {
  const at = (size: 0 | 1, share: number) => rounds.map((round) => percentile(round[size][name] ?? [], share))
  const small = at(1, 0.99)
  const slower = at(0, 0.99).map((large, round) => large / (small[round] ?? Number.NaN))
  const figures = [
    { name: `${name}, p50`, unit: 'ms', values: at(0, 0.5) },
    { name: `${name}, p99`, unit: 'ms', values: at(0, 0.99), ratio: slower },
    { name: `${name} on the small one, p99`, unit: 'ms', values: small },
  ]
  return { figures, slower }
}
