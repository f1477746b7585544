import { findPushSubscription, listPeople, type Person } from '../db/queries/people.ts'
import type { BreachFacts } from '../db/queries/notification.ts'
import { findFacilityPaths } from '../db/queries/facility.ts'
import type { Db, NotificationTable } from '../db/schema.ts'
import type { Language } from '../domain/language.ts'
import { addressesOf, isNamed } from './receivers.ts'

/** Whom one notification is for, as they are now. */
export interface Receiver {
  /** In the terms of the channel; undefined where the destination has one fixed receiver. */
  readonly address: string | undefined
  /** Undefined where the destination has one fixed receiver: it hears in the language of the setting. */
  readonly person: Person | undefined
  readonly language: Language | undefined
}

/** Who is to get a notification, or why nobody is: the account, the address or the browser is gone since it was made. */
export async function findReceiver(db: Db, row: NotificationTable): Promise<Receiver | string> {
  const { userId, channel, recipient } = row
  if (userId === null) return { address: recipient || undefined, person: undefined, language: undefined }
  const [person] = await listPeople(db, { places: [], roles: [], ids: [userId] })
  if (person === undefined) return 'the account of the receiver is disabled'
  if (!addressesOf(person, channel).includes(recipient)) return 'the receiver has another address now'
  const language = person.contact?.language ?? 'en'
  if (channel !== 'push') return { address: recipient, person, language }
  const subscription = await findPushSubscription(db, recipient)
  if (subscription === undefined) return 'the browser is not subscribed any more'
  const { endpoint, p256dh, auth } = subscription
  return { address: JSON.stringify({ endpoint, p256dh, auth }), person, language }
}

/** Whether a breach is still somebody's business: it lies in their part of the hierarchy, or the policy names them. */
export async function mayHear(db: Db, person: Person, facts: BreachFacts): Promise<boolean> {
  if (facts.facility === null) return false
  const { facilityId } = person.user
  const path = facilityId === null ? undefined : (await findFacilityPaths(db, [facilityId])).get(facilityId)
  if (path !== undefined && facts.facility.path.startsWith(path)) return true
  return isNamed(db, facts, person.user.id)
}
