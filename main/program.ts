import { mkdir, statfs } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { openNoticeChannels } from '../adapters/notice/open.ts'
import { ensureAdministrator } from '../api/index.ts'
import { migrate } from '../db/migrate.ts'
import { systemClock } from '../ports/clock.ts'
import { QUEUES, type Queue } from '../ports/queue.ts'
import type { Tracer } from '../ports/trace.ts'
import type { Config } from './config.ts'
import { isDistributed } from './deployment.ts'
import { buildHttp } from './http.ts'
import type { LogKeeper } from './log-keeper.ts'
import { createMetrics, type PromMetrics } from './metrics.ts'
import { startParts } from './parts.ts'
import { openDistributed, openEmbedded } from './stores.ts'

export interface Program {
  readonly httpPort: number
  /** Undefined when there is no broker in this process. */
  readonly mqttPort: number | undefined
  readonly mqttWebSocketPort: number | undefined
  /** Set at the very first start only, when none was given: the password that was made for `admin`. */
  readonly adminPassword: string | undefined
  /** Stops everything in reverse order: nothing new comes in first, the stores close last. */
  stop(): Promise<void>
}

/** Who follows what happens. */
export interface Watching {
  /** Keeps what is written to the log; without it nothing is kept. */
  readonly keeper?: LogKeeper | undefined
  readonly tracer?: Tracer | undefined
}

interface Composing extends Watching {
  readonly config: Config
  readonly log: Logger
  readonly stack: AsyncDisposableStack
}

/** The composition root: opens the stores, starts the parts from left to right, listens. What was opened is closed when a later step fails. */
export async function startProgram(
  config: Config,
  log: Logger,
  { keeper, tracer }: Watching = {},
): Promise<Program> {
  const stack = new AsyncDisposableStack()
  try {
    return await compose({ config, log, keeper, tracer, stack })
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function compose({ config, log, keeper, tracer, stack }: Composing): Promise<Program> {
  const metrics = createMetrics()
  // Before anything is kept: what is wrong with NOTICE_URLS is wrong with the settings.
  const channels = openNoticeChannels(config.NOTICE_URLS, { log })
  for (const channel of channels) stack.adopt(channel, (it) => it.close())
  await mkdir(config.DATA_DIR, { recursive: true, mode: 0o700 })
  const open = isDistributed(config) ? openDistributed : openEmbedded
  const stores = await open({ config, log, metrics, stack })
  await migrate(stores.db)
  if (stores.queue) watchQueue(stores.queue, metrics, config.QUEUE_BYTES_MAX)
  if (!isDistributed(config)) watchDisk(config.DATA_DIR, metrics)
  if (keeper) {
    const { LOG_RETENTION_DAYS: retentionDays, LOG_BYTES_MAX: bytesMax } = config
    keeper.start({ db: stores.logs, metrics, retentionDays, bytesMax })
    stack.defer(() => keeper.stop())
  }
  const administrator = await ensureAdministrator(stores.db, { password: config.ADMIN_PASSWORD || undefined })
  const parts = await startParts({
    ...stores,
    config,
    log,
    metrics,
    tracer,
    channels,
    clock: systemClock,
    stack,
  })

  const http = await buildHttp({
    log: log.child({ part: 'http' }),
    metrics,
    parts: parts.all,
    bodyBytesMax: config.HTTP_BODY_BYTES_MAX,
  })
  stack.defer(() => http.close())
  await http.listen({ host: config.HTTP_HOST, port: config.HTTP_PORT })
  const ports = {
    httpPort: (http.server.address() as AddressInfo).port,
    mqttPort: parts.broker?.ports.mqtt,
    mqttWebSocketPort: parts.broker?.ports.webSocket,
  }
  log.info(ports, 'listening')
  return { ...ports, adminPassword: administrator.password, stop: () => stack.disposeAsync() }
}

function watchQueue(queue: Queue, metrics: PromMetrics, bytesMax: number): void {
  metrics.set('coldstream_queue_limit_bytes', {}, bytesMax)
  // From the start, so that the first retry is an increase.
  for (const name of QUEUES) metrics.count('coldstream_queue_retries_total', { queue: name }, 0)
  metrics.beforeScrape(() => {
    for (const name of QUEUES) {
      const { batches, bytes, parked, oldestAcceptedAt } = queue.depth(name)
      // The clock of the machine that accepted it may be ahead of ours.
      const ageMs = oldestAcceptedAt === undefined ? 0 : Math.max(0, systemClock.now() - oldestAcceptedAt)
      metrics.set('coldstream_queue_batches', { queue: name }, batches)
      metrics.set('coldstream_queue_bytes', { queue: name }, bytes)
      metrics.set('coldstream_queue_oldest_seconds', { queue: name }, ageMs / 1000)
      metrics.set('coldstream_queue_parked', { queue: name }, parked)
    }
  })
}

function watchDisk(dir: string, metrics: PromMetrics): void {
  metrics.beforeScrape(async () => {
    const { bavail, blocks, bsize } = await statfs(dir)
    metrics.set('coldstream_disk_free_bytes', {}, bavail * bsize)
    metrics.set('coldstream_disk_size_bytes', {}, blocks * bsize)
  })
}
