import { randomUUIDv7 } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { insertChanges } from '../db/queries/change.ts'
import { nextNumber } from '../db/queries/counter.ts'
import {
  findDisposal,
  findDisposalOf,
  insertDisposal,
  lockDisposal,
  updateDisposal,
  type Disposal as DisposalRow,
} from '../db/queries/disposal.ts'
import { findFacility } from '../db/queries/facility.ts'
import { findLines, postEvent } from '../db/queries/ledger.ts'
import { findLotFacts } from '../db/queries/stock-facts.ts'
import type { DisposalLineTable, DisposalStatus } from '../db/schema-orders.ts'
import type { FacilityTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import { decide } from '../domain/stock-event.ts'
import type { VvmStage } from '../domain/stock.ts'
import { facilityOf, found } from './caller.ts'
import { Comment, OwnId, Stage } from './order-schemas.ts'
import { hashOf } from './replay.ts'
import { closed, Code, Id, Name, nullable, Time, Version } from './schemas.ts'
import { Doses, LINES_MAX } from './stock-event-schemas.ts'
import { occurredAtOf, toRfc3339, toRfc3339OrNull } from './time.ts'
import { dayIn } from '../domain/calendar.ts'
import { audit, type Writing } from './write.ts'

export const NewDisposal = Type.Object(
  {
    id: OwnId,
    facilityId: Id,
    comment: Type.Optional(Comment),
    lines: Type.Array(
      Type.Object(
        { lotId: Id, vvmStage: Type.Optional(Stage), doses: Doses, reasonCode: Type.Optional(Code) },
        closed,
      ),
      { minItems: 1, maxItems: LINES_MAX, description: 'Of what the facility has written off.' },
    ),
  },
  closed,
)
export const DisposalDone = Type.Object(
  {
    method: { ...Name, description: 'Incineration, autoclave, burial ...' },
    witness: Name,
    certificateNo: Name,
    occurredAt: Type.Optional(Time),
  },
  closed,
)
export const Disposal = Type.Object(
  {
    id: Id,
    documentNo: Type.String(),
    facilityId: Id,
    status: Type.Enum(['draft', 'approved', 'done', 'cancelled']),
    comment: nullable(Type.String()),
    createdAt: Time,
    createdBy: Id,
    approvedAt: nullable(Time),
    approvedBy: nullable(Id),
    doneAt: nullable(Time),
    method: nullable(Type.String()),
    witness: nullable(Type.String()),
    certificateNo: nullable(Type.String()),
    eventId: nullable(Id),
    version: Version,
    updatedAt: Time,
    lines: Type.Array(
      Type.Object({
        line: Type.Integer(),
        itemId: Id,
        lotId: Id,
        vvmStage: Type.Integer(),
        doses: Type.Integer(),
        reasonCode: nullable(Type.String()),
      }),
    ),
  },
  { title: 'Disposal' },
)

/**
 * A draft for destroying what a facility has written off.
 * @throws CodedError `stock.insufficient` for more than waits for it, `stock.unknownLot`, `stock.vvmStage`, `resource.*`
 */
export async function makeDisposal(writing: Writing, body: Static<typeof NewDisposal>): Promise<DisposalRow> {
  const { trx, caller, at } = writing
  const facility = await facilityOf(trx, caller, body.facilityId)
  const id = body.id ?? randomUUIDv7()
  const lines = await linesFor(writing, facility.id, id, body)
  const number = await nextNumber(trx, `disposal ${facility.id}`)
  const row = {
    id,
    documentNo: `DIS-${String(number).padStart(6, '0')}`,
    facilityId: facility.id,
    status: 'draft' as const,
    comment: body.comment ?? null,
    createdAt: at,
    createdBy: caller.id,
    approvedAt: null,
    approvedBy: null,
    doneAt: null,
    method: null,
    witness: null,
    certificateNo: null,
    eventId: null,
    requestHash: hashOf(body),
    version: 1,
    updatedAt: at,
  }
  await insertDisposal(trx, row, lines).catch((error: unknown) => {
    if (isDuplicate(error)) throw new CodedError('resource.conflict')
    throw error
  })
  const disposal = { ...row, lines }
  await tell(writing, 'made', undefined, disposal)
  return disposal
}

async function linesFor(
  { trx }: Writing,
  facilityId: string,
  disposalId: string,
  body: Static<typeof NewDisposal>,
): Promise<DisposalLineTable[]> {
  const lots = await findLotFacts(
    trx,
    body.lines.map(({ lotId }) => lotId),
  )
  const lines = body.lines.map(({ lotId, doses, reasonCode, ...line }, index) => {
    const lot = lots.get(lotId)
    if (!lot) throw new CodedError('stock.unknownLot', `Line ${index + 1}.`)
    const vvmStage = (line.vvmStage ?? (lot.hasVvm ? 1 : 0)) as VvmStage
    if (lot.hasVvm !== vvmStage > 0) throw new CodedError('stock.vvmStage', `Line ${index + 1}.`)
    return {
      disposalId,
      line: index + 1,
      itemId: lot.itemId,
      lotId,
      vvmStage,
      doses,
      reasonCode: reasonCode ?? null,
    }
  })
  const account = { kind: 'wastage', id: facilityId, facilityId } as const
  const rows = await findLines(
    trx,
    lines.map(({ lotId, vvmStage }) => ({ account, lotId, vvmStage, held: false })),
  )
  for (const [key, of] of Map.groupBy(lines, ({ lotId, vvmStage }) => `${lotId} ${vvmStage}`)) {
    const there = rows.find((row) => `${row.lotId} ${row.vvmStage}` === key)?.doses ?? 0
    if (of.reduce((sum, { doses }) => sum + doses, 0) > there)
      throw new CodedError('stock.insufficient', `${there} doses of lot ${of[0]?.lotId} wait for disposal.`)
  }
  return lines
}

async function open(
  { trx, caller, match }: Writing,
  id: string,
  ...statuses: readonly DisposalStatus[]
): Promise<DisposalRow> {
  await lockDisposal(trx, id)
  const disposal = found(await findDisposal(trx, id, caller.scope))
  match(disposal.version)
  if (!statuses.includes(disposal.status))
    throw new CodedError('order.wrongState', `The disposal is ${disposal.status}.`)
  return disposal
}

/** The event of a disposal is undone: nothing was destroyed, and it waits again for being carried out. Nothing happens when no disposal has it. */
export async function reopenDisposal(
  writing: Pick<Writing, 'trx' | 'caller' | 'at'>,
  eventId: string,
): Promise<void> {
  const disposal = await findDisposalOf(writing.trx, eventId)
  if (!disposal) return
  const papers = { method: null, witness: null, certificateNo: null, eventId: null }
  await save(writing, disposal, 'reopened', {
    status: 'approved',
    doneAt: null,
    ...papers,
    updatedAt: writing.at,
  })
}

type Change = Parameters<typeof updateDisposal>[2]

async function save(
  writing: Pick<Writing, 'trx' | 'caller' | 'at'>,
  before: DisposalRow,
  action: string,
  change: Change,
): Promise<DisposalRow> {
  await updateDisposal(writing.trx, before.id, change)
  const after = { ...before, ...change, version: before.version + 1 }
  await tell(writing, action, before, after)
  return after
}

async function tell(
  { trx, caller, at }: Pick<Writing, 'trx' | 'caller' | 'at'>,
  action: string,
  before: DisposalRow | undefined,
  after: DisposalRow,
): Promise<void> {
  const entry = { action: `disposal.${action}`, entity: 'disposal', entityId: after.id }
  await audit(trx, caller, at, {
    ...entry,
    before: before && disposalView(before),
    after: disposalView(after),
  })
  await insertChanges(trx, at, [after.facilityId], 'disposal', after.id)
}

/** Four eyes: nobody approves what they made. @throws CodedError `disposal.samePerson`, `order.wrongState` */
export async function approveDisposal(writing: Writing, id: string): Promise<DisposalRow> {
  const { caller, at } = writing
  const disposal = await open(writing, id, 'draft')
  if (disposal.createdBy === caller.id) throw new CodedError('disposal.samePerson')
  return save(writing, disposal, 'approved', {
    status: 'approved',
    approvedAt: at,
    approvedBy: caller.id,
    updatedAt: at,
  })
}

export async function cancelDisposal(writing: Writing, id: string): Promise<DisposalRow> {
  const disposal = await open(writing, id, 'draft', 'approved')
  return save(writing, disposal, 'cancelled', { status: 'cancelled', updatedAt: writing.at })
}

/** It was destroyed: the stock event, and the papers of it. @throws CodedError `stock.*`, `order.wrongState` */
export async function carryOutDisposal(
  writing: Writing,
  id: string,
  body: Static<typeof DisposalDone>,
): Promise<DisposalRow> {
  const { trx, caller, at } = writing
  const disposal = await open(writing, id, 'approved')
  const doneAt = occurredAtOf(body.occurredAt, at)
  const facility = found(await findFacility(trx, disposal.facilityId, ''))
  const event = {
    id: randomUUIDv7(),
    kind: 'dispose' as const,
    facilityId: facility.id,
    otherFacilityId: null,
    occurredAt: doneAt,
    recordedAt: at,
    userId: caller.id,
    activityCode: null,
    reasonCode: null,
    comment: disposal.comment,
    orderId: null,
    shipmentId: null,
    reversesEventId: null,
    requestHash: hashOf({ disposalId: id, ...body }),
  }
  await postEvent(trx, event, await legsOf(writing, disposal, facility, doneAt), { mayTakeAllocated: true })
  const { method, witness, certificateNo } = body
  const papers = { method, witness, certificateNo, eventId: event.id }
  return save(writing, disposal, 'done', { status: 'done', doneAt, ...papers, updatedAt: at })
}

async function legsOf({ trx }: Writing, { lines }: DisposalRow, facility: FacilityTable, doneAt: number) {
  const facts = {
    facilityId: facility.id,
    day: dayIn(facility.timeZone, doneAt),
    lots: await findLotFacts(
      trx,
      lines.map(({ lotId }) => lotId),
    ),
    points: new Set<string>(),
    reasons: new Map(),
  }
  const said = lines.map(({ lotId, vvmStage, doses, reasonCode }) => ({
    lotId,
    vvmStage,
    doses,
    reasonCode: reasonCode ?? undefined,
  }))
  return decide({ kind: 'dispose', lines: said }, facts)
}

export function disposalView(disposal: DisposalRow): Static<typeof Disposal> {
  const { requestHash: _, lines, ...head } = disposal
  return {
    ...head,
    createdAt: toRfc3339(disposal.createdAt),
    approvedAt: toRfc3339OrNull(disposal.approvedAt),
    doneAt: toRfc3339OrNull(disposal.doneAt),
    updatedAt: toRfc3339(disposal.updatedAt),
    lines: lines.map(({ disposalId: __, ...line }) => line),
  }
}
