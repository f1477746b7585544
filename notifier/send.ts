import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import {
  claimNotification,
  findBreachFacts,
  listNotifications,
  listResponsible,
  markFailed,
  markRetry,
  markSent,
  type BreachFacts,
} from '../db/queries/notification.ts'
import type { Db, NotificationTable } from '../db/schema.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import { NoticeError, type NoticeChannel } from '../ports/notice.ts'
import { writeMessage } from './message.ts'
import { targetKey } from './plan.ts'

export interface SendDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly settings: {
    readonly attemptTimeoutMs: number
    readonly leaseMs: number
    readonly retryDelayMs: number
    readonly retryDelayMsMax: number
    readonly giveUpAfterMs: number
  }
}

const ERROR_LENGTH_MAX = 500
const MARK_TRIES_MAX = 5
const MARK_RETRY_DELAY_MS = 200

/**
 * One attempt at one notification. It is claimed first, so that no other notifier sends it, and marked right after. What dies between the two
 * leaves the claim to run out, and then it is sent again under the same id. The message is written from what is true now.
 */
export async function attempt(
  deps: SendDeps,
  channel: NoticeChannel,
  row: Readonly<NotificationTable>,
): Promise<void> {
  if (!(await claimNotification(deps.db, row, deps.clock.now() + deps.settings.leaseMs))) return
  const claimed = { ...row, attempts: row.attempts + 1 }
  const facts = await findBreachFacts(deps.db, row.breachId)
  const reason = facts === undefined ? 'the breach is gone' : await whyNot(deps.db, claimed, facts)
  if (facts === undefined || reason !== undefined) return drop(deps, claimed, reason ?? '')
  try {
    const { id, createdAt, step, sequence } = row
    const message = writeMessage({ facts, step, sequence, now: deps.clock.now() })
    const notice = { ...message, id, createdAt, step, recipient: row.recipient || undefined }
    await within(channel.send(notice), deps.settings.attemptTimeoutMs)
  } catch (error) {
    return postpone(deps, claimed, error)
  }
  await keepSent(deps, row.id)
  report(deps, claimed, 'sent')
}

/** A sent message that is not marked is sent again, so that a passing failure of the database is worth another try. */
async function keepSent({ db, clock }: SendDeps, id: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await markSent(db, id, clock.now())
    } catch (error) {
      if (tries === MARK_TRIES_MAX) throw error
      await sleep(MARK_RETRY_DELAY_MS)
    }
  }
}

/** Why this is not to be said any more; undefined when it is. */
async function whyNot(db: Db, row: NotificationTable, facts: BreachFacts): Promise<string | undefined> {
  const untrue = whyUntrue(row.step, facts)
  if (untrue !== undefined) return untrue
  if (row.recipient !== '' && !(await isResponsible(db, row.recipient, facts)))
    return 'the receiver is not responsible any more'
  const isSequel = row.step === 'recovered' || row.step === 'withdrawn'
  if (isSequel && !(await wasTold(db, row))) return 'the receiver was never told of the breach'
  return undefined
}

/** Old news is still said once; what has become wrong is not. */
function whyUntrue(step: NotificationTable['step'], facts: BreachFacts): string | undefined {
  const { breach } = facts
  switch (step) {
    case 'opened':
      if (breach.state === 'withdrawn') return 'the breach was withdrawn before'
      return isPart(facts) ? 'it is told with the outage of its place' : undefined
    case 'reminder':
      if (breach.state !== 'open') return 'the breach is over'
      if (isPart(facts)) return 'it is told with the outage of its place'
      return breach.acknowledgedAt === null ? undefined : 'the breach was acknowledged'
    case 'recovered':
      return breach.state === 'ended' ? undefined : 'the breach did not stay over'
    case 'withdrawn':
      return breach.state === 'withdrawn' ? undefined : 'the breach is back'
  }
}

function isPart({ breach }: BreachFacts): boolean {
  return breach.outageId !== null && breach.ruleId !== 'site-outage'
}

async function isResponsible(db: Db, recipient: string, { facility }: BreachFacts): Promise<boolean> {
  return facility !== null && (await listResponsible(db, facility.path)).includes(recipient)
}

async function wasTold(db: Db, row: NotificationTable): Promise<boolean> {
  const made = await listNotifications(db, row.breachId)
  return made.some((other) => other.status === 'sent' && targetKey(other) === targetKey(row))
}

async function drop(deps: SendDeps, row: NotificationTable, reason: string): Promise<void> {
  await markFailed(deps.db, row.id, `not sent: ${reason}`)
  report(deps, row, 'dropped', reason)
}

/** After a failed attempt: try again later, or give up. */
async function postpone(deps: SendDeps, row: NotificationTable, error: unknown): Promise<void> {
  const { giveUpAfterMs } = deps.settings
  const now = deps.clock.now()
  const reason = (error instanceof Error ? error.message : String(error)).slice(0, ERROR_LENGTH_MAX)
  const isPermanent = error instanceof NoticeError && error.permanent
  const lastAt = row.createdAt + giveUpAfterMs
  if (isPermanent || now >= lastAt) {
    await markFailed(deps.db, row.id, isPermanent ? reason : `gave up: ${reason}`)
    return report(deps, row, 'failed', reason)
  }
  await markRetry(deps.db, row.id, reason, Math.min(now + backOff(deps.settings, row.attempts), lastAt))
  report(deps, row, 'retried', reason)
}

/** Doubles from `retryDelayMs` up to `retryDelayMsMax`, less up to half of it at random so that receivers are not met by a wave. */
function backOff(settings: SendDeps['settings'], attempts: number): number {
  const delayMs = Math.min(settings.retryDelayMs * 2 ** (attempts - 1), settings.retryDelayMsMax)
  return Math.ceil(delayMs * (1 - Math.random() / 2))
}

/** Gives up one that no configured destination takes. */
export async function abandon(deps: SendDeps, row: NotificationTable): Promise<void> {
  const reason = 'the destination is not configured any more'
  await markFailed(deps.db, row.id, `gave up: ${reason}`)
  report(deps, row, 'failed', reason)
}

type SendOutcome = 'sent' | 'retried' | 'failed' | 'dropped'

function report(deps: SendDeps, row: NotificationTable, outcome: SendOutcome, reason?: string): void {
  const { id, breachId, step, sequence, channel, destination, attempts } = row
  deps.metrics.count('coldstream_notifications_total', { channel, outcome })
  const level = outcome === 'failed' ? 'error' : outcome === 'retried' ? 'warn' : 'info'
  const entry = { notificationId: id, breachId, step, sequence, channel, destination, attempts, reason }
  deps.log[level](entry, `notification ${outcome}`)
}

/** A channel bounds its own time; this holds even if one does not. */
async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new NoticeError(`not done within ${timeoutMs} ms`, false)), timeoutMs)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
