import type { Metrics } from '../ports/metrics.ts'
import { rememberedQueues, sharedQueues, type SessionQueues } from './session-queues.ts'
import type { BrokerSettings } from './settings.ts'
import { isCommand, isInternal, namespaceOf } from './topics.ts'

/** As much of a persistence for Aedes as this part calls itself. */
interface Persistence {
  addSubscriptions(client: ClientKey, subscriptions: readonly Subscription[]): Promise<void>
  cleanSubscriptions(client: ClientKey): Promise<void>
  outgoingStream(client: ClientKey): AsyncIterable<unknown>
  outgoingEnqueueCombi(subscribers: readonly Subscriber[], packet: Stored): Promise<void>
  outgoingClearMessageId(client: ClientKey, packet: Stored): Promise<Stored | undefined>
  subscriptionsByTopic(topic: string): Promise<readonly Subscriber[]>
  /** Not of the interface that Aedes asks for; what cannot list its clients cannot bound their number. */
  clientsWithPrefix?(prefix: string, limit: number): readonly string[] | Promise<readonly string[]>
  forgetClient?(clientId: string): Promise<void>
  /** Of one that several brokers share: messages queued for a client. */
  queueLength?(clientId: string): Promise<number>
  /** Of one that may be out of reach while the broker runs. */
  available?(): boolean
}

interface ClientKey {
  readonly id: string
}
interface Subscription {
  readonly topic: string
}
interface Subscriber {
  readonly clientId: string
}
interface Stored {
  readonly topic: string
  readonly messageId?: number
}

/** A filter that was refused stays in its SUBSCRIBE under this name, so that the SUBACK has a return code for it. */
export const DENIED = 'denied/'

/** The key of a session. A client id is a device's own choice, so it means something only together with the device. */
export function sessionKey(deviceId: string, clientId: string): string {
  return `${deviceId}/${clientId}`
}

interface Deps {
  readonly metrics: Metrics
  readonly settings: BrokerSettings
  readonly isConnected: (sessionKey: string) => boolean
}

/** The persistence that Aedes gets: the given one, with limits on what one device can make it keep. */
export function boundedSessions(
  persistence: object,
  deps: Deps,
): object & { readonly available: () => boolean } {
  // Inherits instead of copying: Aedes and its persistences look for optional methods by name.
  const inner = persistence as Persistence
  const queues = queuesOf(inner, deps.settings.sessionMessagesMax)
  return Object.assign(
    Object.create(inner) as object,
    { available: () => inner.available?.() ?? true },
    boundedQueues(inner, queues, deps),
    boundedClients(inner, queues, deps),
    inbound(),
  )
}

function queuesOf(inner: Persistence, messagesMax: number): SessionQueues {
  if (inner.queueLength)
    return sharedQueues((id) => inner.queueLength?.(id) ?? Promise.resolve(0), messagesMax)
  const countMessages = async (id: string): Promise<number> => {
    let length = 0
    for await (const _ of inner.outgoingStream({ id })) {
      if (++length >= messagesMax) break
    }
    return length
  }
  return rememberedQueues(countMessages, messagesMax)
}

function boundedClients(inner: Persistence, queues: SessionQueues, { settings, isConnected }: Deps) {
  return {
    // Aedes hands over every filter of a SUBSCRIBE as soon as one is granted, the refused ones too. Only what lies in the
    // namespace of the device is ever kept: a `#` among them would collect the messages of all devices.
    async addSubscriptions(client: ClientKey, subscriptions: readonly Subscription[]): Promise<void> {
      const deviceId = client.id.split('/', 1)[0] ?? ''
      const own = namespaceOf(deviceId)
      const granted = subscriptions.filter(
        ({ topic }) => topic.startsWith(own) && !topic.startsWith(DENIED, own.length),
      )
      await makeRoom(deviceId, client.id)
      await inner.addSubscriptions(client, granted)
    },
  }

  async function makeRoom(deviceId: string, newcomer: string): Promise<void> {
    const kept = (await inner.clientsWithPrefix?.(`${deviceId}/`, settings.sessionsPerDeviceMax)) ?? []
    if (kept.length < settings.sessionsPerDeviceMax || kept.includes(newcomer)) return
    // Firmware that makes up a new client id at each start must still get in, so an abandoned session goes.
    const abandoned = kept.find((id) => !isConnected(id))
    if (abandoned === undefined) throw new Error('too many sessions of one device')
    await inner.cleanSubscriptions({ id: abandoned })
    await inner.forgetClient?.(abandoned)
    queues.forget(abandoned)
  }
}

function boundedQueues(inner: Persistence, queues: SessionQueues, { metrics }: Deps) {
  // Aedes does not go on with a publish, nor with its connection, when the subscribers cannot be found; when they cannot be
  // queued for, it does. So the first failure is reported as the second.
  const unknown = new WeakMap<readonly Subscriber[], unknown>()

  async function enqueue(subscribers: readonly Subscriber[], packet: Stored): Promise<boolean> {
    const withRoom: Subscriber[] = []
    try {
      for (const subscriber of subscribers) {
        if (await queues.claim(subscriber.clientId)) withRoom.push(subscriber)
        else metrics.count('coldstream_mqtt_denied_total', { reason: 'session-full' })
      }
      if (withRoom.length > 0) await inner.outgoingEnqueueCombi(withRoom, packet)
      return withRoom.length === subscribers.length
    } finally {
      for (const { clientId } of withRoom) queues.settle(clientId)
    }
  }

  return {
    async subscriptionsByTopic(topic: string): Promise<readonly Subscriber[]> {
      try {
        return await inner.subscriptionsByTopic(topic)
      } catch (error) {
        const none: readonly Subscriber[] = []
        unknown.set(none, error)
        return none
      }
    },
    async outgoingEnqueueCombi(subscribers: readonly Subscriber[], packet: Stored): Promise<void> {
      if (unknown.has(subscribers)) throw unknown.get(subscribers)
      const all = isInternal(packet.topic) && (await enqueue(subscribers, packet))
      if (!all && isCommand(packet.topic)) throw new Error('session is full')
    },
    async outgoingClearMessageId(client: ClientKey, packet: Stored): Promise<Stored | undefined> {
      const cleared = await inner.outgoingClearMessageId(client, packet)
      if (cleared) queues.cleared(client.id)
      return cleared
    },
  }
}

// QoS 2 asks to remember which message ids are between PUBLISH and PUBREL. Aedes would keep the whole packets on disk; the ids,
// for as long as the connection lasts, do: a packet that is taken twice is one reading all the same (P6).
function inbound() {
  const idsOf = new WeakMap<object, Set<number>>()
  return {
    async incomingStorePacket(client: object, { messageId }: { messageId: number }): Promise<void> {
      const ids = idsOf.get(client)
      if (ids) ids.add(messageId)
      else idsOf.set(client, new Set([messageId]))
    },
    async incomingGetPacket(client: object, { messageId }: { messageId: number }): Promise<object> {
      if (!idsOf.get(client)?.has(messageId)) throw new Error('no such packet')
      return { messageId }
    },
    async incomingDelPacket(client: object, { messageId }: { messageId: number }): Promise<void> {
      idsOf.get(client)?.delete(messageId)
    },
    async cleanIncoming(client: object): Promise<void> {
      idsOf.delete(client)
    },
  }
}
