import { listResponsibleByPlace, type BreachFacts } from '../db/queries/notification.ts'
import type { DbOrTrx } from '../db/schema.ts'
import { watchRuleOf } from '../domain/watch-rule.ts'

/** A loss of power is told after this, unless it turned out to be a part of an outage until then: loggers tell of it one after the other. */
const POWER_HOLD_MS = 20 * 60_000

/**
 * Why nobody is to be told of a breach by itself; undefined when somebody is.
 * What is part of an outage is told with it. A silence that is over when it is found is a gap in the record and wakes nobody.
 */
export function whyNotTold({ breach, rule }: BreachFacts, now: number): string | undefined {
  if (breach.ruleId === 'site-outage') return undefined
  if (breach.outageId !== null) return 'it is told with the outage of its place'
  if (watchRuleOf(breach.ruleId)) return breach.state === 'open' ? undefined : 'it is over'
  const isPower = rule?.quantity === 'powerOn' || rule?.quantity === 'powerGoodSeconds'
  if (isPower && now - breach.recordedAt < POWER_HOLD_MS) return 'it may be part of an outage'
  return undefined
}

/**
 * E-mail addresses of those who are to hear of a breach. Of a storage rule: everybody responsible for the facility and the places above. What the watchdog finds is
 * of the facility: a device's fault is told to the nearest people, an outage also one place up. Of an outage that is part of one of the area, only to the
 * facility itself: those above hear of the area.
 */
export async function listAudience(db: DbOrTrx, { breach, facility }: BreachFacts): Promise<string[]> {
  if (facility === null) return []
  const people = await listResponsibleByPlace(db, facility.path)
  const places = facility.path
    .split('/')
    .filter((id) => id !== '')
    .toReversed()
  const at = (some: readonly string[]) => people.filter(({ facilityId }) => some.includes(facilityId))
  if (!watchRuleOf(breach.ruleId)) return unique(people)
  const isPart = breach.outageId !== null
  if (isPart) return unique(at(places.slice(0, 1)))
  const levels = breach.ruleId === 'site-outage' ? 2 : 1
  // Nobody there: the next ones up.
  for (let count = levels; count <= places.length; count += 1) {
    const found = unique(at(places.slice(0, count)))
    if (found.length > 0) return found
  }
  return []
}

function unique(people: readonly { readonly email: string }[]): string[] {
  return [...new Set(people.map(({ email }) => email))]
}
