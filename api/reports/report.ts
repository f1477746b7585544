import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { listFacilities } from '../../db/queries/facility.ts'
import type { Places } from '../../db/queries/report.ts'
import type { ItemTable } from '../../db/schema-stock.ts'
import type { Db, FacilityTable } from '../../db/schema.ts'
import type { Cell } from '../../domain/csv.ts'
import type { DateRange, Unit } from '../../domain/calendar.ts'
import type { Severity } from '../../domain/rule.ts'
import type { OperationId } from '../../domain/permissions.ts'
import { Id, nullable } from '../schemas.ts'

/** Of so many facilities the facts are in memory at a time, whatever the size of the report. */
const FACILITIES_PER_BATCH = 20

/** What a caller may ask of every report; some parameters mean nothing to some reports, and those do not take them. */
export interface ReportQuery {
  readonly facilityId?: string
  readonly itemId?: string
  readonly from?: string
  readonly to?: string
  readonly by?: Unit
  readonly activityCode?: string
  readonly format?: 'json' | 'csv'
  readonly limit?: number
  readonly days?: number
  readonly targetShare?: number
  readonly dosesPerPerson?: number
  readonly coverage?: number
  readonly wastageRate?: number
  readonly per?: 'facility' | 'total' | 'person'
  readonly severity?: Severity
}

/** A report that is asked for: what it covers, checked. */
export interface Asked {
  readonly db: Db
  /** Path of the part of the tree that it covers. */
  readonly path: string
  /** In the order of their codes. */
  readonly items: ReadonlyMap<string, ItemTable>
  readonly range: DateRange
  readonly by: Unit | undefined
  readonly activityCode: string | undefined
  readonly nowMs: number
  readonly query: ReportQuery
}

export interface Report {
  /** In its address. */
  readonly name: string
  readonly operationId: OperationId
  readonly summary: string
  readonly description: string
  /** What it takes besides `facilityId` and `format`. */
  readonly query: TProperties
  readonly row: TObject
  readonly rows: (asked: Asked) => AsyncIterable<Readonly<Record<string, Cell>>>
}

/** A report whose rows are what its schema says. */
export function defineReport<S extends TProperties>(
  report: Omit<Report, 'row' | 'rows'> & {
    readonly row: S
    readonly rows: (asked: Asked) => AsyncIterable<Static<TObject<S>>>
  },
): Report {
  return { ...report, row: Type.Object(report.row), rows: report.rows as Report['rows'] }
}

/** Facilities of one time zone, with their ids and the items as the queries want them. */
export interface Batch extends Places {
  readonly timeZone: string
  readonly facilities: ReadonlyMap<string, FacilityTable>
}

/** The facilities of a report, some at a time, in the order of their making. */
export async function* batchesOf({ db, path, items }: Asked): AsyncGenerator<Batch> {
  const itemIds = [...items.keys()]
  const every = { scope: path, under: undefined, equal: {}, search: undefined }
  let after: string | undefined
  for (;;) {
    const query = { ...every, after, limit: FACILITIES_PER_BATCH }
    const facilities = await listFacilities(db, query)
    for (const [timeZone, of] of Map.groupBy(facilities, (facility) => facility.timeZone)) {
      const byId = new Map(of.map((facility) => [facility.id, facility]))
      yield { timeZone, facilities: byId, facilityIds: [...byId.keys()], itemIds }
    }
    if (facilities.length < FACILITIES_PER_BATCH) return
    after = facilities.at(-1)?.id
  }
}

const facilityColumns = {
  facilityId: Id,
  facilityCode: nullable(Type.String()),
  facilityName: Type.String(),
}
const itemColumns = { itemId: Id, itemCode: Type.String(), itemName: Type.String() }

export const columns = {
  facility: facilityColumns,
  place: { ...facilityColumns, ...itemColumns },
  period: { period: Type.String({ description: 'A day, a month, or `from/to`.' }) },
}

export function facilityCells({ facilities }: Batch, facilityId: string) {
  const facility = facilities.get(facilityId)
  return { facilityId, facilityCode: facility?.code ?? null, facilityName: facility?.name ?? '' }
}

/** The cells that say what a row is about. */
export function placeCells(
  { items }: Asked,
  batch: Batch,
  { facilityId, itemId }: { readonly facilityId: string; readonly itemId: string },
) {
  const item = items.get(itemId)
  return {
    ...facilityCells(batch, facilityId),
    itemId,
    itemCode: item?.code ?? '',
    itemName: item?.name ?? '',
  }
}

/** Rows with the same values of these keys together, in the order of the first of each. */
export function groupBy<R, K extends keyof R>(rows: readonly R[], ...keys: readonly K[]): R[][] {
  return [...Map.groupBy(rows, (row) => JSON.stringify(keys.map((key) => row[key]))).values()]
}

export function sum<R>(rows: readonly R[], of: (row: R) => number): number {
  return rows.reduce((total, row) => total + of(row), 0)
}
