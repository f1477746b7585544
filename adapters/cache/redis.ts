import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Cache } from '../../ports/cache.ts'
import { closeRedis, complainOnce, connectRedis, type RedisLog } from '../redis/connect.ts'
import { openMemoryCache } from './memory.ts'
import { createHints } from './redis-hints.ts'

export interface RedisCacheOptions {
  /** `redis://user:password@host:port/db`, or `rediss://` for TLS. */
  readonly url: string
  readonly log: RedisLog
  /** In front of every key and channel, so that a server may be shared. */
  readonly keyPrefix?: string
}

/** Counters kept in this process while Redis is away; beyond it the least recently used goes. */
const LOCAL_COUNTERS_MAX = 10_000

const INCREMENT = `
local sum = redis.call('INCR', KEYS[1])
if sum == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return sum`

/** In front of what `remember` keeps; without it the entry says that somebody is about to. */
const KEPT = '='

const TAKE_LEASE = `
local kept = redis.call('GET', KEYS[1])
if kept and string.sub(kept, 1, 1) == '${KEPT}' then return kept end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`

const USE_LEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end`

/** The scripts as ioredis makes them into methods. */
interface Scripts {
  countUp(key: string, ttlMs: number): Promise<number>
  takeLease(key: string, lease: string, ttlMs: number): Promise<string | null>
  useLease(key: string, lease: string, value: string, ttlMs: number): Promise<void>
}

/**
 * The cache that several processes share. While Redis is away it forgets: `get` and `remember` find nothing, `set` and `delete` do nothing, hints
 * reach this process only, and `ping` rejects. `increment` then counts in this process alone, so that a limit of tries neither locks
 * everybody out nor lets everybody in: it holds per process instead of for all of them together.
 * Rejects when the server refuses the credentials; starts without a server that does not answer.
 */
export async function openRedisCache({
  url,
  log,
  keyPrefix = 'coldstream:',
}: RedisCacheOptions): Promise<Cache> {
  const [commands, subscriber] = await Promise.all([connectRedis({ url, log }), connectRedis({ url, log })])
  commands.defineCommand('countUp', { numberOfKeys: 1, lua: INCREMENT })
  commands.defineCommand('takeLease', { numberOfKeys: 1, lua: TAKE_LEASE })
  commands.defineCommand('useLease', { numberOfKeys: 1, lua: USE_LEASE })
  const { countUp, takeLease, useLease } = commands as Redis & Scripts
  const local = openMemoryCache({ entriesMax: LOCAL_COUNTERS_MAX })
  const complain = complainOnce(log, 'cache: Redis did not do what it was asked')
  const hints = createHints({ commands, subscriber, prefix: keyPrefix, log })

  return {
    async get(key) {
      try {
        return (await commands.get(keyPrefix + key)) ?? undefined
      } catch (error) {
        complain(error)
        return undefined
      }
    },
    async set(key, value, ttlMs) {
      await commands.set(keyPrefix + key, value, 'PX', positive(ttlMs)).catch(complain)
    },
    async delete(...keys) {
      await local.delete(...keys)
      if (keys.length > 0) await commands.unlink(keys.map((key) => keyPrefix + key)).catch(complain)
    },
    async remember(key, ttlMs, make) {
      const lease = randomUUID()
      const ms = positive(ttlMs)
      const kept = await takeLease.call(commands, keyPrefix + key, lease, ms).catch(complain)
      if (kept) return kept.slice(KEPT.length)
      const value = await make()
      await useLease.call(commands, keyPrefix + key, lease, KEPT + value, ms).catch(complain)
      return value
    },
    async increment(key, ttlMs) {
      const ms = positive(ttlMs)
      try {
        return await countUp.call(commands, keyPrefix + key, ms)
      } catch (error) {
        if (holdsNoNumber(error)) throw error
        complain(error)
        return local.increment(key, ms)
      }
    },
    ...hints,
    async ping() {
      await Promise.all([commands.ping(), subscriber.ping()])
    },
    async close() {
      await Promise.all([closeRedis(commands), closeRedis(subscriber), local.close()])
    },
  }
}

function holdsNoNumber(error: unknown): boolean {
  return error instanceof Error && /not an integer|WRONGTYPE/.test(error.message)
}

function positive(ttlMs: number): number {
  if (!(ttlMs > 0)) throw new Error(`a life time must be above 0 ms, not ${ttlMs}`)
  return Math.ceil(ttlMs)
}
