import type { Rule } from '../../domain/rule.ts'
import type { DbOrTrx } from '../schema.ts'

/** Where a device stands, and the rules that hold there. A device without equipment has none, so nothing of it is judged. */
export interface Placement {
  readonly equipmentId: string | null
  readonly facilityId: string | null
  readonly rules: readonly Rule[]
}

/** The placement of a device; without rules also when there is no such device. */
export async function findPlacement(db: DbOrTrx, deviceId: string): Promise<Placement> {
  const equipment = await db
    .selectFrom('device')
    .innerJoin('equipment', 'equipment.id', 'device.equipmentId')
    .select(['equipment.id', 'equipment.facilityId', 'equipment.profile'])
    .where('device.id', '=', deviceId)
    .executeTakeFirst()
  if (!equipment) return { equipmentId: null, facilityId: null, rules: [] }
  const rules = await db
    .selectFrom('rule')
    .selectAll()
    .where('profile', '=', equipment.profile)
    .orderBy('id')
    .execute()
  return { equipmentId: equipment.id, facilityId: equipment.facilityId, rules }
}
