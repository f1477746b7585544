import { sql, type ExpressionBuilder } from 'kysely'
import type { DbOrTrx, Schema } from '../schema.ts'
import type { StockBalanceTable } from '../schema-stock.ts'
import { likePrefix } from './facility.ts'

export interface StockQuery {
  readonly scope: string
  readonly under: string | undefined
  readonly itemId: string | undefined
  readonly lotId: string | undefined
  readonly storagePointId: string | undefined
  /** What was on hand at this moment; undefined: now. */
  readonly asOfMs: number | undefined
  /** As it was known then; undefined: as it is known now. */
  readonly knownAtMs: number | undefined
  readonly limit: number
  /** Key of the last line of the page before. */
  readonly after: readonly string[] | undefined
}

export interface StockLine extends StockBalanceTable {
  readonly lotCode: string
  readonly expiresOn: string
}

/** What is on the shelves, or was: lines with doses, in the order of storage point, lot, stage, hold. */
export async function listStock(db: DbOrTrx, query: StockQuery): Promise<StockLine[]> {
  const isNow = query.asOfMs === undefined && query.knownAtMs === undefined
  return db
    .selectFrom('stockBalance as b')
    .innerJoin('facility as f', 'f.id', 'b.facilityId')
    .innerJoin('lot as l', 'l.id', 'b.lotId')
    .selectAll('b')
    .select(['l.code as lotCode', 'l.expiresOn'])
    .where('b.accountKind', '=', 'point')
    .$if(isNow, (q) => q.where('b.doses', '>', 0))
    .$if(!isNow, (q) =>
      q.where((eb) => eb(dosesThen(eb, query), '>', 0)).select((eb) => dosesThen(eb, query).as('dosesThen')),
    )
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(query.itemId !== undefined, (q) => q.where('b.itemId', '=', query.itemId ?? ''))
    .$if(query.lotId !== undefined, (q) => q.where('b.lotId', '=', query.lotId ?? ''))
    .$if(query.storagePointId !== undefined, (q) => q.where('b.accountId', '=', query.storagePointId ?? ''))
    .$if(query.after !== undefined, (q) => q.where((eb) => isBehind(eb, query.after ?? [])))
    .orderBy('b.accountId')
    .orderBy('b.lotId')
    .orderBy('b.vvmStage')
    .orderBy('b.held')
    .limit(query.limit)
    .execute()
    .then((rows) => rows.map(({ dosesThen: then, ...row }) => ({ ...row, doses: Number(then ?? row.doses) })))
}

type Lines = ExpressionBuilder<Schema & { b: StockBalanceTable }, 'b'>

function isBehind(eb: Lines, [point = '', lot = '', stage = '', held = '']: readonly string[]) {
  const vvmStage = Number(stage) as StockBalanceTable['vvmStage']
  return eb.or([
    eb('b.accountId', '>', point),
    eb.and([eb('b.accountId', '=', point), eb('b.lotId', '>', lot)]),
    eb.and([
      eb('b.accountId', '=', point),
      eb('b.lotId', '=', lot),
      eb.or([
        eb('b.vvmStage', '>', vvmStage),
        eb.and([eb('b.vvmStage', '=', vvmStage), eb('b.held', '>', Number(held) as 0 | 1)]),
      ]),
    ]),
  ])
}

// Now, less what happened or was recorded since; what has not moved since is not looked at.
function dosesThen(eb: Lines, { asOfMs, knownAtMs }: StockQuery) {
  const since = eb
    .selectFrom('stockEntry as e')
    .select((of) => of.fn.coalesce(of.fn.sum<number | string>('e.doses'), sql<number>`0`).as('doses'))
    .whereRef('e.lotId', '=', 'b.lotId')
    .whereRef('e.facilityId', '=', 'b.facilityId')
    .whereRef('e.accountId', '=', 'b.accountId')
    .whereRef('e.accountKind', '=', 'b.accountKind')
    .whereRef('e.vvmStage', '=', 'b.vvmStage')
    .whereRef('e.held', '=', 'b.held')
    .$if(knownAtMs === undefined, (q) => q.where('e.occurredAt', '>', asOfMs ?? 0))
    .$if(knownAtMs !== undefined, (q) =>
      q.where((of) =>
        of.or([
          of('e.recordedAt', '>', knownAtMs ?? 0),
          ...(asOfMs === undefined ? [] : [of('e.occurredAt', '>', asOfMs)]),
        ]),
      ),
    )
  // What was recorded later may stand anywhere in time.
  const moved = knownAtMs === undefined ? sql`${eb.ref('b.lastOccurredAt')} > ${asOfMs ?? 0}` : sql`1 = 1`
  return sql<number | string>`${eb.ref('b.doses')} - case when ${moved} then ${since} else 0 end`
}
