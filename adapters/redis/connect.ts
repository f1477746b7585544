import { Redis, type Command, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'

export type RedisLog = Pick<Logger, 'info' | 'warn'>

export interface ConnectOptions {
  /** `redis://user:password@host:port/db`, or `rediss://` for TLS. */
  readonly url: string
  readonly log: RedisLog
  /** Put in front of every key, not of channels. */
  readonly keyPrefix?: string
}

/** An answer that takes longer is a failure. Nothing asked here is worth more waiting: every caller can do without. */
export const COMMAND_TIMEOUT_MS = 1500
/** How long opening waits for a server before it goes on without one. */
const START_WAIT_MS = 3000
const CONNECT_TIMEOUT_MS = 5000
const RETRY_DELAY_MS_MAX = 1000
/** A connection over which nothing comes back is found out this often: a stopped machine does not say goodbye. */
const PING_EVERY_MS = 2000
const QUIET_MS = 10_000

/**
 * Commands fail at once while there is no connection, instead of queueing without bound; the connection is tried again for ever.
 * What was sent over a connection that broke is not sent again: nobody knows whether it was done.
 */
const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disableClientInfo: true,
  retryStrategy: (times: number) => Math.min(RETRY_DELAY_MS_MAX, 50 * times),
  // After a failover the old primary stays reachable, and takes no writes.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions

/** A failed command that nobody waits for is no reason to end the process. The failure still reaches whoever does wait. */
class TolerantRedis extends Redis {
  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    const reply = super.sendCommand(command, stream)
    if (reply instanceof Promise) reply.catch(() => {})
    return reply
  }
}

/**
 * Opens a connection that mends itself. Resolves when it is there, or without it after 3 s: a part whose work does not depend on
 * Redis starts during an outage as well. Rejects when the server refuses the credentials. Close it with `closeRedis`.
 */
export async function connectRedis({ url, log, keyPrefix }: ConnectOptions): Promise<Redis> {
  const redis = new TolerantRedis(url, { ...OPTIONS, keyPrefix })
  const watchdog = setInterval(() => checkAnswers(redis), PING_EVERY_MS)
  watchdog.unref()
  watchdogs.set(redis, watchdog)
  reportOutages(redis, log)
  try {
    await firstConnection(redis)
  } catch (error) {
    await closeRedis(redis)
    throw error
  }
  return redis
}

const watchdogs = new WeakMap<Redis, NodeJS.Timeout>()

/** True when a command may succeed now. */
export function isUp(redis: Redis): boolean {
  return redis.status === 'ready'
}

/** Lets what was sent be answered, if it is soon. */
export async function closeRedis(redis: Redis): Promise<void> {
  clearInterval(watchdogs.get(redis))
  if (isUp(redis)) await redis.quit().catch(() => {})
  // Its event `end` is nothing to wait for: between two attempts to connect it never comes.
  redis.disconnect()
}

/** Logs the first of a burst of failures, then at most one more each 10 s. */
export function complainOnce(log: RedisLog, message: string): (error: unknown) => void {
  let silentUntil = 0
  return (err) => {
    if (performance.now() < silentUntil) return
    silentUntil = performance.now() + QUIET_MS
    log.warn({ err }, message)
  }
}

async function firstConnection(redis: Redis): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onError = (error: Error): void => {
    if (/WRONGPASS|NOAUTH|invalid password/.test(error.message)) reject(error)
  }
  const wait = setTimeout(resolve, START_WAIT_MS)
  redis.once('ready', resolve).on('error', onError)
  redis.connect().catch(() => {})
  try {
    await promise
  } finally {
    clearTimeout(wait)
    redis.off('ready', resolve).off('error', onError)
  }
}

function reportOutages(redis: Redis, log: RedisLog): void {
  let isOut = false
  redis.on('error', (err) => {
    if (!isOut) log.warn({ err }, 'redis: no connection')
    isOut = true
  })
  redis.on('ready', () => {
    if (isOut) log.info('redis: connected again')
    isOut = false
  })
}

function checkAnswers(redis: Redis): void {
  if (!isUp(redis)) return
  redis.ping().catch((error: Error) => {
    if (error.name !== 'ReplyError' && isUp(redis)) redis.disconnect(true)
  })
}
