import type { Static } from 'typebox'
import { insertChanges } from '../db/queries/change.ts'
import { listOverridesOf, replaceOverrides } from '../db/queries/rule-assignment.ts'
import { insertRuleChange } from '../db/queries/rule-change.ts'
import { findProfile, lockProfile } from '../db/queries/rule-profile.ts'
import { findNames } from '../db/queries/user.ts'
import { facilityOf } from './caller.ts'
import { FieldError } from './errors.ts'
import { checkProfile } from './profile.ts'
import { overrideFacts, overrideView, type NewOverride, type Override } from './profile-schemas.ts'
import { timeOrNull } from './rule-schemas.ts'
import { audit, type Writing } from './write.ts'

/** Lets equipment in and below a facility have other rules than its profile says, or no longer. @throws CodedError `resource.notFound`, `request.invalid` */
export async function setOverride(
  { trx, caller, at }: Writing,
  body: Static<typeof NewOverride>,
): Promise<Static<typeof Override>> {
  const { facilityId, profile, replacement } = body
  await lockProfile(trx, profile)
  const facility = await facilityOf(trx, caller, facilityId)
  if ((await findProfile(trx, profile, facility.path)) === undefined)
    throw new FieldError('profile', 'is not a profile; see GET /v1/profiles')
  if (replacement === profile) throw new FieldError('replacement', 'is the profile itself')
  if (replacement !== null) await checkProfile(trx, replacement, facility, 'replacement')
  const fromAt = body.from === undefined ? at : (timeOrNull(body.from, 'from') ?? 0)
  const before = (await listOverridesOf(trx, [facilityId])).filter((row) => row.profile === profile)
  const row = { facilityId, profile, fromAt, replacement, setAt: at, setBy: caller.id }
  await replaceOverrides(trx, row)
  await insertRuleChange(trx, { at, from: fromAt, reaches: [{ profile, under: facility.path }] })
  await audit(trx, caller, at, {
    action: 'profile.overridden',
    entity: 'facility',
    entityId: facilityId,
    before: before.map(overrideFacts),
    after: overrideFacts(row),
  })
  await insertChanges(trx, at, [facilityId], 'profileOverride', `${facilityId}.${profile}`)
  const setByName = (await findNames(trx, [caller.id])).get(caller.id) ?? null
  return overrideView({ ...row, facilityName: facility.name, setByName })
}
