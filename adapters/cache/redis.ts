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

/**
 * The cache that several processes share. While Redis is away it forgets: `get` finds nothing, `set` and `delete` do nothing, hints
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
  const { countUp } = commands as Redis & { countUp(key: string, ttlMs: number): Promise<number> }
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
    async delete(key) {
      await local.delete(key)
      await commands.del(keyPrefix + key).catch(complain)
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
