import { randomUUIDv7 } from 'node:crypto'
import type { Logger } from 'pino'
import {
  awaitBreach,
  findBreachFacts,
  insertNotification,
  listNotifications,
  listUntold,
  lockBreach,
  takeChanges,
  type Untold,
} from '../db/queries/notification.ts'
import type { Db, DbOrTrx } from '../db/schema.ts'
import type { Clock } from '../ports/clock.ts'
import type { NoticeChannel } from '../ports/notice.ts'
import { isWorthTelling, whyNotTold } from './by-itself.ts'
import { NO_CHANNEL, plan, type Planned } from './plan.ts'
import { findAudience, type Audience } from './receivers.ts'
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

/** Breaches that are looked at side by side: each mostly waits for the disk of the database. */
const BREACHES_AT_ONCE_MAX = 4

/** Whoever waits is looked after at least this often, so that a changed policy, a hand-over or a new colleague counts soon. */
const LOOK_AGAIN_MS = 600_000

/**
 * Turns the changes in the outbox into notifications, one transaction for each breach: its changes are marked and its
 * notifications made together or not at all. A breach that fails does not hold back the others.
 * @returns whether there may be more to do at once
 * @throws the first failure, after all others were done
 */
export async function expandChanges(deps: ExpandDeps): Promise<boolean> {
  const untold = await listUntold(deps.db, deps.settings.changesPerRoundMax)
  await each(untold, (breach) => expandBreach(deps, breach), BREACHES_AT_ONCE_MAX)
  const changes = untold.reduce((sum, breach) => sum + breach.changes.length, 0)
  return changes >= deps.settings.changesPerRoundMax
}

/**
 * Begins one after the other, with `atOnceMax` of them under way; one that fails does not keep the others from being done. Throws the first
 * failure in the end.
 */
export async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  atOnceMax = 1,
): Promise<void> {
  const failures: unknown[] = []
  const left = items.values()
  const lane = async () => {
    for (const item of left) await work(item).catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({ length: atOnceMax }, lane))
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
    const audience = isNews ? await makeNotifications(trx, deps, breachId, recordedAt) : undefined
    if (isNews && lacksPeople(deps.channels, audience))
      deps.log.warn({ breachId }, 'no e-mail address of anybody responsible is known')
  })
}

/**
 * Makes the notifications that a breach asks for as it stands. The caller holds the lock on the breach.
 * @param recordedAt when that was found out, for its age; undefined when somebody is waiting to hear of it, however old it is by now
 * @returns who is to hear of it
 */
export async function makeNotifications(
  trx: DbOrTrx,
  deps: ExpandDeps,
  breachId: string,
  recordedAt: number | undefined,
): Promise<Audience | undefined> {
  const facts = await findBreachFacts(trx, breachId)
  if (!facts) return undefined
  const now = deps.clock.now()
  const { breach } = facts
  const made = await listNotifications(trx, breachId)
  const isTold = whyNotTold(facts, now) === undefined
  // Those who were told before it was found to be a part hear its end, and nothing else.
  if (!isTold && (made.length === 0 || breach.state === 'open')) {
    await awaitBreach(trx, breachId, null)
    return undefined
  }
  const audience = await findAudience(trx, facts, isTold ? deps.channels : [], now)
  const { planned, nextAt } = plan({
    ...audience,
    state: breach.state,
    startAt: breach.startAt,
    endAt: breach.endAt,
    acknowledgedAt: breach.acknowledgedAt,
    recordedAt: breach.recordedAt,
    isRecent: recordedAt === undefined || recordedAt - breach.lastAt <= deps.settings.notifyAgeMsMax,
    made,
    reminderEveryMs: deps.settings.reminderEveryMs,
    remindersMax: deps.settings.remindersMax,
    now,
  })
  for (const one of planned) if (isWorthTelling(facts, one, made)) await keepNotification(trx, breachId, one)
  await awaitBreach(trx, breachId, nextAt === null ? null : Math.min(nextAt, now + LOOK_AGAIN_MS))
  return audience
}

function lacksPeople(channels: readonly NoticeChannel[], audience: Audience | undefined): boolean {
  const reachable = audience?.levels.flat().filter((target) => target.channel !== NO_CHANNEL)
  return channels.some((channel) => channel.needsRecipient) && reachable?.length === 0
}

export async function keepNotification(
  db: DbOrTrx,
  breachId: string | null,
  planned: Planned,
): Promise<void> {
  await insertNotification(db, { ...planned, id: randomUUIDv7(), breachId, attempts: 0, sentAt: null })
}
