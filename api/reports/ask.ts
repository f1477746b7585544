import { Type } from 'typebox'
import { findFacility } from '../../db/queries/facility.ts'
import { listReportItems } from '../../db/queries/report.ts'
import type { Db } from '../../db/schema.ts'
import { addDays, dayIn, daysBetween, isDate, type DateRange, type Unit } from '../../domain/calendar.ts'
import { CodedError } from '../../domain/errors.ts'
import { found, pathOf, type Caller } from '../caller.ts'
import { Id } from '../schemas.ts'
import type { Asked, ReportQuery } from './report.ts'

const DAYS_DEFAULT = 30
/** Three years. */
const DAYS_MAX = 1100
/** Of a report with a row for each day. */
const DAYS_MAX_BY_DAY = 366

export const Day = (description: string) =>
  Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description }))

/** The parameters that reports have in common, to be taken where they mean something. */
export const parameters = {
  item: { itemId: Type.Optional(Id) },
  period: {
    from: Day('First day, in the time zone of each facility. Left out: thirty days until `to`.'),
    to: Day('Last day. Left out: today, in the time zone of the place that is asked about.'),
  },
  by: {
    by: Type.Optional(
      Type.Enum(['day', 'month'], { description: 'A row for each; left out, one for the whole period.' }),
    ),
  },
  activity: { activityCode: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) },
}

/**
 * What a report is to cover.
 * @throws CodedError `resource.notFound` for what is not there or not the caller's, `request.invalid` for a period that cannot be
 */
export async function askedOf(db: Db, caller: Caller, query: ReportQuery, nowMs: number): Promise<Asked> {
  const path = (await pathOf(db, caller, query.facilityId)) ?? caller.scope
  const items = await listReportItems(db, query.itemId)
  if (query.itemId !== undefined) found(items[0])
  return {
    db,
    path,
    items: new Map(items.map((item) => [item.id, item])),
    range: rangeOf(query, dayIn(await zoneOf(db, path), nowMs)),
    by: query.by,
    activityCode: query.activityCode,
    nowMs,
    query,
  }
}

/** Of the place that a path leads to. The whole programme has none of its own. */
async function zoneOf(db: Db, path: string): Promise<string> {
  const id = path.split('/').findLast((part) => part !== '')
  const place = id === undefined ? undefined : await findFacility(db, id, '')
  return place?.timeZone ?? 'UTC'
}

/** @throws CodedError `request.invalid` for days that do not exist, or too many */
export function rangeOf(
  query: {
    readonly from?: string | undefined
    readonly to?: string | undefined
    readonly by?: Unit | undefined
  },
  today: string,
): DateRange {
  const to = query.to ?? today
  if (!isDate(to)) throw new CodedError('request.invalid', 'to is not a day of the calendar.')
  const from = query.from ?? addDays(to, 1 - DAYS_DEFAULT)
  if (!isDate(from)) throw new CodedError('request.invalid', 'from is not a day of the calendar.')
  const days = daysBetween(from, to) + 1
  const daysMax = query.by === 'day' ? DAYS_MAX_BY_DAY : DAYS_MAX
  if (days < 1 || days > daysMax)
    throw new CodedError('request.invalid', `A period has 1 to ${daysMax} days, from its first to its last.`)
  return { from, to }
}
