import { CodedError, type ErrorCode } from './errors.ts'
import type { ReasonKind } from './stock.ts'

/** `request`: pulled by who needs it; `allocation`: pushed by who has it; `return`: back up the chain. */
export const ORDER_KINDS = ['request', 'allocation', 'return'] as const
export type OrderKind = (typeof ORDER_KINDS)[number]

export const ORDER_STATUSES = [
  'draft',
  'submitted',
  'approved',
  'rejected',
  'allocated',
  'picked',
  'shipped',
  'received',
  'closed',
  'cancelled',
] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

/** What people do to an order, as it is written down. */
export const ORDER_ACTIONS = [
  'made',
  'changed',
  'submitted',
  'approved',
  'rejected',
  'allocated',
  'picked',
  'shipped',
  'recalled',
  'received',
  'receiptReversed',
  'closed',
  'cancelled',
] as const
export type OrderAction = (typeof ORDER_ACTIONS)[number]

/** `sender`: the facility whose stock goes; `receiver`: the one that gets it. */
export type Side = 'sender' | 'receiver'

export interface AskedLine {
  readonly line: number
  readonly itemId: string
  readonly doses: number
}
export interface GrantedLine extends AskedLine {
  readonly approved: number
  readonly reasonCode?: string | undefined
  /** Promised from the shelf, and still there. */
  readonly reserved: number
  /** Sent, in all shipments that were not recalled. */
  readonly shipped: number
  /** Of that: arrived, rejected, or known not to come. */
  readonly settled: number
}

/** Until somebody decides there is what was asked; then also what of it was granted and how far it came. */
export type OrderState = Asked | Granted

interface Asked {
  readonly status: 'draft' | 'submitted' | 'rejected' | 'cancelled'
  readonly lines: readonly AskedLine[]
}
interface Granted {
  readonly status: 'approved' | 'allocated' | 'picked' | 'shipped' | 'received' | 'closed'
  readonly lines: readonly GrantedLine[]
}

/** Doses by line. */
export type DosesByLine = ReadonlyMap<number, number>

export type OrderCommand =
  | { readonly kind: 'submit' }
  /** A line that is not named is approved as asked. */
  | { readonly kind: 'approve'; readonly lines: readonly Approval[] }
  | { readonly kind: 'reject' | 'cancel'; readonly reasonCode: string }
  | Fulfilment
type Fulfilment =
  | { readonly kind: 'pick' | 'close' }
  /** `allocate`: what is reserved from now on, in place of what was. */
  | { readonly kind: Move; readonly doses: DosesByLine }
type Move = 'allocate' | 'ship' | 'recall' | 'receive' | 'reverseReceipt'
export type OrderStep = OrderCommand['kind'] | 'edit'

export interface Approval {
  readonly line: number
  readonly doses: number
  readonly reasonCode?: string | undefined
}

export interface OrderFacts {
  readonly kind: OrderKind
  /** The sides for which the caller may act. */
  readonly sides: ReadonlySet<Side>
  readonly reasons: ReadonlyMap<string, ReasonKind>
}

type Actor = 'asker' | 'decider' | 'sender' | 'receiver' | 'either'

/** Which step is allowed in which states, and whose it is. */
const RULES: Readonly<Record<OrderStep, { readonly in: readonly OrderStatus[]; readonly by: Actor }>> = {
  edit: { in: ['draft'], by: 'asker' },
  submit: { in: ['draft'], by: 'asker' },
  approve: { in: ['submitted'], by: 'decider' },
  reject: { in: ['submitted'], by: 'decider' },
  allocate: { in: ['approved', 'allocated', 'picked', 'shipped'], by: 'sender' },
  pick: { in: ['allocated'], by: 'sender' },
  ship: { in: ['allocated', 'picked', 'shipped'], by: 'sender' },
  recall: { in: ['shipped'], by: 'sender' },
  receive: { in: ['shipped'], by: 'receiver' },
  reverseReceipt: { in: ['shipped', 'received'], by: 'receiver' },
  close: { in: ['shipped', 'received'], by: 'either' },
  cancel: { in: ['draft', 'submitted', 'approved', 'allocated', 'picked'], by: 'either' },
}

