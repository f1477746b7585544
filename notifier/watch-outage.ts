import { AREA_OUTAGE, decideOutage, SITE_OUTAGE, type OutageDecision, type Unit } from '../domain/outage.ts'
import { ALL_SENSORS, type Cause } from '../domain/watch-rule.ts'
import { findBreachByStart } from '../db/queries/breach.ts'
import {
  countChildren,
  insertMembers,
  listAreaDevices,
  listOpenOutagesAt,
  listPowerBreaches,
  lockArea,
  type AreaDevice,
} from '../db/queries/outage.ts'
import { findBreaches } from '../db/queries/breach.ts'
import { findPlacements } from '../db/queries/placement.ts'
import { lockWatched, updateWatched } from '../db/queries/watch.ts'
import type { BreachTable } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import { POWER_MS } from './watch-heard.ts'
import { causeOfOutage, causeOfSilence } from './watch-cause.ts'
import type { Suspect } from './watch-open.ts'
import { changeBreach, openBreach, type Recording } from './watch-record.ts'
import { ruleOf } from './watch-settle.ts'

interface Area {
  /** The place above the facilities, or the one facility that has none above it. */
  readonly areaId: string
  /** Where the suspects stand. */
  readonly facilityIds: ReadonlySet<string>
  readonly suspects: readonly Suspect[]
  readonly ref: number
}

/** A device, and how an outage sees it. */
interface AreaUnit extends Unit {
  readonly device: AreaDevice
  readonly suspect: Suspect | undefined
}

/** A facility, and how an outage of its area sees it. */
interface Site extends Unit {
  readonly units: readonly AreaUnit[]
  readonly decision: OutageDecision<AreaUnit>
  readonly outage: BreachTable | undefined
}

/** More places than these under one roof are no area: a country whose facilities have no district. */
const SITES_MAX = 200
/** How long to wait for neighbours that do not answer either, beyond the limit: half of it, and no longer than this. */
const HOLD_MS_MAX = 2 * 3_600_000
const LOOK_AGAIN_MS = 30_000

/**
 * Decides what the devices of an area that are silent or without power are: failures of their own, the outage of a facility or of a gateway, or one
 * of the whole area; and writes it down so. What belongs together is written in one transaction, so that nobody is told of the parts.
 */
export async function decideArea(work: Recording, cache: Cache, area: Area): Promise<void> {
  const { areaId, facilityIds, ref } = area
  await lockArea(work.trx, areaId)
  await lockWatched(
    work.trx,
    area.suspects.map(({ row }) => row.deviceId),
  )
  const isRoof = !facilityIds.has(areaId) && (await countChildren(work.trx, areaId)) <= SITES_MAX
  const devices = await devicesOf(work, area, isRoof)
  const byId = new Map(area.suspects.map((one) => [one.row.deviceId, one]))
  const units = devices.map((device) => unitOf(device, byId.get(device.deviceId), ref))
  const ids = new Set([...facilityIds, ...devices.map(({ facilityId }) => facilityId)])
  const outages = await listOpenOutagesAt(work.trx, [...ids, areaId])
  const sites = sitesOf(units, outages)
  const above = isRoof ? outages.find((one) => one.facilityId === areaId && one.deviceId === null) : undefined
  const roof = isRoof ? decideOutage(sites, AREA_OUTAGE) : ({ kind: 'none' } as const)
  const opened: string[] = []
  for (const site of sites) {
    if (await waits(work, site, ref, above === undefined && roof.kind === 'wait')) continue
    const made = await writeSite(work, cache, site, units)
    if (made !== undefined) opened.push(made)
  }
  await writeRoof(work, areaId, above, roof, outages, opened)
}

async function devicesOf(
  { trx }: Recording,
  { areaId, facilityIds }: Area,
  isRoof: boolean,
): Promise<AreaDevice[]> {
  if (isRoof) return listAreaDevices(trx, areaId, 'children')
  const each = await Promise.all([...facilityIds].map((id) => listAreaDevices(trx, id, 'itself')))
  return each.flat()
}

/** Whether it is better to wait what becomes of the neighbours; the suspects are then looked at again soon. */
async function waits(work: Recording, site: Site, ref: number, isAreaUnclear: boolean): Promise<boolean> {
  const { decision, outage, units } = site
  const isUnclear = decision.kind === 'wait' || (decision.kind === 'outage' && isAreaUnclear)
  const fresh = units.filter(({ suspect }) => suspect?.isSilent)
  if (outage || !isUnclear || fresh.length === 0 || !fresh.every(isHeld)) return false
  for (const { id } of fresh) await updateWatched(work.trx, id, { dueAt: ref + LOOK_AGAIN_MS })
  return true
}

