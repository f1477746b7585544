import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import {
  claimNotification,
  findBreachFacts,
  findTraceparent,
  hastenBreach,
  listNotifications,
  markFailed,
  markRetry,
  markSent,
  type BreachFacts,
  type Said,
} from '../db/queries/notification.ts'
import { deletePushSubscription } from '../db/queries/people.ts'
import type { BreachState, Db, NotificationTable } from '../db/schema.ts'
import type { Clock } from '../ports/clock.ts'
import { observeLag, type Metrics } from '../ports/metrics.ts'
import { NoticeError, type Notice, type NoticeChannel } from '../ports/notice.ts'
import type { Tracer } from '../ports/trace.ts'
import { isPart } from './by-itself.ts'
import { writeMessage, writeTestMessage } from './message.ts'
import { targetKey } from './plan.ts'
import { findReceiver, mayHear, type Receiver } from './receiver.ts'

export interface SendDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly tracer?: Tracer | undefined
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
  const span = await spanOf(deps, row)
  const log = span ? deps.log.child(span.ids) : deps.log
  try {
    await attemptClaimed({ ...deps, log }, channel, row)
    span?.end()
  } catch (error) {
    span?.end(error)
    throw error
  }
}

async function spanOf({ tracer, db }: SendDeps, { breachId, step, channel }: NotificationTable) {
  if (!tracer || breachId === null) return undefined
  const traceparent = await findTraceparent(db, breachId)
  return traceparent === undefined
    ? undefined
    : tracer.follow('notify', traceparent, { breachId, step, channel })
}

async function attemptClaimed(
  deps: SendDeps,
  channel: NoticeChannel,
  row: Readonly<NotificationTable>,
): Promise<void> {
  const claimed = { ...row, attempts: row.attempts + 1 }
  const prepared = await prepare(deps, claimed)
  if (typeof prepared === 'string') return drop(deps, claimed, prepared)
  try {
    await within(channel.send(prepared.notice), deps.settings.attemptTimeoutMs)
  } catch (error) {
    return postpone(deps, claimed, error)
  }
  await keepSent(deps, row.id, prepared.said)
  observeLag(deps, 'sent', row.createdAt)
  report(deps, claimed, 'sent')
}

/** A sent message that is not marked is sent again, so that a passing failure of the database is worth another try. */
async function keepSent({ db, clock }: SendDeps, id: string, said: Said): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await markSent(db, id, said, clock.now())
    } catch (error) {
      if (tries === MARK_TRIES_MAX) throw error
      await sleep(MARK_RETRY_DELAY_MS)
    }
  }
}

interface Prepared {
  readonly notice: Notice
  readonly said: Said
}

const SAID_NOTHING: Said = { saidState: null, saidEndAt: null }

/** The message as it is true now, or why it is not to be said any more. */
async function prepare(deps: SendDeps, row: NotificationTable): Promise<Prepared | string> {
  const receiver = await findReceiver(deps.db, row)
  if (typeof receiver === 'string') return receiver
  const { id, createdAt, step, sequence, breachId } = row
  const about = { id, createdAt, step, recipient: receiver.address }
  if (breachId === null)
    return {
      notice: { ...about, ...writeTestMessage(receiver.language, deps.clock.now()) },
      said: SAID_NOTHING,
    }
  const facts = await findBreachFacts(deps.db, breachId)
  if (facts === undefined) return 'the breach is gone'
  const reason = await whyNot(deps, row, facts, receiver)
  if (reason !== undefined) return reason
  const message = writeMessage({ facts, step, sequence, now: deps.clock.now() }, receiver.language)
  const { state: saidState, endAt: saidEndAt } = facts.breach
  return { notice: { ...about, ...message }, said: { saidState, saidEndAt } }
}

/** Why this is not to be said any more; undefined when it is. */
async function whyNot(
  { db }: SendDeps,
  row: NotificationTable,
  facts: BreachFacts,
  { person }: Receiver,
): Promise<string | undefined> {
  const untrue = whyUntrue(row.step, facts)
  if (untrue !== undefined) return untrue
  if (person && !(await mayHear(db, person, facts))) return 'the receiver is not responsible any more'
  const isSequel = row.step !== 'opened' && row.step !== 'reminder'
  if (isSequel && !(await wasTold(db, row))) return 'the receiver was never told of the breach'
  return undefined
}

type Step = NotificationTable['step']

/** In which states a step is true. Old news is still said once; what has become wrong is not. */
const TRUE_IN: Readonly<Record<Step, readonly BreachState[]>> = {
  opened: ['open', 'ended'],
  reminder: ['open'],
  recovered: ['ended', 'closed'],
  corrected: ['ended'],
  withdrawn: ['withdrawn'],
  closed: ['closed'],
  test: [],
}

function whyUntrue(step: Step, { breach }: BreachFacts): string | undefined {
  if ((step === 'opened' || step === 'reminder') && isPart({ breach })) return 'it is told with the outage'
  const isTrue = TRUE_IN[step].includes(breach.state)
  if (isTrue && step === 'reminder' && breach.acknowledgedAt !== null) return 'the breach was acknowledged'
  if (isTrue && step === 'recovered' && breach.endAt === null) return 'the breach did not stay over'
  return isTrue ? undefined : NOT_TRUE[step](breach.state)
}

const NOT_TRUE: Readonly<Record<Step, (state: BreachState) => string>> = {
  opened: (state) => `the breach was ${state} before`,
  reminder: () => 'the breach is over',
  recovered: () => 'the breach did not stay over',
  corrected: () => 'the breach did not stay over',
  withdrawn: () => 'the breach is back',
  closed: () => 'the breach did not stay closed',
  test: () => 'it is about no breach',
}

async function wasTold(db: Db, row: NotificationTable): Promise<boolean> {
  const made = row.breachId === null ? [] : await listNotifications(db, row.breachId)
  return made.some((other) => other.status === 'sent' && targetKey(other) === targetKey(row))
}

async function drop(deps: SendDeps, row: NotificationTable, reason: string): Promise<void> {
  await markFailed(deps.db, row.id, `not sent: ${reason}`)
  if (row.breachId !== null) await hastenBreach(deps.db, row.breachId, deps.clock.now())
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
    if (isPermanent && row.channel === 'push') await deletePushSubscription(deps.db, row.recipient)
    if (row.breachId !== null) await hastenBreach(deps.db, row.breachId, now)
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
