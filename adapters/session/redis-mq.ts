import { EventEmitter } from 'node:events'
import type { Redis } from 'ioredis'
import createEmitter from 'mqemitter-redis'
import { keepSubscribed, type Channels } from '../redis/channels.ts'
import type { RedisLog } from '../redis/connect.ts'

export interface ClusterMq {
  /** For Aedes. */
  readonly mq: object
  /** See `Channels`. */
  readonly linkedSince: number | undefined
}

interface Deps {
  readonly commands: Redis
  /** A connection of its own. */
  readonly subscriber: Redis
  readonly prefix: string
  readonly log: RedisLog
  readonly onLinked: () => void
}

type Done = () => void

/**
 * How the brokers of a cluster talk: `mqemitter-redis`, on connections that stand for its own. Left alone it subscribes to a pattern
 * per device, and Redis holds every message against every pattern; here a device is one channel, so that a message costs the same
 * whatever the size of the fleet. While Redis is away subscriptions wait for it, and nothing else does.
 */
export function createClusterMq({ commands, subscriber, prefix, log, onLinked }: Deps): ClusterMq {
  const received = new EventEmitter()
  const channels = keepSubscribed(subscriber, log, {
    onMessage: (channel, message) => void received.emit('messageBuffer', channel, message),
    onLinked,
  })
  const mq = createEmitter({
    // As for Aedes without a cluster.
    concurrency: 0,
    matchEmptyLevels: true,
    subConn: asConnection(subscribing(received, channels, prefix)),
    pubConn: asConnection(publishing(commands, channels, prefix)),
  })
  return {
    mq,
    get linkedSince() {
      return channels.linkedSince
    },
  }
}

function subscribing(received: EventEmitter, channels: Channels, prefix: string): EventEmitter {
  const add = async (topic: string, done: Done): Promise<void> => {
    await channels.add(prefix + channelOf(topic))
    done()
  }
  // What waits for this is a connection that closes.
  const remove = (topic: string, done: Done): void => {
    channels.remove(prefix + channelOf(topic))
    done()
  }
  return Object.assign(received, {
    subscribe: add,
    psubscribe: add,
    unsubscribe: remove,
    punsubscribe: remove,
    quit: () => void setImmediate(() => received.emit('end')),
  })
}

function publishing(commands: Redis, channels: Channels, prefix: string): EventEmitter {
  const events = new EventEmitter()
  return Object.assign(events, {
    async publish(topic: string, message: Buffer): Promise<void> {
      const channel = prefix + channelOf(topic)
      // Every broker runs the same program: what this one does not want to hear of Aedes itself, none does.
      if (topic.startsWith('$SYS/') && !channels.has(channel)) return
      await commands.publish(channel, message)
    },
    quit: () => void setImmediate(() => events.emit('end')),
  })
}

// As much of a connection as the library uses.
function asConnection(it: EventEmitter): Redis {
  return it as unknown as Redis
}

/** `device/<id>` for all that a device hears, and `$SYS/<what>` for what any broker says of itself. Given a topic or a filter with `*`. */
function channelOf(topic: string): string {
  const levels = topic.split('/')
  if (levels[0] !== '$SYS') return levels.slice(0, 2).join('/')
  return levels[1] === 'sub' ? '$SYS/sub' : ['$SYS', ...levels.slice(2)].join('/')
}
