import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startColdstream, type Coldstream } from './coldstream.ts'
import { startGalera } from './galera.ts'
import { hasMariadb, startMariadb } from './mariadb.ts'
import { hasRabbitmq, startRabbitmqCluster } from './rabbitmq.ts'
import { hasRedis, startRedis } from './redis.ts'
import { startRelay, type Relay } from './relay.ts'
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

/** What can be done to a process, of the program or of a server. */
export interface Victim {
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again after `kill`, on the same ports and data; resolves when it takes connections. */
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  resume(): void
}

export interface Distributed extends Deployment {
  readonly servers: {
    /** The nodes, where there are several, as for RabbitMQ. */
    readonly database: readonly Victim[]
    readonly queue: readonly Victim[]
    readonly cache: readonly Victim[]
    readonly series: readonly Victim[]
  }
  /** Of the series store. */
  readonly seriesUrl: string
  readonly databaseUrl: string
  readonly cacheUrl: string
  /** To disturb; none unless `relayed`. */
  readonly links: {
    /** From every broker and api to one ingest worker; one for each of these. */
    readonly intake: readonly Relay[]
    /** From one ingest worker to RabbitMQ, a relay for each node; one list for each worker. */
    readonly queue: readonly (readonly Relay[])[]
  }
  /** Copies what the processes said. */
  keepLogs(folder: string): Promise<void>
}

export interface Shape {
  /** Processes of each part. */
  readonly copies?: number
  /** Of RabbitMQ. */
  readonly queueNodes?: number
  /** Where RabbitMQ answers Prometheus. */
  readonly queueMetricsPort?: number
  /** The database is a Galera cluster of three nodes. */
  readonly galera?: boolean
  /** There are relays in the network between the processes: what is measured goes without, since they take their share of the machine. */
  readonly relayed?: boolean
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

/** One process per part, or as many as `shape` says, on private servers. */
export async function startDistributed(env: Record<string, string>, shape: Shape = {}): Promise<Distributed> {
  const stack = new AsyncDisposableStack()
  try {
    return await compose(env, shape, stack)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function compose(
  env: Record<string, string>,
  shape: Shape,
  stack: AsyncDisposableStack,
): Promise<Distributed> {
  const { copies = 1, relayed = false } = shape
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-distributed-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const { urls, servers } = await startServers(shape, stack)
  const shared = {
    ...urls,
    JWT_SECRET: 'one key for every process of a test',
    INTAKE_TOKEN: 'one token for every process of a test',
    ...env,
  }
  const relay = async (url: string) => stack.adopt(await startRelay(url), (it) => it.stop())
  const relays = (all: readonly string[]) => Promise.all(all.map(relay))
  const processes: Record<string, Coldstream[]> = {}
  const start = async (part: string, settings: (copy: number) => Record<string, string>) => {
    const started = await Promise.all(
      Array.from({ length: copies }, (_, copy) =>
        startColdstream(join(dir, `${part}-${copy + 1}`), { ...shared, ...settings(copy), PARTS: part }),
      ),
    )
    for (const program of started) stack.defer(async () => void (await program.end('SIGTERM')))
    processes[part] = started
    return started
  }
  const toQueue: Relay[][] = []
  if (relayed)
    for (let copy = 0; copy < copies; copy += 1) toQueue.push(await relays(urls.QUEUE_URL.split(' ')))
  const queueUrl = (copy: number) => toQueue[copy]?.map(({ url }) => url).join(' ') ?? urls.QUEUE_URL
  const workers = await start('ingest', (copy) => ({ QUEUE_URL: queueUrl(copy) }))
  const workerUrls = workers.map(({ http }) => http)
  const toIntake = relayed ? await relays(workerUrls) : []
  const intake = { INTAKE_URL: (relayed ? toIntake.map(({ url }) => url) : workerUrls).join(',') }
  await start('notifier', () => ({}))
  const [api] = await start('api', () => intake)
  const [broker] = await start('broker', () => intake)
  if (!api || !broker) throw new Error('no copies')
  return {
    http: api.http,
    mqttPort: broker.mqttPort,
    processes,
    servers,
    seriesUrl: urls.SERIES_URL,
    databaseUrl: urls.DATABASE_URL,
    cacheUrl: urls.CACHE_URL,
    links: { intake: toIntake, queue: toQueue },
    keepLogs: (folder) => keepLogs(dir, folder),
    stop: () => stack.disposeAsync(),
  }
}

async function startServers(shape: Shape, stack: AsyncDisposableStack) {
  const { queueNodes = 1, galera = false, queueMetricsPort } = shape
  // Those that are there are stopped when another one fails.
  const keep = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> =>
    stack.adopt(await starting, (it) => it.stop())
  const starting = [
    keep<Awaited<ReturnType<typeof startGalera | typeof startSingleMariadb>>>(
      galera ? startGalera() : startSingleMariadb(),
    ),
    keep(
      startRabbitmqCluster(
        queueNodes,
        queueMetricsPort === undefined ? {} : { metricsPort: queueMetricsPort },
      ),
    ),
    keep(startRedis()),
    keep(startVictoriaMetrics()),
  ] as const
  await Promise.allSettled(starting)
  const [database, queue, cache, series] = await Promise.all(starting)
  return {
    urls: {
      DATABASE_URL: database.url,
      QUEUE_URL: queue.url,
      SERIES_URL: series.url,
      CACHE_URL: cache.url,
    },
    servers: {
      database: database.nodes,
      queue: queue.nodes,
      cache: [cache],
      series: [{ ...series, restart: () => series.start() }],
    },
  }
}

async function startSingleMariadb() {
  const server = await startMariadb()
  return { ...server, nodes: [{ ...server, restart: () => server.start() }] }
}

async function keepLogs(dir: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const isLog = (source: string) => source === dir || !/\.[a-z]+$|jwt-secret/.test(source)
  await cp(dir, folder, { recursive: true, filter: isLog })
}
