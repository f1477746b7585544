import type { Kysely, Transaction } from 'kysely'
import type { Severity } from '../domain/rule.ts'
import type { Cause } from '../domain/watch-rule.ts'
import type { EquipmentKind, Level, Role } from '../domain/role.ts'
import type { EpcisSchema } from './schema-epcis.ts'
import type { LogsSchema } from './schema-logs.ts'
import type { NumbersSchema } from './schema-numbers.ts'
import type { OrdersSchema } from './schema-orders.ts'
import type { BreachClosing, PeopleSchema } from './schema-people.ts'
import type { RulesSchema } from './schema-rules.ts'
import type { StockSchema } from './schema-stock.ts'
import type { WatchSchema } from './schema-watch.ts'

/**
 * The relational data. Ids are UUIDv7 text, times epoch milliseconds (UTC), booleans 0 or 1. Columns are camelCase here and
 * snake_case in SQL (CamelCasePlugin), so that Grafana and people at a SQL prompt meet ordinary names.
 */
export interface Schema
  extends
    StockSchema,
    OrdersSchema,
    EpcisSchema,
    PeopleSchema,
    RulesSchema,
    WatchSchema,
    NumbersSchema,
    LogsSchema {
  facility: FacilityTable
  storagePoint: StoragePointTable
  equipment: EquipmentTable
  device: DeviceTable
  deviceAttribute: DeviceAttributeTable
  breach: BreachTable
  breachChange: BreachChangeTable
  acknowledgement: AcknowledgementTable
  notification: NotificationTable
  userAccount: UserAccountTable
  refreshToken: RefreshTokenTable
  idempotencyKey: IdempotencyKeyTable
  refusal: RefusalTable
  audit: AuditTable
}

export type Db = Kysely<Schema>
/** What query functions take: the database, or the transaction that their caller opened. */
export type DbOrTrx = Kysely<Schema> | Transaction<Schema>

export interface FacilityTable {
  id: string
  name: string
  level: Level
  parentId: string | null
  /** IANA name, such as `Asia/Jakarta`. */
  timeZone: string
  /** Ids from the root down to this one, each followed by `/`: a subtree is a prefix. */
  path: string
  /** The programme's own code, unique. */
  code: string | null
  /** GS1 Global Location Number, unique. */
  gln: string | null
  /** People in the catchment area. */
  population: number | null
  /** WGS 84, degrees; both or none. */
  latitude: number | null
  longitude: number | null
  /** Counts the changes: the ETag. */
  version: number
  createdAt: number
  updatedAt: number
}

/** A location in a facility where stock is kept. */
export interface StoragePointTable {
  id: string
  facilityId: string
  name: string
  /** Storage profile that it offers, such as `who-30dtr`. */
  profile: string | null
  /** Net volume for stock; null: not known. */
  capacityMl: number | null
  version: number
  createdAt: number
  updatedAt: number
}

export interface EquipmentTable {
  id: string
  facilityId: string
  storagePointId: string | null
  name: string
  kind: EquipmentKind
  /** Storage profile: which rules apply. */
  profile: string
  createdAt: number
}

export interface DeviceTable {
  id: string
  name: string
  /** Null: registered or seen behind a gateway, but not yet placed. Its readings are kept and not judged. */
  equipmentId: string | null
  isGateway: 0 | 1
  /** For a device that speaks only through a gateway: that gateway. Unique with `name`. */
  gatewayId: string | null
  /** SHA-256 of the access token, hex; the token itself is shown once and never kept. Null behind a gateway. */
  tokenHash: string | null
  disabledAt: number | null
  createdAt: number
}

export interface DeviceAttributeTable {
  deviceId: string
  key: string
  value: string
  updatedAt: number
}

export type BreachState = 'open' | 'ended' | 'withdrawn' | 'closed'

