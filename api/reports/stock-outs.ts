import { Type } from 'typebox'
import { listKept, sumChanges, type Change } from '../../db/queries/report.ts'
import { periodAt, periodsOf } from '../../domain/calendar.ts'
import { shareOf } from '../../domain/consumption.ts'
import { judgeDays, type JudgedDay, type StockHistory } from '../../domain/stock-out.ts'
import { nullable } from '../schemas.ts'
import { parameters } from './ask.ts'
import { batchesOf, columns, defineReport, groupBy, placeCells, sum } from './report.ts'

export const stockOuts = defineReport({
  name: 'stock-outs',
  operationId: 'reportStockOuts',
  summary: 'Calendar days that ended with nothing on hand',
  description:
    'In event time and in the time zone of the facility: a late event and a reversal count where what they tell of happened. Days count from the first on which the facility had the item to the last that is over. Rows without a stock-out are there too.',
  query: { ...parameters.item, ...parameters.period, ...parameters.by },
  row: {
    ...columns.place,
    ...columns.period,
    days: Type.Integer({ description: 'On which the facility kept the item.' }),
    stockOutDays: Type.Integer(),
    share: nullable(Type.Number({ description: 'stockOutDays / days.' })),
    firstDay: nullable(Type.String({ description: 'Of the stock-outs in the period.' })),
    lastDay: nullable(Type.String()),
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const days = periodsOf(batch.timeZone, asked.range, 'day')
      const periods = periodsOf(batch.timeZone, asked.range, asked.by)
      const fromMs = days[0]?.startMs ?? 0
      const changes = await sumChanges(asked.db, batch, fromMs)
      const kept = await listKept(asked.db, batch, fromMs)
      const wasKept = new Set(kept.map(({ facilityId, itemId }) => `${facilityId} ${itemId}`))
      for (const of of groupBy(changes, 'facilityId', 'itemId').toSorted(byFacility)) {
        const [place] = of
        if (!place) continue
        const history = historyOf(of, wasKept.has(`${place.facilityId} ${place.itemId}`))
        const judged = judgeDays(history, days, asked.nowMs)
        for (const [period, within] of Map.groupBy(judged, ({ day }) => periodAt(periods, day.startMs)))
          yield { ...placeCells(asked, batch, place), period: period?.name ?? '', ...cellsOf(within) }
      }
    }
  },
})

function byFacility([a]: readonly Change[], [b]: readonly Change[]): number {
  return (a?.facilityId ?? '') < (b?.facilityId ?? '') ? -1 : 1
}

/** What is on hand now, less what came and went since, is what there was at first. */
function historyOf(rows: readonly Change[], wasKept: boolean): StockHistory {
  const now = rows.filter(({ occurredAt }) => occurredAt === null)
  const changes = rows.flatMap(({ occurredAt, doses }) =>
    occurredAt === null ? [] : [{ occurredAt, doses }],
  )
  return { opening: sum(now, dosesOf) - sum(changes, dosesOf), wasKept, changes }
}

const dosesOf = ({ doses }: { readonly doses: number }) => doses

function cellsOf(judged: readonly JudgedDay[]) {
  const out = judged.filter(({ isOut }) => isOut).map(({ day }) => day.name)
  return {
    days: judged.length,
    stockOutDays: out.length,
    share: shareOf(out.length, judged.length),
    firstDay: out[0] ?? null,
    lastDay: out.at(-1) ?? null,
  }
}
