import type { DbOrTrx } from '../schema.ts'
import type { ItemTable, LotTable, TradeItemTable } from '../schema-stock.ts'

export interface TradeItemDetail extends TradeItemTable {
  readonly itemCode: string
  readonly itemName: string
  readonly itemKind: ItemTable['kind']
}

export async function findTradeItemByGtin(db: DbOrTrx, gtin: string): Promise<TradeItemDetail | undefined> {
  return db
    .selectFrom('tradeItem as t')
    .innerJoin('item as i', 'i.id', 't.itemId')
    .selectAll('t')
    .select(['i.code as itemCode', 'i.name as itemName', 'i.kind as itemKind'])
    .where('t.gtin', '=', gtin)
    .executeTakeFirst()
}

export async function findLotByCode(
  db: DbOrTrx,
  tradeItemId: string,
  code: string,
): Promise<LotTable | undefined> {
  const row = await db
    .selectFrom('lot')
    .selectAll()
    .where('tradeItemId', '=', tradeItemId)
    .where('code', '=', code)
    .executeTakeFirst()
  // MySQL finds `abc` when it is asked for `ABC`.
  return row?.code === code ? row : undefined
}

/** A lot with what its label says of its trade item. */
export async function findLotLabel(
  db: DbOrTrx,
  lotId: string,
): Promise<(Pick<LotTable, 'code' | 'expiresOn' | 'manufacturedOn'> & { gtin: string | null }) | undefined> {
  return db
    .selectFrom('lot as l')
    .innerJoin('tradeItem as t', 't.id', 'l.tradeItemId')
    .select(['l.code', 'l.expiresOn', 'l.manufacturedOn', 't.gtin'])
    .where('l.id', '=', lotId)
    .executeTakeFirst()
}
