import { insertRuleChange } from '../db/queries/rule-change.ts'
import { listEquipmentProfiles, replaceEquipmentProfiles } from '../db/queries/rule-assignment.ts'
import type { EquipmentTable, FacilityTable } from '../db/schema.ts'
import { assignFrom } from '../domain/rule-resolution.ts'
import { FieldError } from './errors.ts'
import { checkProfile } from './profile.ts'
import { timeOrNull } from './rule-schemas.ts'
import { audit, type Writing } from './write.ts'

/**
 * Keeps what the equipment was until a change of its profile, and has what lies after it judged again. Equipment that moves keeps its profile only
 * where that can be used.
 * @throws CodedError `request.invalid`
 */
export async function assignProfile(
  { trx, caller, at }: Pick<Writing, 'trx' | 'caller' | 'at'>,
  equipment: EquipmentTable,
  facility: FacilityTable,
  { profile, profileFrom }: { readonly profile?: string; readonly profileFrom?: string | null },
): Promise<void> {
  if (profileFrom !== undefined && profile === undefined)
    throw new FieldError('profileFrom', 'comes with profile only')
  const next = profile ?? equipment.profile
  if (profile !== undefined || facility.id !== equipment.facilityId) await checkProfile(trx, next, facility)
  if (profile === undefined || (profile === equipment.profile && profileFrom === undefined)) return
  const from = profileFrom === undefined ? at : (timeOrNull(profileFrom, 'profileFrom') ?? 0)
  if (from > at) throw new FieldError('profileFrom', 'lies in the future')
  const { id } = equipment
  const before = await listEquipmentProfiles(trx, [id])
  const after = assignFrom({ profile: equipment.profile, before }, profile, from)
  const changed = { equipmentId: id, changedAt: at, changedBy: caller.id }
  // Rows from before the change are left as they are.
  const added = after.filter(({ untilAt }) => untilAt >= from).map((row) => ({ ...row, ...changed }))
  await replaceEquipmentProfiles(trx, id, from, added)
  await insertRuleChange(trx, { at, from, reaches: [{ equipmentId: id }] })
  await audit(trx, caller, at, {
    action: 'equipment.profileAssigned',
    entity: 'equipment',
    entityId: id,
    before: {
      profile: equipment.profile,
      before: before.map(({ untilAt, profile: was }) => ({ untilAt, was })),
    },
    after: { profile, before: after.map(({ untilAt, profile: was }) => ({ untilAt, was })) },
  })
}
