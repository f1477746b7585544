import { Type } from 'typebox'
import {
  listAlarms,
  listPlacedDevices,
  listPlacedEquipment,
  listSilences,
  watchesSilence,
  type Alarm,
  type Placed,
} from '../../db/queries/report-alarms.ts'
import { periodAt, periodsOf, type Period } from '../../domain/calendar.ts'
import { shareOf } from '../../domain/consumption.ts'
import { CodedError } from '../../domain/errors.ts'
import { quantile } from '../../domain/quantile.ts'
import type { Severity } from '../../domain/rule.ts'
import { minutes } from '../exposure.ts'
import { Id, nullable } from '../schemas.ts'
import { parameters } from './ask.ts'
import { spanOf } from './quality.ts'
import { batchesOf, columns, defineReport, facilityCells, type Asked, type Batch } from './report.ts'

/** 365.25 / 12 days. */
const MONTH_MS = 30.4375 * 86_400_000
/** Of one row: their times are in memory until its medians are known. */
const ALARMS_MAX = 200_000
const SEVERITIES: readonly Severity[] = ['critical', 'warning']

const Minutes = (description: string) => nullable(Type.Number({ description }))

export const alarms = defineReport({
  name: 'alarms',
  operationId: 'reportAlarms',
  summary: 'How many alarms there were, and how long it took until somebody acted',
  description:
    'Breaches by the day on which they began; withdrawn ones are left out. With `per=facility` (the default) a row for each facility with equipment, with `per=total` one for all of them, with `per=person` one for each person who acknowledged. Times to acknowledge count from when the breach was found, times to resolve from its first violating reading to the first one back in range.',
  query: {
    ...parameters.period,
    ...parameters.by,
    per: Type.Optional(Type.Enum(['facility', 'total', 'person'])),
    severity: Type.Optional(Type.Enum([...SEVERITIES])),
  },
  row: {
    facilityId: nullable(Id),
    facilityCode: nullable(Type.String()),
    facilityName: nullable(Type.String()),
    userId: nullable(Type.String()),
    userName: nullable(Type.String()),
    ...columns.period,
    severity: Type.Enum([...SEVERITIES]),
    alarms: Type.Integer(),
    open: Type.Integer({ description: 'Not over yet.' }),
    acknowledged: Type.Integer(),
    resolved: Type.Integer({ description: 'Back in range.' }),
    acknowledgeMedianMinutes: Minutes('Of those that were acknowledged.'),
    acknowledgeP90Minutes: Minutes('Nine of ten took no longer.'),
    resolveMedianMinutes: Minutes('Of those that are back in range.'),
    resolveP90Minutes: Minutes('Nine of ten took no longer.'),
    equipmentMonths: nullable(
      Type.Number({ description: 'Pieces of equipment, times months that are over.' }),
    ),
    alarmsPer100Months: nullable(Type.Number({ description: '100 alarms / equipmentMonths.' })),
    reportingShare: nullable(
      Type.Number({ description: 'Of the time of all devices, the part without a silence that was found.' }),
    ),
  },
  async *rows(asked) {
    const per = asked.query.per ?? 'facility'
    const all: Groups = new Map()
    for await (const batch of batchesOf(asked)) {
      const groups: Groups = per === 'facility' ? new Map() : all
      await gather(asked, batch, per, groups)
      if (per === 'facility') for (const group of groups.values()) yield rowOf(group)
    }
    for (const group of all.values()) yield rowOf(group)
  },
})

type Per = 'facility' | 'total' | 'person'

/** Where, or by whom, and when. */
interface Key {
  readonly facilityId: string | null
  readonly facilityCode: string | null
  readonly facilityName: string | null
  readonly userId: string | null
  readonly userName: string | null
  readonly period: string
  readonly severity: Severity
}

interface Group extends Key {
  alarms: number
  open: number
  readonly acknowledgedMs: number[]
  readonly resolvedMs: number[]
  /** Null where it makes no sense: a person has no equipment. */
  equipmentMs: number | null
  deviceMs: number
  /** Null: nobody watches for silence. */
  silentMs: number | null
}

type Groups = Map<string, Group>

async function gather(asked: Asked, batch: Batch, per: Per, groups: Groups): Promise<void> {
  const { db, query } = asked
  const periods = periodsOf(batch.timeZone, asked.range, asked.by)
  const span = spanOf(periods)
  if (per !== 'person') await gatherTimes(asked, batch, periods, per, groups)
  const found = await listAlarms(db, batch.facilityIds, span, query.severity, ALARMS_MAX + 1)
  for (const alarm of found) {
    if (per === 'person' && alarm.userId === null) continue
    const { name = '' } = periodAt(periods, alarm.startAt) ?? {}
    take(groupOf(groups, keyOf(batch, per, alarm.facilityId, name, alarm.severity, alarm), per), alarm)
  }
  const most = Math.max(0, ...groups.values().map(({ alarms: count }) => count))
  if (most > ALARMS_MAX)
    throw new CodedError('request.invalid', 'Too many alarms for one row: ask for a shorter period.')
}

