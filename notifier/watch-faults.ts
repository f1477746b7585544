import type { ErrorCode } from '../domain/errors.ts'
import { findBreachByStart } from '../db/queries/breach.ts'
import {
  findCalibration,
  findNewestCalibration,
  listCalibrationNews,
  setCalibrationBreach,
} from '../db/queries/calibration.ts'
import {
  findLastRefusal,
  findOpenOf,
  listOpenOfRule,
  listRefusalGroups,
  listWrongClocks,
  lockDevice,
} from '../db/queries/fault.ts'
import { findPlacements } from '../db/queries/placement.ts'
import { findWatched } from '../db/queries/watch.ts'
import type { CalibrationTable } from '../db/schema-watch.ts'
import type { BreachTable } from '../db/schema.ts'
import {
  changeBreach,
  openBreach,
  recording,
  type RecordDeps,
  type Recording,
  type Said,
} from './watch-record.ts'
import { ALL_SENSORS } from '../domain/watch-rule.ts'
import { ruleOf } from './watch-settle.ts'

type FaultRule = 'clock-wrong' | 'sensor-unplugged'

/** Reasons for which readings are refused that show a fault of the device. */
const REASONS: Readonly<Record<FaultRule, readonly ErrorCode[]>> = {
  'clock-wrong': ['reading.timeInFuture', 'reading.timeTooOld', 'reading.timeInvalid'],
  'sensor-unplugged': ['reading.sensorFault', 'reading.notANumber', 'reading.implausible'],
}
const FAULT_RULES = Object.keys(REASONS) as FaultRule[]

/** One bad value is a hiccup: so many within so long are a fault, */
const REFUSALS_MIN = 3
const REFUSALS_WITHIN_MS = 6 * 3_600_000
/** and it is over when none came for so long while others did. */
const CALM_MS = 3_600_000
const DEVICES_MAX = 500
const MINUTE_MS = 60_000

/** Finds devices with a wrong clock, with broken sensors, and with an overdue calibration; and those where it is mended. */
export function createFaultSweep(deps: RecordDeps): (now: number) => Promise<void> {
  // Where the last sweep left off, by rule.
  const after: Record<FaultRule, string> = { 'clock-wrong': '', 'sensor-unplugged': '' }
  return async (now) => {
    for (const ruleId of FAULT_RULES) {
      after[ruleId] = await endFaults(deps, ruleId, after[ruleId], now)
      await openFaults(deps, ruleId, now)
    }
    await openClocks(deps)
    for (const row of await listCalibrationNews(deps.db, now, DEVICES_MAX))
      await recording(deps, (work) => settleCalibration(work, row, now))
  }
}

async function openFaults(deps: RecordDeps, ruleId: FaultRule, now: number): Promise<void> {
  const asked = { codes: REASONS[ruleId], countMin: REFUSALS_MIN, limit: DEVICES_MAX }
  for (const group of await listRefusalGroups(deps.db, { ...asked, since: now - REFUSALS_WITHIN_MS })) {
    // Over already: not opened only to be ended.
    if (now - group.lastAt > CALM_MS) continue
    const { deviceId, count, firstAt, lastAt } = group
    await openFault(deps, ruleId, deviceId, { startAt: firstAt, lastAt, readings: count, peak: count })
  }
}

async function openClocks(deps: RecordDeps): Promise<void> {
  for (const { deviceId, arrivedAt, clockOffMs } of await listWrongClocks(deps.db, DEVICES_MAX))
    await openFault(deps, 'clock-wrong', deviceId, {
      startAt: arrivedAt,
      peak: Math.round((clockOffMs ?? 0) / MINUTE_MS),
    })
}

