import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { findDeviceByToken } from '../db/queries/device.ts'
import type { Db, DeviceTable } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Connection } from './connection.ts'
import { logBurst } from './log-burst.ts'
import type { BrokerSettings } from './settings.ts'

/** Return codes of CONNACK [MQTT-3.2.2.3] that Aedes leaves to us. */
const IDENTIFIER_REJECTED = 2
const SERVER_UNAVAILABLE = 3
const BAD_USER_NAME_OR_PASSWORD = 4
const NOT_AUTHORIZED = 5

export interface Refusal {
  readonly returnCode: number
  /** For the metric. */
  readonly outcome: string
}

export interface Authenticator {
  /** Who this is, from the access token that came as the user name; the password means nothing. Never throws. */
  authenticate(connection: Connection, token: string | undefined): Promise<DeviceTable | Refusal>
  /** Something changed among the devices: what was looked up before it is looked up again. */
  registryChanged(): void
}

interface Deps {
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly isOverloaded: () => boolean
  /** Whether sessions can be looked up now. */
  readonly canResume: () => boolean
}

export function createAuthenticator(deps: Deps): Authenticator {
  const { db, cache, log, clock, settings } = deps
  const logUnavailable = logBurst(log, clock, 'cannot look devices up')
  const logGuessing = logBurst(log, clock, 'many failed authentications from one address')
  let registryVersion = 0

  async function authenticate(
    connection: Connection,
    token: string | undefined,
  ): Promise<DeviceTable | Refusal> {
    const early = refuseEarly(connection)
    if (early) return early
    // An access token is long and random; what is none costs no query.
    if (!token || token.length > settings.tokenCharsMax) return fail(connection)
    try {
      const device = await withDeadline(find(token), settings.authenticateTimeoutMs)
      if (!device) return await fail(connection)
      return device.disabledAt === null ? device : { returnCode: NOT_AUTHORIZED, outcome: 'disabled' }
    } catch (err) {
      logUnavailable({ err })
      return { returnCode: SERVER_UNAVAILABLE, outcome: 'unavailable' }
    }
  }

  function refuseEarly({ connect }: Connection): Refusal | undefined {
    if (deps.isOverloaded()) return { returnCode: SERVER_UNAVAILABLE, outcome: 'overloaded' }
    if (connect?.clean === false && !deps.canResume())
      return { returnCode: SERVER_UNAVAILABLE, outcome: 'sessions-unavailable' }
    const clientId = connect?.clientId ?? ''
    // [MQTT-3.1.3-8]
    const unnamedSession = clientId === '' && connect?.clean === false
    if (!unnamedSession && clientId.length <= settings.clientIdCharsMax) return undefined
    return { returnCode: IDENTIFIER_REJECTED, outcome: 'client-id' }
  }

  // A device that is disabled between our look and its entry among the connections would stay connected: look again.
  async function find(token: string): Promise<DeviceTable | undefined> {
    let device: DeviceTable | undefined
    for (let tries = 0; tries < 3; tries++) {
      const version = registryVersion
      device = await findDeviceByToken(db, token)
      if (version === registryVersion) break
    }
    return device
  }

  // Beyond the limit failures come late, and a valid token still passes: thousands of devices can share the one address of a
  // mobile network, and a few with a wrong token must not lock out the rest.
  async function fail({ remoteAddress }: Connection): Promise<Refusal> {
    const key = `mqtt-auth-failures:${remoteAddress}`
    const failures = await cache.increment(key, settings.authFailuresWindowMs).catch(() => 0)
    if (failures > settings.authFailuresMax) {
      logGuessing({ remoteAddress, failures })
      await sleep(settings.authFailureDelayMs, undefined, { ref: false })
    }
    return { returnCode: BAD_USER_NAME_OR_PASSWORD, outcome: 'credentials' }
  }

  return { authenticate, registryChanged: () => void registryVersion++ }
}

async function withDeadline<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const abort = new AbortController()
  const deadline = sleep(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`no answer within ${timeoutMs} ms`)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    deadline.catch(() => {})
    abort.abort()
  }
}
