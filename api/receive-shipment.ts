import { findFacility } from '../db/queries/facility.ts'
import { lockLots, postEvent } from '../db/queries/ledger.ts'
import { stateOf, type Order } from '../db/queries/order.ts'
import { findShipment, updateShipment, type Shipment } from '../db/queries/shipment.ts'
import { findStockEvent } from '../db/queries/stock-event.ts'
import { findLotFacts, findPointsOf, findReasonKinds } from '../db/queries/stock-facts.ts'
import type { ShipmentLineTable } from '../db/schema-orders.ts'
import { CodedError } from '../domain/errors.ts'
import { checkStep, decideOrder, type OrderCommand } from '../domain/order.ts'
import { deliverLegs, type Arrival, type FoundLine, type SentLine } from '../domain/shipment.ts'
import { reverse } from '../domain/stock-event.ts'
import type { VvmStage } from '../domain/stock.ts'
import { found } from './caller.ts'
import type { ReceiveRequest } from './order-schemas.ts'
import { factsOf, openOrder, saveOrder } from './order.ts'
import { holdRecalled, reversalOf } from './record-stock-event.ts'
import { hashOf } from './replay.ts'
import { eventOf, tellShipment } from './ship-order.ts'
import { dayIn } from '../domain/calendar.ts'
import { occurredAtOf } from './time.ts'
import type { Writing } from './write.ts'

const SHORT = 'rejected-short'

/**
 * Takes a shipment in: what is accepted, what is rejected, what did not come. Nothing of it stays on the road.
 * @throws CodedError `order.received` when it was received before, `order.*`, `stock.*`
 */
export async function receiveShipment(writing: Writing, id: string, body: ReceiveRequest): Promise<Shipment> {
  const { trx, at } = writing
  const { shipment, order } = await openShipment(writing, id)
  if (shipment.status === 'received') throw new CodedError('order.received')
  if (shipment.status !== 'shipped')
    throw new CodedError('order.wrongState', `The shipment is ${shipment.status}.`)
  const receivedAt = occurredAtOf(body.occurredAt, at)
  const next = await step(writing, order, shipment, 'receive')
  const sent = shipment.lines.map(sentOf)
  const parts = partsOf(sent, body)
  const arrival = await arrivalOf(writing, order, shipment, { parts, body, receivedAt })
  const { legs, outcomes } = deliverLegs(sent, parts, arrival)
  const requestHash = hashOf({ ...body, shipmentId: id })
  const what = { kind: 'deliver' as const, shipmentId: id, occurredAt: receivedAt, body }
  const event = eventOf(writing, order, { ...what, id: body.id, requestHash })
  await postEvent(trx, event, legs, { mayTakeAllocated: false })
  const change = { status: 'received' as const, receivedAt, deliverEventId: event.id, updatedAt: at }
  const lines = shipment.lines.map((line) => ({ ...line, ...outcomes.get(line.line) }))
  const set = next.status === 'received' ? { receivedAt } : {}
  return finish(writing, { order, shipment, next, action: 'received', change, lines, set })
}

/** Takes a receipt back: everything of it is on the road again, as if nobody had opened it. */
export async function reverseReceipt(
  writing: Writing,
  id: string,
  comment: string | undefined,
): Promise<Shipment> {
  const { trx, at } = writing
  const { shipment, order } = await openShipment(writing, id)
  if (shipment.status !== 'received' || shipment.deliverEventId === null)
    throw new CodedError('order.wrongState', `The shipment is ${shipment.status}.`)
  const next = await step(writing, order, shipment, 'reverseReceipt')
  const original = found(await findStockEvent(trx, shipment.deliverEventId, ''))
  // What was promised on since then is not taken from under those it was promised to.
  await postEvent(trx, reversalOf(writing, original, { comment }), reverse(original.legs), {
    mayTakeAllocated: false,
  })
  const change = { status: 'shipped' as const, receivedAt: null, deliverEventId: null, updatedAt: at }
  const lines = shipment.lines.map((line) => ({ ...line, accepted: 0, rejected: 0, short: 0 }))
  return finish(writing, { order, shipment, next, action: 'receiptReversed', change, lines, set: {} })
}

