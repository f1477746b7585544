import type { ExpressionBuilder } from 'kysely'
import type { StockEntryTable } from '../schema-stock.ts'
import type { DbOrTrx, Schema } from '../schema.ts'

export interface CardQuery {
  readonly facilityId: string
  readonly itemId: string
  readonly lotId: string | undefined
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
  /** Only what was recorded by then. */
  readonly knownAtMs: number | undefined
}

/** Where an entry stands on the card. Entries of one moment follow each other by event and line. */
export interface CardPosition {
  readonly occurredAt: number
  readonly eventId: string
  readonly line: number
}

/** Entries at the storage points of a facility, the newest first in event time, from behind a position on: along the index of the card. */
export async function listCard(
  db: DbOrTrx,
  query: CardQuery & { readonly before: CardPosition | undefined; readonly limit: number },
) {
  const { before } = query
  return db
    .selectFrom('stockEntry as e')
    .innerJoin('stockEvent as v', 'v.id', 'e.eventId')
    .innerJoin('lot as l', 'l.id', 'e.lotId')
    .selectAll('e')
    .select(['v.documentNo', 'v.kind', 'v.otherFacilityId', 'v.userId', 'v.activityCode', 'v.comment'])
    .select(['v.reversesEventId', 'v.shipmentId', 'l.code as lotCode', 'l.expiresOn'])
    .where('e.facilityId', '=', query.facilityId)
    .where('e.itemId', '=', query.itemId)
    .where('e.accountKind', '=', 'point')
    .$if(query.lotId !== undefined, (q) => q.where('e.lotId', '=', query.lotId ?? ''))
    .$if(query.fromMs !== undefined, (q) => q.where('e.occurredAt', '>=', query.fromMs ?? 0))
    .$if(query.toMs !== undefined, (q) => q.where('e.occurredAt', '<', query.toMs ?? 0))
    .$if(query.knownAtMs !== undefined, (q) => q.where('e.recordedAt', '<=', query.knownAtMs ?? 0))
    .$if(before !== undefined, (q) =>
      q
        .where('e.occurredAt', '<=', before?.occurredAt ?? 0)
        .where((eb) =>
          eb.or([
            eb('e.occurredAt', '<', before?.occurredAt ?? 0),
            eb('e.eventId', '<', before?.eventId ?? ''),
            eb.and([eb('e.eventId', '=', before?.eventId ?? ''), eb('e.line', '<', before?.line ?? 0)]),
          ]),
        ),
    )
    .orderBy('e.occurredAt', 'desc')
    .orderBy('e.eventId', 'desc')
    .orderBy('e.line', 'desc')
    .limit(query.limit)
    .execute()
}

/**
 * On hand after the entry at a position, or before a moment: now, less what came later, so that it costs what happened since and not
 * what happened ever. With `knownAt` the whole card has to be looked at, for what was recorded later.
 */
export async function onHandAfter(
  db: DbOrTrx,
  query: CardQuery,
  at: CardPosition | { readonly beforeMs: number },
): Promise<number> {
  const balance = await db
    .selectFrom('stockBalance')
    .select((eb) => eb.fn.sum<number | string | null>('doses').as('doses'))
    .where('facilityId', '=', query.facilityId)
    .where('itemId', '=', query.itemId)
    .where('accountKind', '=', 'point')
    .$if(query.lotId !== undefined, (q) => q.where('lotId', '=', query.lotId ?? ''))
    .executeTakeFirst()
  const later = await db
    .selectFrom('stockEntry as e')
    .select((eb) => eb.fn.sum<number | string | null>('e.doses').as('doses'))
    .where('e.facilityId', '=', query.facilityId)
    .where('e.itemId', '=', query.itemId)
    .where('e.accountKind', '=', 'point')
    .$if(query.lotId !== undefined, (q) => q.where('e.lotId', '=', query.lotId ?? ''))
    .$if(query.knownAtMs === undefined, (q) => q.where('e.occurredAt', '>=', momentOf(at)))
    .where((eb) =>
      query.knownAtMs === undefined
        ? isAfter(eb, at)
        : eb.or([isAfter(eb, at), eb('e.recordedAt', '>', query.knownAtMs)]),
    )
    .executeTakeFirst()
  return Number(balance?.doses ?? 0) - Number(later?.doses ?? 0)
}

function momentOf(at: CardPosition | { readonly beforeMs: number }): number {
  return 'beforeMs' in at ? at.beforeMs : at.occurredAt
}

function isAfter(
  eb: ExpressionBuilder<Schema & { e: StockEntryTable }, 'e'>,
  at: CardPosition | { readonly beforeMs: number },
) {
  if ('beforeMs' in at) return eb('e.occurredAt', '>=', at.beforeMs)
  return eb.or([
    eb('e.occurredAt', '>', at.occurredAt),
    eb.and([
      eb('e.occurredAt', '=', at.occurredAt),
      eb.or([
        eb('e.eventId', '>', at.eventId),
        eb.and([eb('e.eventId', '=', at.eventId), eb('e.line', '>', at.line)]),
      ]),
    ]),
  ])
}

/** All entries of these events about an item, in their order. */
export async function listSides(
  db: DbOrTrx,
  eventIds: readonly string[],
  itemId: string,
): Promise<Pick<StockEntryTable, 'eventId' | 'line' | 'accountKind' | 'accountId' | 'doses'>[]> {
  if (eventIds.length === 0) return []
  return db
    .selectFrom('stockEntry')
    .select(['eventId', 'line', 'accountKind', 'accountId', 'doses'])
    .where('eventId', 'in', eventIds)
    .where('itemId', '=', itemId)
    .orderBy('eventId')
    .orderBy('line')
    .execute()
}
