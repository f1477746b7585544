import { createHash, randomUUIDv7 } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import {
  findCaptured,
  findLotByName,
  findPlace,
  finishCapture,
  identityOf,
  insertCapture,
  keepCaptured,
  type LotNameRow,
} from '../db/queries/epcis.ts'
import { listReference } from '../db/queries/reference.ts'
import { findStockEvent } from '../db/queries/stock-event.ts'
import { inTransaction } from '../db/transaction.ts'
import type { DbOrTrx } from '../db/schema.ts'
import type { EpcisEventTable } from '../db/schema-epcis.ts'
import { DOSE, PIECE, type EpcisEvent, type Quantity, type SensorElement } from '../domain/epcis.ts'
import { parseEventName, parseLotName, parsePlaceName } from '../domain/epcis-name.ts'
import { CodedError, type ErrorCode } from '../domain/errors.ts'
import type { Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { EVENT_SCHEMAS, SAID_ONCE } from './epcis-schemas.ts'
import { recordStockEvent, reverseStockEvent } from './record-stock-event.ts'
import { DOSES_MAX, type NewStockEventBody } from './stock-event-schemas.ts'
import { parseTime } from './time.ts'

/** More than a pallet of lots with all their sensors needs. */
const EVENT_LENGTH_MAX = 65_536
const MISTAKES_MAX = 5

/** What became of one event. */
export interface Outcome {
  /** Its place in the document, from 0. */
  readonly index: number
  readonly eventId: string | null
  /** `recorded`: the ledger has it; `known`: it had it before; `kept`: as it was sent, and the ledger made nothing of it; `refused`: not kept. */
  readonly result: 'recorded' | 'known' | 'kept' | 'refused'
  readonly stockEventId: string | null
  readonly code: ErrorCode | null
  readonly detail: string | null
}

export interface Capture {
  readonly id: string
  readonly createdAt: number
  readonly finishedAt: number | null
  readonly outcomes: readonly Outcome[]
}

const CHECKS = new Map(Object.entries(EVENT_SCHEMAS).map(([type, schema]) => [type, Compile(schema)]))

/**
 * Takes the events of a document in their order, each in a transaction of its own: one that cannot be taken holds back none, and leaves nothing
 * half done. The same document again does what is left to do.
 */
export async function capture(deps: RouteDeps, caller: Caller, events: readonly unknown[]): Promise<Capture> {
  const id = randomUUIDv7()
  const createdAt = deps.clock.now()
  const { db } = deps
  await insertCapture(db, {
    id,
    userId: caller.id,
    facilityId: caller.facilityId,
    createdAt,
    finishedAt: null,
    outcomes: null,
  })
  const outcomes: Outcome[] = []
  for (const [index, event] of events.entries())
    outcomes.push({ index, ...(await captureOne(deps, caller, id, event)) })
  const finishedAt = deps.clock.now()
  await finishCapture(db, id, { finishedAt, outcomes: JSON.stringify(outcomes) })
  return { id, createdAt, finishedAt, outcomes }
}

type Result = Omit<Outcome, 'index'>

const outcome = (result: Outcome['result'], more: Partial<Result> = {}): Result => ({
  eventId: null,
  stockEventId: null,
  code: null,
  detail: null,
  result,
  ...more,
})

async function captureOne(
  deps: RouteDeps,
  caller: Caller,
  captureId: string,
  sent: unknown,
): Promise<Result> {
  try {
    const event = checkedEvent(sent)
    const row = rowOf(event, captureId, deps.clock.now())
    return await keep(deps, caller, event, row)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return outcome('refused', { code: error.code, detail: error.detail ?? null })
  }
}

/** @throws CodedError `epcis.invalidEvent` */
function checkedEvent(sent: unknown): EpcisEvent {
  const type = typeof sent === 'object' && sent !== null && 'type' in sent ? String(sent.type) : ''
  const check = CHECKS.get(type)
  if (!check) throw new CodedError('epcis.invalidEvent', 'type is none of EPCIS 2.0.')
  if (JSON.stringify(sent).length > EVENT_LENGTH_MAX)
    throw new CodedError('epcis.invalidEvent', `At most ${EVENT_LENGTH_MAX} characters.`)
  if (!check.Check(sent)) {
    const mistakes = check.Errors(sent).map(({ instancePath, message }) => `${instancePath} ${message}`)
    throw new CodedError('epcis.invalidEvent', mistakes.slice(0, MISTAKES_MAX).join('; '))
  }
  const event = sent as unknown as EpcisEvent
  const twice = (event.sensorElementList ?? []).flatMap(saidTwice)
  if (twice.length > 0)
    throw new CodedError('epcis.invalidEvent', `${twice[0]} is in sensorMetadata and in a sensorReport.`)
  return event
}

function saidTwice({ sensorMetadata = {}, sensorReport }: SensorElement): string[] {
  return SAID_ONCE.filter(
    (field) => field in sensorMetadata && sensorReport.some((report) => field in report),
  )
}

function rowOf(event: EpcisEvent, captureId: string, recordedAt: number): EpcisEventTable {
  const body = JSON.stringify(sortedKeys(event))
  const bodyHash = createHash('sha256').update(body).digest('hex')
  // Who gives no eventID gets one of the content, so that the same event again is the same.
  const eventId = event.eventID ?? `urn:coldstream:captured:${bodyHash}`
  return {
    id: randomUUIDv7(),
    identity: identityOf(eventId, event.errorDeclaration !== undefined),
    eventId,
    captureId,
    facilityId: null,
    eventTime: parseTime(event.eventTime, 'eventTime'),
    recordedAt,
    body,
    bodyHash,
    stockEventId: null,
    errorCode: null,
  }
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, one]) => [key, sortedKeys(one)]))
}

