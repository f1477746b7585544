import { listTestMessages, takeTestMessage } from '../db/queries/notification.ts'
import { listPeople } from '../db/queries/people.ts'
import { inTransaction } from '../db/transaction.ts'
import { each, keepNotification, type ExpandDeps } from './expand.ts'
import { NO_ADDRESS, NO_CHANNEL } from './plan.ts'
import { targetsOf } from './receivers.ts'

/** Turns the test messages that were asked for into notifications, one for each way by which alarms reach the person. */
export async function expandTestMessages(deps: ExpandDeps): Promise<void> {
  const asked = await listTestMessages(deps.db, deps.settings.changesPerRoundMax)
  await each(asked, ({ id, userId }) =>
    inTransaction(deps.db, async (trx) => {
      const now = deps.clock.now()
      if (!(await takeTestMessage(trx, id, now))) return
      const [person] = await listPeople(trx, { places: [], roles: [], ids: [userId] })
      for (const target of person ? targetsOf(person, deps.channels, null) : []) {
        const isUnreachable = target.channel === NO_CHANNEL
        const outcome = {
          status: isUnreachable ? 'failed' : 'pending',
          lastError: isUnreachable ? NO_ADDRESS : null,
        } as const
        const times = { createdAt: now, nextAttemptAt: now }
        await keepNotification(trx, null, {
          ...target,
          ...outcome,
          ...times,
          step: 'test',
          sequence: 0,
          saidState: null,
          saidEndAt: null,
        })
      }
    }),
  )
}
