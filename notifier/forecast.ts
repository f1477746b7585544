import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { listDeviceIdsOfEquipment } from '../db/queries/device.ts'
import { findPlacements } from '../db/queries/placement.ts'
import {
  deleteTimeToBreach,
  findTimeToBreach,
  keepTimeToBreach,
  listOutdated,
} from '../db/queries/time-to-breach.ts'
import type { TimeToBreachTable } from '../db/schema-numbers.ts'
import type { Db } from '../db/schema.ts'
import { limitsOf } from '../domain/exposure.ts'
import type { Reading, SensorKey } from '../domain/reading.ts'
import { LOOK_BACK_MS, momentsOf, soonestBreach, type TimeToBreach } from '../domain/time-to-breach.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Series } from '../ports/series.ts'

export interface ForecastSettings {
  /** Between two looks at the same equipment. */
  readonly forecastEveryMs: number
  /** After a reading, before its equipment is looked at: by then it is in the series store, and others of the same cut have come. */
  readonly forecastDelayMs: number
  /** Devices that wait to be looked at; beyond it they wait for their next reading. */
  readonly forecastsWaitingMax: number
  /** Equipment looked at again in one round because nothing was heard of it. */
  readonly forecastsAgainMax: number
}

export const FORECAST_DEFAULTS: ForecastSettings = {
  forecastEveryMs: 300_000,
  forecastDelayMs: 2000,
  forecastsWaitingMax: 10_000,
  forecastsAgainMax: 100,
}

/** A chamber this near to its limit is looked at, power or not. */
const NEAR_KELVIN = 2.5
/** Readings of one piece of equipment. */
const READINGS_MAX = 50_000
/** Devices whose limits are remembered, and equipment whose last look is. */
const REMEMBERED_MAX = 100_000
/** Devices that are placed with one question. */
const PLACED_AT_ONCE = 500
/** After every time. */
const NEVER = 8_640_000_000_000_000
/** News is what moves the moment by this part of the time left, and by this much. */
const NEWS_SHARE = 0.2
const NEWS_MS_MIN = 600_000

interface ForecastDeps {
  readonly db: Db
  readonly series: Series
  readonly cache: Cache
  readonly clock: Clock
  readonly log: Logger
  readonly settings: ForecastSettings
}

/** Keeps up to date when equipment will be at its limit: only of what warms or has no power, so that the work follows the trouble and not the fleet. */
export interface Forecast {
  /** Readings came. */
  note(readings: readonly Reading[]): void
  /** Resolves when what was begun is finished. */
  stop(): Promise<void>
}

interface Said {
  readonly celsius: number
  readonly isOut: boolean
}

interface State extends ForecastDeps {
  /** From which temperature on a device is looked at; null: never. */
  readonly near: Map<string, number | null>
  /** What devices said that are to be looked at, or placed first. */
  readonly waiting: Map<string, Said>
  readonly lookedAt: Map<string, number>
  readonly stopping: AbortController
}

export function startForecast(deps: ForecastDeps): Forecast {
  const { cache, log, settings } = deps
  const state: State = {
    ...deps,
    near: new Map(),
    waiting: new Map(),
    lookedAt: new Map(),
    stopping: new AbortController(),
  }
  const unsubscribe = cache.subscribe(
    'registry',
    ({ deviceId }) => void state.near.delete(deviceId),
    () => state.near.clear(),
  )
  const { signal } = state.stopping
  const running = (async () => {
    while (!signal.aborted) {
      await sleep(settings.forecastDelayMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted) return
      await round(state).catch((error: unknown) => log.warn({ err: error }, 'forecast: trying again'))
    }
  })()
  return {
    note: (readings) => note(state, readings),
    async stop() {
      state.stopping.abort()
      unsubscribe()
      await running
    },
  }
}

// For every reading that there is: it must cost next to nothing.
function note({ near, waiting, settings }: State, readings: readonly Reading[]): void {
  for (const { deviceId, values } of readings) {
    const from = near.get(deviceId)
    if (from === null) continue
    const { temperature: celsius = -Infinity, powerOn, powerGoodSeconds } = values
    const isOut = powerOn === 0 || powerGoodSeconds === 0
    if (!isOut && celsius <= (from ?? -Infinity)) continue
    if (waiting.size < settings.forecastsWaitingMax) waiting.set(deviceId, { celsius, isOut })
  }
}