/** A push is decided by who pushes; everything else by the other side. */
function sideOf(actor: Exclude<Actor, 'either'>, kind: OrderKind): Side {
  if (actor === 'asker') return kind === 'request' ? 'receiver' : 'sender'
  if (actor === 'decider') return kind === 'return' ? 'receiver' : 'sender'
  return actor
}

/** The side that makes orders of this kind. */
export function askingSide(kind: OrderKind): Side {
  return sideOf('asker', kind)
}

/** @throws CodedError `order.wrongState`, `order.wrongSide` */
export function checkStep(status: OrderStatus, step: OrderStep, facts: OrderFacts): void {
  const because = refusalOf(status, step, facts)
  if (because) throw because
}

/** Whether a step is allowed now, to somebody who acts for these sides. */
export function isAllowed(
  { kind, status }: { readonly kind: OrderKind; readonly status: OrderStatus },
  step: OrderStep,
  sides: ReadonlySet<Side>,
): boolean {
  return refusalOf(status, step, { kind, sides }) === undefined
}

function refusalOf(
  status: OrderStatus,
  step: OrderStep,
  { kind, sides }: Pick<OrderFacts, 'kind' | 'sides'>,
): CodedError | undefined {
  const rule = RULES[step]
  if (!rule.in.includes(status)) return new CodedError('order.wrongState', `The order is ${status}.`)
  // Until it is decided, an order is its asker's to withdraw.
  const by = step === 'cancel' && (status === 'draft' || status === 'submitted') ? 'asker' : rule.by
  if (by === 'either' || sides.has(sideOf(by, kind))) return undefined
  return new CodedError('order.wrongSide', `${step} is for the other side.`)
}

/**
 * What a step makes of an order.
 * @throws CodedError `order.*`, `stock.reasonRequired` for what cannot be
 */
export function decideOrder(order: OrderState, command: OrderCommand, facts: OrderFacts): OrderState {
  checkStep(order.status, command.kind, facts)
  switch (command.kind) {
    case 'submit':
      return facts.kind === 'allocation'
        ? { status: 'approved', lines: order.lines.map((line) => grant(line, line.doses)) }
        : { status: 'submitted', lines: order.lines }
    case 'approve':
      return approve(order, command.lines, facts)
    case 'reject':
    case 'cancel':
      checkReason(command.reasonCode, facts)
      return { status: command.kind === 'reject' ? 'rejected' : 'cancelled', lines: order.lines.map(asked) }
    default:
      return fulfil(granted(order), command)
  }
}

function asked({ line, itemId, doses }: AskedLine): AskedLine {
  return { line, itemId, doses }
}

function grant(line: AskedLine, approved: number, reasonCode?: string): GrantedLine {
  return { ...asked(line), approved, reasonCode, reserved: 0, shipped: 0, settled: 0 }
}

function approve(order: OrderState, approvals: readonly Approval[], facts: OrderFacts): OrderState {
  const byLine = new Map(approvals.map((approval) => [approval.line, approval]))
  for (const line of byLine.keys()) checkLine(order, line)
  const lines = order.lines.map((line) => {
    const { doses, reasonCode } = byLine.get(line.line) ?? { doses: line.doses, reasonCode: undefined }
    if (doses > line.doses) throw refusal('order.quantity', line.line, `only ${line.doses} doses were asked`)
    if (doses < line.doses) checkReason(reasonCode, facts)
    return grant(line, doses, reasonCode)
  })
  if (lines.every(({ approved }) => approved === 0))
    throw new CodedError('order.quantity', 'Nothing is approved: reject the order instead.')
  return { status: 'approved', lines }
}

