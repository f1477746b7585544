import { listDeviceIdsReached, type Reach } from '../db/queries/rule-assignment.ts'
import type { RouteDeps } from './deps.ts'

/** Tells whoever remembers rules to look again. Call it after the commit; that it is not lost with this process is for `ruleChange`. */
export async function tellRulesChanged({ db, cache }: RouteDeps, reaches: readonly Reach[]): Promise<void> {
  for (const deviceId of await listDeviceIdsReached(db, reaches)) cache.publish('registry', { deviceId })
}