async function round(state: State): Promise<void> {
  const { db, clock, settings, waiting, stopping } = state
  const now = clock.now()
  const equipmentIds = new Set<string>()
  while (waiting.size > 0 && !stopping.signal.aborted) {
    const some = [...waiting].slice(0, PLACED_AT_ONCE)
    for (const [deviceId] of some) waiting.delete(deviceId)
    await place(state, some, equipmentIds, now)
  }
  for (const id of await listOutdated(db, now - settings.forecastEveryMs, settings.forecastsAgainMax))
    equipmentIds.add(id)
  for (const equipmentId of equipmentIds) {
    if (stopping.signal.aborted) return
    if (now - (state.lookedAt.get(equipmentId) ?? -Infinity) < settings.forecastEveryMs) continue
    await look(state, equipmentId, now)
  }
}

async function place(
  { db, near }: State,
  devices: readonly (readonly [deviceId: string, said: Said])[],
  equipmentIds: Set<string>,
  now: number,
): Promise<void> {
  const placements = await findPlacements(
    db,
    devices.map(([deviceId]) => deviceId),
  )
  for (const [deviceId, { celsius, isOut }] of devices) {
    const { equipmentId = null, rules = [] } = placements.get(deviceId) ?? {}
    const { high } = limitsOf(rules, now)
    const from = high && equipmentId !== null ? high.threshold - NEAR_KELVIN : null
    if (near.size >= REMEMBERED_MAX) near.clear()
    near.set(deviceId, from)
    if (equipmentId !== null && from !== null && (isOut || celsius > from)) equipmentIds.add(equipmentId)
  }
}

async function look(state: State, equipmentId: string, now: number): Promise<void> {
  const { db, series, lookedAt } = state
  if (lookedAt.size >= REMEMBERED_MAX) lookedAt.clear()
  lookedAt.set(equipmentId, now)
  const deviceIds = await listDeviceIdsOfEquipment(db, equipmentId)
  const placements = [...(await findPlacements(db, deviceIds)).values()]
  const { high } = limitsOf(placements[0]?.rules ?? [], now)
  const readings = high ? await recentReadings(series, deviceIds, now) : []
  const found = soonestBreach(readings, high)
  const facilityId = placements[0]?.facilityId
  const row =
    high && found && facilityId ? rowOf(equipmentId, facilityId, found, high.threshold, now) : undefined
  await keep(state, equipmentId, row, now)
}

async function recentReadings(
  series: Series,
  deviceIds: readonly string[],
  now: number,
): Promise<readonly (readonly Reading[])[]> {
  const sensors: SensorKey[] = []
  for (const deviceId of deviceIds)
    for (const { sensor } of await series.latest(deviceId)) sensors.push({ deviceId, sensor })
  return (await series.readTails(sensors, now - LOOK_BACK_MS, READINGS_MAX)) ?? []
}

function rowOf(
  equipmentId: string,
  facilityId: string,
  found: SensorKey & TimeToBreach,
  limitCelsius: number,
  now: number,
): TimeToBreachTable | undefined {
  const { deviceId, sensor, state, asOf, celsius, powerOutSince } = found
  if (asOf === null || celsius === null) return undefined
  if (powerOutSince === null && state !== 'warming' && state !== 'beyond') return undefined
  const times = momentsOf(found)
  const urgentAt = state === 'beyond' ? 0 : (times.medianAt ?? NEVER)
  const facts = { equipmentId, facilityId, deviceId, sensor, state, powerOutSince, asOf, celsius }
  return { ...facts, ...times, limitCelsius, urgentAt, updatedAt: now }
}

async function keep(
  { db, cache }: State,
  equipmentId: string,
  row: TimeToBreachTable | undefined,
  now: number,
): Promise<void> {
  const before = await findTimeToBreach(db, equipmentId)
  if (row) await keepTimeToBreach(db, row)
  else if (before) await deleteTimeToBreach(db, equipmentId)
  const facilityId = row?.facilityId ?? before?.facilityId
  if (facilityId !== undefined && isNews(before, row, now))
    cache.publish('timesToBreach', { equipmentId, facilityId })
}

/** Whether somebody would want to know. */
function isNews(
  before: TimeToBreachTable | undefined,
  row: TimeToBreachTable | undefined,
  now: number,
): boolean {
  if (before === undefined || row === undefined) return before !== row
  if (before.state !== row.state || before.basis !== row.basis) return true
  if ((before.powerOutSince === null) !== (row.powerOutSince === null)) return true
  if (before.medianAt === null || row.medianAt === null) return before.medianAt !== row.medianAt
  const moved = Math.abs(row.medianAt - before.medianAt)
  return moved > Math.max(NEWS_MS_MIN, NEWS_SHARE * (row.medianAt - now))
}
