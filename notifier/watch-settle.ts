import { cadenceBefore, silencesIn, type Listening, type TimeSpan } from '../domain/silence.ts'
import { cadenceSetAt } from '../domain/cadence.ts'
import type { Breach } from '../domain/breach.ts'
import { reconcile } from '../domain/judgement.ts'
import { ALL_SENSORS, watchRuleOf, type WatchRule } from '../domain/watch-rule.ts'
import { listBreachesOfRule } from '../db/queries/breach.ts'
import { findDevice } from '../db/queries/device.ts'
import { findPlacements, UNPLACED, type Placement } from '../db/queries/placement.ts'
import { findCadenceSettings, findWatched, lockWatched, updateWatched } from '../db/queries/watch.ts'
import type { DeviceWatchTable } from '../db/schema-watch.ts'
import type { BreachTable } from '../db/schema.ts'
import type { Series } from '../ports/series.ts'
import { liveLimit } from './watch-heard.ts'
import { changeBreach, openBreach, recording, type RecordDeps, type Recording } from './watch-record.ts'
import { readTimesAround, type TimesAround } from './watch-series.ts'

export interface SettleDeps extends RecordDeps {
  readonly series: Series
}

const MINUTE_MS = 60_000

export function ruleOf(
  id: 'silence' | 'site-outage' | 'clock-wrong' | 'calibration-overdue' | 'sensor-unplugged',
) {
  return watchRuleOf(id) as WatchRule
}

/**
 * Looks at the readings of a device where some came that may have filled or made a silence, and brings its records in line with what the readings
 * show. The result is the same whoever does it, how often, and in whatever order the readings came.
 */
export async function settleDevice(
  deps: SettleDeps,
  { deviceId, checkFrom, checkTo, checkBy }: DeviceWatchTable,
  absences: readonly TimeSpan[],
): Promise<void> {
  if (checkFrom === null || checkTo === null) return
  const around = await readTimesAround(deps.series, deviceId, { from: checkFrom, to: checkTo })
  const settings = (await findCadenceSettings(deps.db, [deviceId])).get(deviceId) ?? []
  const placement = (await findPlacements(deps.db, [deviceId])).get(deviceId) ?? UNPLACED
  await recording(deps, async (work) => {
    await lockWatched(work.trx, [deviceId])
    const [row] = await findWatched(work.trx, [deviceId])
    // More came meanwhile: that may not be stored yet, and is looked at with the rest the next time.
    if (!row || row.checkBy !== checkBy || row.checkFrom !== checkFrom || row.checkTo !== checkTo) return
    const listening = { settings, absences }
    const isSilent =
      placement.facilityId !== null && (await settleRecords(work, row, placement, around, listening))
    await updateWatched(work.trx, deviceId, afterwards(row, around, listening, isSilent))
  })
}

/** @returns whether it is still silent */
async function settleRecords(
  work: Recording,
  { deviceId, checkFrom }: DeviceWatchTable,
  placement: Placement,
  { times, reachesEnd }: TimesAround,
  listening: Listening,
): Promise<boolean> {
  const at = Math.max(
    0,
    times.findLastIndex((time) => time < (checkFrom ?? 0)),
  )
  const from = times[at] ?? 0
  const last = times.at(-1) ?? 0
  const rows = await listBreachesOfRule(work.trx, { deviceId, ruleId: 'silence', from, to: last })
  const here = rows.filter((row) => row.startAt < last || reachesEnd)
  const isStill = (row: BreachTable) => row.state === 'open' && row.startAt === last
  // Nothing newer than the reading after which it was called silent: it is, whatever old readings come in.
  const still = here.find(isStill)
  const past = here.filter((row) => row !== still)
  const found = silencesIn(times, listening).filter((one) => one.startAt >= from)
  for (const { row, breach } of reconcile(past, found.map(asBreach)))
    await settleRecord(work, deviceId, placement, row, breach)
  if (still === undefined) return false
  const device = await findDevice(work.trx, deviceId)
  if (device?.disabledAt == null) return isSilentStill(work, still, listening)
  await changeBreach(work, still, { state: 'ended', endAt: device.disabledAt, lastAt: device.disabledAt })
  return false
}

function asBreach({ startAt, endAt }: { readonly startAt: number; readonly endAt: number }) {
  return { startAt, endAt, peak: (endAt - startAt) / MINUTE_MS, peakAt: startAt, lastAt: endAt, readings: 0 }
}

async function settleRecord(
  work: Recording,
  deviceId: string,
  { equipmentId, facilityId }: Placement,
  row: BreachTable | undefined,
  breach: Breach | undefined,
): Promise<void> {
  if (row && breach === undefined) return changeBreach(work, row, { state: 'withdrawn' })
  if (breach === undefined) return
  // What somebody has closed stays closed, whatever is learnt about it.
  if (row) return changeBreach(work, row, { ...breach, state: row.state === 'closed' ? 'closed' : 'ended' })
  await openBreach(work, ruleOf('silence'), {
    ...breach,
    deviceId,
    sensor: ALL_SENSORS,
    equipmentId,
    facilityId,
  })
}

/** What was set since may allow the device more time. */
async function isSilentStill(work: Recording, still: BreachTable, { settings }: Listening): Promise<boolean> {
  const set = cadenceSetAt(settings, work.now)
  if (set === undefined || work.now - still.startAt > liveLimit(null, null, set)) return true
  await changeBreach(work, still, { state: 'withdrawn' })
  return false
}

function afterwards(
  row: DeviceWatchTable,
  { times, coveredTo, reachesEnd }: TimesAround,
  { settings }: Listening,
  isSilent: boolean,
): Partial<DeviceWatchTable> {
  if (coveredTo < (row.checkTo ?? 0)) return { checkFrom: coveredTo }
  const cadenceMs = (reachesEnd ? cadenceBefore(times, times.length - 1) : undefined) ?? row.cadenceMs
  const limitMs = liveLimit(cadenceMs, row.pauseMs, cadenceSetAt(settings, Infinity))
  const dueAt = isSilent ? null : row.arrivedAt + limitMs
  return { checkFrom: null, checkTo: null, checkBy: null, cadenceMs, limitMs, dueAt }
}
