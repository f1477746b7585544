import { randomUUIDv7 } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import {
  findArchivedPolicy,
  findOnCallLists,
  findPolicy,
  insertOnCallList,
  insertPolicy,
  onCallOf,
  policyOf,
  updateOnCallList,
  updatePolicy,
} from '../db/queries/people.ts'
import { lockFacility } from '../db/queries/facility.ts'
import { findUserInScope } from '../db/queries/user.ts'
import type { EscalationPolicyTable, OnCallListTable } from '../db/schema-people.ts'
import { isDate } from '../domain/calendar.ts'
import { CodedError } from '../domain/errors.ts'
import { WORKING_HOURS, type EscalationPolicy, type Receivers } from '../domain/escalation.ts'
import type { OnCallRota, OnCallShift } from '../domain/on-call.ts'
import { LEVELS } from '../domain/role.ts'
import { facilityOf, found } from './caller.ts'
import { closed, Id, Name, nullable, Time, Version } from './schemas.ts'
import { parseTime, toRfc3339, toRfc3339OrNull } from './time.ts'
import { audit, type Writing } from './write.ts'

const LEVELS_MAX = 6
const WHO_MAX = 20
const MINUTES_MAX = 43_200
const SHIFTS_MAX = 400

const TimeOfDay = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: '`HH:MM`.' })
const Who = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('role'),
      role: Type.Enum(['operator', 'manager', 'viewer']),
      level: Type.Enum([...LEVELS], { description: '`facility` is the place of the equipment itself.' }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal('user'), userId: Id }, closed),
  Type.Object({ kind: Type.Literal('onCall'), onCallListId: Id }, closed),
])
const Step = Type.Object(
  {
    delayMinutes: Type.Integer({
      minimum: 0,
      maximum: MINUTES_MAX,
      description: 'From when the level before was told.',
    }),
    keepsWorkingHours: Type.Optional(Type.Boolean({ default: false })),
    who: Type.Array(Who, { minItems: 1, maxItems: WHO_MAX }),
  },
  closed,
)
const Hours = Type.Object(
  {
    days: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), {
      minItems: 1,
      maxItems: 7,
      uniqueItems: true,
      description: 'Monday is 1.',
    }),
    from: TimeOfDay,
    to: TimeOfDay,
  },
  { ...closed, description: 'On the clocks of the facility.' },
)
const settings = {
  name: Name,
  levels: Type.Array(Step, { minItems: 1, maxItems: LEVELS_MAX }),
  workingHours: Type.Optional(Hours),
  reminderMinutes: Type.Optional(
    nullable(
      Type.Integer({ minimum: 0, maximum: MINUTES_MAX, description: '0: none; null: as the setting says.' }),
    ),
  ),
  remindersMax: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 100 }))),
  testMode: Type.Optional(
    Type.Boolean({ default: false, description: 'Nothing is sent; what would be is kept.' }),
  ),
}
export const NewPolicy = Type.Object(
  { facilityId: Id, severity: Type.Enum(['warning', 'critical']), ...settings },
  closed,
)
export const PolicyChange = Type.Partial(Type.Object({ ...settings, archived: Type.Boolean() }, closed), {
  ...closed,
  minProperties: 1,
})
export const Policy = Type.Object(
  {
    id: nullable(Id),
    facilityId: nullable(Id),
    severity: Type.Enum(['warning', 'critical']),
    name: Type.String(),
    levels: Type.Array(Step),
    workingHours: Hours,
    reminderMinutes: nullable(Type.Integer()),
    remindersMax: nullable(Type.Integer()),
    testMode: Type.Boolean(),
    version: Version,
    updatedAt: nullable(Time),
    archivedAt: nullable(Time),
  },
  {
    title: 'EscalationPolicy',
    description: 'Without an id: the one that ships, which holds where there is no other.',
  },
)

const Rota = Type.Object(
  {
    startsOn: Type.String({ format: 'date', description: 'Day of the first hand-over.' }),
    handoverAt: TimeOfDay,
    weeks: Type.Optional(Type.Integer({ minimum: 1, maximum: 8, default: 1 })),
    userIds: Type.Array(Id, { minItems: 1, maxItems: 52 }),
  },
  { ...closed, description: 'Turns of whole weeks, on the clocks of the facility.' },
)
const Shift = Type.Object({ userId: Id, from: Time, to: Time }, closed)
const onCall = {
  name: Name,
  rota: Type.Optional(nullable(Rota)),
  shifts: Type.Optional(
    Type.Array(Shift, { maxItems: SHIFTS_MAX, description: 'While one runs, the rota does not count.' }),
  ),
}
export const NewOnCallList = Type.Object({ facilityId: Id, ...onCall }, closed)
export const OnCallListChange = Type.Partial(Type.Object(onCall, closed), { ...closed, minProperties: 1 })
export const OnCallList = Type.Object(
  {
    id: Id,
    facilityId: Id,
    name: Type.String(),
    rota: nullable(Rota),
    shifts: Type.Array(Shift),
    onCallUserIds: Type.Array(Id, { description: 'Who it is now.' }),
    version: Version,
    updatedAt: Time,
  },
  { title: 'OnCallList' },
)

