import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startColdstream, type Coldstream } from './coldstream.ts'
import { hasMariadb, startMariadb } from './mariadb.ts'
import { hasRabbitmq, startRabbitmq } from './rabbitmq.ts'
import { hasRedis, startRedis } from './redis.ts'
import { hasVictoriaMetrics, startVictoriaMetrics } from './victoriametrics.ts'

/** Whether the servers of the distributed deployment are installed here. */
export const hasDistributed = hasMariadb && hasRabbitmq && hasRedis && hasVictoriaMetrics

export interface Deployment {
  /** Of an api. */
  readonly http: string
  readonly mqttPort: number
  /** Every process of the program; of each part as many as there are copies. */
  readonly processes: Readonly<Record<string, readonly Coldstream[]>>
  stop(): Promise<void>
}

/** Everything in one process, on files. */
export async function startEmbedded(env: Record<string, string>): Promise<Deployment> {
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-embedded-'))
  const program = await startColdstream(dir, env)
  return {
    http: program.http,
    mqttPort: program.mqttPort,
    processes: { all: [program] },
    async stop() {
      await program.end('SIGTERM')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** One process per part, `copies` of each, on private servers. */
export async function startDistributed(env: Record<string, string>, copies = 1): Promise<Deployment> {
  const stack = new AsyncDisposableStack()
  try {
    return await compose(env, copies, stack)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function compose(
  env: Record<string, string>,
  copies: number,
  stack: AsyncDisposableStack,
): Promise<Deployment> {
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-distributed-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const [database, queue, cache, series] = await Promise.all([
    startMariadb(),
    startRabbitmq(),
    startRedis(),
    startVictoriaMetrics(),
  ])
  for (const server of [database, queue, cache, series]) stack.defer(() => server.stop())
  const shared = {
    DATABASE_URL: database.url,
    QUEUE_URL: queue.url,
    SERIES_URL: series.url,
    CACHE_URL: cache.url,
    JWT_SECRET: 'one key for every process of a test',
    INTAKE_TOKEN: 'one token for every process of a test',
    ...env,
  }
  const processes: Record<string, Coldstream[]> = {}
  const start = async (part: string, more: Record<string, string> = {}): Promise<Coldstream[]> => {
    const started = await Promise.all(
      Array.from({ length: copies }, (_, i) =>
        startColdstream(join(dir, `${part}-${i}`), { ...shared, ...more, PARTS: part }),
      ),
    )
    for (const program of started) stack.defer(async () => void (await program.end('SIGTERM')))
    processes[part] = started
    return started
  }
  const workers = await start('ingest')
  const intake = { INTAKE_URL: workers.map(({ http }) => http).join(',') }
  await start('notifier')
  const [api] = await start('api', intake)
  const [broker] = await start('broker', intake)
  if (!api || !broker) throw new Error('no copies')
  return { http: api.http, mqttPort: broker.mqttPort, processes, stop: () => stack.disposeAsync() }
}
