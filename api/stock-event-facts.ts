import { findFacilities } from '../db/queries/facility.ts'
import { lockLots, lockOnHandAt, type NewStockEvent } from '../db/queries/ledger.ts'
import {
  findActivities,
  findLotFacts,
  findPointFacilities,
  findReasonKinds,
} from '../db/queries/stock-facts.ts'
import type { DbOrTrx, FacilityTable } from '../db/schema.ts'
import { dayIn } from '../domain/calendar.ts'
import { CodedError } from '../domain/errors.ts'
import type { EventKind, LotFacts, StockCommand, StockFacts } from '../domain/stock-event.ts'
import type { ReasonKind, VvmStage } from '../domain/stock.ts'
import { found, type Caller } from './caller.ts'
import type { NewStockEventBody } from './stock-event-schemas.ts'

/** What the database says of everything that some events mention. */
export interface Mentioned {
  readonly facilities: ReadonlyMap<string, FacilityTable>
  readonly lots: ReadonlyMap<string, LotFacts>
  /** Facility of each storage point. */
  readonly points: ReadonlyMap<string, string>
  readonly reasons: ReadonlyMap<string, ReasonKind>
  readonly activities: ReadonlySet<string>
}

const DEFAULT_REASON: Partial<Record<EventKind, string>> = { consume: 'opened', count: 'counted' }

/** What may put doses onto a shelf where they are free: it waits for a recall of the lot, and a recall waits for it. */
const ONTO_SHELVES: ReadonlySet<EventKind> = new Set(['receive', 'release', 'adjust', 'count', 'repack'])

/** Reads it, in the transaction that is going to use it, at once for all the events. */
export async function readMentioned(trx: DbOrTrx, bodies: readonly NewStockEventBody[]): Promise<Mentioned> {
  await lockLots(trx, arriving(bodies))
  const all = bodies.flatMap((body) => linesOf(body).map((line) => ({ body, line })))
  const facilities = await findFacilities(trx, unique(bodies.map(({ facilityId }) => facilityId)), '')
  return {
    facilities: new Map(facilities.map((row) => [row.id, row])),
    lots: await findLotFacts(trx, unique(all.flatMap(({ line }) => [line.lotId, line.toLotId]))),
    points: await findPointFacilities(
      trx,
      unique(all.flatMap(({ line }) => [line.storagePointId, line.toStoragePointId])),
    ),
    reasons: await findReasonKinds(
      trx,
      unique(all.map(({ body, line }) => reasonOf(body, line) ?? DEFAULT_REASON[body.kind])),
    ),
    activities: await findActivities(trx, unique(bodies.map(({ activityCode }) => activityCode))),
  }
}

function arriving(bodies: readonly NewStockEventBody[]): string[] {
  const some = bodies.filter(({ kind }) => ONTO_SHELVES.has(kind))
  return unique(some.flatMap((body) => linesOf(body).map(({ lotId, toLotId }) => toLotId ?? lotId)))
}

/** The facility of an event. @throws CodedError `resource.notFound` when it is not in the caller's part of the tree */
export function facilityIn(mentioned: Mentioned, caller: Caller, id: string): FacilityTable {
  const facility = mentioned.facilities.get(id)
  return found(facility?.path.startsWith(caller.scope) ? facility : undefined)
}

/**
 * What `decide` has to know for one event. On hand, which only a count asks for, is not among it.
 * @throws CodedError `stock.unknownActivity`
 */
export function factsFor(
  mentioned: Mentioned,
  facility: FacilityTable,
  { activityCode }: NewStockEventBody,
  occurredAt: number,
): StockFacts {
  const { lots, points, reasons, activities } = mentioned
  if (activityCode !== undefined && !activities.has(activityCode))
    throw new CodedError('stock.unknownActivity')
  const own = [...points].filter(([, facilityId]) => facilityId === facility.id).map(([id]) => id)
  const day = dayIn(facility.timeZone, occurredAt)
  return { facilityId: facility.id, day, lots, points: new Set(own), reasons }
}

/** @throws CodedError `stock.unknownActivity` */
export async function checkActivity(trx: DbOrTrx, code: string | null | undefined): Promise<void> {
  if (code && !(await findActivities(trx, [code])).has(code)) throw new CodedError('stock.unknownActivity')
}

/** The same with what is on hand of each line of a count, which is locked. */
export async function withOnHand(
  trx: DbOrTrx,
  facts: StockFacts,
  command: StockCommand<'count'>,
  { occurredAt }: Pick<NewStockEvent, 'occurredAt'>,
): Promise<StockFacts> {
  return { ...facts, onHand: await lockOnHandAt(trx, countedLines(command, facts), occurredAt) }
}

// What does not exist is refused later, when it is decided.
function countedLines({ lines }: StockCommand<'count'>, { lots, points, facilityId }: StockFacts) {
  return lines.flatMap(({ storagePointId, lotId, vvmStage, held = false }) => {
    const lot = lots.get(lotId)
    const account = { kind: 'point', id: storagePointId, facilityId } as const
    const line = { account, lotId, vvmStage: vvmStage ?? (lot?.hasVvm ? 1 : 0), held } as const
    return lot && points.has(storagePointId) ? [{ ...line, itemId: lot.itemId }] : []
  })
}

interface Mention {
  readonly lotId: string
  readonly toLotId?: string
  readonly storagePointId?: string
  readonly toStoragePointId?: string
  readonly vvmStage?: VvmStage | undefined
  readonly reasonCode?: string | undefined
}

// Schemas cannot say that a stage is one of five numbers in a way that TypeScript reads.
function linesOf({ lines }: NewStockEventBody): readonly Mention[] {
  return lines as unknown as readonly Mention[]
}

function reasonOf({ reasonCode }: NewStockEventBody, line: Mention): string | undefined {
  return line.reasonCode ?? reasonCode
}

/** What the body says, with the reason of the event on every line that has none of its own. */
export function commandOf(body: NewStockEventBody): StockCommand {
  const lines = linesOf(body).map((line) => ({ ...line, reasonCode: reasonOf(body, line) }))
  return { kind: body.kind, lines } as unknown as StockCommand
}

function unique(ids: readonly (string | undefined)[]): string[] {
  return [...new Set(ids)].filter((id) => id !== undefined)
}