/** Of a suspect that somebody has heard or dealt with since it was looked at, nothing is said. */
function unitOf(device: AreaDevice, suspect: Suspect | undefined, ref: number): AreaUnit {
  const { deviceId: id, silentSince, powerLostAt, newestAt, arrivedAt, limitMs, checkBy } = device
  const isSame = suspect && suspect.row.arrivedAt === arrivedAt && device.dueAt !== null && checkBy === null
  const unit = { id, device, suspect: isSame && device.silenceId === null ? suspect : undefined }
  if (silentSince !== null) return { ...unit, state: 'down', since: silentSince }
  if (powerLostAt !== null && ref - powerLostAt >= POWER_MS)
    return { ...unit, state: 'down', since: powerLostAt }
  if (unit.suspect?.isSilent) return { ...unit, state: 'down', since: newestAt }
  return { ...unit, state: 2 * (ref - arrivedAt) > limitMs ? 'suspect' : 'up', since: newestAt }
}

function isHeld({ suspect, device }: AreaUnit): boolean {
  return (suspect?.heardMs ?? 0) < device.limitMs + Math.min(device.limitMs / 2, HOLD_MS_MAX)
}

function sitesOf(units: readonly AreaUnit[], outages: readonly BreachTable[]): Site[] {
  return [...Map.groupBy(units, ({ device }) => device.facilityId)].map(([id, here]) => {
    const outage = outages.find((one) => one.facilityId === id && one.deviceId === null)
    const decision = decideOutage(here, SITE_OUTAGE)
    const feared = here.map((unit) => (unit.state === 'suspect' ? { ...unit, state: 'down' as const } : unit))
    const isFeared = decideOutage(feared, SITE_OUTAGE).kind === 'outage'
    if (outage) return { id, units: here, decision, outage, state: 'down', since: outage.startAt }
    if (decision.kind === 'outage')
      return { id, units: here, decision, outage, state: 'down', since: decision.startAt }
    return { id, units: here, decision, outage, state: isFeared ? 'suspect' : 'up', since: 0 }
  })
}

/** @returns the outage of the site, when one was opened */
async function writeSite(
  work: Recording,
  cache: Cache,
  site: Site,
  all: readonly AreaUnit[],
): Promise<string | undefined> {
  const { units, decision, outage } = site
  const fresh = units.filter(({ suspect }) => suspect !== undefined)
  if (outage) {
    await writeMembers(work, cache, outage.id, fresh.filter(isDown), all)
    return undefined
  }
  if (decision.kind === 'outage') {
    // Without a fresh one it was decided before, and ended since.
    if (!decision.members.some(({ suspect }) => suspect !== undefined)) return undefined
    const startAt = decision.startAt
    const id = await openOutage(work, { deviceId: null, facilityId: site.id, startAt }, decision.members)
    const others = fresh.filter((unit) => isDown(unit) && !decision.members.includes(unit))
    await writeMembers(work, cache, id, [...decision.members, ...others], all)
    return id
  }
  for (const [gatewayId, alone] of Map.groupBy(fresh.filter(isDown), ({ device }) => device.gatewayId))
    await writeAlone(work, cache, gatewayId, alone, all)
  return undefined
}

function isDown({ state }: Unit): boolean {
  return state === 'down'
}

/** Those behind a gateway may be its outage, also across facilities; all others stand for themselves. */
async function writeAlone(
  work: Recording,
  cache: Cache,
  gatewayId: string | null,
  alone: readonly AreaUnit[],
  all: readonly AreaUnit[],
): Promise<void> {
  const decision = gatewayId === null ? undefined : decideGateway(gatewayId, all)
  let outageId: string | null = null
  if (gatewayId !== null && decision?.kind === 'outage') {
    const own = (await findPlacements(work.trx, [gatewayId])).get(gatewayId)
    const facilityId = own?.facilityId ?? alone[0]?.device.facilityId ?? null
    outageId = await openOutage(
      work,
      { deviceId: gatewayId, facilityId, startAt: decision.startAt },
      decision.members,
    )
    const already = decision.members.filter(({ device }) => device.silenceId !== null)
    await writeMembers(work, cache, outageId, already, all)
  }
  await writeMembers(work, cache, outageId, alone, all)
}

