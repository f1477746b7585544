import { Type } from 'typebox'
import { sumLots, sumOnHand, sumUse, type Place, type Use } from '../../db/queries/report.ts'
import { addDays, dayIn, daysBetween, startOfDay } from '../../domain/calendar.ts'
import {
  coverageDays,
  dosesAtRisk,
  needOfPopulation,
  needOfUse,
  perDay,
  round,
} from '../../domain/consumption.ts'
import { CodedError } from '../../domain/errors.ts'
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

/** A month, for those who count stock in months: 365.25 / 12 days. */
const DAYS_PER_MONTH = 30.4375
const HORIZON_DAYS_DEFAULT = 30

const Doses = (description: string) => Type.Integer({ description })

export const stockOnHand = defineReport({
  name: 'stock-on-hand',
  operationId: 'reportStockOnHand',
  summary: 'Stock on hand by facility and item',
  description: 'Also of what a facility has no more; what it never had is left out.',
  query: { ...parameters.item },
  row: {
    ...columns.place,
    onHand: Doses('At its storage points.'),
    held: Doses('Of these, on hold.'),
    allocated: Doses('Of these, promised to orders.'),
    usable: Doses('Of these, not on hold, recalled, expired or with the VVM at the discard point.'),
    inTransit: Doses('On the way to it.'),
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const rows = await sumOnHand(asked.db, batch, dayIn(batch.timeZone, asked.nowMs))
      for (const { onHand, held, allocated, usable, inTransit, ...place } of rows)
        yield { ...placeCells(asked, batch, place), onHand, held, allocated, usable, inTransit }
    }
  },
})

export const coverage = defineReport({
  name: 'coverage',
  operationId: 'reportCoverage',
  summary: 'How long stock lasts: usable doses / mean daily consumption of the period',
  description: 'Consumption is what was given to people or issued, without what was wasted.',
  query: { ...parameters.item, ...parameters.period },
  row: {
    ...columns.place,
    usable: Type.Integer(),
    consumed: Type.Integer(),
    perDay: Type.Number(),
    days: nullable(Type.Number({ description: 'Null: nothing is used, so that it lasts for ever.' })),
    months: nullable(Type.Number()),
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const onHand = await sumOnHand(asked.db, batch, dayIn(batch.timeZone, asked.nowMs))
      const consumed = await dosesIn(asked, batch, isConsumed)
      for (const { usable, ...place } of onHand) {
        const doses = consumed(place)
        const daily = perDay(doses, daysOf(asked))
        const days = coverageDays(usable, daily)
        yield {
          ...placeCells(asked, batch, place),
          usable,
          consumed: doses,
          perDay: round(daily, 3),
          days,
          months: days === null ? null : round(days / DAYS_PER_MONTH, 2),
        }
      }
    }
  },
})

export const expiryRisk = defineReport({
  name: 'expiry-risk',
  operationId: 'reportExpiryRisk',
  summary: 'Lots that will expire before they are used, at the mean daily consumption of the period',
  description:
    'The lot that expires first is used first, on its last day too. Lots without a dose at risk are left out.',
  query: { ...parameters.item, ...parameters.period },
  row: {
    ...columns.place,
    lotId: Type.String(),
    lotCode: Type.String(),
    expiresOn: Type.String(),
    onHand: Type.Integer(),
    perDay: Type.Number({ description: 'Mean consumption of the item.' }),
    dosesAtRisk: Type.Integer(),
  },
  async *rows(asked) {
    for await (const batch of batchesOf(asked)) {
      const consumed = await dosesIn(asked, batch, isConsumed)
      const today = dayIn(batch.timeZone, asked.nowMs)
      for (const lots of groupBy(await sumLots(asked.db, batch), 'facilityId', 'itemId')) {
        const daily = perDay(lots[0] ? consumed(lots[0]) : 0, daysOf(asked))
        const atRisk = dosesAtRisk(lots, daily, today)
        for (const [index, { lotId, lotCode, expiresOn, doses, ...place }] of lots.entries()) {
          const risk = atRisk[index] ?? 0
          const cells = {
            lotId,
            lotCode,
            expiresOn,
            onHand: doses,
            perDay: round(daily, 3),
            dosesAtRisk: risk,
          }
          if (risk > 0) yield { ...placeCells(asked, batch, place), ...cells }
        }
      }
    }
  },
})

