import { findBreach, type BreachDetail } from '../db/queries/breach.ts'
import {
  findCapturedOf,
  findLotNames,
  findLotsSince,
  findPlace,
  findPlaces,
  listCapturedByEventId,
  listCapturedById,
  listRecorded,
  type RecordedRow,
} from '../db/queries/epcis.ts'
import { findEquipment } from '../db/queries/equipment.ts'
import type { PostedEvent } from '../db/queries/ledger.ts'
import { findReversalOf, findStockEvent } from '../db/queries/stock-event.ts'
import type { EpcisEventTable } from '../db/schema-epcis.ts'
import {
  declareError,
  DOSE,
  eventOfExcursion,
  eventsOfStock,
  lotsDuring,
  PIECE,
  type EpcisEvent,
  type EpcisFacts,
  type ExcursionFact,
} from '../domain/epcis.ts'
import { kindsOf, matches, type EpcisFilter } from '../domain/epcis-filter.ts'
import { facilityName, lotName, parseEventName, parsePlaceName } from '../domain/epcis-name.ts'
import { CodedError } from '../domain/errors.ts'
import { QUANTITIES, type Quantity } from '../domain/reading.ts'
import { watchRuleOf } from '../domain/watch-rule.ts'
import type { Caller } from './caller.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { RouteDeps } from './deps.ts'
import { offsetIn, toRfc3339 } from './time.ts'

/** Rows read for one page at most: a filter that hardly anything passes gives short pages, with a link to go on. */
const ROWS_MAX = 1000
const ROWS_AT_ONCE = 100
const DAY_MS = 86_400_000
const PLACES_MAX = 20

export interface EventPage {
  readonly events: readonly EpcisEvent[]
  readonly nextPageToken: string | undefined
}

interface Position {
  readonly recordedAt: number
  readonly id: string
  /** The next of the events that come from this row. */
  readonly part: number
}

/** Events that the caller may see and that match, in the order of recording. */
export async function queryEvents(
  deps: RouteDeps,
  caller: Caller,
  asked: EpcisFilter,
  { perPage, token }: { readonly perPage: number; readonly token: string | undefined },
): Promise<EventPage> {
  const { filter, facilityIds } = await placed(deps, caller, asked)
  const events: EpcisEvent[] = []
  let position = positionOf(token)
  for (let rowsRead = 0; rowsRead < ROWS_MAX; rowsRead += ROWS_AT_ONCE) {
    const rows = await listRecorded(deps.db, {
      scope: caller.scope,
      facilityIds,
      kinds: kindsOf(filter),
      recordFrom: filter.recordFrom,
      recordBefore: filter.recordBefore,
      from: position,
      limit: ROWS_AT_ONCE + 1,
    })
    for (const row of rows.slice(0, ROWS_AT_ONCE)) {
      const start = row.id === position?.id ? position.part : 0
      for (const [part, event] of (await eventsOf(deps, caller, row)).entries()) {
        if (part < start || !matches(event, filter)) continue
        if (events.length === perPage) return { events, nextPageToken: tokenOf({ ...row, part }) }
        events.push(event)
      }
    }
    const next = rows[ROWS_AT_ONCE]
    if (!next) return { events, nextPageToken: undefined }
    position = { recordedAt: next.recordedAt, id: next.id, part: 0 }
  }
  return { events, nextPageToken: position && tokenOf(position) }
}

function positionOf(token: string | undefined): Position | undefined {
  const text = decodeCursor(token)
  if (text === undefined) return undefined
  const match = /^(\d{1,15}):([0-9a-f-]{36}):(\d{1,3})$/.exec(text)
  if (!match) throw new CodedError('request.invalid', 'nextPageToken is not one that a page has given.')
  return { recordedAt: Number(match[1]), id: match[2] ?? '', part: Number(match[3]) }
}

function tokenOf({ recordedAt, id, part }: Position): string {
  return encodeCursor(`${recordedAt}:${id}:${part}`)
}