/**
 * One that the place had and that was archived comes back with what is said now.
 * @throws CodedError `resource.conflict` where the place has one of this severity, `escalation.unknownReceiver`, `escalation.badTime`
 */
export async function createPolicy(
  { trx, caller, at }: Writing,
  body: Static<typeof NewPolicy>,
): Promise<EscalationPolicyTable> {
  await facilityOf(trx, caller, body.facilityId)
  const policy = policyFrom(body, undefined)
  await checkPolicy({ trx, caller }, policy)
  const { facilityId, severity, name } = body
  const archived = await findArchivedPolicy(trx, facilityId, severity)
  if (archived)
    return replacePolicy({ trx, caller, at }, archived, {
      name,
      body: JSON.stringify(policy),
      archivedAt: null,
    })
  const times = { version: 1, createdAt: at, updatedAt: at, archivedAt: null }
  const row = { id: randomUUIDv7(), facilityId, severity, name, body: JSON.stringify(policy), ...times }
  await insertPolicy(trx, row).catch(placeIsTaken)
  await audit(trx, caller, at, { ...audited('policy.created', row.id), after: policyView(row) })
  return row
}

/** @throws CodedError as `createPolicy`, and `request.preconditionFailed` */
export async function changePolicy(
  { trx, caller, at, match }: Writing,
  id: string,
  body: Static<typeof PolicyChange>,
): Promise<EscalationPolicyTable> {
  const known = found(await findPolicy(trx, id, caller.scope))
  await lockFacility(trx, known.facilityId)
  const before = found(await findPolicy(trx, id, caller.scope))
  match(before.version)
  const policy = policyFrom(body, policyOf(before))
  await checkPolicy({ trx, caller }, policy)
  const archivedAt =
    body.archived === undefined ? before.archivedAt : body.archived ? (before.archivedAt ?? at) : null
  const set = { name: body.name ?? before.name, body: JSON.stringify(policy), archivedAt }
  return replacePolicy({ trx, caller, at }, before, set)
}

async function replacePolicy(
  { trx, caller, at }: Pick<Writing, 'trx' | 'caller' | 'at'>,
  before: EscalationPolicyTable,
  set: Pick<EscalationPolicyTable, 'name' | 'body' | 'archivedAt'>,
): Promise<EscalationPolicyTable> {
  const after = { ...before, ...set, version: before.version + 1, updatedAt: at }
  if (!(await updatePolicy(trx, after, before.version))) throw new CodedError('request.preconditionFailed')
  const views = { before: policyView(before), after: policyView(after) }
  await audit(trx, caller, at, { ...audited('policy.changed', before.id), ...views })
  return after
}

function audited(action: string, entityId: string) {
  return { action, entity: action.startsWith('policy') ? 'escalationPolicy' : 'onCallList', entityId }
}

const EMPTY: EscalationPolicy = {
  levels: [],
  workingHours: WORKING_HOURS,
  reminderMinutes: null,
  remindersMax: null,
  isTest: false,
}

function policyFrom(
  { levels, testMode, ...body }: Static<typeof PolicyChange>,
  before: EscalationPolicy = EMPTY,
): EscalationPolicy {
  const { workingHours, reminderMinutes, remindersMax } = body
  const given = Object.entries({ workingHours, reminderMinutes, remindersMax, isTest: testMode })
  const steps = levels?.map(({ keepsWorkingHours = false, ...step }) => ({ ...step, keepsWorkingHours }))
  return {
    ...before,
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    levels: steps ?? before.levels,
  }
}

async function checkPolicy(
  writing: Pick<Writing, 'trx' | 'caller'>,
  { levels, workingHours }: EscalationPolicy,
) {
  if (workingHours.from >= workingHours.to)
    throw new CodedError('escalation.badTime', 'workingHours.to is not after workingHours.from.')
  for (const one of levels.flatMap((level) => level.who)) await checkReceivers(writing, one)
}

async function checkReceivers(
  { trx, caller }: Pick<Writing, 'trx' | 'caller'>,
  one: Receivers,
): Promise<void> {
  if (one.kind === 'user') await checkUser({ trx, caller }, one.userId)
  if (one.kind !== 'onCall') return
  const [list] = await findOnCallLists(trx, { scope: caller.scope, ids: [one.onCallListId] })
  if (list === undefined) throw new CodedError('escalation.unknownReceiver', one.onCallListId)
}

