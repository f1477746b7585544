import { randomUUIDv7 } from 'node:crypto'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { nextNumber } from '../db/queries/counter.ts'
import { findFacilities, findFacility } from '../db/queries/facility.ts'
import { insertOrder, replaceOrderLines, updateOrder, type Order } from '../db/queries/order.ts'
import { findItemsOf, findLevels, findSupply, type Supply } from '../db/queries/supply.ts'
import type { OrderLineTable } from '../db/schema-orders.ts'
import type { DbOrTrx, FacilityTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import { askingSide, checkStep } from '../domain/order.ts'
import { facilityOf, found, type Caller } from './caller.ts'
import { factsOf, openOrder, tellOrder } from './order.ts'
import type { NewOrderBody, OrderPatchBody } from './order-schemas.ts'
import type { RouteDeps } from './deps.ts'
import { hashOf } from './replay.ts'
import { checkActivity } from './stock-event-facts.ts'
import { computedLevel, levelViews } from './stock-level.ts'
import type { Writing } from './write.ts'

/**
 * A draft of an order between two facilities: the asking side is the caller's, the other one lies above it or is theirs too.
 * @throws CodedError `resource.notFound`, `order.*`, `resource.conflict` when the id is taken
 */
export async function makeOrder(writing: Writing, body: NewOrderBody): Promise<Order> {
  const { trx, caller, at } = writing
  const { from, to } = await facilitiesFor(trx, caller, body)
  await checkActivity(trx, body.activityCode)
  const id = body.id ?? randomUUIDv7()
  const lines = await linesFor(trx, id, body.lines)
  const asks = askingSide(body.kind)
  const number = await nextNumber(trx, `order ${asks === 'sender' ? from.id : to.id}`)
  const row = {
    id,
    documentNo: `ORD-${String(number).padStart(6, '0')}`,
    kind: body.kind,
    status: 'draft' as const,
    waitingFor: asks,
    fromFacilityId: from.id,
    toFacilityId: to.id,
    activityCode: body.activityCode ?? null,
    neededOn: body.neededOn ?? null,
    comment: body.comment ?? null,
    reasonCode: null,
    requestHash: hashOf(body),
    version: 1,
    createdAt: at,
    createdBy: caller.id,
    updatedAt: at,
    submittedAt: null,
    decidedAt: null,
    shippedAt: null,
    receivedAt: null,
    endedAt: null,
  }
  await insertOrder(trx, row, lines).catch((error: unknown) => {
    if (isDuplicate(error)) throw new CodedError('resource.conflict')
    throw error
  })
  const order = { ...row, ...sidesBetween(from, to), lines, allocations: [] }
  await tellOrder(writing, 'made', undefined, order)
  return order
}

function sidesBetween(from: FacilityTable, to: FacilityTable) {
  return {
    fromPath: from.path,
    toPath: to.path,
    fromFacilityName: from.name,
    toFacilityName: to.name,
    fromTimeZone: from.timeZone,
    toTimeZone: to.timeZone,
  }
}

async function facilitiesFor(
  trx: DbOrTrx,
  caller: Caller,
  { kind, fromFacilityId, toFacilityId }: NewOrderBody,
): Promise<{ from: FacilityTable; to: FacilityTable }> {
  if (fromFacilityId === toFacilityId) throw new CodedError('order.sameFacility')
  const isSender = askingSide(kind) === 'sender'
  const mine = await facilityOf(trx, caller, isSender ? fromFacilityId : toFacilityId)
  const other = found(await findFacility(trx, isSender ? toFacilityId : fromFacilityId, ''))
  // Nobody learns by this of facilities that are neither above their own nor theirs to see.
  if (!mine.path.startsWith(other.path) && !other.path.startsWith(caller.scope))
    throw new CodedError('resource.notFound')
  return isSender ? { from: mine, to: other } : { from: other, to: mine }
}

async function linesFor(
  trx: DbOrTrx,
  orderId: string,
  asked: readonly { readonly itemId: string; readonly doses: number }[],
): Promise<OrderLineTable[]> {
  const ids = asked.map(({ itemId }) => itemId)
  if (new Set(ids).size < ids.length) throw new CodedError('request.invalid', 'An item is named twice.')
  const known = await trx
    .selectFrom('item')
    .select('id')
    .where('id', 'in', ids)
    .where('archivedAt', 'is', null)
    .execute()
  const unknown = ids.find((id) => !known.some((item) => item.id === id))
  if (unknown !== undefined) throw new CodedError('order.unknownItem', unknown)
  return asked.map(({ itemId, doses }, index) => ({
    orderId,
    line: index + 1,
    itemId,
    doses,
    approved: null,
    reasonCode: null,
    reserved: 0,
    shipped: 0,
    settled: 0,
  }))
}

/** Changes a draft. */
export async function changeDraft(writing: Writing, id: string, body: OrderPatchBody): Promise<Order> {
  const { trx, caller, at } = writing
  const order = await openOrder(writing, id)
  checkStep(order.status, 'edit', await factsOf(trx, caller, order))
  await checkActivity(trx, body.activityCode)
  const head = {
    status: order.status,
    waitingFor: order.waitingFor,
    updatedAt: at,
    activityCode: body.activityCode === undefined ? order.activityCode : body.activityCode,
    neededOn: body.neededOn === undefined ? order.neededOn : body.neededOn,
    comment: body.comment === undefined ? order.comment : body.comment,
  }
  const lines = body.lines ? await linesFor(trx, id, body.lines) : order.lines
  await updateOrder(trx, id, head, [])
  if (body.lines) await replaceOrderLines(trx, id, lines)
  const after = { ...order, ...head, version: order.version + 1, lines }
  await tellOrder(writing, 'changed', order, after)
  return after
}

export interface Suggestion extends Supply {
  readonly itemId: string
  readonly maxDoses: number
  readonly suggested: number
}

/**
 * What fills the receiver up to its maximum, item by item: less what is on hand, and less what is on the way to it. Where nobody has set a
 * level it is computed from what the receiver consumes.
 */
export async function suggest(
  { db, clock }: Pick<RouteDeps, 'db' | 'clock'>,
  facility: FacilityTable,
): Promise<Suggestion[]> {
  const set = await findLevels(db, facility.id)
  const known = new Set(set.map(({ itemId }) => itemId))
  const others = (await findItemsOf(db, facility.id)).filter((itemId) => !known.has(itemId))
  const rows = [...set, ...others.map((itemId) => computedLevel({ facilityId: facility.id, itemId }))]
  const { timeZone } = facility
  const levels = await levelViews(
    db,
    rows.map((row) => ({ ...row, timeZone })),
    clock.now(),
  )
  const supply = await findSupply(
    db,
    facility.id,
    levels.map(({ itemId }) => itemId),
  )
  return levels
    .filter(({ itemId, effectiveMaxDoses }) => known.has(itemId) || effectiveMaxDoses > 0)
    .map(({ itemId, effectiveMaxDoses: maxDoses }) => {
      const { onHand, inTransit } = supply.get(itemId) ?? { onHand: 0, inTransit: 0 }
      return { itemId, maxDoses, onHand, inTransit, suggested: Math.max(0, maxDoses - onHand - inTransit) }
    })
}

/** The facilities above one, the nearest first: from where it may ask, and to where it may give back. */
export async function suppliersOf(db: DbOrTrx, { id, path }: FacilityTable): Promise<FacilityTable[]> {
  const above = path.split('/').filter((part) => part !== '' && part !== id)
  return (await findFacilities(db, above, '')).toSorted((a, b) => b.path.length - a.path.length)
}
