import type { OperationId as Permission } from '../../../domain/permissions.ts'
import type { OperationId } from '../../api.ts'
import type { reportMessages } from './messages.ts'

/** What a report can be narrowed by besides the place. */
type Filter = 'period' | 'by' | 'item' | 'activity' | 'horizon'

export type ColumnName = keyof typeof reportMessages.en.columns
type Kind = 'text' | 'number' | 'share' | 'day' | 'word'

interface Report {
  readonly operation: OperationId & Permission
  readonly takes: readonly Filter[]
  /** In their order; ids and codes are in the file only. */
  readonly columns: readonly ColumnName[]
  readonly chart?: ChartOf
}

/** One bar for each period, or for each item: a sum, or a share of another. Rows of one cause are part of those of all. */
interface ChartOf {
  readonly by: 'period' | 'itemName'
  readonly sum: readonly string[]
  readonly per?: string
}

const PLACE = ['facilityName', 'itemName'] as const

export const REPORTS = {
  'stock-on-hand': {
    operation: 'reportStockOnHand',
    takes: ['item'],
    columns: [...PLACE, 'onHand', 'held', 'allocated', 'usable', 'inTransit'],
    chart: { by: 'itemName', sum: ['usable'] },
  },
  'stock-outs': {
    operation: 'reportStockOuts',
    takes: ['item', 'period', 'by'],
    columns: [...PLACE, 'period', 'days', 'stockOutDays', 'share', 'firstDay', 'lastDay'],
    chart: { by: 'period', sum: ['stockOutDays'] },
  },
  coverage: {
    operation: 'reportCoverage',
    takes: ['item', 'period'],
    columns: [...PLACE, 'usable', 'consumed', 'perDay', 'days', 'months'],
  },
  consumption: {
    operation: 'reportConsumption',
    takes: ['item', 'period', 'by', 'activity'],
    columns: [...PLACE, 'activityCode', 'period', 'administered', 'issued', 'openVialWasted'],
    chart: { by: 'period', sum: ['administered', 'issued'] },
  },
  wastage: {
    operation: 'reportWastage',
    takes: ['item', 'period', 'by', 'activity'],
    columns: [...PLACE, 'period', 'vial', 'cause', 'wasted', 'of', 'rate'],
    chart: { by: 'period', sum: ['wasted'] },
  },
  'expiry-risk': {
    operation: 'reportExpiryRisk',
    takes: ['item', 'period'],
    columns: [...PLACE, 'lotCode', 'expiresOn', 'onHand', 'perDay', 'dosesAtRisk'],
    chart: { by: 'itemName', sum: ['dosesAtRisk'] },
  },
  discrepancies: {
    operation: 'reportDiscrepancies',
    takes: ['item', 'period', 'by'],
    columns: [...PLACE, 'period', 'lines', 'expected', 'counted', 'difference', 'rate', 'absoluteRate'],
    chart: { by: 'period', sum: ['absolute'], per: 'expected' },
  },
  'order-fill-rate': {
    operation: 'reportOrderFillRate',
    takes: ['item', 'period', 'by'],
    columns: [...PLACE, 'period', 'orders', 'ordered', 'approved', 'shipped', 'accepted', 'fillRate'],
    chart: { by: 'period', sum: ['accepted'], per: 'ordered' },
  },
  'lead-time': {
    operation: 'reportLeadTime',
    takes: ['period', 'by'],
    columns: ['facilityName', 'period', 'orders', 'meanDays', 'medianDays', 'longestDays'],
  },
  forecast: {
    operation: 'reportForecast',
    takes: ['item', 'period', 'horizon'],
    columns: [...PLACE, 'need', 'usable', 'inTransit', 'shortfall'],
    chart: { by: 'itemName', sum: ['shortfall'] },
  },
  'reporting-completeness': {
    operation: 'reportReportingCompleteness',
    takes: ['period', 'by'],
    columns: ['period', 'facilities', 'reporting', 'share'],
    chart: { by: 'period', sum: ['reporting'], per: 'facilities' },
  },
  alarms: {
    operation: 'reportAlarms',
    takes: ['period', 'by'],
    columns: [
      'facilityName',
      'period',
      'severity',
      'alarms',
      'open',
      'acknowledgeMedianMinutes',
      'resolveMedianMinutes',
      'alarmsPer100Months',
      'reportingShare',
    ],
    chart: { by: 'period', sum: ['alarms'] },
  },
} as const satisfies Record<string, Report>

export type ReportName = keyof typeof REPORTS
export const REPORT_NAMES = Object.keys(REPORTS) as ReportName[]

export function reportOf(name: ReportName): Report {
  return REPORTS[name]
}

export type Row = Readonly<Partial<Record<string, string | number | null>>>

const TEXTS: ReadonlySet<ColumnName> = new Set([
  'facilityName',
  'itemName',
  'activityCode',
  'lotCode',
  'cause',
])
const SHARES: ReadonlySet<ColumnName> = new Set([
  'share',
  'rate',
  'absoluteRate',
  'fillRate',
  'reportingShare',
])
const DAYS: ReadonlySet<ColumnName> = new Set(['period', 'firstDay', 'lastDay', 'expiresOn'])
const WORDS: ReadonlySet<ColumnName> = new Set(['vial', 'severity'])

/** How the cells of a column are written. */
export function kindOf(column: ColumnName): Kind {
  if (TEXTS.has(column)) return 'text'
  if (SHARES.has(column)) return 'share'
  if (DAYS.has(column)) return 'day'
  return WORDS.has(column) ? 'word' : 'number'
}

export interface Bar {
  readonly label: string
  readonly value: number
}

/** The bars of a report; of those that would be too many to read, none. */
export function barsOf({ chart }: Report, rows: readonly Row[], barsMax: number): Bar[] {
  if (!chart) return []
  const whole = rows.filter((row) => row['cause'] == null)
  const groups = Map.groupBy(whole, (row) => String(row[chart.by] ?? ''))
  if (groups.size < 2 || groups.size > barsMax) return []
  const total = (of: readonly Row[], column: string) =>
    of.reduce((sum, row) => sum + Number(row[column] ?? 0), 0)
  const bars = [...groups].map(([label, of]) => {
    const sum = chart.sum.reduce((all, column) => all + total(of, column), 0)
    const per = chart.per === undefined ? 1 : total(of, chart.per)
    return { label, value: per === 0 ? 0 : sum / per }
  })
  return chart.by === 'period' ? bars.toSorted((a, b) => a.label.localeCompare(b.label)) : bars
}
