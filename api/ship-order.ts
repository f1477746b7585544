import { randomUUIDv7 } from 'node:crypto'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { nextNumber } from '../db/queries/counter.ts'
import { insertChanges } from '../db/queries/change.ts'
import { findDeviceInScope } from '../db/queries/device.ts'
import { findFacility } from '../db/queries/facility.ts'
import { postEvent, unreserve, type NewStockEvent } from '../db/queries/ledger.ts'
import { stateOf, type Order } from '../db/queries/order.ts'
import { insertShipment, type Shipment } from '../db/queries/shipment.ts'
import { findLotFacts } from '../db/queries/stock-facts.ts'
import type { OrderAllocationTable, ShipmentLineTable } from '../db/schema-orders.ts'
import { CodedError } from '../domain/errors.ts'
import { decideOrder } from '../domain/order.ts'
import { shipLegs, type SentLine } from '../domain/shipment.ts'
import { isSscc, makeSscc } from '../domain/sscc.ts'
import type { VvmStage } from '../domain/stock.ts'
import { found } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { dosesByLine } from './order-steps.ts'
import type { ShipRequest } from './order-schemas.ts'
import { factsOf, openOrder, reservationsOf, saveOrder } from './order.ts'
import { occurredAtOf } from './time.ts'
import { hashOf } from './replay.ts'
import { dayIn } from '../domain/calendar.ts'
import { audit, type Writing } from './write.ts'

/**
 * Sends what is allocated to an order, or a part of it, as one shipment: off the shelves, onto the road.
 * @throws CodedError `order.*`, `stock.*`, `resource.conflict` when the id or the SSCC is taken
 */
export async function shipOrder(
  deps: RouteDeps,
  writing: Writing,
  orderId: string,
  body: ShipRequest,
): Promise<Shipment> {
  const { trx, caller, at } = writing
  const order = await openOrder(writing, orderId)
  const shippedAt = occurredAtOf(body.occurredAt, at)
  const picks = await picksOf(writing, order, body)
  const facts = await factsOf(trx, caller, order)
  const next = decideOrder(stateOf(order), { kind: 'ship', doses: dosesByLine(picks) }, facts)
  const id = body.id ?? randomUUIDv7()
  const sent = linesOf(order, picks)
  const route = await routeOf(writing, order, id, sent, shippedAt)
  await checkBoxes(writing, body)
  await unreserve(trx, reservationsOf(order.fromFacilityId, picks))
  const event = eventOf(writing, order, { kind: 'ship', shipmentId: id, occurredAt: shippedAt, body })
  // These promises are kept by it; those to others are broken, if at all, by what has happened to the stock.
  const posted = await postEvent(trx, event, shipLegs(sent, route), { mayTakeAllocated: true })
  const shipment = {
    id,
    orderId,
    documentNo: posted.documentNo,
    sscc: await ssccFor(deps, writing, body.sscc),
    status: 'shipped' as const,
    fromFacilityId: order.fromFacilityId,
    toFacilityId: order.toFacilityId,
    comment: body.comment ?? null,
    shippedAt,
    receivedAt: null,
    shipEventId: posted.id,
    deliverEventId: null,
    requestHash: hashOf({ ...body, orderId }),
    version: 1,
    createdAt: at,
    createdBy: caller.id,
    updatedAt: at,
  }
  const lines = sent.map((line) => rowOf(id, line, picks))
  const coldBoxes = (body.coldBoxes ?? []).map(({ name, deviceId }, index) => ({
    shipmentId: id,
    box: index + 1,
    name,
    deviceId: deviceId ?? null,
  }))
  await insertShipment(trx, shipment, lines, coldBoxes).catch((error: unknown) => {
    if (isDuplicate(error)) throw new CodedError('resource.conflict', 'The id or the SSCC is taken.')
    throw error
  })
  const set = order.shippedAt === null ? { shippedAt } : {}
  await saveOrder(writing, order, next, 'shipped', set, without(order.allocations, picks))
  const { fromFacilityName, toFacilityName, fromTimeZone, toTimeZone } = order
  const sides = { fromFacilityName, toFacilityName, fromTimeZone, toTimeZone }
  const after = { ...shipment, ...sides, lines, coldBoxes }
  await tellShipment(writing, 'sent', after)
  return after
}

/** The audit row of a change, and the notes for both sides. */
export async function tellShipment(
  { trx, caller, at }: Writing,
  action: string,
  shipment: Shipment,
): Promise<void> {
  const { id, requestHash: _, lines, ...head } = shipment
  const entry = { action: `shipment.${action}`, entity: 'shipment', entityId: id }
  await audit(trx, caller, at, { ...entry, after: { ...head, lines } })
  await insertChanges(trx, at, [shipment.fromFacilityId, shipment.toFacilityId], 'shipment', id)
}

