import { join } from 'node:path'
import type { Logger } from 'pino'
import { openMemoryCache } from '../adapters/cache/memory.ts'
import { openEmbeddedQueue } from '../adapters/queue/embedded.ts'
import { openSqliteSeries } from '../adapters/series/sqlite.ts'
import { openSessions, type Sessions } from '../adapters/session/sqlite.ts'
import { openDb, openLogDb } from '../db/open.ts'
import type { Db } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Queue } from '../ports/queue.ts'
import type { Series } from '../ports/series.ts'
import type { Config } from './config.ts'
import { partsOf, type PartName } from './deployment.ts'
import type { PromMetrics } from './metrics.ts'

/** Where the parts of this process keep things. What none of them needs is not opened. */
export interface Stores {
  readonly db: Db
  /** Where log entries are: of all tables only that one may be there. */
  readonly logs: Db
  readonly cache: Cache
  readonly queue: Queue | undefined
  readonly series: Series | undefined
  readonly sessions: (Sessions & { readonly mq?: object }) | undefined
}

interface Opening {
  readonly config: Config
  readonly log: Logger
  readonly metrics: PromMetrics
  /** Closes what was opened, last first. */
  readonly stack: AsyncDisposableStack
}

/** Files of this machine. */
export async function openEmbedded({ config, log, metrics, stack }: Opening): Promise<Stores> {
  const file = (name: string) => join(config.DATA_DIR, name)
  // The sessions come first: their store is locked by whoever has it open, so that two programs never share a folder.
  const sessions = closing(stack, await openSessions(file('mqtt')))
  const db = await openDb(`sqlite:${file('coldstream.sqlite')}`)
  stack.defer(() => db.destroy())
  // By themselves: they may be lost, and need no backup.
  const logs = await openLogDb(file('logs.sqlite'))
  stack.defer(() => logs.destroy())
  const cache = closing(stack, openMemoryCache({ entriesMax: 100_000 }))
  const series = closing(stack, await openSqliteSeries({ file: file('series.sqlite') }))
  const limits = { bytesMax: config.QUEUE_BYTES_MAX }
  const queue = closing(stack, await openEmbeddedQueue({ file: file('queue.sqlite'), metrics, log, limits }))
  return { sessions, db, logs, cache, series, queue }
}

/** Servers. Their drivers are loaded here, so that a facility's box does without them. */
export async function openDistributed(opening: Opening): Promise<Stores> {
  const { config, log, stack } = opening
  const parts = new Set(partsOf(config))
  const wanted = (...names: PartName[]) => names.some((name) => parts.has(name))
  const db = await openDb(config.DATABASE_URL)
  stack.defer(() => db.destroy())
  const { openRedisCache } = await import('../adapters/cache/redis.ts')
  const cache = closing(stack, await openRedisCache({ url: config.CACHE_URL, log }))
  const stores = { db, logs: db, cache, sessions: undefined, series: undefined }
  return {
    ...stores,
    ...(wanted('broker', 'api') && { sessions: await openClusterSessions(config, log, stack) }),
    ...(wanted('ingest', 'notifier', 'api') && { series: await openServerSeries(config, log, stack) }),
    queue: wanted('ingest', 'notifier', 'api')
      ? await openServerQueue(opening, !wanted('ingest', 'notifier'))
      : undefined,
  }
}

async function openClusterSessions(config: Config, log: Logger, stack: AsyncDisposableStack) {
  const { openRedisSessions } = await import('../adapters/session/redis.ts')
  return closing(stack, await openRedisSessions({ url: config.CACHE_URL, log }))
}

async function openServerSeries(config: Config, log: Logger, stack: AsyncDisposableStack) {
  const { openVictoriaMetricsSeries } = await import('../adapters/series/victoriametrics.ts')
  return closing(stack, await openVictoriaMetricsSeries({ url: config.SERIES_URL, log }))
}

/** @param opensWithout for an api by itself: people are served while RabbitMQ is away */
async function openServerQueue({ config, log, metrics, stack }: Opening, opensWithout: boolean) {
  const { openRabbitQueue } = await import('../adapters/queue/rabbitmq.ts')
  const limits = { bytesMax: config.QUEUE_BYTES_MAX }
  return closing(stack, await openRabbitQueue({ url: config.QUEUE_URL, log, metrics, limits, opensWithout }))
}

function closing<T extends { close(): Promise<void> }>(stack: AsyncDisposableStack, resource: T): T {
  return stack.adopt(resource, (it) => it.close())
}
