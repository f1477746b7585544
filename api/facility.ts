import { randomUUIDv7 } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { announceMove, insertChanges } from '../db/queries/change.ts'
import { listDeviceIdsUnder } from '../db/queries/device.ts'
import {
  findFacility,
  insertFacility,
  lockFacility,
  lockTree,
  rewritePaths,
  updateFacility,
} from '../db/queries/facility.ts'
import type { FacilityTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import { hasCheckDigit } from '../domain/gs1-check-digit.ts'
import { LEVELS, type Level } from '../domain/role.ts'
import { facilityOf, found } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { FieldError } from './errors.ts'
import { closed, Code, Id, isId, Name, nullable, Time, Version } from './schemas.ts'
import { isTimeZone, toRfc3339 } from './time.ts'
import { audit, type Writing } from './write.ts'

export const Facility = Type.Object(
  {
    id: Id,
    name: Type.String(),
    level: Type.Enum([...LEVELS]),
    parentId: nullable(Id),
    timeZone: Type.String(),
    code: nullable(Type.String({ description: "The programme's own code." })),
    gln: nullable(
      Type.String({ description: 'GS1 Global Location Number: its name in EPCIS and on labels.' }),
    ),
    population: nullable(Type.Integer({ description: 'People in the catchment area.' })),
    latitude: nullable(Type.Number({ description: 'Degrees, WGS 84.' })),
    longitude: nullable(Type.Number()),
    version: Version,
    createdAt: Time,
    updatedAt: Time,
  },
  { title: 'Facility' },
)
const fields = {
  name: Name,
  timeZone: Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'IANA name, such as `Asia/Jakarta`.',
  }),
  code: Type.Optional(nullable(Code)),
  gln: Type.Optional(nullable(Type.String({ pattern: '^\\d{13}$', description: '13 digits, GS1.' }))),
  population: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 2_000_000_000 }))),
  latitude: Type.Optional(nullable(Type.Number({ minimum: -90, maximum: 90 }))),
  longitude: Type.Optional(nullable(Type.Number({ minimum: -180, maximum: 180 }))),
}
export const NewFacility = Type.Object(
  {
    ...fields,
    level: Type.Enum([...LEVELS]),
    parentId: Type.Optional(nullable(Id)),
  },
  closed,
)
export const FacilityChange = Type.Partial(Type.Object({ ...fields, parentId: nullable(Id) }, closed), {
  ...closed,
  minProperties: 1,
})

/** @throws CodedError `resource.conflict` when the code is taken or the level does not fit, `resource.notFound` for the parent */
export async function createFacility(
  { trx, caller, at }: Writing,
  body: Static<typeof NewFacility>,
): Promise<FacilityTable> {
  checkFields(body)
  const id = randomUUIDv7()
  const parent = await parentFor({ trx, caller }, body.level, body.parentId ?? null)
  const facility: FacilityTable = {
    id,
    name: body.name,
    level: body.level,
    parentId: parent?.id ?? null,
    timeZone: body.timeZone,
    path: `${parent?.path ?? ''}${id}/`,
    code: body.code ?? null,
    gln: body.gln ?? null,
    population: body.population ?? null,
    latitude: body.latitude ?? null,
    longitude: body.longitude ?? null,
    version: 1,
    createdAt: at,
    updatedAt: at,
  }
  checkCoordinates(facility)
  await insertFacility(trx, facility).catch(codeIsTaken)
  const after = facilityView(facility)
  await audit(trx, caller, at, { action: 'facility.created', entity: 'facility', entityId: id, after })
  await insertChanges(trx, at, [id], 'facility', id)
  return facility
}

