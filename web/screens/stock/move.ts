import type { NewStockEvent } from '../../kept.ts'
import type { Item, OnHand } from '../../operations.ts'
import { MOVES, type Move } from './routes.ts'

export function isMove(kind: string): kind is Move {
  return MOVES.some((one) => one === kind)
}

/** The reasons that each kind takes; none for what needs none. */
export const REASON_KINDS: Readonly<Partial<Record<Move, string>>> = {
  wastage: 'closed-vial-wastage',
  adjust: 'adjustment',
  count: 'adjustment',
}

/** Where it happens: a line of what is on hand, or for what arrives a lot and a storage point. */
export interface Spot {
  readonly storagePointId: string
  readonly lotId: string
  readonly vvmStage: number
  readonly held: boolean
  /** What the screen says is there. */
  readonly doses: number
}

/** What a person said in the form. */
export interface Said {
  /** Doses; administered ones of a session; counted ones. */
  readonly doses: number
  readonly vialsOpened: number
  readonly isLess: boolean
  readonly reasonCode: string | undefined
  readonly comment: string
}

/** What an opened vial holds beyond what was given of it is wasted. */
export function wastedOf(item: Item | undefined, { doses, vialsOpened }: Said): number {
  return Math.max(0, vialsOpened * (item?.dosesPerVial ?? 1) - doses)
}

export function eventOf(
  move: Move,
  facilityId: string,
  spot: Spot,
  said: Said,
  item: Item | undefined,
): NewStockEvent {
  const { storagePointId, lotId, vvmStage, held } = spot
  const at = {
    storagePointId,
    lotId,
    vvmStage,
    ...(said.reasonCode !== undefined && { reasonCode: said.reasonCode }),
  }
  const head = {
    facilityId,
    occurredAt: new Date().toISOString(),
    ...(said.comment !== '' && { comment: said.comment }),
  }
  const { doses } = said
  switch (move) {
    case 'consume':
      return {
        kind: move,
        ...head,
        lines: [{ ...at, administered: doses, wasted: wastedOf(item, said) }],
      }
    case 'count':
      return { kind: move, ...head, lines: [{ ...at, held, counted: doses, expected: spot.doses }] }
    case 'adjust':
      return { kind: move, ...head, lines: [{ ...at, held, doses: said.isLess ? -doses : doses }] }
    case 'wastage':
      return { kind: move, ...head, lines: [{ ...at, held, doses }] }
    case 'issue':
    case 'receive':
      return { kind: move, ...head, lines: [{ ...at, doses }] }
  }
}

/** What the form said of an event that is edited. */
export function saidIn(event: NewStockEvent | undefined, item: Item | undefined): Said {
  const line = event?.lines[0]
  const none = {
    doses: NaN,
    vialsOpened: 1,
    isLess: true,
    reasonCode: line?.reasonCode,
    comment: event?.comment ?? '',
  }
  if (!line) return none
  if ('administered' in line) {
    const vialsOpened = (line.administered + line.wasted) / (item?.dosesPerVial ?? 1)
    return { ...none, doses: line.administered, vialsOpened: Math.ceil(vialsOpened) }
  }
  if ('counted' in line) return { ...none, doses: line.counted }
  return { ...none, doses: Math.abs(line.doses), isLess: line.doses < 0 }
}

export function spotOf(line: OnHand): Spot {
  const { storagePointId, lotId, vvmStage, held, doses } = line
  return { storagePointId, lotId, vvmStage, held, doses }
}
