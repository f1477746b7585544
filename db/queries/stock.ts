import type { DbOrTrx } from '../schema.ts'
import type { StockBalanceTable } from '../schema-stock.ts'
import { likePrefix } from './facility.ts'

export interface StockQuery {
  readonly scope: string
  readonly under: string | undefined
  readonly itemId: string | undefined
  readonly lotId: string | undefined
  readonly storagePointId: string | undefined
  readonly limit: number
  /** Key of the last line of the page before. */
  readonly after: readonly string[] | undefined
}

export interface StockLine extends StockBalanceTable {
  readonly lotCode: string
  readonly expiresOn: string
}

/** What is on the shelves: lines with doses, in the order of storage point, lot, stage, hold. */
export async function listStock(db: DbOrTrx, query: StockQuery): Promise<StockLine[]> {
  const [point = '', lot = '', stage = '', held = ''] = query.after ?? []
  return db
    .selectFrom('stockBalance as b')
    .innerJoin('facility as f', 'f.id', 'b.facilityId')
    .innerJoin('lot as l', 'l.id', 'b.lotId')
    .selectAll('b')
    .select(['l.code as lotCode', 'l.expiresOn'])
    .where('b.accountKind', '=', 'point')
    .where('b.doses', '>', 0)
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(query.itemId !== undefined, (q) => q.where('b.itemId', '=', query.itemId ?? ''))
    .$if(query.lotId !== undefined, (q) => q.where('b.lotId', '=', query.lotId ?? ''))
    .$if(query.storagePointId !== undefined, (q) => q.where('b.accountId', '=', query.storagePointId ?? ''))
    .$if(query.after !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('b.accountId', '>', point),
          eb.and([eb('b.accountId', '=', point), eb('b.lotId', '>', lot)]),
          eb.and([
            eb('b.accountId', '=', point),
            eb('b.lotId', '=', lot),
            eb.or([
              eb('b.vvmStage', '>', Number(stage) as StockBalanceTable['vvmStage']),
              eb.and([
                eb('b.vvmStage', '=', Number(stage) as StockBalanceTable['vvmStage']),
                eb('b.held', '>', Number(held) as 0 | 1),
              ]),
            ]),
          ]),
        ]),
      ),
    )
    .orderBy('b.accountId')
    .orderBy('b.lotId')
    .orderBy('b.vvmStage')
    .orderBy('b.held')
    .limit(query.limit)
    .execute()
}
