import type { Static } from 'typebox'
import { insertChanges } from '../db/queries/change.ts'
import { unreserve, type Reservation } from '../db/queries/ledger.ts'
import {
  findOrder,
  lockOrder,
  updateOrder,
  type Order as OrderRow,
  type OrderChange,
} from '../db/queries/order.ts'
import { replaceAllocations } from '../db/queries/allocation.ts'
import { findReasonKinds } from '../db/queries/stock-facts.ts'
import type { OrderAllocationTable, OrderLineTable } from '../db/schema-orders.ts'
import type { DbOrTrx } from '../db/schema.ts'
import {
  isGranted,
  waitsFor,
  type OrderAction,
  type OrderFacts,
  type OrderState,
  type Side,
} from '../domain/order.ts'
import { found, type Caller } from './caller.ts'
import type { Order } from './order-schemas.ts'
import { toRfc3339, toRfc3339OrNull } from './time.ts'
import { audit, type Writing } from './write.ts'

/** An order of the caller's, held still until the transaction ends, in the version that they saw. @throws CodedError `resource.notFound`, `request.preconditionFailed` */
export async function openOrder({ trx, caller, match }: Writing, id: string): Promise<OrderRow> {
  await lockOrder(trx, id)
  const order = found(await findOrder(trx, id, caller.scope))
  match(order.version)
  return order
}

export function sidesOf(caller: Caller, order: Pick<OrderRow, 'fromPath' | 'toPath'>): Set<Side> {
  const sides = new Set<Side>()
  if (order.fromPath.startsWith(caller.scope)) sides.add('sender')
  if (order.toPath.startsWith(caller.scope)) sides.add('receiver')
  return sides
}

/** @param codes reasons that the step names */
export async function factsOf(
  trx: DbOrTrx,
  caller: Caller,
  order: OrderRow,
  codes: readonly (string | undefined)[] = [],
): Promise<OrderFacts> {
  const named = codes.filter((code) => code !== undefined)
  return {
    kind: order.kind,
    sides: sidesOf(caller, order),
    reasons: await findReasonKinds(trx, [...new Set(named)]),
  }
}

type Extra = Omit<OrderChange, 'status' | 'waitingFor' | 'updatedAt'>

/**
 * Writes what a step made of an order, with its audit row and the notes for both sides.
 * @param allocations from now on; the same as before when left out
 */
export async function saveOrder(
  { trx, caller, at }: Writing,
  order: OrderRow,
  next: OrderState,
  action: OrderAction,
  set: Extra = {},
  allocations: readonly OrderAllocationTable[] = order.allocations,
): Promise<OrderRow> {
  const head = {
    ...set,
    status: next.status,
    waitingFor: waitsFor(next, order.kind) ?? null,
    updatedAt: at,
    ...(order.receivedAt === null || next.status !== 'shipped' ? {} : { receivedAt: null }),
  }
  const lines = linesOf(order.id, next)
  await updateOrder(trx, order.id, head, lines)
  if (allocations !== order.allocations) await replaceAllocations(trx, order.id, allocations)
  const after = { ...order, ...head, version: order.version + 1, lines, allocations }
  await tellOrder({ trx, caller, at }, action, order, after)
  return after
}

/** The audit row of a change, and the notes for both sides. */
export async function tellOrder(
  { trx, caller, at }: Pick<Writing, 'trx' | 'caller' | 'at'>,
  action: OrderAction,
  before: OrderRow | undefined,
  after: OrderRow,
): Promise<void> {
  const entry = { action: `order.${action}`, entity: 'order', entityId: after.id }
  await audit(trx, caller, at, { ...entry, before: before && summary(before), after: summary(after) })
  await insertChanges(trx, at, [after.fromFacilityId, after.toFacilityId], 'order', after.id)
}

function summary({ status, version, reasonCode, comment, lines, allocations }: OrderRow): object {
  return { status, version, reasonCode, comment, lines, allocations }
}

function linesOf(orderId: string, next: OrderState): OrderLineTable[] {
  if (!isGranted(next))
    return next.lines.map(({ line, itemId, doses }) => ({
      orderId,
      line,
      itemId,
      doses,
      approved: null,
      reasonCode: null,
      reserved: 0,
      shipped: 0,
      settled: 0,
    }))
  return next.lines.map((line) => ({ ...line, orderId, reasonCode: line.reasonCode ?? null }))
}

export function reservationsOf(
  fromFacilityId: string,
  allocations: readonly OrderAllocationTable[],
): Reservation[] {
  return allocations.map(({ storagePointId, lotId, vvmStage, held, doses }) => ({
    account: { kind: 'point', id: storagePointId, facilityId: fromFacilityId },
    lotId,
    vvmStage,
    held: held === 1,
    doses,
  }))
}

/** Gives back to the shelves what was promised to an order that wants no more. */
export async function letGo({ trx }: Writing, order: OrderRow): Promise<void> {
  await unreserve(trx, reservationsOf(order.fromFacilityId, order.allocations))
}

/** As the caller may see it: where the sender keeps its stock is the sender's business. */
export function orderView(order: OrderRow, caller: Caller): Static<typeof Order> {
  const mySides = [...sidesOf(caller, order)]
  const isSender = mySides.includes('sender')
  const { requestHash: _, createdBy: __, fromPath: ___, toPath: ____, lines, allocations, ...head } = order
  return {
    ...head,
    mySides,
    createdAt: toRfc3339(order.createdAt),
    updatedAt: toRfc3339(order.updatedAt),
    submittedAt: toRfc3339OrNull(order.submittedAt),
    decidedAt: toRfc3339OrNull(order.decidedAt),
    shippedAt: toRfc3339OrNull(order.shippedAt),
    receivedAt: toRfc3339OrNull(order.receivedAt),
    endedAt: toRfc3339OrNull(order.endedAt),
    lines: lines.map(({ orderId: _____, ...line }) => ({
      ...line,
      allocations: isSender ? allocations.filter((one) => one.line === line.line).map(allocationView) : [],
    })),
  }
}

function allocationView(allocation: OrderAllocationTable) {
  const { storagePointId, lotId, vvmStage, held, doses, why, reasonCode } = allocation
  return { storagePointId, lotId, vvmStage, held: held === 1, doses, why, reasonCode }
}
