import { LRUCache } from 'lru-cache'
import { randomUUIDv7 } from 'node:crypto'
import type { Logger } from 'pino'
import { countChildren, findChildren, insertChildren } from '../db/queries/device.ts'
import type { Db, DeviceTable } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Child } from './codecs/codec.ts'
import type { IngestSettings } from './settings.ts'

interface ChildrenDeps {
  readonly db: Db
  readonly cache: Cache
  readonly clock: Clock
  readonly log: Logger
  readonly settings: IngestSettings
}

/** The devices that speak through gateways, by the names that their gateways give them. */
export interface Children {
  /** From memory; undefined when it has to be looked up. */
  named(gatewayId: string, name: string): Child | undefined
  /** From the database; makes those that are not there yet. Rejects when it does not answer. */
  lookUp(gatewayId: string, names: readonly string[]): Promise<ReadonlyMap<string, Child>>
  stop(): void
}

/** A gateway may name a device before anybody has registered it: it is then made, to be placed later by a person. */
export function rememberChildren(deps: ChildrenDeps): Children {
  const { registryCacheMax, registryCacheMs } = deps.settings
  const known = new LRUCache<string, Child>({ max: registryCacheMax, ttl: registryCacheMs })
  const unsubscribe = deps.cache.subscribe(
    'registry',
    ({ deviceId }) => forget(known, deviceId),
    () => known.clear(),
  )
  return {
    named: (gatewayId, name) => known.get(`${gatewayId}/${name}`),
    async lookUp(gatewayId, names) {
      const children = await findOrMake(deps, gatewayId, names)
      for (const [name, child] of children) known.set(`${gatewayId}/${name}`, child)
      return children
    },
    stop: unsubscribe,
  }
}

function forget(known: LRUCache<string, Child>, deviceId: string): void {
  for (const [key, child] of known.entries()) {
    if ('refused' in child || child.deviceId === deviceId) known.delete(key)
  }
}

async function findOrMake(
  deps: ChildrenDeps,
  gatewayId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Child>> {
  const children = new Map<string, Child>()
  addAll(children, await findChildren(deps.db, gatewayId, names))
  const missing = names.filter((name) => !children.has(name))
  if (missing.length === 0) return children
  const room = deps.settings.childrenPerGatewayMax - (await countChildren(deps.db, gatewayId))
  const made = missing.slice(0, Math.max(0, room))
  const rows = made.map((name) => newChild(gatewayId, name, deps.clock.now()))
  await insertChildren(deps.db, rows)
  // Read again, since somebody else may have been first with some of them.
  addAll(children, await findChildren(deps.db, gatewayId, made))
  const lost = made.find((name) => !children.has(name))
  if (lost !== undefined) throw new Error(`a device was made and is not found: ${JSON.stringify(lost)}`)
  for (const name of missing.slice(made.length)) children.set(name, { refused: 'packet.tooManyDevices' })
  deps.log.info(
    { gatewayId, made: made.length, refused: missing.length - made.length },
    'new names behind a gateway',
  )
  return children
}

function addAll(children: Map<string, Child>, devices: readonly DeviceTable[]): void {
  for (const { id, name, disabledAt } of devices)
    children.set(name, disabledAt === null ? { deviceId: id } : { refused: 'reading.deviceDisabled' })
}

function newChild(gatewayId: string, name: string, createdAt: number): DeviceTable {
  return {
    id: randomUUIDv7(),
    name,
    equipmentId: null,
    isGateway: 0,
    gatewayId,
    tokenHash: null,
    disabledAt: null,
    createdAt,
  }
}
