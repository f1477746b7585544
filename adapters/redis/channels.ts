import type { Redis } from 'ioredis'
import type { RedisLog } from './connect.ts'
import { complainOnce, isUp } from './connect.ts'

/** Channels that this process wants to hear, kept subscribed through reconnections. Takes the connection for itself. */
export interface Channels {
  /** Resolves when the channel is heard, or at once when that has to wait for Redis. A channel added twice is to be removed twice. */
  add(channel: string): Promise<void>
  remove(channel: string): void
  has(channel: string): boolean
  /** Since when everything wanted is heard without a gap, on the monotonic clock; undefined while it is not. */
  readonly linkedSince: number | undefined
}

interface Handlers {
  readonly onMessage: (channel: string, message: Buffer) => void
  /** Everything wanted is heard from now on; what was said before may have been missed. */
  readonly onLinked: () => void
}

/** One SUBSCRIBE names at most this many channels. */
const CHANNELS_PER_COMMAND = 1000
/** Heard always, so that the connection never leaves the mode in which it may be told things. */
const OWN_CHANNEL = 'coldstream:keep'

export function keepSubscribed(redis: Redis, log: RedisLog, handlers: Handlers): Channels {
  const wanted = new Map<string, number>([[OWN_CHANNEL, 1]])
  const complain = complainOnce(log, 'redis: cannot subscribe')
  const complainOfMessage = complainOnce(log, 'redis: a message could not be used')
  let linkedSince: number | undefined

  async function subscribeToAll(): Promise<void> {
    const all = [...wanted.keys()]
    for (let i = 0; i < all.length; i += CHANNELS_PER_COMMAND) {
      const some = all.slice(i, i + CHANNELS_PER_COMMAND).filter((channel) => wanted.has(channel))
      if (some.length > 0) await redis.subscribe(...some)
    }
    if (!isUp(redis)) return
    linkedSince = performance.now()
    handlers.onLinked()
  }

  const link = (): void => {
    subscribeToAll().catch((error: unknown) => {
      complain(error)
      // Connected and deaf is the one state that would mend itself never.
      if (isUp(redis)) redis.disconnect(true)
    })
  }
  redis.on('ready', link)
  redis.on('close', () => (linkedSince = undefined))
  redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
    try {
      handlers.onMessage(channel.toString(), message)
    } catch (error) {
      complainOfMessage(error)
    }
  })
  if (isUp(redis)) link()

  return {
    async add(channel) {
      const users = (wanted.get(channel) ?? 0) + 1
      wanted.set(channel, users)
      if (users === 1 && isUp(redis)) await redis.subscribe(channel).catch(complain)
    },
    remove(channel) {
      const users = (wanted.get(channel) ?? 0) - 1
      if (users > 0) wanted.set(channel, users)
      else if (wanted.delete(channel) && isUp(redis)) redis.unsubscribe(channel).catch(complain)
    },
    has: (channel) => wanted.has(channel),
    get linkedSince() {
      return linkedSince
    },
  }
}
