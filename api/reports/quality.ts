import { Type } from 'typebox'
import { listActiveQuarters, listCounts, listKeeping } from '../../db/queries/report.ts'
import { periodAt, periodsOf, type Period } from '../../domain/calendar.ts'
import { shareOf } from '../../domain/consumption.ts'
import { nullable } from '../schemas.ts'
import { parameters } from './ask.ts'
import {
  batchesOf,
  columns,
  defineReport,
  groupBy,
  placeCells,
  sum,
  type Asked,
  type Batch,
} from './report.ts'

export const discrepancies = defineReport({
  name: 'discrepancies',
  operationId: 'reportDiscrepancies',
  summary: 'What counts found against what the ledger expected',
  description: 'Counts that were reversed are left out.',
  query: { ...parameters.item, ...parameters.period, ...parameters.by },
  row: {
    ...columns.place,
    ...columns.period,
    lines: Type.Integer({ description: 'Lines of counts.' }),
    expected: Type.Integer(),
    counted: Type.Integer(),
    difference: Type.Integer({ description: 'counted - expected.' }),
    rate: nullable(Type.Number({ description: 'difference / expected.' })),
    absolute: Type.Integer({
      description: 'Sum of the differences without their signs: missing and found do not cancel out.',
    }),
    absoluteRate: nullable(Type.Number({ description: 'absolute / expected.' })),
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const periods = periodsOf(batch.timeZone, asked.range, asked.by)
      const counts = await listCounts(asked.db, batch, spanOf(periods))
      const dated = counts.map((count) => ({
        ...count,
        period: periodAt(periods, count.occurredAt)?.name ?? '',
      }))
      for (const of of groupBy(dated, 'facilityId', 'itemId', 'period')) {
        const [first] = of
        if (!first) continue
        const expected = sum(of, (count) => count.expected)
        const difference = sum(of, (count) => count.difference)
        const absolute = sum(of, (count) => Math.abs(count.difference))
        yield {
          ...placeCells(asked, batch, first),
          period: first.period,
          lines: of.length,
          expected,
          counted: expected + difference,
          difference,
          rate: shareOf(difference, expected),
          absolute,
          absoluteRate: shareOf(absolute, expected),
        }
      }
    }
  },
})

export const reportingCompleteness = defineReport({
  name: 'reporting-completeness',
  operationId: 'reportReportingCompleteness',
  summary: 'The share of facilities that recorded something of each period',
  description:
    'Of the facilities with a storage point, those with a stock event that occurred in the period. A facility counts from the period in which it was made, or has an event.',
  query: { ...parameters.period, ...parameters.by },
  row: {
    ...columns.period,
    facilities: Type.Integer({ description: 'That should have recorded something.' }),
    reporting: Type.Integer(),
    share: nullable(Type.Number()),
  },
  async *rows(asked) {
    const totals = new Map<string, { facilities: number; reporting: number }>()
    for await (const batch of batchesOf(asked))
      for (const { period, isReporting } of await reportsOf(asked, batch)) {
        const total = totals.get(period) ?? { facilities: 0, reporting: 0 }
        total.facilities += 1
        total.reporting += isReporting ? 1 : 0
        totals.set(period, total)
      }
    for (const [period, { facilities, reporting }] of totals)
      yield { period, facilities, reporting, share: shareOf(reporting, facilities) }
  },
})

async function reportsOf({ db, range, by }: Asked, batch: Batch) {
  const periods = periodsOf(batch.timeZone, range, by)
  const keeping = await listKeeping(db, batch.facilityIds)
  const active = await listActiveQuarters(db, batch.facilityIds, spanOf(periods))
  const reported = new Set(
    active.map(({ facilityId, atMs }) => `${facilityId} ${periodAt(periods, atMs)?.name}`),
  )
  return [...batch.facilities.values()]
    .filter(({ id }) => keeping.has(id))
    .flatMap(({ id, createdAt }) =>
      periods
        .map(({ name, endMs }) => ({ period: name, endMs, isReporting: reported.has(`${id} ${name}`) }))
        .filter(({ isReporting, endMs }) => isReporting || createdAt < endMs),
    )
}

export function spanOf(periods: readonly Period[]) {
  return { fromMs: periods[0]?.startMs ?? 0, toMs: periods.at(-1)?.endMs ?? 0 }
}
