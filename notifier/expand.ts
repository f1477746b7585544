import { randomUUIDv7 } from 'node:crypto'
import type { Logger } from 'pino'
import {
  findBreachFacts,
  insertNotification,
  listNotifications,
  listUntold,
  lockBreach,
  takeChanges,
  type BreachFacts,
  type Untold,
} from '../db/queries/notification.ts'
import type { Db, DbOrTrx } from '../db/schema.ts'
import type { Clock } from '../ports/clock.ts'
import type { NoticeChannel } from '../ports/notice.ts'
import { listAudience, whyNotTold } from './audience.ts'
import { plan, targetKey, type Planned, type Target } from './plan.ts'
import { watchRuleOf } from '../domain/watch-rule.ts'
import { inTransaction } from '../db/transaction.ts'

export interface ExpandDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Logger
  readonly channels: readonly NoticeChannel[]
  readonly settings: {
    readonly notifyAgeMsMax: number
    readonly reminderEveryMs: number
    readonly remindersMax: number
    readonly changesPerRoundMax: number
  }
}

/**
 * Turns the changes in the outbox into notifications, one transaction for each breach: its changes are marked and its
 * notifications made together or not at all. A breach that fails does not hold back the others.
 * @returns whether there may be more to do at once
 * @throws the first failure, after all others were done
 */
export async function expandChanges(deps: ExpandDeps): Promise<boolean> {
  const untold = await listUntold(deps.db, deps.settings.changesPerRoundMax)
  await eachInTurn(untold, (breach) => expandBreach(deps, breach))
  const changes = untold.reduce((sum, breach) => sum + breach.changes.length, 0)
  return changes >= deps.settings.changesPerRoundMax
}

/** One after the other; one that fails does not keep the others from being done. Throws the first failure in the end. */
export async function eachInTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  for (const item of items) await work(item).catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

async function expandBreach(deps: ExpandDeps, { breachId, changes }: Untold): Promise<void> {
  const now = deps.clock.now()
  const ids = changes.map((change) => change.id)
  await inTransaction(deps.db, async (trx) => {
    await lockBreach(trx, breachId)
    if ((await takeChanges(trx, ids, now)) === 0) return
    const recordedAt = Math.max(...changes.map((change) => change.at))
    const isNews = changes.some((change) => change.kind !== 'acknowledged')
    const targets = isNews ? await makeNotifications(trx, deps, breachId, recordedAt) : undefined
    if (isNews && targets && lacksPeople(deps.channels, targets))
      deps.log.warn({ breachId }, 'no e-mail address of anybody responsible is known')
  })
}

/**
 * Makes the notifications that a breach asks for as it stands. The caller holds the lock on the breach.
 * @param recordedAt when that was found out, for its age
 * @returns who is to hear of it; undefined when nobody is
 */
export async function makeNotifications(
  trx: DbOrTrx,
  deps: ExpandDeps,
  breachId: string,
  recordedAt: number,
): Promise<Target[] | undefined> {
  const facts = await findBreachFacts(trx, breachId)
  if (!facts) return undefined
  const now = deps.clock.now()
  const targets =
    whyNotTold(facts, now) === undefined ? await findTargets(trx, facts, deps.channels) : undefined
  const made = await listNotifications(trx, breachId)
  const planned = plan({
    state: facts.breach.state,
    isRecent: recordedAt - facts.breach.lastAt <= deps.settings.notifyAgeMsMax,
    targets: targets ?? [],
    made,
    now,
  })
  for (const one of planned)
    if (isWorthTelling(facts, one, made)) await keepNotification(trx, breachId, one, now)
  return targets
}

// That a device is heard again was said; that it had gone on measuring all the time is no second message.
function isWorthTelling(
  { breach }: BreachFacts,
  one: Planned,
  made: readonly (Target & { readonly step: string })[],
): boolean {
  if (one.step !== 'withdrawn' || !watchRuleOf(breach.ruleId)) return true
  return made.findLast((row) => targetKey(row) === targetKey(one))?.step !== 'recovered'
}

async function findTargets(
  trx: DbOrTrx,
  facts: BreachFacts,
  channels: readonly NoticeChannel[],
): Promise<Target[]> {
  const asksForPeople = channels.some((channel) => channel.needsRecipient)
  const people = asksForPeople ? await listAudience(trx, facts) : []
  return channels.flatMap(({ kind, destination, needsRecipient }) =>
    (needsRecipient ? people : ['']).map((recipient) => ({ channel: kind, destination, recipient })),
  )
}

function lacksPeople(channels: readonly NoticeChannel[], targets: readonly Target[]): boolean {
  return (
    channels.some((channel) => channel.needsRecipient) && targets.every((target) => target.recipient === '')
  )
}

export async function keepNotification(
  db: DbOrTrx,
  breachId: string,
  planned: Planned,
  now: number,
): Promise<void> {
  await insertNotification(db, {
    ...planned,
    id: randomUUIDv7(),
    breachId,
    status: 'pending',
    attempts: 0,
    nextAttemptAt: now,
    lastError: null,
    sentAt: null,
  })
}
