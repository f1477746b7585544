import { Type, type Static } from 'typebox'
import { findDeviceInScope, listDevices, type PlacedDevice } from '../db/queries/device.ts'
import { findEquipment } from '../db/queries/equipment.ts'
import { findFacilities } from '../db/queries/facility.ts'
import { findProfile, listVersionRules } from '../db/queries/rule-profile.ts'
import { ruleOf } from '../db/queries/rule.ts'
import { CodedError } from '../domain/errors.ts'
import type { Rule } from '../domain/rule.ts'
import { facilityOf, found, type Caller } from './caller.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { RouteDeps } from './deps.ts'
import { FieldError } from './errors.ts'
import { previewDevice, type Previewed } from './preview.ts'
import { checkRules } from './profile.ts'
import { ProfileCode, RULES_MAX } from './profile-schemas.ts'
import { draftOf, NewRule } from './rule-schemas.ts'
import { closed, Cursor, Id, nullable, Time } from './schemas.ts'
import { parseTime, toRfc3339, toRfc3339OrNull } from './time.ts'

const DAY_MS = 86_400_000
const SPAN_MS_MAX = 400 * DAY_MS
/** Devices of one preview, over all pages. */
const DEVICES_MAX = 1000
/** A page ends with the device that reaches one of these. */
const PAGE_SENSORS = 50
const PAGE_READINGS = 200_000
/** In this process at once: each reads for seconds. */
const PREVIEWS_MAX = 2

const time = (description: string) => Type.String({ format: 'date-time', description })

export const PreviewRequest = Type.Object(
  {
    rules: Type.Optional(Type.Array(NewRule, { minItems: 1, maxItems: RULES_MAX })),
    profile: Type.Optional(ProfileCode),
    version: Type.Optional(Type.Integer({ minimum: 1, description: 'Of `profile`; default: the newest.' })),
    deviceId: Type.Optional(Id),
    equipmentId: Type.Optional(Id),
    facilityId: Type.Optional(Id),
    from: time('Event time, inclusive.'),
    to: Type.Optional(time('Exclusive. Default: now. At most 400 days after `from`.')),
    cursor: Cursor,
  },
  closed,
)

const breach = {
  startAt: Time,
  endAt: nullable(Time),
  peak: Type.Number(),
  peakAt: Time,
  lastAt: Time,
  readings: Type.Integer(),
}
const Sensor = Type.Object(
  {
    deviceId: Id,
    sensor: Type.String(),
    facilityId: nullable(Id),
    equipmentId: nullable(Id),
    readings: Type.Integer({ description: 'In the time asked for.' }),
    found: Type.Array(
      Type.Object({
        rule: Type.Integer({ description: 'Which of `rules`, from 0.' }),
        name: Type.String(),
        severity: Type.String(),
        ...breach,
        isRecorded: Type.Boolean({ description: 'One recorded meets it in time.' }),
      }),
    ),
    recorded: Type.Array(
      Type.Object({
        id: Id,
        ruleId: Type.String(),
        severity: Type.String(),
        ...breach,
        isFound: Type.Boolean({ description: 'One found meets it in time.' }),
      }),
    ),
  },
  { title: 'PreviewedSensor' },
)
const counts = {
  sensors: Type.Integer(),
  readings: Type.Integer(),
  found: Type.Integer(),
  recorded: Type.Integer(),
  foundOnly: Type.Integer({ description: 'Found and not recorded.' }),
  recordedOnly: Type.Integer({ description: 'Recorded and not found.' }),
}
export const PreviewPage = Type.Object(
  {
    items: Type.Array(Sensor),
    counts: Type.Object(counts, { description: 'Of this page.' }),
    nextCursor: Type.Union([Type.String(), Type.Null()], {
      description: 'Give it as `cursor`, with all else the same, to get what follows; null at the end.',
    }),
  },
  { title: 'Preview' },
)

/** Answers previews, a bounded number at once. @throws CodedError `request.tooMany` beyond it */
export function createPreviews(deps: RouteDeps) {
  let running = 0
  return async (caller: Caller, body: Static<typeof PreviewRequest>): Promise<Static<typeof PreviewPage>> => {
    if (running >= PREVIEWS_MAX) throw new CodedError('request.tooMany', 'Other previews are under way.')
    running += 1
    try {
      return await preview(deps, caller, body)
    } finally {
      running -= 1
    }
  }
}

async function preview(
  deps: RouteDeps,
  caller: Caller,
  body: Static<typeof PreviewRequest>,
): Promise<Static<typeof PreviewPage>> {
  const span = spanOf(deps, body)
  const { devices, after } = await devicesOf(deps, caller, body)
  const zones = new Map<string, readonly Rule[]>()
  const items: Static<typeof Sensor>[] = []
  let readings = 0
  let last: string | undefined
  for (const device of devices.filter(({ id }) => after === undefined || id > after)) {
    const zone = await zoneOf(deps, device)
    const rules = zones.get(zone) ?? (await rulesOf(deps, caller, body, zone))
    zones.set(zone, rules)
    for (const one of await previewDevice(deps, device, { rules, ...span })) {
      items.push(sensorView(device, rules, one))
      readings += one.readings
    }
    last = device.id
    if (items.length >= PAGE_SENSORS || readings >= PAGE_READINGS) break
  }
  const isMore = last !== undefined && last !== devices.at(-1)?.id
  return { items, counts: countsOf(items), nextCursor: isMore && last ? encodeCursor(last) : null }
}

