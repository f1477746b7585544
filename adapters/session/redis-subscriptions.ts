import type { Redis } from 'ioredis'
import { matches, ownerOfClient, ownerOfTopic } from './redis-names.ts'

interface ClientKey {
  readonly id: string
}

export interface Subscription {
  readonly topic: string
  readonly qos: number
}

export interface Subscriber extends Subscription {
  readonly clientId: string
}

/** What has to go with a session that ends. */
type Forget = (clientId: string) => Promise<void>

/**
 * The subscriptions of persistent sessions: one hash per device. The library keeps those of all devices in the memory of every broker and
 * tells the brokers of changes, which one of them misses whenever its connection breaks; here whoever needs to know asks.
 */
export function createSubscriptions(redis: Redis, forgetClient: Forget) {
  const load = async (owner: string): Promise<Entry[]> =>
    Object.entries(await redis.hgetall(keyOf(owner))).map(toEntry)
  const ofClient = async ({ id }: ClientKey): Promise<Subscription[]> =>
    (await load(ownerOfClient(id))).filter(isSubscription).filter(({ clientId }) => clientId === id)

  async function removeFields(client: ClientKey, topics: readonly string[]): Promise<void> {
    const key = keyOf(ownerOfClient(client.id))
    await redis.hdel(key, ...topics.map((topic) => fieldOf(client.id, topic)))
  }

  return {
    async addSubscriptions(client: ClientKey, subscriptions: readonly Subscription[]): Promise<void> {
      if (subscriptions.length === 0) return
      const fields = subscriptions.map(({ topic, qos }) => [fieldOf(client.id, topic), String(qos)] as const)
      await redis.hset(keyOf(ownerOfClient(client.id)), Object.fromEntries([...fields, lastSeen(client.id)]))
    },
    async removeSubscriptions(client: ClientKey, topics: readonly string[]): Promise<void> {
      if (topics.length > 0) await removeFields(client, topics)
      if ((await ofClient(client)).length > 0) return
      await removeFields(client, [''])
      await forgetClient(client.id)
    },
    async cleanSubscriptions(client: ClientKey): Promise<void> {
      const known = await ofClient(client)
      if (known.length === 0) return
      await removeFields(client, ['', ...known.map(({ topic }) => topic)])
      await forgetClient(client.id)
    },
    async subscriptionsByClient(client: ClientKey): Promise<Subscription[]> {
      const known = await ofClient(client)
      const [field, now] = lastSeen(client.id)
      if (known.length > 0) await redis.hset(keyOf(ownerOfClient(client.id)), field, now)
      return known.map(({ topic, qos }) => ({ topic, qos }))
    },
    async subscriptionsByTopic(topic: string): Promise<Subscriber[]> {
      const owner = ownerOfTopic(topic)
      if (owner === undefined) return []
      return (await load(owner))
        .filter(isSubscription)
        .filter((entry) => entry.qos > 0 && matches(entry.topic, topic))
    },
    /** Sessions of one device, the one that was resumed longest ago first. */
    async clientsWithPrefix(prefix: string, limit: number): Promise<string[]> {
      const entries = await load(ownerOfClient(prefix))
      return entries
        .filter((entry) => !isSubscription(entry) && entry.clientId.startsWith(prefix))
        .toSorted((a, b) => a.qos - b.qos)
        .slice(0, limit)
        .map(({ clientId }) => clientId)
    },
  }
}

/** With an empty topic: the session itself, and instead of a QoS the time it was last resumed. */
type Entry = Subscriber

const isSubscription = ({ topic }: Entry): boolean => topic !== ''

function keyOf(owner: string): string {
  return `sessions:${owner}`
}

function fieldOf(clientId: string, topic: string): string {
  return JSON.stringify([clientId, topic])
}

function lastSeen(clientId: string): readonly [string, string] {
  return [fieldOf(clientId, ''), String(Date.now())]
}

function toEntry([field, value]: [string, string]): Entry {
  const [clientId, topic] = JSON.parse(field) as [string, string]
  return { clientId, topic, qos: Number(value) }
}
