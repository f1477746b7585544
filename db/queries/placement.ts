import type { Rule } from '../../domain/rule.ts'
import type { DbOrTrx } from '../schema.ts'
import { ruleOf } from './rule.ts'

/** Where a device stands, and the rules that hold there. A device without equipment has none, so nothing of it is judged. */
export interface Placement {
  readonly equipmentId: string | null
  readonly facilityId: string | null
  readonly rules: readonly Rule[]
}

/** Of a device without equipment, or that nobody knows. */
export const UNPLACED: Placement = { equipmentId: null, facilityId: null, rules: [] }

/** The placements of those devices that have one. */
export async function findPlacements(
  db: DbOrTrx,
  deviceIds: readonly string[],
): Promise<Map<string, Placement>> {
  if (deviceIds.length === 0) return new Map()
  const placed = await db
    .selectFrom('device')
    .innerJoin('equipment', 'equipment.id', 'device.equipmentId')
    .select(['device.id', 'equipment.id as equipmentId', 'equipment.facilityId', 'equipment.profile'])
    .where('device.id', 'in', deviceIds)
    .execute()
  const profiles = new Set(placed.map(({ profile }) => profile))
  const rules = await listRules(db, [...profiles])
  return new Map(
    placed.map(({ id, equipmentId, facilityId, profile }) => [
      id,
      { equipmentId, facilityId, rules: rules.get(profile) ?? [] },
    ]),
  )
}

async function listRules(db: DbOrTrx, profiles: readonly string[]): Promise<Map<string, Rule[]>> {
  if (profiles.length === 0) return new Map()
  const rules = await db
    .selectFrom('rule')
    .selectAll()
    .where('profile', 'in', profiles)
    .orderBy('id')
    .execute()
  return Map.groupBy(rules.map(ruleOf), ({ profile }) => profile)
}
