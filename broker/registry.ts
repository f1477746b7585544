import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { findDevice, findDevices } from '../db/queries/device.ts'
import type { Db, DeviceTable } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import { leaveWithoutWill } from './aedes-internals.ts'
import type { Authenticator } from './authenticate.ts'
import type { Connections } from './connection.ts'
import type { BrokerSettings } from './settings.ts'

interface Deps {
  readonly db: Db
  readonly cache: Cache
  readonly log: Logger
  readonly connections: Connections
  readonly authenticator: Authenticator
  readonly settings: BrokerSettings
}

/** One question to the database names at most this many devices. */
const LOOKUP_MAX = 500

/** Keeps connected devices true to the registry: one that was disabled, deleted or given a new token is disconnected at once. Returns how to stop. */
export function watchRegistry(deps: Deps): () => void {
  const { cache, connections, authenticator } = deps
  const stop = new AbortController()
  const lookAtAll = createLookAtAll(deps, stop.signal)
  const unsubscribe = cache.subscribe(
    'registry',
    ({ deviceId }) => {
      authenticator.registryChanged()
      if (connections.ofDevice(deviceId).length > 0) void refresh(deps, deviceId)
    },
    () => {
      authenticator.registryChanged()
      lookAtAll()
    },
  )
  return () => {
    stop.abort()
    unsubscribe()
  }
}

async function refresh(deps: Deps, deviceId: string): Promise<void> {
  try {
    apply(deps, deviceId, await findDevice(deps.db, deviceId))
  } catch (err) {
    deps.log.warn({ err, deviceId }, 'cannot look a changed device up')
    // When the database does not say that the device may stay, it has to come again.
    apply(deps, deviceId, undefined)
  }
}

function apply({ log, connections }: Deps, deviceId: string, current: DeviceTable | undefined): void {
  for (const { client, device } of connections.ofDevice(deviceId)) {
    if (!device) continue
    if (current && current.disabledAt === null && current.tokenHash === device.tokenHash) {
      device.isGateway = current.isGateway === 1
      continue
    }
    log.info({ deviceId }, 'device disconnected: disabled, deleted or given another token')
    leaveWithoutWill(client)
  }
}

/** Looks every connected device up. Called again while that is under way, it begins anew: what was seen first may have changed since. */
function createLookAtAll(deps: Deps, stopped: AbortSignal): () => void {
  const { db, log, connections, settings } = deps
  let asked = 0
  let running = false

  async function run(): Promise<void> {
    for (let done = -1; done !== asked && !stopped.aborted;) {
      done = asked
      await lookAtEach()
    }
    running = false
  }

  async function lookAtEach(): Promise<void> {
    const ids = new Set<string>()
    for (const { device } of connections.all()) if (device) ids.add(device.id)
    const all = [...ids]
    for (let i = 0; i < all.length && !stopped.aborted; i += LOOKUP_MAX) {
      const some = all.slice(i, i + LOOKUP_MAX)
      const found = new Map((await findUntilItAnswers(some)).map((device) => [device.id, device]))
      if (!stopped.aborted) for (const id of some) apply(deps, id, found.get(id))
    }
  }

  // Nothing is known to have changed, so that a database that does not answer is no reason to let a fleet go.
  async function findUntilItAnswers(ids: readonly string[]): Promise<DeviceTable[]> {
    while (!stopped.aborted) {
      try {
        return await findDevices(db, ids)
      } catch (err) {
        log.warn({ err }, 'cannot look the connected devices up')
        await sleep(settings.retryDelayMsMax, undefined, { signal: stopped }).catch(() => {})
      }
    }
    return []
  }

  return () => {
    asked++
    if (running) return
    running = true
    void run()
  }
}