/** Calls a shipment that has not been received back to the shelves that it came from. */
export async function recallShipment(
  writing: Writing,
  id: string,
  comment: string | undefined,
): Promise<Shipment> {
  const { trx, at } = writing
  const { shipment, order } = await openShipment(writing, id)
  if (shipment.status !== 'shipped')
    throw new CodedError('order.wrongState', `The shipment is ${shipment.status}.`)
  const next = await step(writing, order, shipment, 'recall')
  const original = found(await findStockEvent(trx, shipment.shipEventId, ''))
  const legs = await holdRecalled(trx, reverse(original.legs))
  await postEvent(trx, reversalOf(writing, original, { comment }), legs, { mayTakeAllocated: false })
  const change = { status: 'recalled' as const, receivedAt: null, deliverEventId: null, updatedAt: at }
  return finish(writing, {
    order,
    shipment,
    next,
    action: 'recalled',
    change,
    lines: shipment.lines,
    set: {},
  })
}

// The order is locked before its shipments: all steps of both wait for each other there.
async function openShipment(writing: Writing, id: string): Promise<{ shipment: Shipment; order: Order }> {
  const { trx, caller } = writing
  const { orderId } = found(await findShipment(trx, id, caller.scope))
  const order = await openOrder({ ...writing, match: () => undefined }, orderId)
  const shipment = found(await findShipment(trx, id, caller.scope))
  writing.match(shipment.version)
  await lockLots(
    trx,
    shipment.lines.map(({ lotId }) => lotId),
  )
  return { shipment, order }
}

async function step(
  { trx, caller }: Writing,
  order: Order,
  shipment: Shipment,
  kind: Extract<OrderCommand['kind'], 'receive' | 'reverseReceipt' | 'recall'>,
) {
  const facts = await factsOf(trx, caller, order)
  checkStep(order.status, kind, facts)
  const doses = new Map<number, number>()
  for (const line of shipment.lines) doses.set(line.orderLine, (doses.get(line.orderLine) ?? 0) + line.doses)
  return decideOrder(stateOf(order), { kind, doses }, facts)
}

interface Finish {
  readonly order: Order
  readonly shipment: Shipment
  readonly next: Parameters<typeof saveOrder>[2]
  readonly action: 'received' | 'receiptReversed' | 'recalled'
  readonly change: Parameters<typeof updateShipment>[2]
  readonly lines: readonly ShipmentLineTable[]
  readonly set: Parameters<typeof saveOrder>[4]
}

async function finish(writing: Writing, { shipment, ...done }: Finish): Promise<Shipment> {
  const { change, lines, order, next, action, set } = done
  const sums = lines.map(({ line, accepted, rejected, short }) => ({ line, accepted, rejected, short }))
  await updateShipment(writing.trx, shipment.id, change, sums)
  await saveOrder(writing, order, next, action, set)
  const after = { ...shipment, ...change, version: shipment.version + 1, lines }
  await tellShipment(writing, action, after)
  return after
}

function sentOf({ line, itemId, lotId, vvmStage, held, storagePointId, doses }: ShipmentLineTable): SentLine {
  return { line, itemId, lotId, vvmStage, held: held === 1, storagePointId, doses }
}

function partsOf(sent: readonly SentLine[], { lines, storagePointId }: ReceiveRequest): FoundLine[] {
  if (!lines) {
    if (storagePointId === undefined)
      throw new CodedError('request.invalid', 'storagePointId says where it goes.')
    return sent.map(({ line, doses }) => ({ line, storagePointId, accepted: doses, rejected: 0 }))
  }
  return lines.map(({ line, accepted, rejected, reasonCode, vvmStage, ...part }) => ({
    line,
    // Only what is accepted needs a place.
    storagePointId: part.storagePointId ?? storagePointId ?? '',
    accepted,
    rejected: rejected ?? 0,
    reasonCode,
    vvmStage: vvmStage as VvmStage | undefined,
  }))
}

async function arrivalOf(
  { trx }: Writing,
  order: Order,
  shipment: Shipment,
  what: { readonly parts: readonly FoundLine[]; readonly body: ReceiveRequest; readonly receivedAt: number },
): Promise<Arrival> {
  const receiver = found(await findFacility(trx, shipment.toFacilityId, ''))
  const shortReasonCode = what.body.shortReasonCode ?? SHORT
  const codes = [shortReasonCode, ...what.parts.map(({ reasonCode }) => reasonCode)]
  return {
    shipmentId: shipment.id,
    fromFacilityId: shipment.fromFacilityId,
    toFacilityId: shipment.toFacilityId,
    isReturn: order.kind === 'return',
    day: dayIn(receiver.timeZone, what.receivedAt),
    lots: await findLotFacts(
      trx,
      shipment.lines.map(({ lotId }) => lotId),
    ),
    points: await findPointsOf(
      trx,
      receiver.id,
      what.parts.map(({ storagePointId }) => storagePointId),
    ),
    reasons: await findReasonKinds(
      trx,
      codes.filter((code) => code !== undefined),
    ),
    shortReasonCode,
  }
}
