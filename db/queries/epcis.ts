import { createHash } from 'node:crypto'
import type { EventKind } from '../../domain/stock-event.ts'
import { isDuplicate } from '../dialects/duplicate.ts'
import type { DbOrTrx } from '../schema.ts'
import type { EpcisCaptureTable, EpcisEventTable } from '../schema-epcis.ts'
import type { ItemTable } from '../schema-stock.ts'
import { likePrefix } from './facility.ts'

/** Where a reader stands among what was recorded: the rows of all sources have one order. */
export interface RecordedQuery {
  /** Path prefix of what the asker sees. */
  readonly scope: string
  readonly facilityIds: readonly string[] | undefined
  readonly kinds: readonly EventKind[] | undefined
  readonly recordFrom: number | undefined
  readonly recordBefore: number | undefined
  /** The row to go on with. */
  readonly from: { readonly recordedAt: number; readonly id: string } | undefined
  readonly limit: number
}

/** A row that becomes EPCIS events, by the time at which it was recorded. */
export interface RecordedRow {
  readonly source: 'stock' | 'breach' | 'captured'
  readonly id: string
  readonly recordedAt: number
}

/** Stock events, breaches that are over, and captured events, in the order of recording. A stock event that came from a captured one is given as that. */
export async function listRecorded(db: DbOrTrx, query: RecordedQuery): Promise<RecordedRow[]> {
  const [stock, breaches, captured] = await Promise.all([
    query.kinds?.length === 0 ? [] : listStock(db, query),
    listBreaches(db, query),
    listCaptured(db, query),
  ])
  return [
    ...stock.map((row) => ({ ...row, source: 'stock' as const })),
    ...breaches.map((row) => ({ ...row, source: 'breach' as const })),
    ...captured.map((row) => ({ ...row, source: 'captured' as const })),
  ]
    .toSorted((a, b) => a.recordedAt - b.recordedAt || (a.id < b.id ? -1 : 1))
    .slice(0, query.limit)
}

async function listStock(db: DbOrTrx, query: RecordedQuery) {
  const { scope, facilityIds, kinds, recordFrom, recordBefore, from, limit } = query
  return db
    .selectFrom('stockEvent as e')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .select(['e.id', 'e.recordedAt'])
    .where('f.path', 'like', likePrefix(scope))
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('epcisEvent as c').select('c.id').whereRef('c.stockEventId', '=', 'e.id')),
      ),
    )
    .$if(facilityIds !== undefined, (q) => q.where('e.facilityId', 'in', [...(facilityIds ?? [])]))
    .$if(kinds !== undefined, (q) => q.where('e.kind', 'in', [...(kinds ?? [])]))
    .$if(recordFrom !== undefined, (q) => q.where('e.recordedAt', '>=', recordFrom ?? 0))
    .$if(recordBefore !== undefined, (q) => q.where('e.recordedAt', '<', recordBefore ?? 0))
    .$if(from !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('e.recordedAt', '>', from?.recordedAt ?? 0),
          eb.and([eb('e.recordedAt', '=', from?.recordedAt ?? 0), eb('e.id', '>=', from?.id ?? '')]),
        ]),
      ),
    )
    .orderBy('e.recordedAt')
    .orderBy('e.id')
    .limit(limit)
    .execute()
}

async function listBreaches(db: DbOrTrx, query: RecordedQuery) {
  const { scope, facilityIds, recordFrom, recordBefore, from, limit } = query
  return db
    .selectFrom('breach as b')
    .innerJoin('facility as f', 'f.id', 'b.facilityId')
    .innerJoin('rule as r', 'r.id', 'b.ruleId')
    .select(['b.id', 'b.updatedAt as recordedAt'])
    .where('f.path', 'like', likePrefix(scope))
    .where('b.endAt', 'is not', null)
    .where('r.quantity', 'in', ['temperature', 'freezerTemperature'])
    .$if(facilityIds !== undefined, (q) => q.where('b.facilityId', 'in', [...(facilityIds ?? [])]))
    .$if(recordFrom !== undefined, (q) => q.where('b.updatedAt', '>=', recordFrom ?? 0))
    .$if(recordBefore !== undefined, (q) => q.where('b.updatedAt', '<', recordBefore ?? 0))
    .$if(from !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('b.updatedAt', '>', from?.recordedAt ?? 0),
          eb.and([eb('b.updatedAt', '=', from?.recordedAt ?? 0), eb('b.id', '>=', from?.id ?? '')]),
        ]),
      ),
    )
    .orderBy('b.updatedAt')
    .orderBy('b.id')
    .limit(limit)
    .execute()
}