async function checkUser({ trx, caller }: Pick<Writing, 'trx' | 'caller'>, userId: string): Promise<void> {
  const user = await findUserInScope(trx, userId, caller.scope)
  if (user === undefined) throw new CodedError('escalation.unknownReceiver', userId)
}

function placeIsTaken(error: unknown): never {
  if (isDuplicate(error))
    throw new CodedError('resource.conflict', 'The place has one of this severity, or of this name, already.')
  throw error
}

export function policyView(row: EscalationPolicyTable): Static<typeof Policy> {
  const { id, facilityId, severity, name, version } = row
  const times = { updatedAt: toRfc3339(row.updatedAt), archivedAt: toRfc3339OrNull(row.archivedAt) }
  return { id, facilityId, severity, name, version, ...bodyView(policyOf(row)), ...times }
}

/** What ships, shown as a policy. */
export function shippedView(
  severity: 'warning' | 'critical',
  policy: EscalationPolicy,
): Static<typeof Policy> {
  const none = { id: null, facilityId: null, updatedAt: null, archivedAt: null }
  return { ...none, severity, name: 'Shipped', version: 0, ...bodyView(policy) }
}

function bodyView({ levels, workingHours, reminderMinutes, remindersMax, isTest }: EscalationPolicy) {
  const steps = levels.map((level) => ({ ...level, who: [...level.who] }) as Static<typeof Step>)
  const hours = { ...workingHours, days: [...workingHours.days] }
  return { levels: steps, workingHours: hours, reminderMinutes, remindersMax, testMode: isTest }
}

/** @throws CodedError `resource.conflict` for the name, `escalation.unknownReceiver`, `escalation.badTime` */
export async function createOnCallList(
  { trx, caller, at }: Writing,
  body: Static<typeof NewOnCallList>,
): Promise<OnCallListTable> {
  await facilityOf(trx, caller, body.facilityId)
  const lists = await onCallFrom({ trx, caller }, body)
  const { facilityId, name } = body
  const kept = { rota: lists.rota ?? 'null', shifts: lists.shifts ?? '[]' }
  const row = { id: randomUUIDv7(), facilityId, name, ...kept, version: 1, createdAt: at, updatedAt: at }
  await insertOnCallList(trx, row).catch(placeIsTaken)
  await audit(trx, caller, at, {
    ...audited('onCallList.created', row.id),
    after: { name, ...onCallOf(row) },
  })
  return row
}

export async function changeOnCallList(
  { trx, caller, at, match }: Writing,
  id: string,
  body: Static<typeof OnCallListChange>,
): Promise<OnCallListTable> {
  const known = found((await findOnCallLists(trx, { scope: caller.scope, ids: [id] }))[0])
  await lockFacility(trx, known.facilityId)
  const { timeZone: _, ...before } = found(
    (await findOnCallLists(trx, { scope: caller.scope, ids: [id] }))[0],
  )
  match(before.version)
  const { rota = before.rota, shifts = before.shifts } = await onCallFrom({ trx, caller }, body)
  const set = { name: body.name ?? before.name, rota, shifts }
  const after = { ...before, ...set, version: before.version + 1, updatedAt: at }
  if (!(await updateOnCallList(trx, after, before.version).catch(placeIsTaken)))
    throw new CodedError('request.preconditionFailed')
  const views = {
    before: { name: before.name, ...onCallOf(before) },
    after: { name: after.name, ...onCallOf(after) },
  }
  await audit(trx, caller, at, { ...audited('onCallList.changed', id), ...views })
  return after
}

/** As the table keeps them; what is not given is undefined. */
async function onCallFrom(
  writing: Pick<Writing, 'trx' | 'caller'>,
  { rota, shifts }: Static<typeof OnCallListChange>,
) {
  if (rota && !isDate(rota.startsOn))
    throw new CodedError('escalation.badTime', 'rota.startsOn is not a date.')
  const ids = [...(rota?.userIds ?? []), ...(shifts ?? []).map(({ userId }) => userId)]
  for (const userId of new Set(ids)) await checkUser(writing, userId)
  const turns: OnCallRota | null | undefined = rota && { ...rota, weeks: rota.weeks ?? 1 }
  const times = shifts?.map(shiftFrom)
  return {
    rota: turns === undefined ? undefined : JSON.stringify(turns),
    shifts: times === undefined ? undefined : JSON.stringify(times),
  }
}

function shiftFrom(shift: Static<typeof Shift>): OnCallShift {
  const from = parseTime(shift.from, 'from')
  const to = parseTime(shift.to, 'to')
  if (to <= from) throw new CodedError('escalation.badTime', 'A shift ends before it begins.')
  return { userId: shift.userId, from, to }
}
