import type { Client } from 'aedes'
import type { Connections } from './connection.ts'
import { DENIED } from './sessions.ts'
import { fromInternal, isInternal } from './topics.ts'

interface Subscription {
  readonly topic: string
}

/** Aedes asks for each filter of a SUBSCRIBE (translated by then) and of a restored session. Null becomes 0x80 in the SUBACK [MQTT-3.9.3]. */
export function createAuthorizeSubscribe(connections: Connections) {
  return <S extends Subscription>(
    client: Client,
    subscription: S,
    done: (e: null, granted: S | null) => void,
  ) => {
    const device = connections.of(client)?.device
    const filter =
      device && subscription.topic.startsWith(device.namespace)
        ? subscription.topic.slice(device.namespace.length)
        : DENIED
    if (filter.startsWith(DENIED)) {
      done(null, null)
      return
    }
    // One of a restored session is met here for the first time.
    device?.filters.add(filter)
    done(null, subscription)
  }
}

/** Gives a message the name that its device knows it by. One that was sent before, and comes from the queue again, has it already. */
export function createAuthorizeForward(connections: Connections) {
  return <P extends { topic: string }>(client: Client, packet: P): P | null => {
    const device = connections.of(client)?.device
    if (!device) return null
    if (!isInternal(packet.topic)) return packet
    const { deviceId, topic } = fromInternal(packet.topic)
    if (deviceId !== device.id) return null
    packet.topic = topic
    return packet
  }
}
