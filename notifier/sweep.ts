import { listAwaited, listOrphaned, listUnannounced, lockBreach } from '../db/queries/notification.ts'
import { each, makeNotifications, type ExpandDeps } from './expand.ts'
import { abandon, type SendDeps } from './send.ts'
import { inTransaction } from '../db/transaction.ts'

type SweepDeps = ExpandDeps & SendDeps

/** Reminders are looked for this many times between two of them, and at least once a minute. */
const REMINDER_CHECKS = 20
const SWEEP_EVERY_MS_MAX = 60_000
const ORPHANS_PER_SWEEP_MAX = 100

/**
 * Work that no change asks for: reminders, the next level, breaches that have come to be news, and notifications that nobody will ever take.
 * What it returns is called in every round, and has something to do now and then.
 */
export function createSweep(deps: SweepDeps): () => Promise<void> {
  const { reminderEveryMs } = deps.settings
  const everyMs = Math.min(reminderEveryMs / REMINDER_CHECKS || Infinity, SWEEP_EVERY_MS_MAX)
  const announceLate = createLateAnnouncer(deps)
  let dueAt = 0
  return async () => {
    const now = deps.clock.now()
    if (now < dueAt) return
    dueAt = now + everyMs
    if (deps.channels.length > 0) {
      await announceLate(now)
      await lookAgain(deps, now)
    }
    await abandonOrphans(deps, now)
  }
}

/**
 * An open breach that was history when it was found, and whose readings have reached the present since: the device caught up after days without a network.
 * The judge keeps no change for each further reading, so that this is read off the breaches themselves.
 * It also reaches the first person who becomes responsible where there was nobody.
 */
function createLateAnnouncer(deps: SweepDeps): (now: number) => Promise<void> {
  const { notifyAgeMsMax, changesPerRoundMax } = deps.settings
  // Where the last sweep left off, so that breaches with nobody to tell do not hide the others.
  let after = ''
  return async (now) => {
    const ids = await listUnannounced(deps.db, now - notifyAgeMsMax, after, changesPerRoundMax)
    after = ids.length < changesPerRoundMax ? '' : (ids.at(-1) ?? '')
    await each(ids, (id) =>
      inTransaction(deps.db, async (trx) => {
        await lockBreach(trx, id)
        await makeNotifications(trx, deps, id, now)
      }),
    )
  }
}

async function abandonOrphans(deps: SweepDeps, now: number): Promise<void> {
  const destinations = deps.channels.map((channel) => channel.destination)
  const createdBefore = now - deps.settings.giveUpAfterMs
  for (const row of await listOrphaned(deps.db, destinations, createdBefore, now, ORPHANS_PER_SWEEP_MAX))
    await abandon(deps, row)
}

/** Reminders and further levels that are due. A notifier that was away makes up for one reminder, not for all that it missed. */
async function lookAgain(deps: SweepDeps, now: number): Promise<void> {
  const ids = await listAwaited(deps.db, now, deps.settings.changesPerRoundMax)
  await each(ids, (id) =>
    inTransaction(deps.db, async (trx) => {
      await lockBreach(trx, id)
      await makeNotifications(trx, deps, id, undefined)
    }),
  )
}
