import { Readable } from 'node:stream'
import createPersistence from 'aedes-persistence-redis'
import type { Redis } from 'ioredis'
import { closeRedis, complainOnce, connectRedis, isUp, type RedisLog } from '../redis/connect.ts'
import { createClusterMq } from './redis-mq.ts'
import { createRetained } from './redis-retained.ts'
import { createSubscriptions } from './redis-subscriptions.ts'
import { createWills, type WillBroker } from './redis-wills.ts'
import type { Sessions } from './sqlite.ts'

/** Sessions that several brokers share. */
export interface ClusterSessions extends Sessions {
  /** For Aedes: how the brokers tell each other. */
  readonly mq: object
}

export interface RedisSessionsOptions {
  /** `redis://user:password@host:port/db`, or `rediss://` for TLS. It must not evict, and should persist (`appendonly yes`). */
  readonly url: string
  readonly log: RedisLog
  /** In front of every key and channel, so that a server may be shared. */
  readonly keyPrefix?: string
}

/** A message that nobody has come for by then is dropped: a command a month old is one that nobody means any more. */
const MESSAGE_TTL_S = 30 * 24 * 3600

interface ClientKey {
  readonly id: string
  readonly clean?: boolean
}

/**
 * Opens sessions that any broker of a cluster can take over from any other. Rejects when the server refuses the credentials; starts
 * without a server that does not answer. While Redis is away a connection with a clean session needs nothing of it and is let in; the
 * broker asks `available` before it lets in one that has a session.
 */
export async function openRedisSessions(options: RedisSessionsOptions): Promise<ClusterSessions> {
  const { url, log, keyPrefix = 'coldstream:mqtt:' } = options
  const [commands, subscriber] = await Promise.all([
    connectRedis({ url, log, keyPrefix }),
    connectRedis({ url, log }),
  ])
  const onError = complainOnce(log, 'sessions: Redis did not do what it was asked')
  let broker: WillBroker | undefined
  const wills = createWills({
    redis: commands,
    broker: () => {
      if (!broker) throw new Error('the sessions have no broker yet')
      return broker
    },
    linkedSince: () => cluster.linkedSince,
    onError,
  })
  const cluster = createClusterMq({
    commands,
    subscriber,
    prefix: keyPrefix,
    log,
    onLinked: () => {
      if (broker) void wills.reassert()
    },
  })
  const persistence = Object.assign(persistenceOn(commands, onError), {
    setup: async (aedes: WillBroker) => {
      broker = aedes
    },
    putWill: wills.putWill,
    delWill: wills.delWill,
    streamWill: wills.ofDeadBrokers,
  })
  return {
    persistence,
    mq: cluster.mq,
    close: async () => {
      await Promise.all([closeRedis(commands), closeRedis(subscriber)])
    },
  }
}

/** The library keeps the queues of the sessions; what it keeps in one place for all devices is kept per device instead. */
function persistenceOn(redis: Redis, onError: (error: unknown) => void) {
  const library = createPersistence({ conn: redis, packetTTL: () => MESSAGE_TTL_S })
  const forgetClient = (clientId: string): Promise<void> => dropQueue(redis, clientId)
  const subscriptions = createSubscriptions(redis, forgetClient)
  const retained = createRetained(redis, onError)
  return Object.assign(Object.create(library) as object, subscriptions, {
    /** Whether a session can be found, or said not to be there. */
    available: () => isUp(redis),
    forgetClient,
    // [MQTT-3.1.2-6] is made up for at the next connection, should Redis be away: readings do not wait for it.
    cleanSubscriptions: (client: ClientKey) => subscriptions.cleanSubscriptions(client).catch(onError),
    storeRetained: retained.storeRetained,
    createRetainedStream: (filter: string) => Readable.from(retained.ofFilters([filter])),
    createRetainedStreamCombi: (filters: readonly string[]) => Readable.from(retained.ofFilters(filters)),
    outgoingStream: (client: ClientKey) =>
      client.clean === true ? Readable.from([]) : library.outgoingStream(client),
    // What stays in the queue because its acknowledgement was not kept is sent again, as QoS 1 allows.
    outgoingClearMessageId: (client: ClientKey, packet: object) =>
      library.outgoingClearMessageId(client, packet).catch(onError),
    async outgoingEnqueueCombi(subscribers: readonly { readonly clientId: string }[], packet: object) {
      await library.outgoingEnqueueCombi(subscribers, packet)
      // A queue goes with the last of its messages.
      const expiring = subscribers.map(({ clientId }) => redis.expire(queueKey(clientId), MESSAGE_TTL_S))
      await Promise.all(expiring).catch(onError)
    },
    queueLength: (clientId: string) => redis.llen(queueKey(clientId)),
  })
}

/** As the library names it. */
function queueKey(clientId: string): string {
  return `outgoing:${encodeURIComponent(clientId)}`
}

// One message may be in the queues of several sessions; the library counts them.
async function dropQueue(redis: Redis, clientId: string): Promise<void> {
  for (const packetKey of await redis.lrange(queueKey(clientId), 0, -1)) {
    const countKey = `${packetKey}:offlineCount`
    if ((await redis.decr(countKey)) <= 0) await redis.del(packetKey, countKey)
  }
  await redis.del(queueKey(clientId))
}