/** Changes a facility and moves it; the same again changes nothing. @throws CodedError as `createFacility`, and `request.preconditionFailed` */
export async function changeFacility(
  { trx, caller, at, match }: Writing,
  id: string,
  body: Static<typeof FacilityChange>,
): Promise<FacilityTable> {
  checkFields(body)
  if (body.parentId === undefined) await lockFacility(trx, id)
  else await lockTree(trx)
  const before = found(await findFacility(trx, id, caller.scope))
  match(before.version)
  const { parentId = before.parentId, ...rest } = body
  const place = await moved({ trx, caller }, before, parentId)
  const after = { ...before, ...rest, ...place, version: before.version + 1, updatedAt: at }
  if (isSame(before, after)) return before
  checkCoordinates(after)
  const { name, timeZone, code, gln, population, latitude, longitude, version, updatedAt } = after
  const own = { name, timeZone, code, gln, population, latitude, longitude, version, updatedAt }
  const set = { ...own, parentId: after.parentId }
  if (!(await updateFacility(trx, id, before.version, set).catch(codeIsTaken)))
    throw new CodedError('request.preconditionFailed')
  if (after.path !== before.path) await rewritePaths(trx, before.path, after.path)
  await audit(trx, caller, at, {
    action: after.path === before.path ? 'facility.changed' : 'facility.moved',
    entity: 'facility',
    entityId: id,
    before: facilityView(before),
    after: facilityView(after),
  })
  await insertChanges(trx, at, [id], 'facility', id)
  if (after.path !== before.path) await announceMove(trx, at, after, before.parentId)
  return after
}

function isSame(before: FacilityTable, after: FacilityTable): boolean {
  const keys = ['name', 'timeZone', 'code', 'gln', 'population', 'latitude', 'longitude', 'parentId'] as const
  return keys.every((key) => before[key] === after[key])
}

async function moved(
  { trx, caller }: Pick<Writing, 'trx' | 'caller'>,
  facility: FacilityTable,
  parentId: string | null,
): Promise<Pick<FacilityTable, 'parentId' | 'path'>> {
  if (parentId === facility.parentId) return { parentId, path: facility.path }
  const parent = await parentFor({ trx, caller }, facility.level, parentId)
  if (parent?.path.startsWith(facility.path))
    throw new CodedError('resource.conflict', 'A facility cannot lie below itself.')
  // A manager may not pull their own root from under the people who manage above them.
  if (facility.path === caller.scope)
    throw new CodedError('auth.forbidden', 'This is the root of your own part.')
  return { parentId, path: `${parent?.path ?? ''}${facility.id}/` }
}

/**
 * The parent of a facility of this level, held still until the transaction ends; undefined for a root.
 * A child's level lies strictly below its parent's, and levels never change: so no order of moves can make a circle.
 */
async function parentFor(
  { trx, caller }: Pick<Writing, 'trx' | 'caller'>,
  level: Level,
  parentId: string | null,
): Promise<FacilityTable | undefined> {
  if (parentId === null) {
    if (caller.scope === '') return undefined
    throw new CodedError('auth.forbidden', 'Only administrators make roots; give a parentId.')
  }
  await lockFacility(trx, parentId)
  const parent = await facilityOf(trx, caller, parentId)
  if (LEVELS.indexOf(parent.level) >= LEVELS.indexOf(level))
    throw new CodedError('resource.conflict', `A ${level} cannot lie below a ${parent.level}.`)
  return parent
}

function checkFields({ timeZone, code, gln }: Static<typeof FacilityChange>): void {
  if (timeZone !== undefined && !isTimeZone(timeZone))
    throw new FieldError('timeZone', 'is not an IANA time zone')
  // In files a facility without a code goes by its id.
  if (code && isId(code)) throw new CodedError('request.invalid', 'code has the form of an id.')
  if (gln && !hasCheckDigit(gln)) throw new FieldError('gln', 'its check digit is wrong')
}

function checkCoordinates({ latitude, longitude }: FacilityTable): void {
  if ((latitude === null) !== (longitude === null))
    throw new FieldError(latitude === null ? 'latitude' : 'longitude', 'is missing: a place has both or none')
}

function codeIsTaken(error: unknown): never {
  if (isDuplicate(error)) throw new CodedError('resource.conflict', 'Another facility has this code or GLN.')
  throw error
}

export function facilityView(row: FacilityTable): Static<typeof Facility> {
  const { path: _, ...shown } = row
  return { ...shown, createdAt: toRfc3339(row.createdAt), updatedAt: toRfc3339(row.updatedAt) }
}

/** Devices learn of it when the facility above them has moved: whose alarms they are is told by the path. */
export async function tellDevicesUnder({ db, cache }: RouteDeps, path: string): Promise<void> {
  for (const deviceId of await listDeviceIdsUnder(db, path)) cache.publish('registry', { deviceId })
}
