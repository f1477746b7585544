import type { Client } from 'aedes'
import type { ConnectPacket } from './aedes-internals.ts'
import type { Gate } from './gate.ts'
import type { Wire } from './wire.ts'

/** One MQTT connection. Known to the rest of the part once its device is authenticated. */
export interface Connection {
  readonly client: Client
  readonly wire: Wire
  readonly gate: Gate
  readonly remoteAddress: string
  /** Limits how long the peer may be silent. */
  readonly setIdleTimeout: (timeoutMs: number) => void
  connect: ConnectPacket | undefined
  device: ConnectedDevice | undefined
}

export interface ConnectedDevice {
  readonly id: string
  readonly tokenHash: string | null
  isGateway: boolean
  /** What its topics begin with inside of Aedes. */
  readonly namespace: string
  readonly filters: Set<string>
}

/** All connections of this broker, by Aedes client and by device. */
export interface Connections {
  /** How many have an authenticated device. */
  readonly devices: number
  open(connection: Connection): void
  /** Makes the connection known as one of its device. */
  join(connection: Connection, device: ConnectedDevice): void
  close(connection: Connection): void
  of(client: Client): Connection | undefined
  ofDevice(deviceId: string): readonly Connection[]
  all(): Iterable<Connection>
}

export function createConnections(): Connections {
  const byClient = new Map<Client, Connection>()
  const byDevice = new Map<string, Set<Connection>>()
  let devices = 0
  return {
    get devices() {
      return devices
    },
    open: (connection) => void byClient.set(connection.client, connection),
    join(connection, device) {
      connection.device = device
      devices++
      const siblings = byDevice.get(device.id)
      if (siblings) siblings.add(connection)
      else byDevice.set(device.id, new Set([connection]))
    },
    close(connection) {
      byClient.delete(connection.client)
      if (!connection.device) return
      devices--
      const { id } = connection.device
      const siblings = byDevice.get(id)
      siblings?.delete(connection)
      if (siblings?.size === 0) byDevice.delete(id)
    },
    of: (client) => byClient.get(client),
    ofDevice: (deviceId) => [...(byDevice.get(deviceId) ?? [])],
    all: () => byClient.values(),
  }
}
