import type { ColdBoxTable, ShipmentLineTable, ShipmentStatus, ShipmentTable } from '../schema-orders.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'
import type { SideNames } from './order.ts'

export interface Shipment extends ShipmentTable, SideNames {
  readonly lines: readonly ShipmentLineTable[]
  readonly coldBoxes: readonly ColdBoxTable[]
}

function shipments(db: DbOrTrx, scope: string) {
  return db
    .selectFrom('shipment as s')
    .innerJoin('facility as f', 'f.id', 's.fromFacilityId')
    .innerJoin('facility as t', 't.id', 's.toFacilityId')
    .selectAll('s')
    .select(['f.name as fromFacilityName', 't.name as toFacilityName'])
    .select(['f.timeZone as fromTimeZone', 't.timeZone as toTimeZone'])
    .where((eb) => eb.or([eb('f.path', 'like', likePrefix(scope)), eb('t.path', 'like', likePrefix(scope))]))
}

/** A shipment by id or SSCC, if one of its sides lies under the path `scope`. */
export async function findShipment(db: DbOrTrx, key: string, scope: string): Promise<Shipment | undefined> {
  const row = await shipments(db, scope)
    .where((eb) => eb.or([eb('s.id', '=', key), eb('s.sscc', '=', key)]))
    .executeTakeFirst()
  if (!row) return undefined
  const [shipment] = await withLines(db, [row])
  return shipment
}

export interface ShipmentQuery {
  readonly scope: string
  readonly under: string | undefined
  readonly orderId: string | undefined
  readonly status: ShipmentStatus | undefined
  readonly after: string | undefined
  readonly limit: number
}

/** The newest first, by id. */
export async function listShipments(db: DbOrTrx, query: ShipmentQuery): Promise<Shipment[]> {
  const rows = await shipments(db, query.scope)
    .$if(query.under !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('f.path', 'like', likePrefix(query.under ?? '')),
          eb('t.path', 'like', likePrefix(query.under ?? '')),
        ]),
      ),
    )
    .$if(query.orderId !== undefined, (q) => q.where('s.orderId', '=', query.orderId ?? ''))
    .$if(query.status !== undefined, (q) => q.where('s.status', '=', query.status ?? 'shipped'))
    .$if(query.after !== undefined, (q) => q.where('s.id', '<', query.after ?? ''))
    .orderBy('s.id', 'desc')
    .limit(query.limit)
    .execute()
  return withLines(db, rows)
}

async function withLines(
  db: DbOrTrx,
  rows: readonly Omit<Shipment, 'lines' | 'coldBoxes'>[],
): Promise<Shipment[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const lines = await db
    .selectFrom('shipmentLine')
    .selectAll()
    .where('shipmentId', 'in', ids)
    .orderBy('line')
    .execute()
  const boxes = await db
    .selectFrom('coldBox')
    .selectAll()
    .where('shipmentId', 'in', ids)
    .orderBy('box')
    .execute()
  const linesOf = Map.groupBy(lines, ({ shipmentId }) => shipmentId)
  const boxesOf = Map.groupBy(boxes, ({ shipmentId }) => shipmentId)
  return rows.map((row) => ({
    ...row,
    lines: linesOf.get(row.id) ?? [],
    coldBoxes: boxesOf.get(row.id) ?? [],
  }))
}

/** Throws the database's duplicate error when the id or the SSCC is taken. */
export async function insertShipment(
  trx: DbOrTrx,
  shipment: ShipmentTable,
  lines: readonly ShipmentLineTable[],
  coldBoxes: readonly ColdBoxTable[],
): Promise<void> {
  await trx.insertInto('shipment').values(shipment).execute()
  await trx.insertInto('shipmentLine').values(lines).execute()
  if (coldBoxes.length > 0) await trx.insertInto('coldBox').values(coldBoxes).execute()
}

/** Writes what became of a shipment whose order is locked. */
export async function updateShipment(
  trx: DbOrTrx,
  id: string,
  change: Pick<ShipmentTable, 'status' | 'receivedAt' | 'deliverEventId' | 'updatedAt'>,
  lines: readonly Pick<ShipmentLineTable, 'line' | 'accepted' | 'rejected' | 'short'>[] = [],
): Promise<void> {
  await trx
    .updateTable('shipment')
    .set((eb) => ({ ...change, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute()
  for (const { line, ...set } of lines)
    await trx
      .updateTable('shipmentLine')
      .set(set)
      .where('shipmentId', '=', id)
      .where('line', '=', line)
      .execute()
}
