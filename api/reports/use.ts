import { Type } from 'typebox'
import { listReasonKinds, sumUse, type Use } from '../../db/queries/report.ts'
import { periodAt, periodsOf } from '../../domain/calendar.ts'
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

const dosesOf = ({ doses }: Use) => doses

export const consumption = defineReport({
  name: 'consumption',
  operationId: 'reportConsumption',
  summary: 'What was given to people, issued and left in opened vials, by item, activity and period',
  description: 'What was reversed is taken off where it happened.',
  query: { ...parameters.item, ...parameters.period, ...parameters.by, ...parameters.activity },
  row: {
    ...columns.place,
    activityCode: nullable(Type.String()),
    ...columns.period,
    administered: Type.Integer({ description: 'In sessions.' }),
    issued: Type.Integer({ description: 'Out of the programme.' }),
    openVialWasted: Type.Integer({ description: 'Left in vials that were opened in sessions.' }),
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const uses = await usesByPeriod(asked, batch)
      for (const of of groupBy(uses, 'facilityId', 'itemId', 'activityCode', 'period')) {
        const [first] = of
        if (!first) continue
        const { activityCode, period } = first
        const consumed = of.filter(({ accountKind }) => accountKind === 'consumption')
        const sessions = of.filter(({ kind }) => kind === 'consume')
        const cells = {
          administered: sum(
            consumed.filter(({ kind }) => kind === 'consume'),
            dosesOf,
          ),
          issued: sum(
            consumed.filter(({ kind }) => kind !== 'consume'),
            dosesOf,
          ),
          openVialWasted: sum(
            sessions.filter(({ accountKind }) => accountKind === 'wastage'),
            dosesOf,
          ),
        }
        if (Object.values(cells).some((doses) => doses !== 0))
          yield { ...placeCells(asked, batch, first), activityCode, period, ...cells }
      }
    }
  },
})

export const wastage = defineReport({
  name: 'wastage',
  operationId: 'reportWastage',
  summary: 'Wastage rates of open and closed vials, by cause',
  description:
    'Open: wasted / (administered + wasted). Closed: wasted / (administered + issued + wasted, open vials too). A row without a cause is of all causes.',
  query: { ...parameters.item, ...parameters.period, ...parameters.by, ...parameters.activity },
  row: {
    ...columns.place,
    ...columns.period,
    vial: Type.Enum(['open', 'closed']),
    cause: nullable(Type.String({ description: 'Code of the reason; null: all of them.' })),
    wasted: Type.Integer(),
    of: Type.Integer({ description: 'Doses that the rate is a share of.' }),
    rate: nullable(Type.Number()),
  },
  async *rows(asked) {
    const reasons = await listReasonKinds(asked.db)
    const isOpen = ({ reasonCode }: Use) => reasons.get(reasonCode ?? '') === 'open-vial-wastage'
    for await (const batch of batchesOf(asked))
      for (const of of groupBy(await usesByPeriod(asked, batch), 'facilityId', 'itemId', 'period')) {
        const [first] = of
        if (!first) continue
        for (const cells of wastageOf(of, isOpen))
          yield { ...placeCells(asked, batch, first), period: first.period, ...cells }
      }
  },
})

interface Wasted {
  readonly vial: 'open' | 'closed'
  readonly cause: string | null
  readonly wasted: number
  readonly of: number
  readonly rate: number | null
}

function wastageOf(uses: readonly Use[], isOpen: (use: Use) => boolean): Wasted[] {
  const administered = uses.filter(
    ({ accountKind, kind }) => accountKind === 'consumption' && kind === 'consume',
  )
  const wasted = uses.filter(({ accountKind }) => accountKind === 'wastage')
  const open = wasted.filter(isOpen)
  const closed = wasted.filter((use) => !isOpen(use))
  const opened = sum(administered, dosesOf) + sum(open, dosesOf)
  return [...ratesOf('open', open, opened), ...ratesOf('closed', closed, sum(uses, dosesOf))]
}

/** Of all causes, and of each. */
function ratesOf(vial: Wasted['vial'], wasted: readonly Use[], of: number): Wasted[] {
  const rateOf = (cause: string | null, uses: readonly Use[]) => {
    const doses = sum(uses, dosesOf)
    return { vial, cause, wasted: doses, of, rate: shareOf(doses, of) }
  }
  const causes = [...Map.groupBy(wasted, ({ reasonCode }) => reasonCode ?? 'unknown')]
  const rates = causes.map(([cause, uses]) => rateOf(cause, uses)).filter(({ wasted: doses }) => doses !== 0)
  return of === 0 ? [] : [rateOf(null, wasted), ...rates]
}

async function usesByPeriod(asked: Asked, batch: Batch): Promise<(Use & { readonly period: string })[]> {
  const periods = periodsOf(batch.timeZone, asked.range, asked.by)
  const span = { fromMs: periods[0]?.startMs ?? 0, toMs: periods.at(-1)?.endMs ?? 0 }
  const uses = await sumUse(asked.db, batch, { ...span, activityCode: asked.activityCode })
  return uses.map((use) => ({ ...use, period: periodAt(periods, use.occurredAt)?.name ?? '' }))
}