function keyOf(
  batch: Batch,
  per: Per,
  facilityId: string,
  period: string,
  severity: Severity,
  person: Pick<Alarm, 'userId' | 'userName'> | undefined,
): Key {
  const key = { ...NOWHERE, period, severity }
  if (per === 'facility') return { ...key, ...facilityCells(batch, facilityId) }
  return per === 'person' && person ? { ...key, userId: person.userId, userName: person.userName } : key
}

const NOWHERE = { facilityId: null, facilityCode: null, facilityName: null, userId: null, userName: null }

function groupOf(groups: Groups, key: Key, per: Per): Group {
  const name = `${key.facilityId} ${key.userId} ${key.period} ${key.severity}`
  const known = groups.get(name)
  if (known) return known
  const group: Group = {
    ...key,
    alarms: 0,
    open: 0,
    acknowledgedMs: [],
    resolvedMs: [],
    equipmentMs: per === 'person' ? null : 0,
    deviceMs: 0,
    silentMs: null,
  }
  groups.set(name, group)
  return group
}

function take(group: Group, { state, startAt, endAt, recordedAt, acknowledgedAt }: Alarm): void {
  group.alarms += 1
  if (state === 'open') group.open += 1
  if (acknowledgedAt !== null) group.acknowledgedMs.push(Math.max(0, acknowledgedAt - recordedAt))
  if (endAt !== null) group.resolvedMs.push(endAt - startAt)
}

/** For how long there was equipment, and for how long its devices were silent; so that a row is there where all went well, too. */
async function gatherTimes(
  { db, nowMs, query }: Asked,
  batch: Batch,
  periods: readonly Period[],
  per: Per,
  groups: Groups,
): Promise<void> {
  const span = spanOf(periods)
  const equipment = await listPlacedEquipment(db, batch.facilityIds)
  const devices = await listPlacedDevices(db, batch.facilityIds)
  const isWatched = await watchesSilence(db)
  const silences = isWatched ? await listSilences(db, batch.facilityIds, span) : []
  for (const facilityId of new Set(equipment.map((one) => one.facilityId)))
    for (const period of periods)
      for (const severity of query.severity === undefined ? SEVERITIES : [query.severity]) {
        const group = groupOf(groups, keyOf(batch, per, facilityId, period.name, severity, undefined), per)
        const here = { ...period, endMs: Math.min(period.endMs, nowMs) }
        const since = (all: readonly Placed[]) =>
          sumOverlaps(
            here,
            all
              .filter((one) => one.facilityId === facilityId)
              .map(({ createdAt }) => ({ startAt: createdAt, endAt: null })),
          )
        group.equipmentMs = (group.equipmentMs ?? 0) + since(equipment)
        group.deviceMs += since(devices)
        const silent = silences.filter((one) => one.facilityId === facilityId)
        if (isWatched) group.silentMs = (group.silentMs ?? 0) + sumOverlaps(here, silent)
      }
}

function sumOverlaps(
  { startMs, endMs }: Pick<Period, 'startMs' | 'endMs'>,
  spans: readonly { readonly startAt: number; readonly endAt: number | null }[],
): number {
  const overlaps = spans.map(
    ({ startAt, endAt }) => Math.min(endAt ?? endMs, endMs) - Math.max(startAt, startMs),
  )
  return overlaps.reduce((sum, overlap) => sum + Math.max(0, overlap), 0)
}

function rowOf({ acknowledgedMs, resolvedMs, equipmentMs, deviceMs, silentMs, ...group }: Group) {
  const acknowledge = acknowledgedMs.toSorted((a, b) => a - b)
  const resolve = resolvedMs.toSorted((a, b) => a - b)
  const months = equipmentMs === null ? null : Math.round((equipmentMs / MONTH_MS) * 100) / 100
  return {
    ...group,
    acknowledged: acknowledge.length,
    resolved: resolve.length,
    acknowledgeMedianMinutes: minutesOrNull(quantile(acknowledge, 0.5)),
    acknowledgeP90Minutes: minutesOrNull(quantile(acknowledge, 0.9)),
    resolveMedianMinutes: minutesOrNull(quantile(resolve, 0.5)),
    resolveP90Minutes: minutesOrNull(quantile(resolve, 0.9)),
    equipmentMonths: months,
    alarmsPer100Months: equipmentMs
      ? Math.round((100 * group.alarms * MONTH_MS * 100) / equipmentMs) / 100
      : null,
    // Two devices of which one is silent report half of the time.
    reportingShare: silentMs === null ? null : shareOf(Math.max(0, deviceMs - silentMs), deviceMs),
  }
}

function minutesOrNull(ms: number | null): number | null {
  return ms === null ? null : minutes(ms)
}
