import { Type } from 'typebox'
import { listReceivedOrders, listRequestedLines } from '../../db/queries/report-orders.ts'
import { periodAt, periodsOf } from '../../domain/calendar.ts'
import { round, shareOf } from '../../domain/consumption.ts'
import { leadTimeOf } from '../../domain/lead-time.ts'
import { nullable } from '../schemas.ts'
import { parameters } from './ask.ts'
import { spanOf } from './quality.ts'
import { batchesOf, columns, defineReport, facilityCells, groupBy, placeCells, sum } from './report.ts'

export const fillRate = defineReport({
  name: 'order-fill-rate',
  operationId: 'reportOrderFillRate',
  summary: 'How much of what facilities requested they got',
  description:
    'Requests by the day of their submission; cancelled ones are left out, rejected ones got nothing.',
  query: { ...parameters.item, ...parameters.period, ...parameters.by },
  row: {
    ...columns.place,
    ...columns.period,
    orders: Type.Integer(),
    ordered: Type.Integer(),
    approved: Type.Integer(),
    shipped: Type.Integer(),
    accepted: Type.Integer({ description: 'Arrived, and was taken.' }),
    fillRate: nullable(Type.Number({ description: 'accepted / ordered.' })),
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const periods = periodsOf(batch.timeZone, asked.range, asked.by)
      const lines = await listRequestedLines(asked.db, batch, spanOf(periods))
      const dated = lines.map((line) => ({
        ...line,
        period: periodAt(periods, line.submittedAt)?.name ?? '',
      }))
      for (const of of groupBy(dated, 'facilityId', 'itemId', 'period')) {
        const [first] = of
        if (!first) continue
        const ordered = sum(of, (line) => line.ordered)
        const accepted = sum(of, (line) => line.accepted)
        yield {
          ...placeCells(asked, batch, first),
          period: first.period,
          orders: new Set(of.map(({ orderId }) => orderId)).size,
          ordered,
          approved: sum(of, (line) => line.approved ?? 0),
          shipped: sum(of, (line) => line.shipped),
          accepted,
          fillRate: shareOf(accepted, ordered),
        }
      }
    }
  },
})

const Days = Type.Number()

export const leadTime = defineReport({
  name: 'lead-time',
  operationId: 'reportLeadTime',
  summary: 'Days from the submission of a request to the arrival of all of it',
  description: 'Requests by the day of their submission; those that are still under way are left out.',
  query: { ...parameters.period, ...parameters.by },
  row: {
    ...columns.facility,
    ...columns.period,
    orders: Type.Integer(),
    meanDays: Days,
    medianDays: Days,
    longestDays: Days,
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const periods = periodsOf(batch.timeZone, asked.range, asked.by)
      const orders = await listReceivedOrders(asked.db, batch.facilityIds, spanOf(periods))
      const dated = orders.map((order) => ({
        ...order,
        period: periodAt(periods, order.submittedAt)?.name ?? '',
      }))
      for (const of of groupBy(dated, 'facilityId', 'period')) {
        const [first] = of
        if (!first) continue
        const { mean, median, longest } = leadTimeOf(of)
        yield {
          ...facilityCells(batch, first.facilityId),
          period: first.period,
          orders: of.length,
          meanDays: round(mean, 2),
          medianDays: round(median, 2),
          longestDays: round(longest, 2),
        }
      }
    }
  },
})
