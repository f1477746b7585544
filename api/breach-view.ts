import { Type, type Static } from 'typebox'
import type { BreachChangeWithName, BreachDetail as BreachRow } from '../db/queries/breach.ts'
import { BreachExposure } from './breach-exposure.ts'
import type { Member } from '../db/queries/outage.ts'
import { CAUSES } from '../domain/watch-rule.ts'
import type { NotificationWithName } from '../db/queries/people.ts'
import type { AcknowledgementTable } from '../db/schema.ts'
import { CLOSE_REASONS } from '../domain/closing.ts'
import { closed, Id, Name, nullable, Time } from './schemas.ts'
import { toRfc3339, toRfc3339OrNull } from './time.ts'

const breach = {
  id: Id,
  deviceId: Type.Union([Id, Type.Null()], { description: 'Null: the breach is of a whole place.' }),
  deviceName: nullable(Type.String()),
  sensor: Type.String(),
  equipmentId: nullable(Id),
  equipmentName: nullable(Type.String()),
  facilityId: nullable(Id),
  facilityName: nullable(Type.String()),
  timeZone: Type.Union([Type.String(), Type.Null()], { description: 'IANA name, of the facility.' }),
  ruleId: Type.String(),
  ruleName: nullable(Type.String()),
  quantity: nullable(Type.String()),
  comparator: Type.Union([Type.String(), Type.Null()], { description: 'Of the rule: what is beyond.' }),
  threshold: nullable(Type.Number()),
  state: Type.Enum(['open', 'ended', 'withdrawn', 'closed']),
  severity: Type.Enum(['warning', 'critical']),
  startAt: Type.String({ format: 'date-time', description: 'Of the first violating reading.' }),
  endAt: Type.Union([Time, Type.Null()], { description: 'Of the first reading back in range.' }),
  lastAt: Type.String({ format: 'date-time', description: 'Of the last violating reading.' }),
  durationSeconds: Type.Integer({
    description: 'From the start to the end, or to the last violating reading.',
  }),
  peak: Type.Number({ description: 'The value furthest beyond the threshold.' }),
  peakAt: Time,
  readings: Type.Integer({ description: 'Violating readings.' }),
  acknowledgedAt: nullable(Time),
  outageId: Type.Union([Id, Type.Null()], {
    description: 'The breach of the place that this one is a part of; null: it stands alone.',
  }),
  cause: Type.Union([Type.Enum([...CAUSES]), Type.Null()], {
    description: 'Why, as far as the data shows.',
  }),
  closedAt: nullable(Time),
  closedBy: nullable(Id),
  closeReason: nullable(Type.Enum([...CLOSE_REASONS])),
  closeComment: nullable(Type.String()),
  recordedAt: Time,
  updatedAt: Time,
}

export const Breach = Type.Object(breach, { title: 'Breach' })

const Change = Type.Object(
  {
    id: Id,
    kind: Type.Enum([
      'opened',
      'extended',
      'ended',
      'reopened',
      'revised',
      'withdrawn',
      'acknowledged',
      'closed',
    ]),
    at: Time,
    actor: Type.String({ description: 'A user id, `judge` or `watch`.' }),
    actorName: Type.Union([Type.String(), Type.Null()], { description: 'Null: it was no person.' }),
    before: Type.Unknown({ description: 'The breach before; null when there was none.' }),
    after: Type.Unknown(),
  },
  { title: 'BreachChange' },
)
export const Notification = Type.Object(
  {
    id: Id,
    breachId: nullable(Id),
    userId: nullable(Id),
    userName: nullable(Type.String()),
    level: Type.Union([Type.Integer(), Type.Null()], { description: 'Of the escalation policy, from 0.' }),
    step: Type.Enum(['opened', 'reminder', 'recovered', 'corrected', 'withdrawn', 'closed', 'test']),
    sequence: Type.Integer(),
    channel: Type.String(),
    destination: Type.String(),
    recipient: Type.String(),
    status: Type.Enum(['pending', 'sent', 'failed', 'muted']),
    attempts: Type.Integer(),
    lastError: nullable(Type.String()),
    createdAt: Time,
    sentAt: nullable(Time),
  },
  { title: 'Notification' },
)
const said = {
  id: Id,
  breachId: Id,
  userId: Type.String(),
  action: Type.String(),
  comment: Type.String(),
  at: Time,
}
export const Acknowledgement = Type.Object(said, { title: 'Acknowledgement' })
const NamedAcknowledgement = Type.Object(
  { ...said, userName: nullable(Type.String()) },
  { title: 'NamedAcknowledgement' },
)
export const Acknowledged = Type.Object(
  {
    ...said,
    members: Type.Integer({ description: 'How many parts of an outage were acknowledged with it.' }),
  },
  { title: 'Acknowledged' },
)
const Comment = Type.String({ minLength: 1, maxLength: 4000, pattern: '\\S' })
export const NewAcknowledgement = Type.Object(
  {
    action: Name,
    comment: Comment,
    members: Type.Optional(
      Type.Boolean({ default: false, description: 'Of an outage: those that are part of it too.' }),
    ),
  },
  closed,
)
export const NewClosing = Type.Object({ reason: Type.Enum([...CLOSE_REASONS]), comment: Comment }, closed)
const OutageMember = Type.Object(
  {
    deviceId: Id,
    deviceName: Type.String(),
    reason: Type.Enum(['silent', 'power']),
    since: Time,
    backAt: nullable(Time),
  },
  { title: 'OutageMember' },
)
export const BreachDetail = Type.Object(
  {
    ...breach,
    members: Type.Array(OutageMember, {
      description:
        'The devices of an outage; empty of other breaches. The outages of an area are listed by `outageId`.',
    }),
    changes: Type.Array(Change),
    notifications: Type.Array(Notification),
    acknowledgements: Type.Array(NamedAcknowledgement),
    exposure: nullable(BreachExposure),
  },
  { title: 'BreachDetail' },
)