const Share = (description: string) => Type.Optional(Type.Number({ minimum: 0, maximum: 1, description }))

export const forecast = defineReport({
  name: 'forecast',
  operationId: 'reportForecast',
  summary: 'What will be needed, from the target population or from consumption',
  description:
    'With `dosesPerPerson` (and one item): population of the catchment area x `targetShare` x `dosesPerPerson` x `coverage` x 1 / (1 - `wastageRate`). Else: what was opened or issued per day in the period x `days`, by facilities that keep the item.',
  query: {
    ...parameters.item,
    ...parameters.period,
    days: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1100,
        description: 'How far ahead, from consumption; 30 if left out.',
      }),
    ),
    targetShare: Share('How much of the population the item is for; all if left out.'),
    dosesPerPerson: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
    coverage: Share('How much of the target is to be reached; all if left out.'),
    wastageRate: Type.Optional(Type.Number({ minimum: 0, maximum: 0.99, description: 'None if left out.' })),
  },
  row: {
    ...columns.place,
    method: Type.Enum(['population', 'consumption']),
    need: Type.Integer(),
    usable: Type.Integer(),
    inTransit: Type.Integer(),
    shortfall: Type.Integer({ description: 'Of the need, what is neither usable here nor on its way.' }),
  },
  async *rows(asked) {
    const isByPopulation = asked.query.dosesPerPerson !== undefined
    if (isByPopulation && asked.query.itemId === undefined)
      throw new CodedError('request.invalid', 'dosesPerPerson needs the itemId that it is about.')
    const method = isByPopulation ? ('population' as const) : ('consumption' as const)
    for await (const batch of batchesOf(asked)) {
      const onHand = await sumOnHand(asked.db, batch, dayIn(batch.timeZone, asked.nowMs))
      const onHandOf = new Map(onHand.map((row) => [keyOf(row), row]))
      for (const { need, ...place } of isByPopulation
        ? populationNeeds(asked, batch)
        : await useNeeds(asked, batch, onHand)) {
        const { usable = 0, inTransit = 0 } = onHandOf.get(keyOf(place)) ?? {}
        const shortfall = Math.max(0, need - usable - inTransit)
        yield { ...placeCells(asked, batch, place), method, need, usable, inTransit, shortfall }
      }
    }
  },
})

interface Need extends Place {
  readonly need: number
}

function populationNeeds({ query }: Asked, { facilities }: Batch): Need[] {
  const { itemId = '', dosesPerPerson = 0 } = query
  const share = { targetShare: query.targetShare ?? 1, coverage: query.coverage ?? 1 }
  return [...facilities.values()]
    .filter(({ population }) => population !== null)
    .map(({ id, population }) => {
      const target = { population: population ?? 0, dosesPerPerson, wastageRate: query.wastageRate ?? 0 }
      return { facilityId: id, itemId, need: needOfPopulation({ ...target, ...share }) }
    })
}

async function useNeeds(asked: Asked, batch: Batch, places: readonly Place[]): Promise<Need[]> {
  const leftFrom = await dosesIn(asked, batch, hasLeft)
  const days = asked.query.days ?? HORIZON_DAYS_DEFAULT
  return places.map(({ facilityId, itemId }) => {
    const daily = perDay(leftFrom({ facilityId, itemId }), daysOf(asked))
    return { facilityId, itemId, need: needOfUse(daily, days) }
  })
}

function keyOf({ facilityId, itemId }: Place): string {
  return `${facilityId} ${itemId}`
}

function daysOf({ range: { from, to } }: Asked): number {
  return daysBetween(from, to) + 1
}

/** The doses of the uses that count, by place, in the period. */
async function dosesIn(
  { db, range }: Asked,
  batch: Batch,
  counts: (use: Use) => boolean,
): Promise<(place: Place) => number> {
  const fromMs = startOfDay(batch.timeZone, range.from)
  const toMs = startOfDay(batch.timeZone, addDays(range.to, 1))
  const uses = (await sumUse(db, batch, { fromMs, toMs })).filter(counts)
  const byPlace = Map.groupBy(uses, keyOf)
  return (place) => sum(byPlace.get(keyOf(place)) ?? [], ({ doses }) => doses)
}

const isConsumed = ({ accountKind }: Use) => accountKind === 'consumption'
// What was opened and not given has left the shelf too.
const hasLeft = ({ accountKind, kind }: Use) => accountKind === 'consumption' || kind === 'consume'