async function listCaptured(db: DbOrTrx, query: RecordedQuery) {
  const { scope, facilityIds, recordFrom, recordBefore, from, limit } = query
  return db
    .selectFrom('epcisEvent as c')
    .leftJoin('facility as f', 'f.id', 'c.facilityId')
    .select(['c.id', 'c.recordedAt'])
    .$if(scope !== '', (q) => q.where('f.path', 'like', likePrefix(scope)))
    .$if(facilityIds !== undefined, (q) => q.where('c.facilityId', 'in', [...(facilityIds ?? [])]))
    .$if(recordFrom !== undefined, (q) => q.where('c.recordedAt', '>=', recordFrom ?? 0))
    .$if(recordBefore !== undefined, (q) => q.where('c.recordedAt', '<', recordBefore ?? 0))
    .$if(from !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('c.recordedAt', '>', from?.recordedAt ?? 0),
          eb.and([eb('c.recordedAt', '=', from?.recordedAt ?? 0), eb('c.id', '>=', from?.id ?? '')]),
        ]),
      ),
    )
    .orderBy('c.recordedAt')
    .orderBy('c.id')
    .limit(limit)
    .execute()
}

export interface LotNameRow {
  readonly id: string
  readonly code: string
  readonly gtin: string | null
  readonly kind: ItemTable['kind']
  readonly dosesPerPack: number
}

export async function findLotNames(db: DbOrTrx, lotIds: readonly string[]): Promise<LotNameRow[]> {
  if (lotIds.length === 0) return []
  return lotNames(db)
    .where('l.id', 'in', [...lotIds])
    .execute()
}

/** The lot of a GTIN and a code. */
export async function findLotByName(
  db: DbOrTrx,
  named: { readonly lotId: string } | { readonly gtin: string; readonly code: string },
): Promise<LotNameRow | undefined> {
  if ('lotId' in named) return lotNames(db).where('l.id', '=', named.lotId).executeTakeFirst()
  const row = await lotNames(db)
    .where('t.gtin', '=', named.gtin)
    .where('l.code', '=', named.code)
    .executeTakeFirst()
  return row?.code === named.code ? row : undefined
}

function lotNames(db: DbOrTrx) {
  return db
    .selectFrom('lot as l')
    .innerJoin('tradeItem as t', 't.id', 'l.tradeItemId')
    .innerJoin('item as i', 'i.id', 'l.itemId')
    .select(['l.id', 'l.code', 't.gtin', 'i.kind', 't.dosesPerPack'])
}

export async function findPlaces(
  db: DbOrTrx,
  facilityIds: readonly string[],
): Promise<{ id: string; gln: string | null; timeZone: string }[]> {
  if (facilityIds.length === 0) return []
  return db
    .selectFrom('facility')
    .select(['id', 'gln', 'timeZone'])
    .where('id', 'in', [...facilityIds])
    .execute()
}

/** The facility of a place under the path `scope`, and the storage point if the place is one. */
export async function findPlace(
  db: DbOrTrx,
  scope: string,
  named: { readonly facilityId: string } | { readonly storagePointId: string } | { readonly gln: string },
): Promise<{ facilityId: string; storagePointId: string | null } | undefined> {
  const facilities = db
    .selectFrom('facility as f')
    .where('f.path', 'like', likePrefix(scope))
    .select('f.id as facilityId')
  if ('storagePointId' in named)
    return facilities
      .innerJoin('storagePoint as s', 's.facilityId', 'f.id')
      .select('s.id as storagePointId')
      .where('s.id', '=', named.storagePointId)
      .executeTakeFirst()
  const row = await (
    'gln' in named
      ? facilities.where('f.gln', '=', named.gln)
      : facilities.where('f.id', '=', named.facilityId)
  ).executeTakeFirst()
  return row && { ...row, storagePointId: null }
}

