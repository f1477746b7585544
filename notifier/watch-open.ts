import { heardFor, type TimeSpan } from '../domain/silence.ts'
import type { Reading } from '../domain/reading.ts'
import { findSites } from '../db/queries/outage.ts'
import { addChecks, listDue, updateWatched } from '../db/queries/watch.ts'
import type { DeviceWatchTable } from '../db/schema-watch.ts'
import { inTransaction } from '../db/transaction.ts'
import { POWER_MS } from './watch-heard.ts'
import { decideArea } from './watch-outage.ts'
import { recording } from './watch-record.ts'
import type { SettleDeps } from './watch-settle.ts'

/** A device that may be silent now, or that has no power. */
export interface Suspect {
  readonly row: DeviceWatchTable
  readonly latest: readonly Reading[]
  /** How long we listened since it was heard. */
  readonly heardMs: number
  readonly isSilent: boolean
}

const DUE_MAX = 500
const AT_ONCE = 8
const LOOK_AGAIN_MS = 60_000

/**
 * Looks at the devices that are due: silent they are called when nothing came for their limit while we listened.
 * @param ref everything accepted before is known; nothing is said of what came later
 * @returns whether there may be more to do at once
 */
export async function openDue(
  deps: SettleDeps,
  ref: number,
  absences: readonly TimeSpan[],
  now: number,
): Promise<boolean> {
  const due = await listDue(deps.db, ref, DUE_MAX)
  if (due.length === 0) return false
  const suspects: Suspect[] = []
  const rows = due.values()
  const helpers = Array.from({ length: AT_ONCE }, async () => {
    for (const row of rows) {
      const suspect = await suspectOf(deps, row, ref, absences, now)
      if (suspect) suspects.push(suspect)
    }
  })
  await Promise.all(helpers)
  await decideAreas(deps, suspects, ref)
  return due.length === DUE_MAX
}

async function suspectOf(
  { db, series }: SettleDeps,
  row: DeviceWatchTable,
  ref: number,
  absences: readonly TimeSpan[],
  now: number,
): Promise<Suspect | undefined> {
  const { deviceId, newestAt, limitMs } = row
  const latest = await series.latest(deviceId)
  const newest = Math.max(newestAt, ...latest.map(({ time }) => time))
  if (newest > newestAt) {
    // Whoever heard it last died before that was written down.
    const arrivedAt = Math.max(row.arrivedAt, Math.min(newest, now))
    const check = { from: newestAt, to: newest, by: now, newestAt: newest, arrivedAt }
    await inTransaction(db, (trx) => addChecks(trx, new Map([[deviceId, check]])))
    await updateWatched(db, deviceId, { dueAt: Math.max(arrivedAt + limitMs, ref + LOOK_AGAIN_MS) })
    return undefined
  }
  const heardMs = heardFor(row.arrivedAt, ref, absences)
  const isSilent = heardMs > limitMs
  const isDark = row.powerLostAt !== null && ref - row.powerLostAt >= POWER_MS
  if (!isSilent) {
    const dueAt = Math.max(row.arrivedAt + limitMs + (ref - row.arrivedAt - heardMs), ref + LOOK_AGAIN_MS)
    await updateWatched(db, deviceId, { dueAt })
  }
  return isSilent || isDark ? { row, latest, heardMs, isSilent } : undefined
}

async function decideAreas(deps: SettleDeps, suspects: readonly Suspect[], ref: number): Promise<void> {
  const ids = suspects.map(({ row }) => row.deviceId)
  const sites = new Map((await findSites(deps.db, ids)).map((site) => [site.deviceId, site]))
  const byArea = Map.groupBy(suspects, ({ row }) => {
    const site = sites.get(row.deviceId)
    return site && (site.parentId ?? site.facilityId)
  })
  for (const [areaId, here] of byArea) {
    if (areaId === undefined) {
      // Placed nowhere, or disabled: nobody waits for it.
      for (const { row } of here) await updateWatched(deps.db, row.deviceId, { dueAt: null })
      continue
    }
    const facilityIds = new Set(here.map(({ row }) => sites.get(row.deviceId)?.facilityId ?? ''))
    await recording(deps, (work) =>
      decideArea(work, deps.cache, { areaId, facilityIds, suspects: here, ref }),
    )
  }
}
