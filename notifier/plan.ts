import type { EscalationPolicy } from '../domain/escalation.ts'
import { nextWorkingMoment } from '../domain/working-hours.ts'
import type { BreachState, NotificationTable } from '../db/schema.ts'

/** A receiver at a destination; `recipient` is empty where the destination has one fixed receiver. */
export interface Target {
  readonly channel: string
  readonly destination: string
  readonly recipient: string
  readonly userId: string | null
  /** Of the policy; null where it is no level's. */
  readonly level: number | null
}

/** Of somebody whom no channel reaches: kept as a notification that has failed, so that the next level hears, and people see why. */
export const NO_CHANNEL = 'none'
export const NO_ADDRESS = 'no address: no channel reaches this person'

/** A notification that is to be made. */
export interface Planned extends Target {
  readonly step: NotificationTable['step']
  readonly sequence: number
  readonly status: NotificationTable['status']
  readonly lastError: string | null
  readonly saidState: BreachState | null
  readonly saidEndAt: null
  /** Later than everything that was made for this receiver before, so that the order of sending is never in doubt. */
  readonly createdAt: number
  /** Not sent before: the receiver is told in working hours only. */
  readonly nextAttemptAt: number
}

export interface Situation {
  readonly state: BreachState
  readonly startAt: number
  readonly endAt: number | null
  readonly acknowledgedAt: number | null
  /** When it was found. */
  readonly recordedAt: number
  /** Whether the breach is recent enough to be announced at all. */
  readonly isRecent: boolean
  readonly policy: EscalationPolicy
  readonly timeZone: string
  /** Destinations with one fixed receiver: they hear at once, whatever the policy says. */
  readonly fixed: readonly Target[]
  /** Who is to hear at each level of the policy, as of now. */
  readonly levels: readonly (readonly Target[])[]
  /** All that was made of this breach so far, oldest first. */
  readonly made: readonly Told[]
  readonly reminderEveryMs: number
  readonly remindersMax: number
  readonly now: number
}

export type Told = Pick<
  NotificationTable,
  | 'channel'
  | 'destination'
  | 'recipient'
  | 'userId'
  | 'level'
  | 'step'
  | 'saidState'
  | 'saidEndAt'
  | 'sequence'
  | 'status'
  | 'attempts'
  | 'createdAt'
  | 'sentAt'
>

export interface Plan {
  readonly planned: readonly Planned[]
  /** When it may be time for more, though nothing happens to the breach; null: when something does. */
  readonly nextAt: number | null
}

const MINUTE_MS = 60_000

/** An end that was said is said anew when late data moves it by this much, and by this share of how long it was said to have lasted. */
const CORRECTED_FROM_MS = 3_600_000
const CORRECTED_FROM_SHARE = 0.25

/**
 * What people are to be told of a breach, from where it stands now and what they know already. Looking at the state, not at each change,
 * makes several changes at once come out as one message, and the same changes seen twice as none. Who is told when follows from
 * what was made before and the time alone, so that a restart, or two notifiers, change nothing.
 */
export function plan(situation: Situation): Plan {
  switch (situation.state) {
    case 'open':
      return escalate(situation)
    case 'ended':
      return conclude(situation)
    case 'withdrawn':
    case 'closed':
      return { planned: follow(situation, situation.state), nextAt: null }
  }
}

/** Which receiver a notification is for, as one text. */
export function targetKey(target: Pick<Target, 'destination' | 'recipient'>): string {
  return `${target.destination}\n${target.recipient}`
}

function escalate(situation: Situation): Plan {
  const episode = episodeOf(situation)
  // That nobody was told before may be because it was history then: when old readings come in bit by bit, a breach reaches the present later.
  if (!situation.isRecent && episode.told.length === 0) return { planned: [], nextAt: null }
  const { reached, nextAt } = climb(situation, episode)
  const planned = [...announce(situation, episode, reached)]
  const reminders = situation.acknowledgedAt === null ? remind(situation, episode, planned) : NO_REMINDERS
  const moments = [nextAt, reminders.nextAt].filter((moment) => moment !== null)
  return {
    planned: [...planned, ...reminders.planned],
    nextAt: moments.length === 0 ? null : Math.min(...moments),
  }
}