async function keep(
  deps: RouteDeps,
  caller: Caller,
  event: EpcisEvent,
  row: EpcisEventTable,
): Promise<Result> {
  const { eventId } = row
  const known = await findKnown(deps.db, caller, row)
  if (known) return known
  const facilityId = (await facilityOfEvent(deps.db, caller, event)) ?? caller.facilityId
  try {
    const stockEventId = await inTransaction(deps.db, async (trx) => {
      const made = await intoLedger(deps, trx, caller, event, eventId)
      if (!(await keepCaptured(trx, { ...row, facilityId, stockEventId: made })))
        throw new CodedError('epcis.eventIdTaken')
      return made
    })
    return outcome('recorded', { eventId, stockEventId })
  } catch (error) {
    if (!(error instanceof CodedError) && !isDuplicate(error)) throw error
    const { code, detail = null } =
      error instanceof CodedError ? error : { code: 'epcis.eventIdTaken' as const }
    const kept = await keepCaptured(deps.db, { ...row, facilityId, errorCode: code })
    if (kept) return outcome('kept', { eventId, code, detail })
    // Somebody was faster.
    return (await findKnown(deps.db, caller, row)) ?? outcome('refused', { eventId, code, detail })
  }
}

/** What was made of this event before; undefined when there is nothing, or when it may be tried again. */
async function findKnown(db: DbOrTrx, caller: Caller, row: EpcisEventTable): Promise<Result | undefined> {
  const { eventId } = row
  const before = await findCaptured(db, row.identity)
  if (before && before.bodyHash !== row.bodyHash)
    return outcome('refused', { eventId, code: 'epcis.eventIdTaken' })
  if (before && before.errorCode === null)
    return outcome('known', { eventId, stockEventId: before.stockEventId })
  // Our own, come back to us.
  const own = parseEventName(eventId)
  if (before || own === undefined || row.identity !== identityOf(eventId, false)) return undefined
  const event = await findStockEvent(db, own, caller.scope)
  return event && outcome('known', { eventId, stockEventId: event.id })
}

async function facilityOfEvent(db: DbOrTrx, caller: Caller, event: EpcisEvent): Promise<string | undefined> {
  return (await placeOf(db, caller, event))?.facilityId
}

async function placeOf(db: DbOrTrx, caller: Caller, { bizLocation, readPoint }: EpcisEvent) {
  for (const place of [bizLocation, readPoint]) {
    const named = place && parsePlaceName(place.id)
    const found = named && (await findPlace(db, caller.scope, named))
    if (found) return found
  }
  return undefined
}

/** Makes a stock event of it. @throws CodedError why it cannot: then it is kept as it is */
async function intoLedger(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  event: EpcisEvent,
  eventId: string,
): Promise<string> {
  if (event.errorDeclaration) return takeBack(deps, trx, caller, event, eventId)
  const kind = kindOf(event)
  const place = await placeOf(trx, caller, event)
  if (!place) throw new CodedError('epcis.unknownPlace')
  const storagePointId = kind === 'dispose' ? '' : await pointOf(trx, caller, event, place)
  const lines = []
  for (const quantity of event.quantityList ?? []) {
    const lot = await lotOf(trx, quantity)
    lines.push(lineOf(kind, storagePointId, lot.id, dosesOf(quantity, lot), event))
  }
  const own = parseEventName(eventId)
  const body = {
    id: own ?? randomUUIDv7(),
    kind,
    facilityId: place.facilityId,
    occurredAt: event.eventTime,
    comment: eventId,
    lines,
  } as unknown as NewStockEventBody
  return (await recordStockEvent(deps, trx, caller, body)).id
}

