import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { hasMariadb, startMariadb } from '../test/services/mariadb.ts'
import type { Place } from '../test/services/place.ts'
import { hasRabbitmq, startRabbitmq } from '../test/services/rabbitmq.ts'
import { hasRedis, startRedis } from '../test/services/redis.ts'
import { hasVictoriaMetrics, startVictoriaMetrics } from '../test/services/victoriametrics.ts'

// The servers of the distributed deployment for a developer without Docker: private ones, made of Debian packages, which know nothing of those that
// the machine may run. The settings go to standard output and everything else to standard error, so that the settings alone can be kept in a file.

interface Service {
  readonly name: string
  /** The Debian package. */
  readonly package: string
  readonly installed: boolean
  readonly setting: string
  start(place: Place): Promise<{ readonly url: string; stop(): Promise<void> }>
}

const SERVICES: readonly Service[] = [
  {
    name: 'mariadb',
    package: 'mariadb-server',
    installed: hasMariadb,
    setting: 'DATABASE_URL',
    start: startMariadb,
  },
  {
    name: 'rabbitmq',
    package: 'rabbitmq-server',
    installed: hasRabbitmq,
    setting: 'QUEUE_URL',
    start: startRabbitmq,
  },
  {
    name: 'victoriametrics',
    package: 'victoria-metrics',
    installed: hasVictoriaMetrics,
    setting: 'SERIES_URL',
    start: (place) => startVictoriaMetrics([], place),
  },
  { name: 'redis', package: 'redis-server', installed: hasRedis, setting: 'CACHE_URL', start: startRedis },
]

const command = new Command('dev:services')
  .description(
    'Starts private MariaDB, RabbitMQ, VictoriaMetrics and Redis servers, prints the settings that make Coldstream use them, and stops them on Ctrl-C.',
  )
  .option('--dir <folder>', 'where they keep their data', './data/services')
for (const { name } of SERVICES)
  command.option(`--${name} <port>`, `port of ${name} (default: a free one)`, toPort)
command.parse()
const options = command.opts<Record<string, number | string | undefined>>()

exitWhenMissing(SERVICES.filter(({ installed }) => !installed))
const stack = new AsyncDisposableStack()
const stopping = Promise.withResolvers<void>()
process.on('SIGINT', () => stopping.resolve())
process.on('SIGTERM', () => stopping.resolve())
try {
  const settings = await startAll(resolve(String(options.dir)))
  for (const [name, value] of settings) console.log(`export ${name}='${value}'`)
  console.error(
    '\nRunning. Put these settings into another shell and `npm start` there. Ctrl-C stops the servers; their data stays.',
  )
  await stopping.promise
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
console.error('\nStopping ...')
await stack.disposeAsync()

function toPort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('It is no port.')
  return port
}

function exitWhenMissing(missing: readonly Service[]): void {
  if (missing.length === 0) return
  const packages = missing.map((service) => service.package).join(' ')
  console.error(
    `Not installed here: ${missing.map(({ name }) => name).join(', ')}. On Debian or Ubuntu:\n\n  sudo apt-get install --no-install-recommends ${packages}\n\nThe servers that the packages start by themselves are not needed: sudo systemctl disable --now SERVICE`,
  )
  process.exit(1)
}

/** Two sets of servers on the same files would ruin them, and not all of them notice. */
async function claim(dir: string): Promise<void> {
  const file = join(dir, 'pid')
  const holder = Number(await readFile(file, 'utf8').catch(() => 0))
  if (holder > 0 && isRunning(holder))
    throw new Error(`Process ${holder} is using ${dir}. Stop it, or take another folder with --dir.`)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeFile(file, String(process.pid))
  stack.defer(() => rm(file, { force: true }))
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function startAll(dir: string): Promise<(readonly [string, string])[]> {
  await claim(dir)
  console.error(`Starting ${SERVICES.map(({ name }) => name).join(', ')} in ${dir} ...`)
  // All are waited for before a failure is told, so that none is left behind.
  const started = await Promise.allSettled(SERVICES.map((service) => startOne(service, dir)))
  const failed = started.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))
  if (failed.length > 0) throw new Error(`${failed.join('\n')}\nIs something else running on these ports?`)
  const urls = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  return [...urls, ['JWT_SECRET', newSecret()], ['INTAKE_TOKEN', newSecret()]]
}

async function startOne({ name, setting, start }: Service, dir: string): Promise<readonly [string, string]> {
  const port = options[name]
  const place = { dir: resolve(dir, name), ...(typeof port === 'number' && { port }) }
  const server = await start(place)
  stack.defer(() => server.stop())
  return [setting, server.url]
}

function newSecret(): string {
  return randomBytes(24).toString('hex')
}
