import type { EventKind } from '../../domain/stock-event.ts'
import type { NumberedLeg } from '../../domain/ledger.ts'
import type { StockEntryTable, StockEventTable } from '../schema-stock.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'
import type { PostedEvent } from './ledger.ts'

/** An event with its entries, if its facility or the other side of it lies under the path `scope`. */
export async function findStockEvent(
  db: DbOrTrx,
  id: string,
  scope: string,
): Promise<PostedEvent | undefined> {
  const [event] = await findStockEvents(db, [id], scope)
  return event
}

/** Which of these ids are taken. */
export async function findStockEventIds(db: DbOrTrx, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await db.selectFrom('stockEvent').select('id').where('id', 'in', ids).execute()
  return rows.map(({ id }) => id)
}

export async function findStockEvents(
  db: DbOrTrx,
  ids: readonly string[],
  scope: string,
): Promise<PostedEvent[]> {
  if (ids.length === 0) return []
  const events = await db
    .selectFrom('stockEvent as e')
    .selectAll('e')
    .where('e.id', 'in', ids)
    .where((eb) => {
      // One look-up for each of the two: a condition on both at once reads the whole tree for every event.
      const isInScope = (id: 'e.facilityId' | 'e.otherFacilityId') =>
        eb.exists(
          eb
            .selectFrom('facility as f')
            .select('f.id')
            .whereRef('f.id', '=', id)
            .where('f.path', 'like', likePrefix(scope)),
        )
      return eb.or([isInScope('e.facilityId'), isInScope('e.otherFacilityId')])
    })
    .execute()
  return withLegs(db, events)
}

export interface StockEventQuery {
  readonly scope: string
  readonly under: string | undefined
  readonly kind: EventKind | undefined
  readonly lotId: string | undefined
  readonly from: number | undefined
  readonly to: number | undefined
  readonly after: string | undefined
  readonly limit: number
}

/** The newest first, by id. */
export async function listStockEvents(db: DbOrTrx, query: StockEventQuery): Promise<PostedEvent[]> {
  const events = await db
    .selectFrom('stockEvent as e')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .selectAll('e')
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(query.kind !== undefined, (q) => q.where('e.kind', '=', query.kind ?? 'receive'))
    .$if(query.from !== undefined, (q) => q.where('e.occurredAt', '>=', query.from ?? 0))
    .$if(query.to !== undefined, (q) => q.where('e.occurredAt', '<', query.to ?? 0))
    .$if(query.lotId !== undefined, (q) =>
      q.where((eb) =>
        eb.exists(
          eb
            .selectFrom('stockEntry as s')
            .select('s.line')
            .whereRef('s.eventId', '=', 'e.id')
            .where('s.lotId', '=', query.lotId ?? ''),
        ),
      ),
    )
    .$if(query.after !== undefined, (q) => q.where('e.id', '<', query.after ?? ''))
    .orderBy('e.id', 'desc')
    .limit(query.limit)
    .execute()
  return withLegs(db, events)
}

/** The same events with their entries. */
export async function withLegs(db: DbOrTrx, events: readonly StockEventTable[]): Promise<PostedEvent[]> {
  if (events.length === 0) return []
  const ids = events.map(({ id }) => id)
  const entries = await db
    .selectFrom('stockEntry')
    .selectAll()
    .where('eventId', 'in', ids)
    .orderBy('eventId')
    .orderBy('line')
    .execute()
  const byEvent = Map.groupBy(entries, ({ eventId }) => eventId)
  return events.map((event) => ({ ...event, legs: (byEvent.get(event.id) ?? []).map(legOf) }))
}

function legOf(row: StockEntryTable): NumberedLeg {
  const { accountKind, accountId, facilityId, itemId, lotId, vvmStage, doses, opening, closing, version } =
    row
  return {
    account: { kind: accountKind, id: accountId, facilityId },
    itemId,
    lotId,
    vvmStage,
    held: row.held === 1,
    doses,
    opening,
    closing,
    version,
    reasonCode: row.reasonCode ?? undefined,
  }
}

/** Whether an event was reversed, and by which. */
export async function findReversalOf(db: DbOrTrx, eventId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('stockEvent')
    .select('id')
    .where('reversesEventId', '=', eventId)
    .executeTakeFirst()
  return row?.id
}
