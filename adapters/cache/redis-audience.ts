import type { Redis } from 'ioredis'
import { isUp } from '../redis/connect.ts'

/** Whether anybody in another process listens to a channel, so that what nobody hears is not even put into words. */
export interface Audience {
  /** Calls back, in the order of the calls, if there is somebody. The server is asked at most once a second, and only when this is called. */
  ifAny(send: () => void): void
}

const ASK_EVERY_MS = 1000
/** Messages that wait for an answer about their listeners; one more is dropped. */
const WAITING_MAX = 1000

/** @param hearsItself whether this process is among the subscribers that Redis counts */
export function createAudience(redis: Redis, channel: string, hearsItself: () => boolean): Audience {
  let isThere = false
  let askAgainAt = 0
  let asking = false
  let waiting: (() => void)[] = []

  async function ask(): Promise<void> {
    asking = true
    const count = await countSubscribers(redis, channel).catch(() => 0)
    isThere = count > (hearsItself() ? 1 : 0)
    askAgainAt = performance.now() + ASK_EVERY_MS
    asking = false
    const held = waiting
    waiting = []
    if (isThere) for (const send of held) send()
  }

  return {
    ifAny(send) {
      if (!isUp(redis)) return
      if (!asking && performance.now() < askAgainAt) {
        if (isThere) send()
        return
      }
      if (waiting.length < WAITING_MAX) waiting.push(send)
      if (!asking) void ask()
    },
  }
}

async function countSubscribers(redis: Redis, channel: string): Promise<number> {
  const [, count] = await redis.pubsub('NUMSUB', channel)
  return Number(count)
}
