import { Type, type Static } from 'typebox'
import { insertChanges } from '../db/queries/change.ts'
import { findReference } from '../db/queries/reference.ts'
import {
  findConsumption,
  findOnHand,
  findStockLevel,
  insertStockLevel,
  lockStockLevel,
  updateStockLevel,
  type Place,
} from '../db/queries/stock-level.ts'
import type { StockLevelTable } from '../db/schema-stock.ts'
import type { DbOrTrx } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import {
  computeMinMax,
  consumptionPerDay,
  isUsable,
  LEVEL_STATUSES,
  levelStatus,
  LOOK_BACK_DAYS,
} from '../domain/stock-level.ts'
import { facilityOf } from './caller.ts'
import { FieldError } from './errors.ts'
import { closed, Id, Time, Version } from './schemas.ts'
import { toRfc3339 } from './time.ts'
import { dayIn } from '../domain/calendar.ts'
import { audit, type Writing } from './write.ts'

const DAY_MS = 86_400_000

const Mode = Type.Enum(['set', 'computed'], {
  description:
    '`computed`: min and max follow from consumption; until there is any, those that are set hold.',
})
const Doses = Type.Integer({ minimum: 0, maximum: 100_000_000 })
const Days = (description: string) => Type.Integer({ minimum: 0, maximum: 730, description })

export const levelFields = {
  mode: Type.Optional(Mode),
  minDoses: Type.Optional(Doses),
  maxDoses: Type.Optional(Doses),
  leadTimeDays: Type.Optional(Days('From an order to its arrival.')),
  reviewDays: Type.Optional(Days('Between two orders.')),
  safetyDays: Type.Optional(Days('For what cannot be foreseen.')),
}
export const LevelChange = Type.Object(levelFields, { ...closed, minProperties: 1 })

export const StockLevel = Type.Object(
  {
    facilityId: Id,
    itemId: Id,
    mode: Mode,
    minDoses: Type.Integer({ description: 'As it is set; `effectiveMinDoses` is the one that holds.' }),
    maxDoses: Type.Integer(),
    leadTimeDays: Type.Integer(),
    reviewDays: Type.Integer(),
    safetyDays: Type.Integer(),
    dosesPerDay: Type.Number({ description: 'Consumption over the last 90 days, in event time.' }),
    effectiveMinDoses: Type.Integer(),
    effectiveMaxDoses: Type.Integer(),
    onHandDoses: Type.Integer({ description: 'All that is on the shelves.' }),
    usableDoses: Type.Integer({ description: 'Not on hold, expired, recalled, or past its VVM.' }),
    status: Type.Enum([...LEVEL_STATUSES], {
      description: 'Of the usable doses, against the effective level.',
    }),
    version: Version,
    updatedAt: Time,
  },
  { title: 'StockLevel' },
)

/** Levels with what there is to say of them now. */
export async function levelViews(
  db: DbOrTrx,
  levels: readonly (StockLevelTable & { readonly timeZone: string })[],
  nowMs: number,
): Promise<Static<typeof StockLevel>[]> {
  const stock = Map.groupBy(await findOnHand(db, levels), keyOf)
  const consumption = await findConsumption(db, levels, nowMs - LOOK_BACK_DAYS * DAY_MS)
  const consumed = new Map(consumption.map((one) => [keyOf(one), one]))
  return levels.map(({ timeZone, ...level }) => {
    const lines = stock.get(keyOf(level)) ?? []
    const today = dayIn(timeZone, nowMs)
    const perDay = consumptionPerDay(consumed.get(keyOf(level)) ?? { doses: 0, sinceMs: null }, nowMs)
    const holding = level.mode === 'computed' && perDay > 0 ? computeMinMax(perDay, level) : level
    const usableDoses = sum(lines.filter((line) => isUsable(line, today)))
    return {
      ...level,
      dosesPerDay: Math.round(perDay * 1000) / 1000,
      effectiveMinDoses: holding.minDoses,
      effectiveMaxDoses: holding.maxDoses,
      onHandDoses: sum(lines),
      usableDoses,
      status: levelStatus(usableDoses, holding),
      updatedAt: toRfc3339(level.updatedAt),
    }
  })
}

const keyOf = ({ facilityId, itemId }: Place): string => `${facilityId}:${itemId}`
const sum = (lines: readonly { readonly doses: number }[]): number =>
  lines.reduce((doses, line) => doses + line.doses, 0)

/**
 * Makes or changes the level of an item in a facility; the same again changes nothing.
 * @throws CodedError `resource.notFound`, `request.invalid`, `request.preconditionFailed`
 */
export async function saveStockLevel(
  { trx, caller, at, match }: Writing,
  place: Place,
  change: Static<typeof LevelChange>,
): Promise<StockLevelTable> {
  await lockStockLevel(trx, place)
  const facility = await facilityOf(trx, caller, place.facilityId)
  if (!(await findReference(trx, 'item', { id: place.itemId })))
    throw new FieldError('itemId', 'there is no such item', 'resource.notFound')
  const before = await findStockLevel(trx, place)
  const version = before?.version ?? 0
  match(version)
  const after = { ...(before ?? { ...NEW, ...place }), ...change }
  if (after.minDoses > after.maxDoses) throw new FieldError('minDoses', 'is above maxDoses')
  if (before && isSame(before, after)) return before
  const row = { ...after, version: version + 1, updatedAt: at }
  const isDone = await (before ? updateStockLevel(trx, row) : insertStockLevel(trx, row))
  if (!isDone) throw new CodedError('request.preconditionFailed')
  await audit(trx, caller, at, {
    action: before ? 'stockLevel.changed' : 'stockLevel.created',
    entity: 'stockLevel',
    // The column holds one id; the item is in what is written down.
    entityId: facility.id,
    before,
    after: row,
  })
  await insertChanges(trx, at, [facility.id], 'stockLevel', keyOf(place))
  return row
}

const NEW = {
  mode: 'set',
  minDoses: 0,
  maxDoses: 0,
  leadTimeDays: 14,
  reviewDays: 30,
  safetyDays: 7,
} as const

/** The level of an item that nobody has set one for. */
export function computedLevel(place: Place): StockLevelTable {
  return { ...NEW, ...place, mode: 'computed', version: 0, updatedAt: 0 }
}

function isSame(before: StockLevelTable, after: Omit<StockLevelTable, 'version' | 'updatedAt'>): boolean {
  const keys = ['mode', 'minDoses', 'maxDoses', 'leadTimeDays', 'reviewDays', 'safetyDays'] as const
  return keys.every((key) => before[key] === after[key])
}
