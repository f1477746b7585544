import { findCandidates } from '../db/queries/allocation.ts'
import { findFacility } from '../db/queries/facility.ts'
import { lockLines, reserve, unreserve } from '../db/queries/ledger.ts'
import { stateOf, type Order } from '../db/queries/order.ts'
import { findLotFacts, findReasonKinds } from '../db/queries/stock-facts.ts'
import type { OrderAllocationTable } from '../db/schema-orders.ts'
import {
  allocate,
  type Allocation,
  type Candidate,
  type Choice,
  type Override,
} from '../domain/allocation.ts'
import { CodedError } from '../domain/errors.ts'
import { checkStep, decideOrder, type Approval, type OrderCommand } from '../domain/order.ts'
import type { VvmStage } from '../domain/stock.ts'
import { found } from './caller.ts'
import { factsOf, letGo, openOrder, reservationsOf, saveOrder } from './order.ts'
import type { AllocateRequest } from './order-schemas.ts'
import { dayIn } from '../domain/calendar.ts'
import type { Writing } from './write.ts'

/** Asks for what the draft says. A push is approved by that. */
export async function submitOrder(writing: Writing, id: string): Promise<Order> {
  const { trx, caller, at } = writing
  const order = await openOrder(writing, id)
  const next = decideOrder(stateOf(order), { kind: 'submit' }, await factsOf(trx, caller, order))
  const decidedAt = next.status === 'approved' ? at : null
  return saveOrder(writing, order, next, 'submitted', { submittedAt: at, decidedAt })
}

/** @param lines what is approved in part; all others as asked */
export async function approveOrder(writing: Writing, id: string, lines: readonly Approval[]): Promise<Order> {
  const { trx, caller, at } = writing
  const order = await openOrder(writing, id)
  const facts = await factsOf(
    trx,
    caller,
    order,
    lines.map(({ reasonCode }) => reasonCode),
  )
  const next = decideOrder(stateOf(order), { kind: 'approve', lines }, facts)
  return saveOrder(writing, order, next, 'approved', { decidedAt: at })
}

/** Ends an order before anything of it was sent. */
export async function endOrder(
  writing: Writing,
  id: string,
  command: Extract<OrderCommand, { readonly kind: 'reject' | 'cancel' }>,
  comment: string | undefined,
): Promise<Order> {
  const { trx, caller, at } = writing
  const order = await openOrder(writing, id)
  const facts = await factsOf(trx, caller, order, [command.reasonCode])
  const next = decideOrder(stateOf(order), command, facts)
  await letGo(writing, order)
  const set = {
    endedAt: at,
    reasonCode: command.reasonCode,
    ...(command.kind === 'reject' ? { decidedAt: at } : {}),
    ...(comment === undefined ? {} : { comment }),
  }
  return saveOrder(writing, order, next, command.kind === 'reject' ? 'rejected' : 'cancelled', set, [])
}

/** What is allocated has been taken off the shelves and packed. */
export async function pickOrder(writing: Writing, id: string): Promise<Order> {
  const { trx, caller } = writing
  const order = await openOrder(writing, id)
  const next = decideOrder(stateOf(order), { kind: 'pick' }, await factsOf(trx, caller, order))
  return saveOrder(writing, order, next, 'picked')
}

/** Nothing more comes of it: what was allocated and not sent goes back to the shelves. */
export async function closeOrder(writing: Writing, id: string): Promise<Order> {
  const { trx, caller, at } = writing
  const order = await openOrder(writing, id)
  const next = decideOrder(stateOf(order), { kind: 'close' }, await factsOf(trx, caller, order))
  await letGo(writing, order)
  return saveOrder(writing, order, next, 'closed', { endedAt: at }, [])
}

export interface Allocated {
  readonly order: Order
  readonly passedOver: Allocation['passedOver']
}

/**
 * Promises stock of the sender to an order, in place of what was promised before. Everything it could choose from is locked first, in
 * order, so that two who allocate at once choose one after the other.
 * @throws CodedError `order.*`, `stock.*` for what people chose by hand and cannot have
 */
export async function allocateOrder(writing: Writing, id: string, body: AllocateRequest): Promise<Allocated> {
  const { trx, caller } = writing
  const order = await openOrder(writing, id)
  const facts = await factsOf(trx, caller, order)
  checkStep(order.status, 'allocate', facts)
  const needs = order.lines
    .map(({ line, itemId, approved, shipped }) => ({ line, itemId, doses: (approved ?? 0) - shipped }))
    .filter(({ doses }) => doses > 0)
  const candidates = await takeBack(
    writing,
    order,
    needs.map(({ itemId }) => itemId),
  )
  const sender = found(await findFacility(trx, order.fromFacilityId, ''))
  const rules = {
    day: dayIn(sender.timeZone, writing.at),
    shelfLifeDaysMin: body.shelfLifeDaysMin ?? 0,
    wholePacks: body.wholePacks ?? false,
    mayBeUnusable: order.kind === 'return',
  }
  const overrides = await overridesOf(writing, order, body)
  const { choices, passedOver } = allocate(needs, candidates, rules, overrides)
  const allocations = choices.map((choice) => rowOf(order.id, choice))
  await reserve(trx, reservationsOf(order.fromFacilityId, allocations))
  const next = decideOrder(stateOf(order), { kind: 'allocate', doses: dosesByLine(choices) }, facts)
  return { order: await saveOrder(writing, order, next, 'allocated', {}, allocations), passedOver }
}

// Lines of both, what was promised and what can be: locked together and in order before the first promise is taken back.
async function takeBack(
  { trx }: Writing,
  order: Order,
  itemIds: readonly string[],
): Promise<readonly Candidate[]> {
  const before = reservationsOf(order.fromFacilityId, order.allocations)
  const there = (await findCandidates(trx, order.fromFacilityId, itemIds)).map((one) => ({
    account: { kind: 'point' as const, id: one.storagePointId, facilityId: order.fromFacilityId },
    lotId: one.lotId,
    vvmStage: one.vvmStage,
    held: one.held,
  }))
  await lockLines(trx, [...before, ...there])
  await unreserve(trx, before)
  return findCandidates(trx, order.fromFacilityId, itemIds)
}

async function overridesOf({ trx }: Writing, order: Order, body: AllocateRequest): Promise<Override[]> {
  const lines = body.lines ?? []
  const lots = await findLotFacts(
    trx,
    lines.map(({ lotId }) => lotId),
  )
  const reasons = await findReasonKinds(
    trx,
    lines.map(({ reasonCode }) => reasonCode),
  )
  return lines.map((line) => {
    const kind = reasons.get(line.reasonCode)
    if (kind !== 'override' && !(order.kind === 'return' && kind === 'return'))
      throw new CodedError('stock.reasonRequired', `Line ${line.line}: it needs a reason of kind override.`)
    const vvmStage = (line.vvmStage ?? (lots.get(line.lotId)?.hasVvm ? 1 : 0)) as VvmStage
    return { ...line, vvmStage, held: line.held ?? false }
  })
}

function rowOf(orderId: string, { line, candidate, doses, why, reasonCode }: Choice): OrderAllocationTable {
  const { storagePointId, lotId, vvmStage, held } = candidate
  return { orderId, line, storagePointId, lotId, vvmStage, held: held ? 1 : 0, doses, why, reasonCode }
}

/** Sums by line of the order. */
export function dosesByLine(
  parts: readonly { readonly line: number; readonly doses: number }[],
): Map<number, number> {
  const sums = new Map<number, number>()
  for (const { line, doses } of parts) sums.set(line, (sums.get(line) ?? 0) + doses)
  return sums
}