export function breachView(row: BreachRow): Static<typeof Breach> {
  const { id, deviceId, deviceName, sensor, equipmentId, equipmentName, facilityId, facilityName } = row
  const { ruleId, ruleName, quantity, state, severity, peak, readings, outageId, cause } = row
  return {
    id,
    deviceId,
    deviceName,
    sensor,
    equipmentId,
    equipmentName,
    facilityId,
    facilityName,
    timeZone: row.timeZone,
    ruleId,
    ruleName,
    quantity,
    comparator: row.comparator,
    threshold: row.threshold,
    state,
    severity,
    peak,
    readings,
    outageId,
    cause,
    startAt: toRfc3339(row.startAt),
    endAt: toRfc3339OrNull(row.endAt),
    lastAt: toRfc3339(row.lastAt),
    durationSeconds: Math.floor(((row.endAt ?? row.lastAt) - row.startAt) / 1000),
    peakAt: toRfc3339(row.peakAt),
    acknowledgedAt: toRfc3339OrNull(row.acknowledgedAt),
    closedAt: toRfc3339OrNull(row.closedAt),
    closedBy: row.closedBy,
    closeReason: row.closeReason,
    closeComment: row.closeComment,
    recordedAt: toRfc3339(row.recordedAt),
    updatedAt: toRfc3339(row.updatedAt),
  }
}

export function memberView({
  deviceId,
  deviceName,
  reason,
  since,
  backAt,
}: Member): Static<typeof OutageMember> {
  return { deviceId, deviceName, reason, since: toRfc3339(since), backAt: toRfc3339OrNull(backAt) }
}

export function changeView(row: BreachChangeWithName): Static<typeof Change> {
  const { id, kind, actor, actorName } = row
  return {
    id,
    kind,
    actor,
    actorName,
    at: toRfc3339(row.at),
    before: stateView(row.before),
    after: stateView(row.after),
  }
}

// Times inside of the trail are epoch milliseconds; at this edge they are RFC 3339 like all others.
function stateView(json: string | null): unknown {
  if (json === null) return null
  const state = JSON.parse(json) as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(state).map(([key, value]) => [
      key,
      key.endsWith('At') && typeof value === 'number' ? toRfc3339(value) : value,
    ]),
  )
}

export function notificationView(row: NotificationWithName): Static<typeof Notification> {
  const { id, breachId, userId, userName, level, step, sequence } = row
  const { channel, destination, recipient, status, attempts, lastError } = row
  return {
    id,
    breachId,
    userId,
    userName,
    level,
    step,
    sequence,
    channel,
    destination,
    recipient,
    status,
    attempts,
    lastError,
    createdAt: toRfc3339(row.createdAt),
    sentAt: toRfc3339OrNull(row.sentAt),
  }
}

export function acknowledgementView(row: AcknowledgementTable): Static<typeof Acknowledgement> {
  const { id, breachId, userId, action, comment } = row
  return { id, breachId, userId, action, comment, at: toRfc3339(row.at) }
}
