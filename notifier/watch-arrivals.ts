import { cadenceSetAt } from '../domain/cadence.ts'
import { findDevices } from '../db/queries/device.ts'
import {
  addChecks,
  findCadenceSettings,
  findWatched,
  insertWatched,
  updateHeard,
  type Check,
} from '../db/queries/watch.ts'
import type { DeviceWatchTable } from '../db/schema-watch.ts'
import type { Db } from '../db/schema.ts'
import { inTransaction } from '../db/transaction.ts'
import type { Delivery } from '../ports/queue.ts'
import { arrive, heardOf, newRow, seenOf, takeReading, type Seen } from './watch-heard.ts'

export interface Arrivals {
  /**
   * Takes notice of readings. Resolves when what could change a silence is written; of the rest only memory knows until `flush`. Costs a look into a
   * map for each device and a comparison for each reading.
   */
  note(deliveries: readonly Delivery[]): Promise<void>
  /** Writes down which devices were heard since the last time. */
  flush(): Promise<void>
  /** Of devices that another process may have heard, or whose settings changed. */
  forgetDevices(isMeant: (deviceId: string) => boolean): void
  /** When the last message came, of all devices; 0: none yet. */
  readonly arrivedAt: number
}

const LOAD_MAX = 500

/** @param devicesMax that are remembered */
export function createArrivals(db: Db, devicesMax: number): Arrivals {
  const all = new Map<string, Seen>()
  const touched = new Set<Seen>()
  let arrivedAt = 0

  function remember(deviceId: string, row: DeviceWatchTable | undefined): void {
    const oldest = all.size >= devicesMax ? all.keys().next().value : undefined
    // What was heard of it since the last flush is in the series.
    if (oldest !== undefined) all.delete(oldest)
    all.set(deviceId, seenOf(deviceId, row))
  }

  async function note(deliveries: readonly Delivery[]): Promise<void> {
    for (const [deviceId, row] of await load(db, deliveries, (id) => all.has(id))) remember(deviceId, row)
    const checks = new Map<string, Check>()
    for (const delivery of deliveries) {
      if (delivery.batch.readings.length > 0) arrivedAt = Math.max(arrivedAt, delivery.batch.acceptedAt)
      takeBatch(all, touched, delivery, checks)
    }
    if (checks.size === 0) return
    try {
      await inTransaction(db, (trx) => addChecks(trx, checks))
    } catch (error) {
      // They come again, and have to be seen as new.
      for (const deviceId of checks.keys()) all.delete(deviceId)
      throw error
    }
  }

  async function flush(): Promise<void> {
    const some = [...touched]
    touched.clear()
    try {
      await askSettings(db, some)
      await updateHeard(db, some.map(heardOf))
    } catch (error) {
      for (const seen of some) touched.add(seen)
      throw error
    }
  }

  return {
    note,
    flush,
    forgetDevices(isMeant) {
      for (const deviceId of all.keys()) if (isMeant(deviceId)) all.delete(deviceId)
    },
    get arrivedAt() {
      return arrivedAt
    },
  }
}

type First = Pick<DeviceWatchTable, 'newestAt' | 'arrivedAt'>

/** The rows of the devices that are not remembered; they are made where there are none. Undefined: not in the registry. */
async function load(
  db: Db,
  deliveries: readonly Delivery[],
  isRemembered: (deviceId: string) => boolean,
): Promise<Map<string, DeviceWatchTable | undefined>> {
  const missing = new Map<string, First>()
  let last = ''
  for (const { batch } of deliveries)
    for (const { deviceId, time } of batch.readings) {
      if (deviceId === last) continue
      last = deviceId
      if (!isRemembered(deviceId) && !missing.has(deviceId))
        missing.set(deviceId, { newestAt: time, arrivedAt: batch.acceptedAt })
    }
  const ids = [...missing.keys()]
  const rows = new Map<string, DeviceWatchTable | undefined>(ids.map((id) => [id, undefined]))
  for (let at = 0; at < ids.length; at += LOAD_MAX) {
    const some = ids.slice(at, at + LOAD_MAX)
    for (const row of await findWatched(db, some)) rows.set(row.deviceId, row)
    const strangers = some.filter((id) => rows.get(id) === undefined)
    const known = await findDevices(db, strangers)
    const made = known.map(({ id }) => newRow(id, missing.get(id) ?? { newestAt: 0, arrivedAt: 0 }))
    await insertWatched(db, made)
    for (const row of made) rows.set(row.deviceId, row)
  }
  return rows
}

/** What is set by people, of those of whom it is not known. */
async function askSettings(db: Db, seen: readonly Seen[]): Promise<void> {
  const unasked = seen.filter((one) => one.set === undefined)
  for (let at = 0; at < unasked.length; at += LOAD_MAX) {
    const some = unasked.slice(at, at + LOAD_MAX)
    const settings = await findCadenceSettings(
      db,
      some.map(({ deviceId }) => deviceId),
    )
    for (const one of some) one.set = cadenceSetAt(settings.get(one.deviceId) ?? [], Infinity) ?? null
  }
}

function takeBatch(
  all: ReadonlyMap<string, Seen>,
  touched: Set<Seen>,
  { batch }: Delivery,
  checks: Map<string, Check>,
): void {
  let seen: Seen | undefined
  for (const reading of batch.readings) {
    if (seen?.deviceId !== reading.deviceId) {
      seen = all.get(reading.deviceId)
      if (seen?.isKnown) {
        touched.add(seen)
        arrive(seen, reading.time, batch.acceptedAt, checks)
      }
    }
    if (seen?.isKnown) takeReading(seen, reading, batch.acceptedAt, checks)
  }
}