function decideGateway(gatewayId: string, all: readonly AreaUnit[]): OutageDecision<AreaUnit> {
  const behind = all.filter(({ device }) => device.gatewayId === gatewayId || device.deviceId === gatewayId)
  return decideOutage(behind, SITE_OUTAGE)
}

async function openOutage(
  work: Recording,
  at: Pick<BreachTable, 'deviceId' | 'facilityId' | 'startAt'>,
  members: readonly AreaUnit[],
): Promise<string> {
  const gateway = at.deviceId
  if (gateway !== null) {
    const key = { deviceId: gateway, sensor: ALL_SENSORS, ruleId: 'site-outage', startAt: at.startAt }
    const before = await findBreachByStart(work.trx, key)
    if (before) {
      await changeBreach(work, before, { state: 'open', endAt: null, lastAt: work.now, peak: members.length })
      return before.id
    }
  }
  const cause: Cause | null =
    gateway === null ? causeOfOutage(members.map(({ device }) => device)) : 'gateway'
  const said = { ...at, sensor: ALL_SENSORS, equipmentId: null, peak: members.length, cause }
  return openBreach(work, ruleOf('site-outage'), said)
}

/** Writes silences that are new, and makes them and those that were there parts of the outage, if there is one. */
async function writeMembers(
  work: Recording,
  cache: Cache,
  outageId: string | null,
  units: readonly AreaUnit[],
  all: readonly AreaUnit[],
): Promise<void> {
  const state = new Map(all.map((unit) => [unit.id, unit.state]))
  const isUp = (id: string) => state.get(id) === 'up'
  for (const { device, suspect } of units) {
    if (!suspect?.isSilent || device.silenceId !== null) continue
    const { deviceId, equipmentId, facilityId, newestAt: startAt } = device
    const neighbours = all.map((unit) => unit.device)
    const cause = await causeOfSilence(cache, device, suspect.latest, isUp, neighbours)
    const place = { deviceId, sensor: ALL_SENSORS, equipmentId, facilityId, startAt, outageId, cause }
    await openSilence(work, place)
    await updateWatched(work.trx, deviceId, { dueAt: null })
  }
  if (outageId === null) return
  await insertMembers(
    work.trx,
    outageId,
    units.map(({ id, since, suspect, device }) => ({
      deviceId: id,
      since,
      reason: suspect?.isSilent || device.silenceId !== null ? ('silent' as const) : ('power' as const),
    })),
  )
  const silent = units.map(({ device }) => device.silenceId).filter((id) => id !== null)
  const parts = await findBreaches(work.trx, silent, '')
  const dark = await listPowerBreaches(
    work.trx,
    units.map(({ id }) => id),
  )
  for (const { id } of [...parts, ...dark]) await joinOutage(work, id, outageId)
}

async function openSilence(work: Recording, said: Parameters<typeof openBreach>[2]): Promise<void> {
  const { deviceId, startAt } = said
  const key = { deviceId: deviceId ?? '', sensor: ALL_SENSORS, ruleId: 'silence', startAt }
  const before = await findBreachByStart(work.trx, key)
  const peak = (work.now - startAt) / 60_000
  if (before === undefined) await openBreach(work, ruleOf('silence'), { ...said, peak })
  // It was called silent here before, and something old came in between.
  else
    await changeBreach(work, before, {
      state: 'open',
      endAt: null,
      lastAt: work.now,
      peak,
      outageId: said.outageId ?? null,
    })
}

async function joinOutage(work: Recording, breachId: string, outageId: string): Promise<void> {
  const before = await work.trx.selectFrom('breach').selectAll().where('id', '=', breachId).executeTakeFirst()
  if (before && before.outageId === null) await changeBreach(work, before, { outageId })
}

async function writeRoof(
  work: Recording,
  areaId: string,
  above: BreachTable | undefined,
  roof: OutageDecision<Site>,
  outages: readonly BreachTable[],
  opened: readonly string[],
): Promise<void> {
  if (opened.length === 0) return
  let id = above?.id
  if (id === undefined) {
    if (roof.kind !== 'outage') return
    const place = { deviceId: null, facilityId: areaId, equipmentId: null, sensor: ALL_SENSORS }
    const devices = roof.members.flatMap(({ units }) => units.filter(isDown).map(({ device }) => device))
    const said = { ...place, startAt: roof.startAt, peak: devices.length, cause: causeOfOutage(devices) }
    id = await openBreach(work, ruleOf('site-outage'), said)
  }
  const there = outages.filter((one) => one.facilityId !== areaId).map((one) => one.id)
  const members = [...there, ...opened]
  for (const breachId of members) await joinOutage(work, breachId, id)
}