// Without lines: all that is allocated. With: parts of that, named as they are allocated.
async function picksOf({ trx }: Writing, order: Order, body: ShipRequest): Promise<OrderAllocationTable[]> {
  if (!body.lines) {
    if (order.allocations.length > 0) return [...order.allocations]
    throw new CodedError('order.wrongState', 'Nothing is allocated.')
  }
  const lots = await findLotFacts(
    trx,
    body.lines.map(({ lotId }) => lotId),
  )
  const wanted = new Map<string, OrderAllocationTable>()
  for (const line of body.lines) {
    const vvmStage = (line.vvmStage ?? (lots.get(line.lotId)?.hasVvm ? 1 : 0)) as VvmStage
    const pick = { ...line, vvmStage, held: line.held ? (1 as const) : (0 as const) }
    const before = wanted.get(keyOf(pick))?.doses ?? 0
    wanted.set(keyOf(pick), pickOf(order, { ...pick, doses: line.doses + before }))
  }
  return [...wanted.values()]
}

function pickOf(order: Order, pick: Key & { readonly doses: number }): OrderAllocationTable {
  const allocation = order.allocations.find((one) => keyOf(one) === keyOf(pick))
  if (!allocation || pick.doses > allocation.doses)
    throw new CodedError(
      'order.quantity',
      `Line ${pick.line}: ${allocation?.doses ?? 0} doses of it are allocated.`,
    )
  return { ...allocation, doses: pick.doses }
}

type Key = Pick<OrderAllocationTable, 'line' | 'storagePointId' | 'lotId' | 'vvmStage' | 'held'>

function keyOf({ line, storagePointId, lotId, vvmStage, held }: Key): string {
  return [line, storagePointId, lotId, vvmStage, held].join(' ')
}

function without(
  allocations: readonly OrderAllocationTable[],
  picks: readonly OrderAllocationTable[],
): OrderAllocationTable[] {
  const gone = new Map(picks.map((pick) => [keyOf(pick), pick.doses]))
  return allocations
    .map((one) => ({ ...one, doses: one.doses - (gone.get(keyOf(one)) ?? 0) }))
    .filter(({ doses }) => doses > 0)
}

function linesOf(order: Order, picks: readonly OrderAllocationTable[]): SentLine[] {
  return picks.map(({ line, lotId, vvmStage, held, storagePointId, doses }, index) => {
    const itemId = order.lines.find((one) => one.line === line)?.itemId
    if (itemId === undefined) throw new Error(`order ${order.id} has no line ${line}`)
    return { line: index + 1, itemId, lotId, vvmStage, held: held === 1, storagePointId, doses }
  })
}

function rowOf(
  shipmentId: string,
  sent: SentLine,
  picks: readonly OrderAllocationTable[],
): ShipmentLineTable {
  const orderLine = picks[sent.line - 1]?.line ?? 0
  return { ...sent, shipmentId, orderLine, held: sent.held ? 1 : 0, accepted: 0, rejected: 0, short: 0 }
}

async function routeOf(
  { trx }: Writing,
  order: Order,
  shipmentId: string,
  sent: readonly SentLine[],
  occurredAt: number,
) {
  const sender = found(await findFacility(trx, order.fromFacilityId, ''))
  return {
    shipmentId,
    fromFacilityId: order.fromFacilityId,
    toFacilityId: order.toFacilityId,
    isReturn: order.kind === 'return',
    lots: await findLotFacts(
      trx,
      sent.map(({ lotId }) => lotId),
    ),
    day: dayIn(sender.timeZone, occurredAt),
  }
}

/** The event of a shipment's leaving or arriving, at the facility where it happens. */
export function eventOf(
  { caller, at }: Writing,
  order: Pick<Order, 'id' | 'fromFacilityId' | 'toFacilityId' | 'activityCode'>,
  what: {
    readonly kind: 'ship' | 'deliver'
    readonly shipmentId: string
    readonly occurredAt: number
    readonly body: { readonly comment?: string | undefined }
    readonly id?: string | undefined
    readonly requestHash?: string
  },
): NewStockEvent {
  const isShip = what.kind === 'ship'
  return {
    id: what.id ?? randomUUIDv7(),
    kind: what.kind,
    facilityId: isShip ? order.fromFacilityId : order.toFacilityId,
    otherFacilityId: isShip ? order.toFacilityId : order.fromFacilityId,
    occurredAt: what.occurredAt,
    recordedAt: at,
    userId: caller.id,
    activityCode: order.activityCode,
    reasonCode: null,
    comment: what.body.comment ?? null,
    orderId: order.id,
    shipmentId: what.shipmentId,
    reversesEventId: null,
    requestHash: what.requestHash ?? hashOf(what.body),
  }
}

async function checkBoxes({ trx, caller }: Writing, { coldBoxes = [] }: ShipRequest): Promise<void> {
  for (const { deviceId } of coldBoxes)
    if (deviceId !== undefined) found(await findDeviceInScope(trx, deviceId, caller.scope))
}

// The counter comes last: everybody who sends anything waits for it.
async function ssccFor(
  { settings }: RouteDeps,
  { trx }: Writing,
  given: string | undefined,
): Promise<string | null> {
  if (given !== undefined) {
    if (!isSscc(given)) throw new CodedError('order.badSscc')
    return given
  }
  if (settings.gs1CompanyPrefix === '') return null
  return makeSscc(settings.gs1CompanyPrefix, await nextNumber(trx, 'sscc'))
}
