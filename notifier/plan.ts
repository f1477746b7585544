import type { BreachState, NotificationTable } from '../db/schema.ts'

/** A receiver at a destination; `recipient` is empty where the destination has one fixed receiver. */
export interface Target {
  readonly channel: string
  readonly destination: string
  readonly recipient: string
}

/** A notification that is to be made. */
export interface Planned extends Target {
  readonly step: NotificationTable['step']
  readonly sequence: number
  /** Later than everything that was made for this receiver before, so that the order of sending is never in doubt. */
  readonly createdAt: number
}

export interface Situation {
  readonly state: BreachState
  /** Whether the breach is recent enough to be announced at all. */
  readonly isRecent: boolean
  /** Who is to hear of a new breach. */
  readonly targets: readonly Target[]
  /** All that was made of this breach so far, oldest first. */
  readonly made: readonly Told[]
  readonly now: number
}

type Told = Pick<
  NotificationTable,
  'channel' | 'destination' | 'recipient' | 'step' | 'sequence' | 'status' | 'attempts' | 'createdAt'
>

/**
 * What people are to be told of a breach, from where it stands now and what they know already. Looking at the state, not at each change,
 * makes several changes at once come out as one message, and the same changes seen twice as none.
 */
export function plan(situation: Situation): Planned[] {
  switch (situation.state) {
    case 'open':
      return announce(situation)
    case 'ended':
      // Nobody heard of its beginning: one message then says both.
      return situation.made.length === 0 ? announce(situation) : follow(situation, 'recovered')
    case 'withdrawn':
      return follow(situation, 'withdrawn')
  }
}

/** Which receiver a notification is for, as one text. */
export function targetKey(target: Omit<Target, 'channel'>): string {
  return `${target.destination}\n${target.recipient}`
}

/**
 * Opened: to everybody who does not believe already that it is open. That nobody was told before may also be because it was history then:
 * when old readings come in bit by bit, a breach reaches the present later.
 */
function announce({ isRecent, targets, made, now }: Situation): Planned[] {
  if (!isRecent) return []
  const known = Map.groupBy(made, targetKey)
  return targets.flatMap((target) => {
    const told = known.get(targetKey(target)) ?? []
    const last = told.findLast((row) => row.step !== 'reminder')
    return last?.step === 'opened' ? [] : [next(target, 'opened', told, now)]
  })
}

/** Recovered or withdrawn: to those who were told, or who may have been. Who was never tried reads it in the first message instead. */
function follow({ made, now }: Situation, step: 'recovered' | 'withdrawn'): Planned[] {
  return [...Map.groupBy(made, targetKey).values()].flatMap((told) => {
    const over = told.findLastIndex((row) => row.step === 'withdrawn' || row.step === step)
    const since = told.slice(over + 1)
    const first = since.find(isPerhapsTold)
    return first === undefined ? [] : [next(targetOf(first), step, told, now)]
  })
}

function isPerhapsTold(row: Told): boolean {
  return row.status === 'sent' || (row.status === 'pending' && row.attempts > 0)
}

/** The next notification of a step for a receiver who was told all of `told` before. */
export function next(
  target: Target,
  step: Planned['step'],
  told: readonly Pick<Told, 'step' | 'sequence' | 'createdAt'>[],
  now: number,
): Planned {
  const sequence = Math.max(-1, ...told.filter((row) => row.step === step).map((row) => row.sequence)) + 1
  const createdAt = Math.max(now, ...told.map((row) => row.createdAt + 1))
  return { ...targetOf(target), step, sequence, createdAt }
}

function targetOf({ channel, destination, recipient }: Target): Target {
  return { channel, destination, recipient }
}