async function openFault(
  deps: RecordDeps,
  ruleId: FaultRule,
  deviceId: string,
  said: Pick<Said, 'startAt' | 'lastAt' | 'readings' | 'peak'>,
): Promise<void> {
  if (await findOpenOf(deps.db, deviceId, ruleId)) return
  await recording(deps, async (work) => {
    await lockDevice(work.trx, deviceId)
    if (await findOpenOf(work.trx, deviceId, ruleId)) return
    await open(work, ruleId, deviceId, ALL_SENSORS, said)
  })
}

/** @returns the breach; undefined for a device that stands nowhere */
async function open(
  work: Recording,
  ruleId: FaultRule | 'calibration-overdue',
  deviceId: string,
  sensor: string,
  said: Pick<Said, 'startAt' | 'lastAt' | 'readings' | 'peak'>,
): Promise<string | undefined> {
  const placement = (await findPlacements(work.trx, [deviceId])).get(deviceId)
  if (placement === undefined) return undefined
  const { equipmentId, facilityId } = placement
  const before = await findBreachByStart(work.trx, { deviceId, sensor, ruleId, startAt: said.startAt })
  if (before === undefined)
    return openBreach(work, ruleOf(ruleId), { deviceId, sensor, equipmentId, facilityId, ...said })
  await changeBreach(work, before, { ...said, state: 'open', endAt: null, lastAt: work.now })
  return before.id
}

async function endFaults(deps: RecordDeps, ruleId: FaultRule, after: string, now: number): Promise<string> {
  const rows = await listOpenOfRule(deps.db, ruleId, after, DEVICES_MAX)
  for (const row of rows) {
    const endAt = await overSince(deps, ruleId, row, now)
    if (endAt === undefined) continue
    await recording(deps, async (work) => {
      await lockDevice(work.trx, row.deviceId ?? '')
      const still = await findOpenOf(work.trx, row.deviceId ?? '', ruleId)
      if (still?.id === row.id) await changeBreach(work, still, { state: 'ended', endAt, lastAt: endAt })
    })
  }
  return rows.length < DEVICES_MAX ? '' : (rows.at(-1)?.id ?? '')
}

/** When the last sign of the fault came, if readings came for a while since; undefined while it is not over. */
async function overSince(
  { db }: RecordDeps,
  ruleId: FaultRule,
  { deviceId, startAt }: BreachTable,
  now: number,
): Promise<number | undefined> {
  const [watched] = await findWatched(db, [deviceId ?? ''])
  if (watched === undefined) return undefined
  if (ruleId === 'clock-wrong' && watched.clockOffMs !== null) return undefined
  const lastAt = Math.max(startAt, await findLastRefusal(db, deviceId ?? '', REASONS[ruleId]))
  return watched.arrivedAt > lastAt && now - lastAt > CALM_MS ? lastAt : undefined
}

async function settleCalibration(
  work: Recording,
  { id, deviceId }: CalibrationTable,
  now: number,
): Promise<void> {
  await lockDevice(work.trx, deviceId)
  const row = await findCalibration(work.trx, id)
  if (row === undefined) return
  if (row.isNewest === 0 && row.breachId !== null) return endCalibration(work, row)
  if (row.isNewest === 0 || row.breachId !== null || row.dueAt > now) return
  const breachId = await open(work, 'calibration-overdue', deviceId, row.sensor, { startAt: row.dueAt })
  // A device that stands nowhere is asked about again when it stands somewhere.
  if (breachId !== undefined) await setCalibrationBreach(work.trx, id, breachId)
}

async function endCalibration(work: Recording, row: CalibrationTable): Promise<void> {
  const breach = await work.trx
    .selectFrom('breach')
    .selectAll()
    .where('id', '=', row.breachId ?? '')
    .executeTakeFirst()
  const newest = await findNewestCalibration(work.trx, row)
  if (breach?.state === 'open') {
    const endAt = Math.max(newest?.calibratedAt ?? work.now, breach.startAt)
    await changeBreach(work, breach, { state: 'ended', endAt, lastAt: endAt })
  }
  await setCalibrationBreach(work.trx, row.id, null)
}
