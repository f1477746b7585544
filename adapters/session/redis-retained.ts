import type { Redis } from 'ioredis'
import { matches, ownerOfTopic } from './redis-names.ts'
import { packed, unpacked, type Publication } from './redis-publication.ts'

/**
 * Retained messages: one hash per device. The library keeps one hash for all of them, and goes through the whole of it for each filter
 * with a wildcard; with a fleet that comes back after an outage that is the square of its size.
 */
export function createRetained(redis: Redis, onError: (error: unknown) => void) {
  // An error of this stream would end the process: Aedes does not listen for any.
  async function* ofFilters(filters: readonly string[]): AsyncGenerator<Publication> {
    try {
      for (const owner of new Set(filters.flatMap((filter) => ownerOfTopic(filter) ?? []))) {
        for (const [topic, text] of Object.entries(await redis.hgetall(keyOf(owner))))
          if (filters.some((filter) => matches(filter, topic))) yield unpacked(text)
      }
    } catch (error) {
      onError(error)
    }
  }

  return {
    async storeRetained(packet: Publication): Promise<void> {
      const owner = ownerOfTopic(packet.topic)
      if (owner === undefined) return
      // [MQTT-3.3.1-10]
      if (packet.payload.length === 0) await redis.hdel(keyOf(owner), packet.topic)
      else await redis.hset(keyOf(owner), packet.topic, packed(packet))
    },
    ofFilters,
  }
}

function keyOf(owner: string): string {
  return `retained:${owner}`
}
