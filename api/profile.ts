import type { Static } from 'typebox'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { insertChanges } from '../db/queries/change.ts'
import { insertRuleChange } from '../db/queries/rule-change.ts'
import { listReaches } from '../db/queries/rule-assignment.ts'
import {
  findProfile,
  insertProfile,
  insertVersion,
  listProfiles,
  listVersionRules,
  listVersions,
  lockProfile,
  type PlacedProfile,
} from '../db/queries/rule-profile.ts'
import { ruleOf } from '../db/queries/rule.ts'
import { findNames } from '../db/queries/user.ts'
import type { FacilityTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import { EVERYWHERE } from '../domain/rule-resolution.ts'
import { ruleProblems, validityProblem } from '../domain/rule-validation.ts'
import { rulesOfVersion, type RuleDraft } from '../domain/rule-version.ts'
import { facilityOf, found, type Caller } from './caller.ts'
import { FieldError, RefusedFields } from './errors.ts'
import { isNational } from '../domain/permissions.ts'
import {
  profileView,
  versionView,
  type NewProfile,
  type NewVersion,
  type Profile,
} from './profile-schemas.ts'
import { draftOf, timeOrNull } from './rule-schemas.ts'
import type { DbOrTrx } from '../db/schema.ts'
import { audit, type Writing } from './write.ts'

/** So that all of a profile fits in one answer. */
const VERSIONS_MAX = 100
/** Of the profiles that there are, in a message. */
const NAMED_MAX = 50

/** A profile with all of its versions. @throws CodedError `resource.notFound` */
export async function getProfile(db: DbOrTrx, caller: Caller, code: string): Promise<Static<typeof Profile>> {
  const profile = found(await findProfile(db, code, caller.scope))
  const versions = await listVersions(db, [code])
  const rules = Map.groupBy(await listVersionRules(db, [code]), ({ ofVersion }) => ofVersion)
  const names = await findNames(db, [...new Set(versions.flatMap(({ publishedBy }) => publishedBy ?? []))])
  return {
    ...profileView(profile),
    versions: versions.map((row) => versionView(row, rules.get(row.version) ?? [], names)).toReversed(),
  }
}

/** Makes a profile with its first version. @throws CodedError `resource.conflict`, and as `publishVersion` */
export async function createProfile(
  writing: Writing,
  body: Static<typeof NewProfile>,
): Promise<Static<typeof Profile>> {
  const { trx, caller, at } = writing
  const { id: code, name, description = '', facilityId = null } = body
  if (facilityId !== null) await facilityOf(trx, caller, facilityId)
  else if (!isNational(caller.scope)) throw new CodedError('auth.forbidden')
  const row = { code, name, description, facilityId, isShipped: 0, createdAt: at } as const
  await insertProfile(trx, row).catch((error: unknown) => {
    throw isDuplicate(error) ? new CodedError('resource.conflict', `There is a profile ${code}.`) : error
  })
  await insertNext(writing, code, { validFrom: null, ...body })
  const after = await getProfile(trx, caller, code)
  await audit(trx, caller, at, { action: 'profile.created', entity: 'profile', entityId: code, after })
  await insertChanges(trx, at, [facilityId], 'profile', code)
  return after
}

/**
 * Publishes the next version of a profile: rules that are the same as before stay what they are, the others are new.
 * @throws CodedError `profile.shipped`, `profile.tooManyVersions`, or what is wrong with the rules
 */
export async function publishVersion(
  writing: Writing,
  code: string,
  body: Static<typeof NewVersion>,
): Promise<Static<typeof Profile>> {
  const { trx, caller, at } = writing
  await lockProfile(trx, code)
  const profile = found(await findProfile(trx, code, caller.scope))
  checkIsTheirs(caller, profile)
  const before = await getProfile(trx, caller, code)
  const from = await insertNext(writing, code, body)
  await insertRuleChange(trx, { at, from, reaches: await listReaches(trx, code) })
  const after = await getProfile(trx, caller, code)
  const entry = { entity: 'profile', entityId: code, before: before.versions[0], after: after.versions[0] }
  await audit(trx, caller, at, { action: 'profile.versionPublished', ...entry })
  await insertChanges(trx, at, [profile.facilityId], 'profile', code)
  return after
}

// Of a profile from above people see the rules that hold for them; they do not change them for others.
function checkIsTheirs({ scope }: Caller, { isShipped, path }: PlacedProfile): void {
  if (isShipped === 1) throw new CodedError('profile.shipped')
  const isTheirs = path === null ? isNational(scope) : path.startsWith(scope)
  if (!isTheirs) throw new CodedError('auth.forbidden')
}

/** @returns from when it holds */
async function insertNext(
  { trx, caller, at }: Writing,
  profile: string,
  body: Static<typeof NewVersion>,
): Promise<number> {
  const drafts = body.rules.map((rule) => draftOf(rule))
  const validFrom = body.validFrom === undefined ? at : timeOrNull(body.validFrom, 'validFrom')
  const validTo = timeOrNull(body.validTo, 'validTo')
  checkRules(drafts, { validFrom, validTo })
  const rows = await listVersionRules(trx, [profile])
  const last = Math.max(0, ...rows.map(({ ofVersion }) => ofVersion))
  const before = rows.filter(({ ofVersion }) => ofVersion === last).map((row) => ruleOf(row, 'UTC'))
  const version = last + 1
  if (version > VERSIONS_MAX) throw new CodedError('profile.tooManyVersions')
  const published = { comment: body.comment ?? '', publishedAt: at, publishedBy: caller.id }
  const rules = rulesOfVersion(profile, version, drafts, before)
  await insertVersion(trx, { profile, version, validFrom, validTo, ...published }, rules)
  return validFrom ?? 0
}

/** @throws RefusedFields with the code of the first problem, and all of them field by field */
export function checkRules(
  drafts: readonly RuleDraft[],
  validity?: { readonly validFrom: number | null; readonly validTo: number | null },
): void {
  const ofVersion = validity && validityProblem(validity)
  const problems = [
    ...ruleProblems(drafts).map(({ index, field, ...rest }) => ({
      ...rest,
      path: `rules/${index}/${field}`,
    })),
    ...(ofVersion ? [{ ...ofVersion, path: ofVersion.field }] : []),
  ]
  const [first] = problems
  if (first === undefined) return
  const mistakes = problems.map(({ code, path, detail }) => ({
    code,
    path: `/body/${path}`,
    message: detail,
  }))
  throw new RefusedFields(first.code, `${first.path}: ${first.detail}`, mistakes)
}

/**
 * A profile that equipment at a facility can have.
 * @throws CodedError `request.invalid` when there is none of this name, or it is for other places, or for all equipment
 */
export async function checkProfile(
  db: DbOrTrx,
  code: string,
  facility: Pick<FacilityTable, 'path'>,
  field = 'profile',
): Promise<void> {
  const profile = await findProfile(db, code, facility.path)
  if (code === EVERYWHERE && field === 'profile')
    throw new FieldError(field, 'holds for all equipment, and is given to none')
  if (profile && isFor(profile, facility)) return
  const known = await listProfiles(db, { scope: facility.path, after: undefined, limit: NAMED_MAX })
  const usable = known.filter((one) => one.code !== EVERYWHERE && isFor(one, facility))
  throw new FieldError(field, `is none of: ${usable.map((one) => one.code).join(', ')}`)
}

function isFor({ path }: PlacedProfile, facility: Pick<FacilityTable, 'path'>): boolean {
  return path === null || facility.path.startsWith(path)
}