/** A rule violated for its duration. Unique per (device, sensor, rule, start), so that two notifiers cannot make two. */
export interface BreachTable extends BreachClosing {
  id: string
  /** Null: of a whole place. */
  deviceId: string | null
  sensor: string
  ruleId: string
  /** Where the device stood when the breach was recorded. */
  equipmentId: string | null
  facilityId: string | null
  /** `withdrawn`: later readings showed that it never was one. */
  state: BreachState
  severity: Severity
  /** Event time of the first violating reading. */
  startAt: number
  /** Event time of the first reading back in range; null while open. */
  endAt: number | null
  /** The reading furthest beyond the threshold. */
  peak: number
  peakAt: number
  /** Event time of the last violating reading, and how many there are. */
  lastAt: number
  readings: number
  acknowledgedAt: number | null
  /** The breach of the place that this one is a part of, and is told with; null: it stands alone. */
  outageId: string | null
  /** Why, as far as the data shows. */
  cause: Cause | null
  recordedAt: number
  updatedAt: number
}

export type BreachChangeKind =
  | 'opened'
  | 'extended'
  | 'ended'
  | 'reopened'
  | 'revised'
  | 'withdrawn'
  | 'acknowledged'
  | 'closed'

/** The audit trail of a breach, and the outbox of the notifier: written in the transaction of the change itself. */
export interface BreachChangeTable {
  id: string
  breachId: string
  kind: BreachChangeKind
  at: number
  /** A user id, `judge` or `watch`. */
  actor: string
  /** JSON of the breach before and after; null where there was none. */
  before: string | null
  after: string | null
  /** W3C Trace Context of the reading that made it, when that was traced. */
  traceparent?: string | null
  /** When the notifier had made its notifications of it (perhaps none); null: still to do. */
  toldAt: number | null
}

export interface AcknowledgementTable {
  id: string
  breachId: string
  userId: string
  action: string
  comment: string
  at: number
}

/** One message to one destination. Unique per (breach, step, sequence, destination, recipient), so that none is made twice. */
export interface NotificationTable {
  id: string
  /** Null for a test message. */
  breachId: string | null
  step: 'opened' | 'reminder' | 'recovered' | 'corrected' | 'withdrawn' | 'closed' | 'test'
  /** 0 for the first of a step; reminders count up. */
  sequence: number
  channel: string
  destination: string
  /** An address in the terms of the channel, or empty where the destination has one fixed receiver. */
  recipient: string
  /** The person; null where the destination has one fixed receiver. */
  userId: string | null
  /** Of the escalation policy, from 0; null where it is no level's. */
  level: number | null
  /** Of the breach as the message tells it: when it was made, and once it is sent, as it was sent. */
  saidState: BreachState | null
  /** Its end, as it was sent; null while it had none, or nothing was sent. */
  saidEndAt: number | null
  /** `muted`: in test mode, it would have been sent. */
  status: 'pending' | 'sent' | 'failed' | 'muted'
  attempts: number
  nextAttemptAt: number
  lastError: string | null
  createdAt: number
  sentAt: number | null
}

export interface UserAccountTable {
  id: string
  /** Lower case, unique. */
  username: string
  name: string
  email: string | null
  passwordHash: string
  role: Role
  /** Root of the subtree in which this person acts; null only for administrators: everything. */
  facilityId: string | null
  disabledAt: number | null
  createdAt: number
}

/** Refresh tokens rotate: each is used once. Use of a used one revokes its whole family (a stolen token shows itself). */
export interface RefreshTokenTable {
  id: string
  userId: string
  family: string
  tokenHash: string
  expiresAt: number
  usedAt: number | null
  revokedAt: number | null
}

export interface IdempotencyKeyTable {
  /** Unique with userId. */
  key: string
  userId: string
  /** SHA-256 over method, address and body. */
  requestHash: string
  /** Null while the first request is still being answered. */
  status: number | null
  body: string | null
  createdAt: number
}

export interface RefusalTable {
  id: string
  deviceId: string
  topic: string
  code: string
  detail: string
  /** Raw bytes, base64. */
  payload: string
  receivedAt: number
  /** When it was last replayed, and what came of it. */
  replayedAt: number | null
  replayOutcome: string | null
}

export interface AuditTable {
  id: string
  at: number
  userId: string
  action: string
  entity: string
  entityId: string
  before: string | null
  after: string | null
  /** Finds it in the log; null: it is older than this column. */
  requestId: string | null
  /** Path of the part of the tree in which whoever did it could act then; empty: everywhere; null: it is older than this column. */
  scope: string | null
}
