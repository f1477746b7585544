import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { Cache, Channels } from '../../ports/cache.ts'

export interface MemoryCacheOptions {
  /** At this many entries the least recently used goes. */
  readonly entriesMax: number
  /** Told of listeners that throw. */
  readonly log?: Pick<Logger, 'error'>
}

/** In front of what `remember` keeps; without it the entry says that somebody is about to. */
const KEPT = '='

type Listener = (message: never) => void

/** The cache of a single process: entries and listeners in memory, gone with it. */
export function openMemoryCache({ entriesMax, log }: MemoryCacheOptions): Cache {
  const entries = new LRUCache<string, string>({ max: entriesMax })
  const listeners = new Map<keyof Channels, Set<Listener>>()
  let closed = false
  return {
    get: async (key) => entries.get(key),
    async set(key, value, ttlMs) {
      entries.set(key, value, { ttl: positive(ttlMs) })
    },
    async delete(...keys) {
      for (const key of keys) entries.delete(key)
    },
    async remember(key, ttlMs, make) {
      const kept = entries.get(key)
      if (kept?.startsWith(KEPT)) return kept.slice(KEPT.length)
      const lease = randomUUID()
      entries.set(key, lease, { ttl: positive(ttlMs) })
      const value = await make()
      if (entries.get(key) === lease) entries.set(key, KEPT + value, { ttl: positive(ttlMs) })
      return value
    },
    async increment(key, ttlMs) {
      const before = entries.get(key)
      const sum = Number(before ?? 0) + 1
      if (!Number.isSafeInteger(sum)) throw new Error(`${key} holds no number that can be counted up`)
      entries.set(key, String(sum), { ttl: positive(ttlMs), noUpdateTTL: before !== undefined })
      return sum
    },
    publish(channel, message) {
      // A copy, so that a listener may subscribe or stop while it is told.
      for (const listener of Array.from(listeners.get(channel) ?? [])) tell(listener, message as never, log)
    },
    subscribe(channel, listener) {
      const own: Listener = (message) => listener(message)
      const all = listeners.get(channel) ?? new Set()
      listeners.set(channel, all.add(own))
      return () => {
        all.delete(own)
        if (all.size === 0 && listeners.get(channel) === all) listeners.delete(channel)
      }
    },
    async ping() {
      if (closed) throw new Error('the cache is closed')
    },
    async close() {
      closed = true
      entries.clear()
      listeners.clear()
    },
  }
}

function tell(listener: Listener, message: never, log: MemoryCacheOptions['log']): void {
  try {
    listener(message)
  } catch (error) {
    log?.error({ err: error }, 'cache: a listener has thrown')
  }
}

/** The library takes 0 for "lives for ever"; nothing here may. */
function positive(ttlMs: number): number {
  if (!(ttlMs > 0)) throw new Error(`a life time must be above 0 ms, not ${ttlMs}`)
  return Math.ceil(ttlMs)
}
