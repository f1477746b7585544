import { randomUUIDv7 } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { Aedes, type AedesOptions, type Client } from 'aedes'
import type { Logger } from 'pino'
import { whyNotReady } from '../db/ping.ts'
import type { Db } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Intake } from '../ports/intake.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Part } from '../ports/part.ts'
import type { Tracer } from '../ports/trace.ts'
import { pauseReading } from './aedes-internals.ts'
import { createAuthenticator } from './authenticate.ts'
import { createSendCommand, type Command } from './commands.ts'
import { createConnecting } from './connecting.ts'
import { createConnections, type Connections } from './connection.ts'
import { createHandOver, type HandOver } from './hand-over.ts'
import { listen, type Listeners, type Ports } from './listen.ts'
import { logBurst } from './log-burst.ts'
import { createAuthorizePublish, distributeOnlyInternal } from './publishing.ts'
import { watchRegistry } from './registry.ts'
import { boundedSessions } from './sessions.ts'
import { BROKER_DEFAULTS, type BrokerSettings } from './settings.ts'
import { createAuthorizeForward, createAuthorizeSubscribe } from './subscribing.ts'

export type { BrokerSettings } from './settings.ts'

export interface BrokerDeps {
  readonly intake: Intake
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly tracer?: Tracer | undefined
  /** For Aedes: a persistence of its family. Whoever opened it closes it, after the broker has stopped. */
  readonly persistence: unknown
  /** For Aedes: how it tells the other brokers of a cluster; needs a persistence that they share. Without it this broker is alone. */
  readonly mq?: object
  /** What differs from `BROKER_DEFAULTS`. */
  readonly settings: Partial<BrokerSettings>
}

export interface Broker extends Part {
  readonly ports: Ports
  /** See `createSendCommand`. */
  readonly sendCommand: (deviceId: string, command: Command) => Promise<void>
}

/** Opens the MQTT ports. Throws when one of them, or the persistence, cannot be had. */
export async function startBroker(deps: BrokerDeps): Promise<Broker> {
  const { db, cache, log, clock } = deps
  const settings: BrokerSettings = { ...BROKER_DEFAULTS, ...deps.settings }
  const shared = { ...deps, settings, connections: createConnections() }
  const state = { stopping: false }
  const handOver = createHandOver(shared)
  const persistence = keptSessions(deps, shared.connections, settings)
  const authenticator = createAuthenticator({
    ...shared,
    canResume: persistence.available,
    isOverloaded: () => handOver.bytes > settings.handOverBytesMax,
  })
  const connecting = createConnecting({ ...shared, authenticator })
  const aedes = new Aedes({
    ...aedesLimits(settings),
    persistence,
    ...(deps.mq && { mq: deps.mq }),
    preConnect: connecting.preConnect,
    authenticate: connecting.authenticate,
    authorizePublish: asHook(
      createAuthorizePublish({ ...shared, handOver, isStopping: () => state.stopping }),
    ),
    authorizeSubscribe: createAuthorizeSubscribe(shared.connections),
    authorizeForward: createAuthorizeForward(shared.connections),
  })
  distributeOnlyInternal(aedes, shared)
  reportErrors(aedes, shared)
  await aedes.listen()
  const listeners = await listenOrClose(aedes, settings, connecting)
  const unwatch = watchRegistry({ db, cache, log, settings, connections: shared.connections, authenticator })
  log.info({ ...listeners.ports }, 'broker started')

  return {
    name: 'broker',
    ports: listeners.ports,
    sendCommand: createSendCommand(aedes, clock, settings),
    async ready() {
      if (state.stopping) return 'The broker is stopping.'
      if (handOver.failing) return 'The intake takes no packets.'
      // Those that are connected go on; who comes anew cannot be recognised.
      return whyNotReady(db)
    },
    async stop() {
      if (state.stopping) return
      state.stopping = true
      unwatch()
      await shutDown({ aedes, listeners, handOver, connections: shared.connections }, settings)
      log.info('broker stopped')
    },
  }
}

function aedesLimits(settings: BrokerSettings): AedesOptions {
  return {
    // In order of time, because queued messages are kept in the order of (broker, counter).
    id: randomUUIDv7(),
    // No limit: with one, as many slow clients would hold up the messages of all others. Each is bounded by `drainTimeoutMs`.
    concurrency: 0,
    heartbeatInterval: settings.heartbeatMs,
    connectTimeout: settings.connectTimeoutMs,
    drainTimeout: settings.drainTimeoutMs,
    queueLimit: settings.earlyPacketsMax,
    maxInflightInbound: settings.inflightMax,
    maxTopicLevels: settings.topicLevelsMax,
  }
}

function keptSessions(
  { persistence, metrics }: BrokerDeps,
  connections: Connections,
  settings: BrokerSettings,
) {
  if (typeof persistence !== 'object' || persistence === null)
    throw new Error('the broker needs a persistence')
  const isConnected = (key: string): boolean =>
    connections.ofDevice(key.split('/', 1)[0] ?? '').some(({ client }) => client.id === key)
  return boundedSessions(persistence, { metrics, settings, isConnected })
}

// The published type of this hook knows neither that topics may be rewritten nor that wills come without a `cmd`.
function asHook(authorize: ReturnType<typeof createAuthorizePublish>) {
  return authorize as unknown as NonNullable<AedesOptions['authorizePublish']>
}

/** Errors of one connection end that connection, and those of Aedes itself end nothing; without a listener they would end the process. */
function reportErrors(aedes: Aedes, { log, clock, metrics, connections }: Reporting): void {
  const logClient = logBurst(log, clock, 'connection closed on an error')
  const logBroker = logBurst(log, clock, 'the session store fails')
  aedes.on('clientError', (client: Client, err: Error) => {
    const deviceId = connections.of(client)?.device?.id
    if (deviceId) logClient({ deviceId, reason: err.message })
  })
  aedes.on('connectionError', () => metrics.count('coldstream_mqtt_connects_total', { outcome: 'protocol' }))
  const errors: NodeJS.EventEmitter = aedes
  errors.on('error', (err: Error) => logBroker({ err }))
}

type Reporting = Pick<BrokerDeps, 'log' | 'clock' | 'metrics'> & { readonly connections: Connections }

async function listenOrClose(
  aedes: Aedes,
  settings: BrokerSettings,
  connecting: ReturnType<typeof createConnecting>,
): Promise<Listeners> {
  try {
    return await listen(settings, {
      onArrival: (arrival) => connecting.accept(aedes, arrival),
      onTooMany: connecting.refuseTooMany,
    })
  } catch (error) {
    await closeAedes(aedes)
    throw error
  }
}

interface Running {
  readonly aedes: Aedes
  readonly listeners: Listeners
  readonly handOver: HandOver
  readonly connections: Connections
}

async function shutDown({ aedes, listeners, handOver, connections }: Running, settings: BrokerSettings) {
  listeners.stop()
  // What is not read is not acknowledged, and comes again at the next start.
  for (const { client } of connections.all()) pauseReading(client)
  await handOver.finish(settings.stopTimeoutMs)
  // The acknowledgements of the last hand-overs are written in this turn and the next.
  await turn()
  await turn()
  await closeAedes(aedes)
  listeners.destroy()
}

function closeAedes(aedes: Aedes): Promise<void> {
  return new Promise((resolve) => aedes.close(resolve))
}