function checkReason(code: string | undefined, { reasons }: OrderFacts): void {
  if (code === undefined || reasons.get(code) !== 'cancellation')
    throw new CodedError('stock.reasonRequired', 'It needs a reason of kind cancellation.')
}

function checkLine(order: OrderState, line: number): void {
  if (!order.lines.some((one) => one.line === line))
    throw new CodedError('order.unknownLine', `The order has no line ${line}.`)
}

function refusal(code: ErrorCode, line: number, what: string): CodedError {
  return new CodedError(code, `Line ${line}: ${what}.`)
}

// The states in which anything is fulfilled have granted lines; what gets here without is a defect.
function granted(order: OrderState): Granted {
  if (!isGranted(order)) throw new Error(`a ${order.status} order has not been decided`)
  return order
}

/** Whether it was decided what of the order is granted. */
export function isGranted(order: OrderState): order is Granted {
  switch (order.status) {
    case 'draft':
    case 'submitted':
    case 'rejected':
    case 'cancelled':
      return false
    default:
      return true
  }
}

function fulfil(order: Granted, command: Fulfilment): Granted {
  if (!('doses' in command)) return command.kind === 'pick' ? { ...order, status: 'picked' } : close(order)
  for (const line of command.doses.keys()) checkLine(order, line)
  const lines = order.lines.map((line) => MOVES[command.kind](line, command.doses.get(line.line) ?? 0))
  return { status: statusOf(lines, order.status), lines }
}

const MOVES: Readonly<Record<Move, (line: GrantedLine, doses: number) => GrantedLine>> = {
  allocate: (line, doses) => ({
    ...line,
    reserved: within(line.line, doses, line.approved - line.shipped, 'left to send'),
  }),
  ship: (line, doses) => ({
    ...line,
    reserved: line.reserved - within(line.line, doses, line.reserved, 'allocated'),
    shipped: line.shipped + doses,
  }),
  recall: (line, doses) => ({
    ...line,
    shipped: line.shipped - within(line.line, doses, line.shipped - line.settled, 'under way'),
  }),
  receive: (line, doses) => ({
    ...line,
    settled: line.settled + within(line.line, doses, line.shipped - line.settled, 'under way'),
  }),
  reverseReceipt: (line, doses) => ({
    ...line,
    settled: line.settled - within(line.line, doses, line.settled, 'received'),
  }),
}

function within(line: number, doses: number, max: number, of: string): number {
  if (doses > max) throw refusal('order.quantity', line, `${max} doses are ${of}`)
  return doses
}

function statusOf(lines: readonly GrantedLine[], before: OrderStatus): Granted['status'] {
  if (lines.some(({ shipped }) => shipped > 0)) {
    const isOver = lines.every(({ approved, shipped, settled }) => shipped === settled && shipped >= approved)
    return isOver ? 'received' : 'shipped'
  }
  if (lines.every(({ reserved }) => reserved === 0)) return 'approved'
  return before === 'picked' ? 'picked' : 'allocated'
}

// What was not sent by then will not be; what is under way has to arrive first, or it would be nobody's.
function close(order: Granted): Granted {
  if (isUnderWay(order.lines)) throw new CodedError('order.wrongState', 'A shipment is still under way.')
  return { status: 'closed', lines: order.lines.map((line) => ({ ...line, reserved: 0 })) }
}

function isUnderWay(lines: readonly GrantedLine[]): boolean {
  return lines.some(({ shipped, settled }) => shipped > settled)
}

/** The side whose step is next; undefined when the order is over. */
export function waitsFor(order: OrderState, kind: OrderKind): Side | undefined {
  switch (order.status) {
    case 'draft':
      return sideOf('asker', kind)
    case 'submitted':
      return sideOf('decider', kind)
    case 'approved':
    case 'allocated':
    case 'picked':
      return 'sender'
    case 'shipped':
      return isUnderWay(order.lines) ? 'receiver' : 'sender'
    case 'received':
      return 'receiver'
    case 'rejected':
    case 'closed':
    case 'cancelled':
      return undefined
  }
}