/** On hand by lot in a storage point, and what came and went there after a moment. */
export async function findLotsSince(
  db: DbOrTrx,
  point: { readonly id: string; readonly facilityId: string },
  after: number,
): Promise<{ now: Map<string, number>; since: { lotId: string; occurredAt: number; doses: number }[] }> {
  const balances = await db
    .selectFrom('stockBalance')
    .select((eb) => ['lotId', eb.fn.sum<number | string>('doses').as('doses')])
    .where('accountId', '=', point.id)
    .where('accountKind', '=', 'point')
    .groupBy('lotId')
    .execute()
  const entries = await db
    .selectFrom('stockEntry')
    .select((eb) => ['lotId', 'occurredAt', eb.fn.sum<number | string>('doses').as('doses')])
    .where('lotId', 'in', balances.length > 0 ? balances.map(({ lotId }) => lotId) : [''])
    .where('facilityId', '=', point.facilityId)
    .where('occurredAt', '>', after)
    .where('accountId', '=', point.id)
    .where('accountKind', '=', 'point')
    .groupBy(['lotId', 'occurredAt'])
    .execute()
  return {
    now: new Map(balances.map(({ lotId, doses }) => [lotId, Number(doses)])),
    since: entries.map((one) => ({ ...one, doses: Number(one.doses) })),
  }
}

export async function insertCapture(db: DbOrTrx, row: EpcisCaptureTable): Promise<void> {
  await db.insertInto('epcisCapture').values(row).execute()
}

export async function finishCapture(
  db: DbOrTrx,
  id: string,
  set: Pick<EpcisCaptureTable, 'finishedAt' | 'outcomes'>,
): Promise<void> {
  await db.updateTable('epcisCapture').set(set).where('id', '=', id).execute()
}

/** Of somebody in the part of the tree under `scope`; one's own always. */
export async function findCapture(
  db: DbOrTrx,
  id: string,
  asker: { readonly id: string; readonly scope: string },
): Promise<EpcisCaptureTable | undefined> {
  return db
    .selectFrom('epcisCapture as c')
    .leftJoin('facility as f', 'f.id', 'c.facilityId')
    .selectAll('c')
    .where('c.id', '=', id)
    .$if(asker.scope !== '', (q) =>
      q.where((eb) => eb.or([eb('c.userId', '=', asker.id), eb('f.path', 'like', likePrefix(asker.scope))])),
    )
    .executeTakeFirst()
}

export async function findCaptured(db: DbOrTrx, identity: string): Promise<EpcisEventTable | undefined> {
  return db.selectFrom('epcisEvent').selectAll().where('identity', '=', identity).executeTakeFirst()
}

export async function listCapturedById(db: DbOrTrx, ids: readonly string[]): Promise<EpcisEventTable[]> {
  if (ids.length === 0) return []
  return db
    .selectFrom('epcisEvent')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** Captured events of an eventID under `scope`, in the order of recording: the event, and the declaration that it was an error. */
export async function listCapturedByEventId(
  db: DbOrTrx,
  eventId: string,
  scope: string,
): Promise<EpcisEventTable[]> {
  const rows = await db
    .selectFrom('epcisEvent as c')
    .leftJoin('facility as f', 'f.id', 'c.facilityId')
    .selectAll('c')
    .where('c.identity', 'in', [identityOf(eventId, false), identityOf(eventId, true)])
    .$if(scope !== '', (q) => q.where('f.path', 'like', likePrefix(scope)))
    .orderBy('c.recordedAt')
    .execute()
  return rows
}

/** The captured event that a stock event was made from. */
export async function findCapturedOf(
  db: DbOrTrx,
  stockEventId: string,
): Promise<EpcisEventTable | undefined> {
  return db.selectFrom('epcisEvent').selectAll().where('stockEventId', '=', stockEventId).executeTakeFirst()
}

/** Keeps an event, or what came of trying again one that failed before. @returns false when one of this identity is there and is done */
export async function keepCaptured(trx: DbOrTrx, row: EpcisEventTable): Promise<boolean> {
  const { stockEventId, errorCode, captureId, recordedAt, facilityId } = row
  const again = await trx
    .updateTable('epcisEvent')
    .set({ stockEventId, errorCode, captureId, recordedAt, facilityId })
    .where('identity', '=', row.identity)
    .where('bodyHash', '=', row.bodyHash)
    .where('errorCode', 'is not', null)
    .executeTakeFirst()
  if (again.numUpdatedRows === 1n) return true
  try {
    await trx.insertInto('epcisEvent').values(row).execute()
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

/** What an event is known by: an event and the declaration that it was an error have one eventID (EPCIS 2.0, 7.4.1.2). */
export function identityOf(eventId: string, isErrorDeclaration: boolean): string {
  return createHash('sha256')
    .update(`${isErrorDeclaration ? 'error' : 'event'} ${eventId}`)
    .digest('hex')
}