/** Those who were told hear that it is over. Where nobody heard of its beginning, one message says both, to people once they are at work. */
function conclude(situation: Situation): Plan {
  const told = heard(situation)
  const recovered = [...follow(situation, 'recovered'), ...correct(situation)]
  if (!situation.isRecent || told.some((row) => row.userId !== null))
    return { planned: recovered, nextAt: null }
  const episode = episodeOf(situation)
  const { reached, nextAt } = climb(situation, episode)
  const fixed = told.length === 0 ? situation.fixed : []
  const announced = announce({ ...situation, fixed }, episode, reached)
  return { planned: [...recovered, ...announced], nextAt: reached.length === 0 ? nextAt : null }
}

/** What was said since the breach last was over, and the earliest time that is after that. */
interface Episode {
  readonly told: readonly Told[]
  readonly from: number
}

function episodeOf(situation: Situation): Episode {
  const ends = situation.made.filter((row) => !saysOpen(row))
  const endedAt = Math.max(-Infinity, ...ends.map((row) => row.createdAt))
  const told = heard(situation).filter((row) => row.createdAt > endedAt)
  return { told, from: Math.max(situation.recordedAt, endedAt + 1) }
}

/** Whether who heard it believes that the breach is open. What ended before the message left was told as over. */
function saysOpen(row: Told): boolean {
  return (row.step === 'opened' || row.step === 'reminder') && row.saidState !== 'ended'
}

/** In earnest, what was said in test mode was said to nobody. */
function heard({ made, policy }: Situation): readonly Told[] {
  return policy.isTest ? made : made.filter((row) => row.status !== 'muted')
}

/** How far up the policy has to be told by now, and when the next level is due. */
function climb(situation: Situation, { told, from }: Episode) {
  const { policy, levels, acknowledgedAt, now } = situation
  const reached: (readonly Target[])[] = []
  let since = Math.min(from, now)
  let hasFailed = false
  for (const [level, { delayMinutes }] of policy.levels.entries()) {
    const rows = told.filter((row) => row.level === level && row.step === 'opened')
    if (level > 0 && rows.length === 0 && acknowledgedAt !== null) break
    const delayMs = hasFailed ? 0 : delayMinutes * MINUTE_MS
    const dueAt = rows.length > 0 ? now : atWork(situation, level, since + delayMs)
    if (dueAt > now) return { reached, nextAt: dueAt }
    const targets = levels[level] ?? []
    reached.push(targets)
    const known = rowsOf(targets, told)
    since = toldAt(rows) ?? Math.max(since, toldAt(known) ?? now)
    hasFailed = isLost(targets, known)
  }
  return { reached, nextAt: null }
}

/** What these have heard at any level: who is at two is told at the first. */
function rowsOf(targets: readonly Target[], told: readonly Told[]): Told[] {
  const keys = new Set(targets.map(targetKey))
  return told.filter((row) => row.step === 'opened' && keys.has(targetKey(row)))
}

function toldAt(rows: readonly Told[]): number | undefined {
  return rows.length === 0 ? undefined : Math.min(...rows.map((row) => row.createdAt))
}

/** Whether nobody of a level can be told: nobody is there, nobody has an address, or all that was sent has failed for good. */
function isLost(targets: readonly Target[], rows: readonly Told[]): boolean {
  const known = new Map(rows.map((row) => [targetKey(row), row]))
  return targets.every((target) => {
    const row = known.get(targetKey(target))
    return target.channel === NO_CHANNEL || row?.status === 'failed'
  })
}

/** Opened: to everybody reached who does not believe already that it is open. */
function announce(
  situation: Situation,
  { from }: Episode,
  reached: readonly (readonly Target[])[],
): Planned[] {
  const known = Map.groupBy(situation.made, targetKey)
  const targets = new Map(
    [...situation.fixed, ...reached.flat()].toReversed().map((one) => [targetKey(one), one]),
  )
  return [...targets.values()].toReversed().flatMap((target) => {
    const told = known.get(targetKey(target)) ?? []
    const last = told.findLast((row) => row.step !== 'reminder')
    const isKnown = last !== undefined && (saysOpen(last) || situation.state === 'ended')
    if (isKnown && (last.status !== 'muted' || situation.policy.isTest)) return []
    return [next(situation, target, 'opened', told, Math.max(situation.now, from))]
  })
}

const NO_REMINDERS: Plan = { planned: [], nextAt: null }

