import type { CloseReason } from '../domain/closing.ts'
import type { Language } from '../domain/language.ts'
import type { Severity } from '../domain/rule.ts'

/** Whom alarms reach, and how: contacts, on-call lists, escalation policies. */
export interface PeopleSchema {
  contact: ContactTable
  pushSubscription: PushSubscriptionTable
  onCallList: OnCallListTable
  escalationPolicy: EscalationPolicyTable
  quietFacility: QuietFacilityTable
  breachEscalation: BreachEscalationTable
  testMessage: TestMessageTable
}

/** How a breach was closed; all null until it is. */
export interface BreachClosing {
  closedAt: number | null
  closedBy: string | null
  closeReason: CloseReason | null
  closeComment: string | null
}

/** How a person is reached beyond the e-mail address of the account. Without a row: by e-mail, in English. */
export interface ContactTable {
  userId: string
  language: Language
  /** E.164, such as `+6281234567890`. */
  phone: string | null
  telegramChatId: string | null
  /** JSON: kinds of channel that the person wants, none twice; null: every one that reaches them. */
  channels: string | null
  updatedAt: number
}

/** A browser that takes Web Push for a person. */
export interface PushSubscriptionTable {
  id: string
  userId: string
  endpoint: string
  /** SHA-256 of the endpoint, hex, unique: an endpoint is too long for an index. */
  endpointHash: string
  /** Public key and secret of the browser, base64url. */
  p256dh: string
  auth: string
  createdAt: number
}

export interface OnCallListTable {
  id: string
  facilityId: string
  name: string
  /** JSON of `OnCallRota` and `OnCallShift[]` in domain/on-call.ts. */
  rota: string
  shifts: string
  version: number
  createdAt: number
  updatedAt: number
}

/** Holds for breaches of its severity at its place and below, unless one further down does. Unique with (facilityId, severity). */
export interface EscalationPolicyTable {
  id: string
  facilityId: string
  severity: Severity
  name: string
  /** JSON of `EscalationPolicy` in domain/escalation.ts. */
  body: string
  version: number
  createdAt: number
  updatedAt: number
  /** Counts no more: the one further up holds again. */
  archivedAt: number | null
}

/** Facilities in test mode: of breaches there and below, nothing is sent, and what would have been sent is kept. */
export interface QuietFacilityTable {
  facilityId: string
  since: number
  userId: string
}

/** When the notifier looks at an open breach again though nothing happened to it: a hint that can be lost, not a truth. */
export interface BreachEscalationTable {
  breachId: string
  nextAt: number
}

/** Test messages that somebody asked for, until the notifier has made notifications of them. */
export interface TestMessageTable {
  id: string
  userId: string
  requestedBy: string
  createdAt: number
  toldAt: number | null
}
