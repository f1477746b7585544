import {
  findOnCall,
  findPolicyFor,
  isQuiet,
  listPeople,
  listPlaces,
  policyOf,
  type OnCall,
  type Person,
} from '../db/queries/people.ts'
import type { BreachFacts } from '../db/queries/notification.ts'
import type { DbOrTrx, FacilityTable } from '../db/schema.ts'
import {
  DEFAULT_POLICIES,
  type EscalationLevel,
  type EscalationPolicy,
  type Receivers,
} from '../domain/escalation.ts'
import { onCallAt } from '../domain/on-call.ts'
import type { NoticeChannel } from '../ports/notice.ts'
import { NO_CHANNEL, type Target } from './plan.ts'

export interface Audience {
  readonly policy: EscalationPolicy
  readonly timeZone: string
  readonly fixed: readonly Target[]
  readonly levels: readonly (readonly Target[])[]
}

/** Who is to hear of a breach, level by level, by the policy of its place, as of `now`. Without a place nobody can be found. */
export async function findAudience(
  db: DbOrTrx,
  { breach, facility }: Pick<BreachFacts, 'breach' | 'facility'>,
  channels: readonly NoticeChannel[],
  now: number,
): Promise<Audience> {
  const fixed = channels.filter((channel) => !channel.needsRecipient).map(fixedTarget)
  const path = facility?.path ?? ''
  const row = await findPolicyFor(db, path, breach.severity)
  const kept = row ? policyOf(row) : DEFAULT_POLICIES[breach.severity]
  const levels = isPartOfArea(breach) ? onlyHere(kept.levels) : kept.levels
  const policy = { ...kept, levels, isTest: kept.isTest || (await isQuiet(db, path)) }
  const timeZone = facility?.timeZone ?? 'UTC'
  const asksForPeople = channels.some((channel) => channel.needsRecipient)
  if (!asksForPeople || facility === null)
    return { policy, timeZone, fixed, levels: policy.levels.map(() => []) }
  const people = await listLevels(db, policy, path, now)
  const targets = people.map((level, index) => level.flatMap((person) => targetsOf(person, channels, index)))
  return { policy, timeZone, fixed, levels: targets.map(eachOnce) }
}

/** Of an outage of one place that is part of one of the area, those above hear as of the area. */
function isPartOfArea({ ruleId, outageId }: BreachFacts['breach']): boolean {
  return ruleId === 'site-outage' && outageId !== null
}

function onlyHere(levels: readonly EscalationLevel[]): EscalationLevel[] {
  return levels.slice(0, 1).map((level) => ({
    ...level,
    who: level.who.filter((one) => one.kind === 'role' && one.level === 'facility'),
  }))
}

function fixedTarget({ kind, destination }: NoticeChannel): Target {
  return { channel: kind, destination, recipient: '', userId: null, level: null }
}

async function listLevels(
  db: DbOrTrx,
  policy: EscalationPolicy,
  path: string,
  now: number,
): Promise<Person[][]> {
  const places = await listPlaces(db, path)
  const who = policy.levels.flatMap((level) => level.who)
  const onCall = await findOnCall(
    db,
    who.flatMap((one) => (one.kind === 'onCall' ? [one.onCallListId] : [])),
  )
  const named = new Map(who.map((one) => [one, idsOf(one, onCall, now)]))
  const people = await listPeople(db, {
    places: places.map(({ id }) => id),
    roles: who.flatMap((one) => (one.kind === 'role' ? [one.role] : [])),
    ids: [...new Set([...named.values()].flat())],
  })
  return policy.levels.map((level) =>
    people.filter((person) =>
      level.who.some((one) =>
        one.kind === 'role' ? hasRole(person, one, places) : named.get(one)?.includes(person.user.id),
      ),
    ),
  )
}

function idsOf(one: Receivers, lists: readonly OnCall[], now: number): string[] {
  switch (one.kind) {
    case 'role':
      return []
    case 'user':
      return [one.userId]
    case 'onCall':
      return lists
        .filter(({ id }) => id === one.onCallListId)
        .flatMap(({ rota, shifts, timeZone }) => onCallAt(rota, shifts, timeZone, now))
  }
}

function hasRole(
  { user }: Person,
  { role, level }: Extract<Receivers, { kind: 'role' }>,
  places: readonly Pick<FacilityTable, 'id' | 'level'>[],
): boolean {
  const place = places.find(({ id }) => id === user.facilityId)
  if (place === undefined || user.role !== role) return false
  return level === 'facility' ? place === places.at(-1) : place.level === level
}

/**
 * How a person is reached: through every channel that they want and have an address for; where none of those does, through any that reaches them:
 * an alarm that is heard elsewhere is better than one that is not.
 */
export function targetsOf(
  person: Person,
  channels: readonly NoticeChannel[],
  level: number | null,
): Target[] {
  const { id } = person.user
  const wanted = person.contact?.channels ? (JSON.parse(person.contact.channels) as string[]) : undefined
  const all = channels.flatMap(({ kind, destination, needsRecipient }) => {
    const recipients = needsRecipient ? addressesOf(person, kind) : []
    return recipients.map((recipient) => ({ channel: kind, destination, recipient, userId: id, level }))
  })
  const preferred = all.filter(({ channel }) => wanted === undefined || wanted.includes(channel))
  if (all.length === 0)
    return [{ channel: NO_CHANNEL, destination: NO_CHANNEL, recipient: id, userId: id, level }]
  return preferred.length > 0 ? preferred : all
}

/** What a kind of channel takes as an address. */
export function addressesOf({ user, contact, pushSubscriptionIds }: Person, kind: string): readonly string[] {
  switch (kind) {
    case 'sms':
    case 'whatsapp':
      return there(contact?.phone)
    case 'telegram':
      return there(contact?.telegramChatId)
    case 'push':
      return pushSubscriptionIds
    default:
      return there(user.email?.trim().toLowerCase())
  }
}

function there(address: string | null | undefined): string[] {
  return address ? [address] : []
}

/** People may share an address: it gets one message. */
function eachOnce(targets: readonly Target[]): Target[] {
  const first = new Map(
    targets.toReversed().map((target) => [`${target.destination}\n${target.recipient}`, target]),
  )
  return targets.filter((target) => first.get(`${target.destination}\n${target.recipient}`) === target)
}

/** Whether the policy of a breach names a person, by themselves or in an on-call list. */
export async function isNamed(
  db: DbOrTrx,
  { breach, facility }: Pick<BreachFacts, 'breach' | 'facility'>,
  userId: string,
): Promise<boolean> {
  const row = await findPolicyFor(db, facility?.path ?? '', breach.severity)
  const who = row ? policyOf(row).levels.flatMap((level) => level.who) : []
  const lists = await findOnCall(
    db,
    who.flatMap((one) => (one.kind === 'onCall' ? [one.onCallListId] : [])),
  )
  const onCall = lists.flatMap(({ rota, shifts }) => [
    ...(rota?.userIds ?? []),
    ...shifts.map((one) => one.userId),
  ])
  return onCall.includes(userId) || who.some((one) => one.kind === 'user' && one.userId === userId)
}