/** The same filter with the places that it names by every name that they go by, and the facilities that they are in; undefined: any. */
async function placed(
  { db }: RouteDeps,
  caller: Caller,
  filter: EpcisFilter,
): Promise<{ filter: EpcisFilter; facilityIds: string[] | undefined }> {
  const { bizLocations, readPoints } = filter
  if (!bizLocations && !readPoints) return { filter, facilityIds: undefined }
  const locations = bizLocations && (await placesNamed(db, caller, bizLocations))
  const points = readPoints && (await placesNamed(db, caller, readPoints))
  const { facilityIds } = locations ?? points ?? { facilityIds: [] }
  return {
    filter: { ...filter, bizLocations: locations?.names, readPoints: points?.names },
    // A place that is not theirs is one where nothing happened.
    facilityIds: facilityIds.length > 0 ? facilityIds : [''],
  }
}

async function placesNamed(db: RouteDeps['db'], caller: Caller, asked: readonly string[]) {
  if (asked.length > PLACES_MAX)
    throw new CodedError('request.invalid', `At most ${PLACES_MAX} places at once.`)
  const names = new Set(asked)
  const facilityIds: string[] = []
  for (const name of asked) {
    const named = parsePlaceName(name)
    const place = named && (await findPlace(db, caller.scope, named))
    if (!place) continue
    facilityIds.push(place.facilityId)
    if (place.storagePointId !== null) continue
    // Before and after it got its GLN.
    for (const { id, gln } of await findPlaces(db, [place.facilityId]))
      for (const one of [facilityName(id, gln), facilityName(id, null)]) names.add(one)
  }
  return { names: [...names], facilityIds }
}

async function eventsOf(deps: RouteDeps, caller: Caller, row: RecordedRow): Promise<EpcisEvent[]> {
  if (row.source === 'captured') return (await listCapturedById(deps.db, [row.id])).map(capturedView)
  if (row.source === 'breach') return excursionEvents(deps, await findBreach(deps.db, row.id, caller.scope))
  const event = await findStockEvent(deps.db, row.id, caller.scope)
  return event ? stockEvents(deps, caller, event) : []
}

async function stockEvents(deps: RouteDeps, caller: Caller, event: PostedEvent): Promise<EpcisEvent[]> {
  if (event.reversesEventId === null)
    return eventsOfStock(event, await factsFor(deps, [event.facilityId, event.otherFacilityId], event.legs))
  const captured = await findCapturedOf(deps.db, event.reversesEventId)
  const original = await findStockEvent(deps.db, event.reversesEventId, caller.scope)
  const reversed = captured
    ? [capturedView(captured)]
    : original
      ? await stockEvents(deps, caller, original)
      : []
  return reversed.map((one) => declareError(one, event.recordedAt))
}

async function factsFor(
  { db }: RouteDeps,
  facilityIds: readonly (string | null)[],
  lots: readonly { readonly lotId: string }[],
): Promise<EpcisFacts> {
  const places = await findPlaces(
    db,
    facilityIds.filter((id) => id !== null),
  )
  const zones = new Map(places.map(({ id, timeZone }) => [id, timeZone]))
  const names = await findLotNames(db, [...new Set(lots.map(({ lotId }) => lotId))])
  return {
    glns: new Map(places.map(({ id, gln }) => [id, gln])),
    lots: new Map(names.map((lot) => [lot.id, { epcClass: lotName(lot), uom: unitOf(lot.kind) }])),
    offset: (facilityId, at) => offsetIn(zones.get(facilityId) ?? 'UTC', at),
  }
}

function unitOf(kind: string): string {
  return kind === 'vaccine' || kind === 'diluent' ? DOSE : PIECE
}

async function excursionEvents(deps: RouteDeps, breach: BreachDetail | undefined): Promise<EpcisEvent[]> {
  if (!breach || breach.facilityId === null || breach.endAt === null) return []
  // Silence and what else the watchdog finds is no excursion of the goods.
  if (breach.deviceId === null || watchRuleOf(breach.ruleId)) return []
  const { deviceId, facilityId, startAt, endAt } = breach
  const lots = await lotsIn(deps, breach, facilityId, endAt)
  const fact: ExcursionFact = {
    breachId: breach.id,
    deviceId,
    ruleId: breach.ruleId,
    facilityId,
    startAt,
    endAt,
    recordedAt: breach.updatedAt,
    peak: breach.peak,
    peakAt: breach.peakAt,
    isWithdrawn: breach.state === 'withdrawn',
    summary: await summaryOf(deps, breach, endAt),
    lots,
  }
  return [eventOfExcursion(fact, await factsFor(deps, [facilityId], lots))]
}

