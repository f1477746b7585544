import type { Client } from 'aedes'
import type { Metrics } from '../ports/metrics.ts'
import { beforePacket, limitPacketBytes } from './aedes-internals.ts'
import type { ConnectedDevice } from './connection.ts'
import { DENIED } from './sessions.ts'
import type { BrokerSettings } from './settings.ts'
import { maySubscribe } from './topics.ts'

interface WirePacket {
  readonly cmd: string
  readonly subscriptions?: { topic: string; qos: number }[]
  readonly unsubscriptions?: string[]
}

interface Deps {
  readonly metrics: Metrics
  readonly settings: BrokerSettings
}

/** What stands between the parser of a connection and Aedes. */
export interface Wire {
  /** From here on the filters of the client mean those of this device, also in packets that came before the CONNACK. */
  identify(device: ConnectedDevice): void
}

/**
 * Puts the rules of the wire on a new connection: a packet that is too large is refused on its fixed header, and filters are
 * translated into the namespace of the device before Aedes sees them (it has a hook for SUBSCRIBE, but none for UNSUBSCRIBE).
 */
export function watchWire(client: Client, deps: Deps): Wire {
  limitPacketBytes(client, deps.settings.packetBytesMax)
  let device: ConnectedDevice | undefined
  // Bounded by `earlyPacketsMax`: Aedes closes a connection that sends more.
  let early: WirePacket[] = []
  beforePacket(client, (packet: WirePacket) => {
    if (packet.cmd !== 'subscribe' && packet.cmd !== 'unsubscribe') return
    if (device) translate(packet, device, deps)
    else early.push(packet)
  })
  return {
    identify(known) {
      device = known
      for (const packet of early) translate(packet, known, deps)
      early = []
    },
  }
}

function translate(packet: WirePacket, device: ConnectedDevice, deps: Deps): void {
  for (const [index, subscription] of (packet.subscriptions ?? []).entries()) {
    const granted = admitFilter(subscription.topic, device, deps)
    // Each keeps a name of its own: Aedes merges equal filters, and a return code would be missing.
    subscription.topic = device.namespace + (granted ? subscription.topic : `${DENIED}${index}`)
    // Nothing is ever forwarded at QoS 2.
    subscription.qos = Math.min(subscription.qos, 1)
  }
  for (const [index, filter] of (packet.unsubscriptions ?? []).entries()) {
    device.filters.delete(filter)
    const name = maySubscribe(filter) ? filter : DENIED
    if (packet.unsubscriptions) packet.unsubscriptions[index] = device.namespace + name
  }
}

function admitFilter(filter: string, device: ConnectedDevice, { metrics, settings }: Deps): boolean {
  const reason = denial(filter, device, settings)
  if (reason === undefined) {
    device.filters.add(filter)
    return true
  }
  metrics.count('coldstream_mqtt_denied_total', { reason })
  return false
}

function denial(filter: string, { filters }: ConnectedDevice, settings: BrokerSettings): string | undefined {
  if (!maySubscribe(filter)) return 'subscribe-topic'
  if (!filters.has(filter) && filters.size >= settings.subscriptionsMax) return 'subscriptions-max'
  return undefined
}
