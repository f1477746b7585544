import { sql, type RawBuilder } from 'kysely'
import { LOOK_BACK_DAYS } from '../../domain/stock-level.ts'
import { addDays, dayIn } from '../../domain/calendar.ts'
import type { OrderKind, OrderStatus } from '../../domain/order.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'

const DAY_MS = 86_400_000

/** The first rows of a list, and how many it has. */
export interface Start<Row> {
  readonly count: number
  readonly items: Row[]
}

export interface StockOut {
  readonly facilityId: string
  readonly facilityName: string
  readonly itemId: string
  readonly itemName: string
}

interface At {
  /** Path of the place. */
  readonly under: string
  readonly nowMs: number
  readonly limit: number
}

/** Items that a facility should have, of which it has nothing that can be given: the same as a level that says `stock-out`. */
export async function listStockOuts(db: DbOrTrx, { under, nowMs, limit }: At): Promise<Start<StockOut>> {
  const today = await dayByZone(db, under, nowMs, 0)
  const rows = await db
    .selectFrom('stockLevel as s')
    .innerJoin('facility as f', 'f.id', 's.facilityId')
    .innerJoin('item as i', 'i.id', 's.itemId')
    .select(['s.facilityId', 'f.name as facilityName', 's.itemId', 'i.name as itemName'])
    .select(ofAll)
    .where('f.path', 'like', likePrefix(under))
    .where(({ eb, exists, not }) =>
      not(
        exists(
          eb
            .selectFrom('stockBalance as b')
            .innerJoin('lot as l', 'l.id', 'b.lotId')
            .select('b.lotId')
            .whereRef('b.facilityId', '=', 's.facilityId')
            .whereRef('b.itemId', '=', 's.itemId')
            .where('b.accountKind', '=', 'point')
            .where('b.doses', '>', 0)
            .where('b.held', '=', 0)
            .where('b.vvmStage', '<=', 2)
            .where('l.recalledAt', 'is', null)
            .where('l.expiresOn', '>=', today),
        ),
      ),
    )
    .where((eb) =>
      eb.or([
        eb('s.maxDoses', '>', 0),
        // A computed level of what is consumed asks for some, whatever is set.
        eb.and([
          eb('s.mode', '=', 'computed'),
          eb(
            eb
              .selectFrom('stockEntry as e')
              .select((of) => of.fn.sum<number>('e.doses').as('doses'))
              .whereRef('e.facilityId', '=', 's.facilityId')
              .whereRef('e.itemId', '=', 's.itemId')
              .where('e.accountKind', '=', 'consumption')
              .where('e.occurredAt', '>=', nowMs - LOOK_BACK_DAYS * DAY_MS),
            '>',
            0,
          ),
        ]),
      ]),
    )
    .orderBy('f.name')
    .orderBy('i.name')
    .orderBy('s.facilityId')
    .orderBy('s.itemId')
    .limit(limit)
    .execute()
  return startOf(rows)
}

export interface ExpiringLot extends StockOut {
  readonly lotId: string
  readonly lotCode: string
  readonly expiresOn: string
  readonly doses: number
}

/** Lots on the shelves that expire within so many days, or have expired; the soonest first. */
export async function listExpiringLots(
  db: DbOrTrx,
  { under, nowMs, limit, days }: At & { readonly days: number },
): Promise<Start<ExpiringLot>> {
  const rows = await db
    .selectFrom('stockBalance as b')
    .innerJoin('lot as l', 'l.id', 'b.lotId')
    .innerJoin('item as i', 'i.id', 'b.itemId')
    .innerJoin('facility as f', 'f.id', 'b.facilityId')
    .select(['b.facilityId', 'f.name as facilityName', 'b.itemId', 'i.name as itemName'])
    .select(['b.lotId', 'l.code as lotCode', 'l.expiresOn'])
    .select((eb) => eb.fn.sum<number | string>('b.doses').as('doses'))
    .select(ofAll)
    .where('b.accountKind', '=', 'point')
    .where('b.doses', '>', 0)
    .where('l.expiresOn', '<=', await dayByZone(db, under, nowMs, days))
    .where('f.path', 'like', likePrefix(under))
    .groupBy(['b.facilityId', 'f.name', 'b.itemId', 'i.name', 'b.lotId', 'l.code', 'l.expiresOn'])
    .orderBy('l.expiresOn')
    .orderBy('b.facilityId')
    .orderBy('b.lotId')
    .limit(limit)
    .execute()
  return startOf(rows.map((row) => ({ ...row, doses: Number(row.doses) })))
}

export interface WaitingOrder {
  readonly id: string
  readonly documentNo: string
  readonly kind: OrderKind
  readonly status: OrderStatus
  readonly fromFacilityName: string
  readonly toFacilityName: string
  readonly updatedAt: number
}

/** Orders whose next step is for somebody under a path, who has waited longest first. */
export async function listWaitingOrders(
  db: DbOrTrx,
  { under, limit }: Omit<At, 'nowMs'>,
): Promise<Start<WaitingOrder>> {
  const rows = await db
    .selectFrom('stockOrder as o')
    .innerJoin('facility as f', 'f.id', 'o.fromFacilityId')
    .innerJoin('facility as t', 't.id', 'o.toFacilityId')
    .select(['o.id', 'o.documentNo', 'o.kind', 'o.status', 'o.updatedAt'])
    .select(['f.name as fromFacilityName', 't.name as toFacilityName'])
    .select(ofAll)
    .where((eb) =>
      eb.or([
        eb.and([eb('o.waitingFor', '=', 'sender'), eb('f.path', 'like', likePrefix(under))]),
        eb.and([eb('o.waitingFor', '=', 'receiver'), eb('t.path', 'like', likePrefix(under))]),
      ]),
    )
    .orderBy('o.updatedAt')
    .orderBy('o.id')
    .limit(limit)
    .execute()
  return startOf(rows)
}

/** Beside each row, how many there are without the limit. */
const ofAll = sql<number | string>`count(*) over ()`.as('ofAll')

function startOf<Row extends { readonly ofAll: number | string }>(rows: readonly Row[]): Start<Row> {
  return { count: Number(rows[0]?.ofAll ?? 0), items: [...rows] }
}

/** The day of the calendar some days from now, in the zone of the facility `f`. */
async function dayByZone(
  db: DbOrTrx,
  under: string,
  nowMs: number,
  days: number,
): Promise<RawBuilder<string>> {
  const zones = await db
    .selectFrom('facility')
    .select('timeZone')
    .distinct()
    .where('path', 'like', likePrefix(under))
    .execute()
  const day = (zone: string) => addDays(dayIn(zone, nowMs), days)
  const cases = zones.map(({ timeZone }) => sql`when ${timeZone} then ${day(timeZone)}`)
  // A case needs a branch, even where there is no facility.
  return sql<string>`case f.time_zone ${sql.join([...cases, sql`when '' then ''`], sql` `)} end`
}
