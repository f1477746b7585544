import type { Aedes, AuthenticateError, Client } from 'aedes'
import type { DeviceTable } from '../db/schema.ts'
import { connectionKey, type Cache } from '../ports/cache.ts'
import type { Metrics } from '../ports/metrics.ts'
import { dropWill, hasSaidGoodbye, setAside, type ConnectPacket } from './aedes-internals.ts'
import type { Authenticator } from './authenticate.ts'
import type { ConnectedDevice, Connection, Connections } from './connection.ts'
import { gateBefore } from './gate.ts'
import type { Arrival } from './listen.ts'
import { sessionKey } from './sessions.ts'
import type { BrokerSettings } from './settings.ts'
import { namespaceOf, routeOf } from './topics.ts'
import { watchWire } from './wire.ts'

interface Deps {
  readonly connections: Connections
  readonly authenticator: Authenticator
  readonly cache: Cache
  readonly metrics: Metrics
  readonly settings: BrokerSettings
}

type Done = (error: AuthenticateError | null, success: boolean) => void

/** From an accepted socket to a device that is known: the hooks of Aedes up to the CONNACK. */
export function createConnecting(deps: Deps) {
  const { connections, authenticator, metrics, settings } = deps

  function accept(aedes: Aedes, { stream, socket, request }: Arrival): void {
    const gate = gateBefore(stream, settings.handOversPerConnectionMax, (by) => setAside(client, by))
    const client = aedes.handle(stream, request)
    connections.open({
      client,
      gate,
      wire: watchWire(client, { metrics, settings }),
      remoteAddress: socket.remoteAddress ?? '',
      setIdleTimeout: (timeoutMs) => void socket.setTimeout(timeoutMs, () => stream.destroy()),
      connect: undefined,
      device: undefined,
    })
    stream.once('close', () => {
      const connection = connections.of(client)
      if (connection) connections.close(connection)
      const deviceId = connection?.device?.id
      if (deviceId !== undefined && connections.ofDevice(deviceId).length === 0)
        rememberConnection(deps.cache, deviceId, hasSaidGoodbye(client) ? 'closed' : 'lost')
      metrics.set('coldstream_mqtt_connections', {}, connections.devices)
    })
  }

  function preConnect(
    client: Client,
    packet: ConnectPacket,
    done: (error: null, success: boolean) => void,
  ): void {
    const connection = connections.of(client)
    if (connection) connection.connect = packet
    done(null, true)
  }

  async function authenticate(client: Client, username: string | undefined, done: Done): Promise<void> {
    const connection = connections.of(client)
    if (!connection) return
    const verdict = await authenticator.authenticate(connection, username)
    // Gone in the meantime: entered now, it would never be taken out.
    if (client.closed || !connections.of(client)) return
    if ('returnCode' in verdict) {
      const { returnCode, outcome } = verdict
      metrics.count('coldstream_mqtt_connects_total', { outcome })
      done(Object.assign(new Error(`refused: ${outcome}`), { returnCode }), false)
      return
    }
    admit(connection, verdict, deps)
    done(null, true)
  }

  return {
    accept,
    preConnect,
    authenticate: (client: Client, username: string | undefined, _password: unknown, done: Done): void =>
      void authenticate(client, username, done),
    refuseTooMany: () => metrics.count('coldstream_mqtt_connects_total', { outcome: 'connections-max' }),
  }
}

function admit(
  connection: Connection,
  row: DeviceTable,
  { connections, cache, metrics, settings }: Deps,
): void {
  const { client, wire } = connection
  const device: ConnectedDevice = {
    id: row.id,
    tokenHash: row.tokenHash,
    isGateway: row.isGateway === 1,
    namespace: namespaceOf(row.id),
    filters: new Set(),
  }
  client.id = sessionKey(device.id, client.id)
  claimWill(connection, device, metrics)
  connections.join(connection, device)
  rememberConnection(cache, device.id, 'open')
  wire.identify(device)
  limitSilence(connection, settings)
  connection.connect = undefined
  metrics.count('coldstream_mqtt_connects_total', { outcome: 'accepted' })
  metrics.set('coldstream_mqtt_connections', {}, connections.devices)
}

const CONNECTION_TTL_MS = 7 * 86_400_000

// A hint for those who ask why a device is silent, and not waited for.
function rememberConnection(cache: Cache, deviceId: string, how: 'open' | 'closed' | 'lost'): void {
  cache.set(connectionKey(deviceId), how, CONNECTION_TTL_MS).catch(() => undefined)
}

// A will that its device may not publish is left out, and the device let in: its readings matter more.
function claimWill({ client, connect }: Connection, device: ConnectedDevice, metrics: Metrics): void {
  const will = connect?.will
  if (!will) return
  const route = routeOf(will.topic)
  if (route === 'ingest' || route === 'forward') {
    will.topic = device.namespace + will.topic
    return
  }
  metrics.count('coldstream_mqtt_denied_total', { reason: 'will-topic' })
  dropWill(client)
}

// [MQTT-3.1.2-24] is enforced by Aedes for the keep-alive that the device asked for. Zero switches it off there, and a dead
// connection would stay for ever.
function limitSilence(
  { connect, setIdleTimeout }: Connection,
  { keepaliveSecondsMax }: BrokerSettings,
): void {
  const keepaliveSeconds = connect?.keepalive ?? 0
  if (keepaliveSeconds === 0 || keepaliveSeconds > keepaliveSecondsMax)
    setIdleTimeout(keepaliveSecondsMax * 1500)
}
