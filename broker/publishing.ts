import type { Aedes, Client } from 'aedes'
import type { Logger } from 'pino'
import { findDevice } from '../db/queries/device.ts'
import type { Db } from '../db/schema.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import { replacePublish, type Publication } from './aedes-internals.ts'
import type { ConnectedDevice, Connections } from './connection.ts'
import { OPEN_GATE, type Gate } from './gate.ts'
import type { HandOver } from './hand-over.ts'
import { logBurst } from './log-burst.ts'
import { ATTRIBUTES, fromInternal, isInternal, routeOf, TELEMETRY } from './topics.ts'

interface Deps {
  readonly connections: Connections
  readonly handOver: HandOver
  readonly db: Db
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly isStopping: () => boolean
}

type Done = (error?: Error | null) => void

const IGNORED = { outcome: 'ignored' } as const

/** The hook that holds the acknowledgement: Aedes writes the PUBACK when it calls back without an error, and closes the connection on an error. */
export function createAuthorizePublish(
  deps: Deps,
): (client: Client | null, packet: Publication, done: Done) => void {
  const { connections, handOver, metrics, clock } = deps
  const logDenied = logBurst(deps.log, clock, 'publish denied')
  const publishWill = createPublishWill(deps)

  return (client, packet, done) => {
    if (packet.cmd !== 'publish') {
      publishWill(client, packet, done)
      return
    }
    const connection = client ? connections.of(client) : undefined
    const device = connection?.device
    if (!device) done(new Error('not authenticated'))
    else if (packet.topic === TELEMETRY) ingest(device, connection.gate, packet, done)
    else publishOther(device, connection.gate, packet, done)
  }

  function ingest(device: ConnectedDevice, gate: Gate, packet: Publication, done: Done): void {
    const { topic, payload } = packet
    handOver.give(
      { deviceId: device.id, isGateway: device.isGateway, topic, payload, receivedAt: clock.now() },
      gate,
      done,
    )
  }

  function publishOther(device: ConnectedDevice, gate: Gate, packet: Publication, done: Done): void {
    switch (routeOf(packet.topic)) {
      case 'ingest':
        ingest(device, gate, packet, done)
        return
      case 'forward':
        forward(device, gate, packet, done)
        return
      case 'ignore':
        metrics.count('coldstream_mqtt_packets_total', IGNORED)
        done()
        return
      case 'deny':
        metrics.count('coldstream_mqtt_denied_total', { reason: 'publish-topic' })
        logDenied({ deviceId: device.id, topic: packet.topic.slice(0, 100) })
        done(new Error('publish denied'))
    }
  }

  function forward(device: ConnectedDevice, gate: Gate, packet: Publication, done: Done): void {
    const forwarded: Done = (error) => {
      packet.topic = device.namespace + ATTRIBUTES
      done(error)
    }
    // [MQTT-3.3.1-10]: takes back a retained message, and carries no attributes.
    if (packet.retain && packet.payload.length === 0) forwarded()
    else ingest(device, gate, packet, forwarded)
  }
}

/**
 * Wills carry the topic in the namespace of their device, put there at CONNECT, because after a restart Aedes publishes the
 * ones that it finds with a null client.
 */
function createPublishWill({ connections, handOver, db, log, clock, isStopping }: Deps) {
  const logFailure = logBurst(log, clock, 'a will could not be handed over')

  return (client: Client | null, will: Publication, done: Done): void => {
    // Our own stop is no failure of the device: its will stays in the store, and the next start publishes it unless the
    // device is back by then [MQTT-3.1.2-8]. Calling back, with or without an error, would make Aedes delete it.
    if (isStopping()) return
    if (!isInternal(will.topic)) {
      done()
      return
    }
    const { deviceId, topic } = fromInternal(will.topic)
    const settled = (error?: unknown): void => {
      if (error === undefined) {
        if (topic !== ATTRIBUTES) will.topic = topic
        done()
        return
      }
      logFailure({ deviceId, err: error })
      // The sweep over the wills of dead brokers does not expect errors: a prompt one would end the process as an unhandled
      // rejection. Without an answer the will stays in the store, and the next sweep finds it again.
      if (client) done(error instanceof Error ? error : new Error(String(error)))
    }
    const known = client ? connections.of(client)?.device : undefined
    const give = (isGateway: boolean): void => {
      const packet = { deviceId, isGateway, topic, payload: will.payload, receivedAt: clock.now() }
      handOver.give(packet, OPEN_GATE, settled)
    }
    if (known) give(known.isGateway)
    else findDevice(db, deviceId).then((device) => give(device?.isGateway === 1), settled)
  }
}

/**
 * Telemetry has no subscribers inside of Aedes: once it is acknowledged it skips the retained store, the queues and the
 * matcher. Only what lies in the namespace of a device, and what Aedes tells itself, is distributed.
 */
export function distributeOnlyInternal(aedes: Aedes, { log, clock }: Pick<Deps, 'log' | 'clock'>): void {
  const logLost = logBurst(log, clock, 'a message did not reach its subscribers')
  // What comes from a device is durable by now, and acknowledged. Told of an error Aedes would close the connection, or delete no will.
  const regardless =
    (done: ((error?: Error) => void) | undefined) =>
    (err?: Error): void => {
      if (err) logLost({ err })
      done?.()
    }

  replacePublish(aedes, (original) => (packet, client, done) => {
    if (isInternal(packet.topic) || packet.topic.startsWith('$SYS/')) {
      // Filters are granted at QoS 1 at most.
      if (packet.qos > 1) packet.qos = 1
      if (typeof client !== 'function') original(packet, client, regardless(done))
      else original(packet, packet.cmd === undefined ? regardless(client) : client)
      return
    }
    // Aedes calls with or without a client.
    if (typeof client === 'function') client()
    else done?.()
  })
}