type Kind = 'receive' | 'wastage' | 'dispose' | 'consume'

const KINDS: Readonly<Record<string, Kind>> = {
  receiving: 'receive',
  decommissioning: 'wastage',
  destroying: 'dispose',
  dispensing: 'consume',
}

function kindOf({ type, bizStep, epcList, quantityList }: EpcisEvent): Kind {
  const kind = type === 'ObjectEvent' ? KINDS[bizStep ?? ''] : undefined
  // The ledger counts doses of lots; it knows no single boxes by their serial numbers.
  if (!kind || (epcList ?? []).length > 0 || (quantityList ?? []).length === 0)
    throw new CodedError('epcis.notForLedger')
  return kind
}

const REASONS: Readonly<Record<string, string>> = {
  expired: 'expired',
  recalled: 'recalled',
  damaged: 'broken',
  unknown: 'missing',
  stolen: 'missing',
}

function lineOf(kind: Kind, storagePointId: string, lotId: string, doses: number, event: EpcisEvent): object {
  if (kind === 'dispose') return { lotId, doses }
  if (kind === 'consume') return { storagePointId, lotId, administered: doses, wasted: 0 }
  const reasonCode = kind === 'wastage' ? REASONS[event.disposition ?? ''] : undefined
  return { storagePointId, lotId, doses, ...(reasonCode === undefined ? {} : { reasonCode }) }
}

async function lotOf(trx: DbOrTrx, { epcClass }: Quantity): Promise<LotNameRow> {
  const named = parseLotName(epcClass)
  const lot = named && (await findLotByName(trx, named))
  if (!lot) throw new CodedError('stock.unknownLot', epcClass)
  return lot
}

/** @throws CodedError `epcis.badQuantity` */
function dosesOf({ quantity, uom, epcClass }: Quantity, lot: LotNameRow): number {
  const isSupply = lot.kind !== 'vaccine' && lot.kind !== 'diluent'
  const factors: Readonly<Record<string, number>> = isSupply ? { [PIECE]: 1, EA: 1 } : { [DOSE]: 1 }
  const factor = uom === undefined ? lot.dosesPerPack : factors[uom]
  const doses = (quantity ?? Number.NaN) * (factor ?? Number.NaN)
  if (!Number.isInteger(doses) || doses < 1 || doses > DOSES_MAX)
    throw new CodedError(
      'epcis.badQuantity',
      `${epcClass}: a whole number of doses (uom ${DOSE}), of pieces (uom ${PIECE}), or of packs without a uom.`,
    )
  return doses
}

/** The shelf: named as a place, a destination or a source, or the only one that there is. */
async function pointOf(
  trx: DbOrTrx,
  caller: Caller,
  event: EpcisEvent,
  place: { readonly facilityId: string; readonly storagePointId: string | null },
): Promise<string> {
  if (place.storagePointId !== null) return place.storagePointId
  const { facilityId } = place
  for (const name of namesIn(event)) {
    const named = parsePlaceName(name)
    const found = named && (await findPlace(trx, caller.scope, named))
    if (found?.facilityId === facilityId && found.storagePointId !== null) return found.storagePointId
  }
  const query = {
    key: 'id',
    equal: { facilityId },
    under: [caller.scope],
    after: undefined,
    limit: 2,
  } as const
  const [only, second] = await listReference(trx, 'storagePoint', query)
  if (!only || second) throw new CodedError('epcis.whichPoint')
  return only.id
}

function namesIn({ readPoint, destinationList = [], sourceList = [] }: EpcisEvent): string[] {
  const parties = [...destinationList, ...sourceList].map(({ destination, source }) => destination ?? source)
  return [readPoint?.id, ...parties].filter((name) => name !== undefined)
}

async function takeBack(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  event: EpcisEvent,
  eventId: string,
): Promise<string> {
  if (event.errorDeclaration?.reason !== 'did_not_occur') throw new CodedError('epcis.notForLedger')
  const captured = await findCaptured(trx, identityOf(eventId, false))
  const original = captured ? captured.stockEventId : parseEventName(eventId)
  if (!original) throw new CodedError('epcis.unknownEvent')
  return (await reverseStockEvent(deps, trx, caller, original, { comment: eventId })).id
}
