import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openMemoryCache } from '../adapters/cache/memory.ts'
import { openNoticeChannels } from '../adapters/notice/open.ts'
import { openEmbeddedQueue } from '../adapters/queue/embedded.ts'
import { openSqliteSeries } from '../adapters/series/sqlite.ts'
import { openSessions } from '../adapters/session/sqlite.ts'
import { ensureAdministrator, startApi } from '../api/index.ts'
import { startBroker } from '../broker/index.ts'
import { migrate } from '../db/migrate.ts'
import { openDb } from '../db/open.ts'
import { startIngest } from '../ingest/index.ts'
import { startNotifier } from '../notifier/index.ts'
import { systemClock, type Clock } from '../ports/clock.ts'
import type { NoticeChannel } from '../ports/notice.ts'
import type { Part } from '../ports/part.ts'
import { QUEUES, type Queue } from '../ports/queue.ts'
import type { Config } from './config.ts'
import { buildHttp } from './http.ts'
import { createMetrics, type PromMetrics } from './metrics.ts'

export interface Program {
  readonly httpPort: number
  readonly mqttPort: number
  readonly mqttWebSocketPort: number
  /** Set at the very first start only, when none was given: the password that was made for `admin`. */
  readonly adminPassword: string | undefined
  /** Stops everything in reverse order: nothing new comes in first, the stores close last. */
  stop(): Promise<void>
}

/** The composition root: opens the stores, starts the parts from left to right, listens. What was opened is closed when a later step fails. */
export async function startProgram(config: Config, log: Logger): Promise<Program> {
  const stack = new AsyncDisposableStack()
  try {
    return await compose(config, log, stack)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function compose(config: Config, log: Logger, stack: AsyncDisposableStack): Promise<Program> {
  await mkdir(config.DATA_DIR, { recursive: true, mode: 0o700 })
  const metrics = createMetrics()
  // Before anything is kept: what is wrong with NOTICE_URLS is wrong with the settings.
  const channels = openNoticeChannels(config.NOTICE_URLS, { log })
  for (const channel of channels) stack.adopt(channel, (it) => it.close())
  const stores = await openStores(config, metrics, stack)
  const administrator = await ensureAdministrator(stores.db, { password: config.ADMIN_PASSWORD || undefined })
  const parts = await startParts(config, log, { ...stores, channels, metrics, clock: systemClock }, stack)

  const http = await buildHttp({
    log,
    metrics,
    parts: Object.values(parts),
    bodyBytesMax: config.HTTP_BODY_BYTES_MAX,
  })
  stack.defer(() => http.close())
  await http.listen({ host: config.HTTP_HOST, port: config.HTTP_PORT })
  const ports = {
    httpPort: (http.server.address() as AddressInfo).port,
    mqttPort: parts.broker.ports.mqtt,
    mqttWebSocketPort: parts.broker.ports.webSocket,
  }
  log.info(ports, 'listening')
  return { ...ports, adminPassword: administrator.password, stop: () => stack.disposeAsync() }
}

async function openStores(config: Config, metrics: PromMetrics, stack: AsyncDisposableStack) {
  const closing = <T extends { close(): Promise<void> }>(it: T): T =>
    stack.adopt(it, (resource) => resource.close())
  const file = (name: string) => join(config.DATA_DIR, name)
  // The sessions come first: their store is locked by whoever has it open, so that two programs never share a folder.
  const sessions = closing(await openSessions(file('mqtt')))
  const db = await openDb(config.DATABASE_URL || `sqlite:${file('coldstream.sqlite')}`)
  stack.defer(() => db.destroy())
  await migrate(db)
  const cache = closing(openMemoryCache({ entriesMax: 100_000 }))
  const series = closing(await openSqliteSeries({ file: file('series.sqlite') }))
  const queue = closing(
    await openEmbeddedQueue({
      file: file('queue.sqlite'),
      metrics,
      limits: { bytesMax: config.QUEUE_BYTES_MAX },
    }),
  )
  watchQueue(queue, metrics)
  return { sessions, db, cache, series, queue }
}

type Shared = Awaited<ReturnType<typeof openStores>> & {
  channels: readonly NoticeChannel[]
  metrics: PromMetrics
  clock: Clock
}

/** In the order of the data, but for whoever consumes: it is there before something is produced. */
async function startParts(config: Config, log: Logger, shared: Shared, stack: AsyncDisposableStack) {
  const stopping = <T extends Part>(it: T): T => stack.adopt(it, (part) => part.stop())
  const notifier = stopping(
    await startNotifier({
      ...shared,
      log: log.child({ part: 'notifier' }),
      settings: { notifyAgeMsMax: config.NOTIFY_AGE_MS_MAX, reminderEveryMs: config.REMINDER_EVERY_MS },
    }),
  )
  const ingest = stopping(
    await startIngest({
      ...shared,
      log: log.child({ part: 'ingest' }),
      settings: {
        futureMsMax: config.CLOCK_AHEAD_MS_MAX,
        refusalRetentionDays: config.REFUSAL_RETENTION_DAYS,
        refusalsMax: config.REFUSALS_MAX,
        bodyBytesMax: config.HTTP_BODY_BYTES_MAX,
      },
    }),
  )
  const broker = stopping(
    await startBroker({
      ...shared,
      intake: ingest.intake,
      persistence: shared.sessions.persistence,
      log: log.child({ part: 'broker' }),
      settings: await brokerSettings(config),
    }),
  )
  const api = stopping(
    await startApi({
      ...shared,
      intake: ingest.intake,
      log: log.child({ part: 'api' }),
      sendCommand: broker.sendCommand,
      settings: {
        jwtSecret: config.JWT_SECRET || (await keptSecret(join(config.DATA_DIR, 'jwt-secret'))),
        accessTokenTtlMs: config.ACCESS_TOKEN_TTL_MS,
        refreshTokenTtlMs: config.REFRESH_TOKEN_TTL_MS,
      },
    }),
  )
  return { broker, ingest, notifier, api }
}

function watchQueue(queue: Queue, metrics: PromMetrics): void {
  metrics.beforeScrape(() => {
    for (const name of QUEUES) {
      const { batches, bytes, parked } = queue.depth(name)
      metrics.set('coldstream_queue_batches', { queue: name }, batches)
      metrics.set('coldstream_queue_bytes', { queue: name }, bytes)
      metrics.set('coldstream_queue_parked', { queue: name }, parked)
    }
  })
}

async function brokerSettings(config: Config) {
  return {
    host: config.HTTP_HOST,
    mqttPort: config.MQTT_PORT,
    webSocketPort: config.MQTT_WS_PORT,
    connectionsMax: config.MQTT_CONNECTIONS_MAX,
    packetBytesMax: config.MQTT_PACKET_BYTES_MAX,
    intakeWaitMs: config.INTAKE_WAIT_MS,
    tls: await certificate(config),
  }
}

async function certificate(config: Config) {
  if (!config.TLS_CERT_FILE || !config.TLS_KEY_FILE) return undefined
  const [cert, key] = await Promise.all([readFile(config.TLS_CERT_FILE), readFile(config.TLS_KEY_FILE)])
  return { cert, key, mqttPort: config.MQTT_TLS_PORT, webSocketPort: config.MQTT_WSS_PORT }
}

/** A secret that is made at the first start and kept, so that access tokens outlive a restart. */
async function keptSecret(file: string): Promise<string> {
  try {
    await writeFile(file, randomBytes(48).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFile(file, 'utf8')
}