// Equipment holds what its storage point holds.
async function lotsIn({ db }: RouteDeps, breach: BreachDetail, facilityId: string, endAt: number) {
  const equipment = breach.equipmentId === null ? undefined : await findEquipment(db, breach.equipmentId, '')
  if (!equipment?.storagePointId || equipment.facilityId !== facilityId) return []
  const { now, since } = await findLotsSince(db, { id: equipment.storagePointId, facilityId }, breach.startAt)
  return lotsDuring(now, since, endAt)
}

async function summaryOf({ series }: RouteDeps, breach: BreachDetail, endAt: number) {
  const { deviceId, sensor, quantity, startAt } = breach
  if (deviceId === null || quantity === null || !(quantity in QUANTITIES)) return undefined
  const asked = {
    deviceId,
    sensor,
    quantity: quantity as Quantity,
    from: startAt,
    to: endAt,
    everyMs: DAY_MS,
  }
  const buckets = await series.aggregate(asked)
  if (buckets.length === 0) return undefined
  const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0)
  return {
    min: Math.min(...buckets.map(({ min }) => min)),
    max: Math.max(...buckets.map(({ max }) => max)),
    mean: buckets.reduce((sum, bucket) => sum + bucket.mean * bucket.count, 0) / count,
  }
}

function capturedView(row: EpcisEventTable): EpcisEvent {
  const { '@context': _, ...event } = JSON.parse(row.body) as EpcisEvent & { readonly '@context'?: unknown }
  return { ...event, eventID: row.eventId, recordTime: toRfc3339(row.recordedAt) }
}

/** All events of one eventID: more than one when it was declared an error. Empty: there is none that the caller may see. */
export async function findEvents(deps: RouteDeps, caller: Caller, eventId: string): Promise<EpcisEvent[]> {
  const captured = await listCapturedByEventId(deps.db, eventId, caller.scope)
  const events = captured.map(capturedView)
  const made = captured.map(({ stockEventId }) => stockEventId).filter((id) => id !== null)
  for (const row of captured.filter(({ stockEventId }) => stockEventId !== null))
    events.push(...(await takenBack(deps, caller, row, made)))
  // A stock event that was made from a captured one is given as that.
  const own = made.includes(parseEventName(eventId) ?? '') ? [] : await ownEvents(deps, caller, eventId)
  return [...events, ...own.filter(({ eventID }) => eventID === eventId)]
}

/** The declaration that a captured event was an error, if its stock event was reversed here. */
async function takenBack(
  { db }: RouteDeps,
  caller: Caller,
  row: EpcisEventTable,
  made: readonly string[],
): Promise<EpcisEvent[]> {
  const reversalId = await findReversalOf(db, row.stockEventId ?? '')
  if (reversalId === undefined || made.includes(reversalId)) return []
  const reversal = await findStockEvent(db, reversalId, caller.scope)
  return reversal ? [declareError(capturedView(row), reversal.recordedAt)] : []
}

async function ownEvents(deps: RouteDeps, caller: Caller, eventId: string): Promise<EpcisEvent[]> {
  const id = parseEventName(eventId)
  if (id === undefined) return []
  const event = await findStockEvent(deps.db, id, caller.scope)
  if (!event) return excursionEvents(deps, await findBreach(deps.db, id, caller.scope))
  if (event.reversesEventId !== null) return []
  const events = await stockEvents(deps, caller, event)
  const reversalId = await findReversalOf(deps.db, id)
  const reversal =
    reversalId === undefined ? undefined : await findStockEvent(deps.db, reversalId, caller.scope)
  return reversal ? [...events, ...events.map((one) => declareError(one, reversal.recordedAt))] : events
}
