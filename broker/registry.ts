import type { Logger } from 'pino'
import { findDevice } from '../db/queries/device.ts'
import type { Db, DeviceTable } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import { leaveWithoutWill } from './aedes-internals.ts'
import type { Authenticator } from './authenticate.ts'
import type { Connections } from './connection.ts'

interface Deps {
  readonly db: Db
  readonly cache: Cache
  readonly log: Logger
  readonly connections: Connections
  readonly authenticator: Authenticator
}

/** Keeps connected devices true to the registry: one that was disabled, deleted or given a new token is disconnected at once. Returns how to stop. */
export function watchRegistry({ db, cache, log, connections, authenticator }: Deps): () => void {
  return cache.subscribe('registry', ({ deviceId }) => {
    authenticator.registryChanged()
    if (connections.ofDevice(deviceId).length > 0) void refresh(deviceId)
  })

  async function refresh(deviceId: string): Promise<void> {
    const current = await look(deviceId)
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

  // When the database does not say that the device may stay, it has to come again.
  async function look(deviceId: string): Promise<DeviceTable | undefined> {
    try {
      return await findDevice(db, deviceId)
    } catch (err) {
      log.warn({ err, deviceId }, 'cannot look a changed device up')
      return undefined
    }
  }
}