function spanOf({ clock }: RouteDeps, body: Static<typeof PreviewRequest>) {
  const from = parseTime(body.from, 'from')
  const to = body.to === undefined ? clock.now() : parseTime(body.to, 'to')
  if (from >= to) throw new FieldError('from', 'is not before to')
  if (to - from > SPAN_MS_MAX) throw new FieldError('from', 'is more than 400 days before to')
  return { from, to }
}

async function devicesOf(
  { db }: RouteDeps,
  caller: Caller,
  { deviceId, equipmentId, facilityId, cursor }: Static<typeof PreviewRequest>,
): Promise<{ readonly devices: readonly PlacedDevice[]; readonly after: string | undefined }> {
  const after = decodeCursor(cursor)
  const asked = [deviceId, equipmentId, facilityId].filter((id) => id !== undefined)
  if (asked.length !== 1)
    throw new FieldError('deviceId', 'give just one of deviceId, equipmentId, facilityId')
  if (deviceId !== undefined)
    return { devices: [found(await findDeviceInScope(db, deviceId, caller.scope))], after }
  if (equipmentId !== undefined) found(await findEquipment(db, equipmentId, caller.scope))
  const under = facilityId === undefined ? undefined : (await facilityOf(db, caller, facilityId)).path
  const limit = DEVICES_MAX + 1
  const none = { gatewayId: undefined, isUnplaced: false, search: undefined, after: undefined }
  const devices = await listDevices(db, { scope: caller.scope, under, equipmentId, ...none, limit })
  if (devices.length > DEVICES_MAX)
    throw new CodedError('preview.tooManySensors', `More than ${DEVICES_MAX} devices stand there.`)
  return { devices, after }
}

async function zoneOf({ db }: RouteDeps, { facilityId }: PlacedDevice): Promise<string> {
  const [row] = facilityId === null ? [] : await findFacilities(db, [facilityId], '')
  return row?.timeZone ?? 'UTC'
}

async function rulesOf(
  { db }: RouteDeps,
  caller: Caller,
  { rules, profile, version }: Static<typeof PreviewRequest>,
  timeZone: string,
): Promise<readonly Rule[]> {
  if ((rules === undefined) === (profile === undefined))
    throw new FieldError('rules', 'give either rules or a profile')
  if (rules !== undefined) {
    const drafts = rules.map((rule) => draftOf(rule, timeZone))
    checkRules(drafts)
    return drafts.map((draft, index) => ({ ...draft, id: String(index), profile: '', version: 0 }))
  }
  found(await findProfile(db, profile ?? '', caller.scope))
  const rows = await listVersionRules(db, [profile ?? ''])
  const number = version ?? Math.max(...rows.map((row) => row.ofVersion))
  const of = rows.filter((row) => row.ofVersion === number).map((row) => ruleOf(row, timeZone))
  if (of.length === 0) throw new FieldError('version', 'is none of the profile')
  return of
}

function sensorView(
  { facilityId, equipmentId }: PlacedDevice,
  rules: readonly Rule[],
  { sensor, readings, found: breaches, recorded }: Previewed,
): Static<typeof Sensor> {
  return {
    ...sensor,
    facilityId,
    equipmentId,
    readings,
    found: breaches.map(({ rule, ...one }) => ({
      rule: rules.indexOf(rule),
      name: rule.name,
      severity: rule.severity,
      ...breachTimes(one),
      isRecorded: recorded.some((row) => meet(row, one)),
    })),
    recorded: recorded.map((row) => ({
      id: row.id,
      ruleId: row.ruleId,
      severity: row.severity,
      ...breachTimes(row),
      isFound: breaches.some((one) => meet(row, one)),
    })),
  }
}

type Times = Pick<Previewed['found'][number], 'startAt' | 'endAt' | 'peak' | 'peakAt' | 'lastAt' | 'readings'>

function breachTimes({ startAt, endAt, peak, peakAt, lastAt, readings }: Times) {
  return {
    startAt: toRfc3339(startAt),
    endAt: toRfc3339OrNull(endAt),
    peak,
    peakAt: toRfc3339(peakAt),
    lastAt: toRfc3339(lastAt),
    readings,
  }
}

function meet(a: Times, b: Times): boolean {
  return a.startAt < (b.endAt ?? Infinity) && b.startAt < (a.endAt ?? Infinity)
}

function countsOf(items: readonly Static<typeof Sensor>[]) {
  const sum = (of: (item: Static<typeof Sensor>) => number) =>
    items.reduce((total, item) => total + of(item), 0)
  return {
    sensors: items.length,
    readings: sum(({ readings }) => readings),
    found: sum((item) => item.found.length),
    recorded: sum((item) => item.recorded.length),
    foundOnly: sum((item) => item.found.filter(({ isRecorded }) => !isRecorded).length),
    recordedOnly: sum((item) => item.recorded.filter(({ isFound }) => !isFound).length),
  }
}