/** Reminders: to those who were told, when they last heard long enough ago. Whoever was away makes up for one, not for all that were missed. */
function remind(situation: Situation, episode: Episode, announced: readonly Planned[]): Plan {
  const { policy, now } = situation
  const everyMs =
    policy.reminderMinutes === null ? situation.reminderEveryMs : policy.reminderMinutes * MINUTE_MS
  if (everyMs === 0) return NO_REMINDERS
  const busy = new Set(announced.map(targetKey))
  const made = Map.groupBy(situation.made, targetKey)
  const planned: Planned[] = []
  const moments: number[] = announced.map((one) => one.createdAt + everyMs)
  for (const [key, told] of Map.groupBy(heard(situation), targetKey)) {
    const last = told.findLast((row) => episode.told.includes(row))
    if (last === undefined || busy.has(key) || !isRemindable(situation, told)) continue
    const heardAt = Math.max(...told.map((row) => row.sentAt ?? row.createdAt))
    const dueAt = atWork(situation, last.level, heardAt + everyMs)
    if (dueAt <= now) planned.push(next(situation, last, 'reminder', made.get(key) ?? [], now))
    moments.push(dueAt <= now ? now + everyMs : dueAt)
  }
  return { planned, nextAt: moments.length === 0 ? null : Math.min(...moments) }
}

function isRemindable({ policy, remindersMax }: Situation, told: readonly Told[]): boolean {
  const reminders = told.filter((row) => row.step === 'reminder').length
  const isWaiting = told.some((row) => row.status === 'pending')
  return told[0]?.channel !== NO_CHANNEL && !isWaiting && reminders < (policy.remindersMax ?? remindersMax)
}

/** Over, one way or another: to those who were told, or who may have been. Who was never tried reads it in the first message instead. */
function follow(situation: Situation, step: 'recovered' | 'withdrawn' | 'closed'): Planned[] {
  return [...Map.groupBy(situation.made, targetKey).values()].flatMap((told) => {
    const since = told.slice(told.findLastIndex((row) => isOver(row, step)) + 1).filter(isPerhapsTold)
    const [first] = since
    if (first === undefined) return []
    const row = next(situation, first, step, told, situation.now)
    const isMuted = since.every(({ status }) => status === 'muted')
    return [isMuted ? { ...row, status: 'muted' } : row]
  })
}

/** To those who believe in an end that late data has moved. Who has not been sent it yet will read the right one. */
function correct(situation: Situation): Planned[] {
  return [...Map.groupBy(situation.made, targetKey).values()].flatMap((told) => {
    const last = told.at(-1)
    if (last === undefined || last.status !== 'sent' || !isMoved(situation, last)) return []
    return [next(situation, last, 'corrected', told, situation.now)]
  })
}

function isMoved({ startAt, endAt }: Situation, { saidState, saidEndAt }: Told): boolean {
  if (saidState !== 'ended' || saidEndAt === null || endAt === null) return false
  const fromMs = Math.max(CORRECTED_FROM_MS, CORRECTED_FROM_SHARE * (saidEndAt - startAt))
  return Math.abs(endAt - saidEndAt) >= fromMs
}

/** Whether nothing more is to be said of an end. That a breach never was one is news also where it was over. */
function isOver(row: Told, step: 'recovered' | 'withdrawn' | 'closed'): boolean {
  return row.step === 'withdrawn' || (step !== 'withdrawn' && !saysOpen(row))
}

function isPerhapsTold(row: Told): boolean {
  return row.status === 'sent' || row.status === 'muted' || (row.status === 'pending' && row.attempts > 0)
}

/** The next notification of a step for a receiver who was told all of `told` before. */
function next(
  situation: Situation,
  target: Target,
  step: Planned['step'],
  told: readonly Told[],
  now: number,
): Planned {
  const { channel, destination, recipient, userId, level } = target
  const sequence = Math.max(-1, ...told.filter((row) => row.step === step).map((row) => row.sequence)) + 1
  const createdAt = Math.max(now, ...told.map((row) => row.createdAt + 1))
  const isUnreachable = channel === NO_CHANNEL
  const status = situation.policy.isTest ? 'muted' : isUnreachable ? 'failed' : 'pending'
  const lastError = isUnreachable ? NO_ADDRESS : null
  const nextAttemptAt = atWork(situation, level, situation.now)
  const saidState = situation.state
  const row = { channel, destination, recipient, userId, level, step, sequence }
  return { ...row, status, lastError, saidState, saidEndAt: null, createdAt, nextAttemptAt }
}

/** The first moment from `at` on at which a level may be told. */
function atWork({ policy, timeZone }: Situation, level: number | null, at: number): number {
  const keepsHours = level !== null && policy.levels[level]?.keepsWorkingHours
  return keepsHours ? nextWorkingMoment(policy.workingHours, timeZone, at) : at
}
