import type { BreachFacts } from '../db/queries/notification.ts'
import { watchRuleOf } from '../domain/watch-rule.ts'
import { targetKey, type Planned, type Told } from './plan.ts'

/** A loss of power is told after this, unless it turned out to be a part of an outage until then: loggers tell of it one after the other. */
const POWER_HOLD_MS = 20 * 60_000

/** Whether a breach is told with the outage that it belongs to. An outage that is part of a greater one has people of its own. */
export function isPart({ breach }: Pick<BreachFacts, 'breach'>): boolean {
  return breach.outageId !== null && breach.ruleId !== 'site-outage'
}

/**
 * Why nobody is to be told of a breach by itself; undefined when somebody is.
 * What is part of an outage is told with it.
 */
export function whyNotTold(
  { breach, rule }: Pick<BreachFacts, 'breach' | 'rule'>,
  now: number,
): string | undefined {
  if (breach.ruleId === 'site-outage') return undefined
  if (isPart({ breach })) return 'it is told with the outage of its place'
  const isPower = rule?.quantity === 'powerOn' || rule?.quantity === 'powerGoodSeconds'
  if (isPower && now - breach.recordedAt < POWER_HOLD_MS) return 'it may be part of an outage'
  return undefined
}

/**
 * Of what the watchdog finds: a silence that is over when it is found is a gap in the record and wakes nobody. That a device is heard again was
 * said; that it had gone on measuring all the time is no second message.
 */
export function isWorthTelling(
  { breach }: Pick<BreachFacts, 'breach'>,
  one: Planned,
  made: readonly Told[],
): boolean {
  if (watchRuleOf(breach.ruleId) === undefined) return true
  if (one.step === 'opened' && breach.state !== 'open') return false
  if (one.step === 'corrected') return false
  if (one.step !== 'withdrawn') return true
  return made.findLast((row) => targetKey(row) === targetKey(one))?.step !== 'recovered'
}
