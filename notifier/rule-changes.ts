import type { Logger } from 'pino'
import { listDeviceIdsReached } from '../db/queries/rule-assignment.ts'
import { completeRuleChange, listRuleChanges } from '../db/queries/rule-change.ts'
import type { Db } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Queue } from '../ports/queue.ts'
import { requestRejudge } from './rejudge-request.ts'

interface RuleChangesDeps {
  readonly db: Db
  readonly queue: Queue
  readonly cache: Cache
  readonly clock: Clock
  readonly log: Logger
}

const LOOK_EVERY_MS = 2000
const CHANGES_AT_ONCE = 20

/**
 * Acts on changes of rules: whoever remembers the ones before forgets them, and what the new ones reach is judged again. A change stays until all of that
 * is on its way, so that it survives every crash; twice is once, also of two notifiers.
 */
export function startRuleChanges(deps: RuleChangesDeps): { stop(): Promise<void> } {
  let running: Promise<void> | undefined
  const look = () => {
    running ??= act(deps)
      .catch((error: unknown) => deps.log.warn({ err: error }, 'rule changes: are tried again'))
      .finally(() => (running = undefined))
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  look()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

async function act({ db, queue, cache, clock }: RuleChangesDeps): Promise<void> {
  for (const { id, from, reaches } of await listRuleChanges(db, CHANGES_AT_ONCE)) {
    const deviceIds = await listDeviceIdsReached(db, reaches)
    for (const deviceId of deviceIds) cache.publish('registry', { deviceId })
    // What holds from a later moment on has judged nothing yet.
    if (from <= clock.now()) await requestRejudge({ queue, clock }, deviceIds, from)
    await completeRuleChange(db, id, clock.now())
  }
}
