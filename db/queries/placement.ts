import {
  EVERYWHERE,
  resolveRules,
  versionsIn,
  type Override,
  type Span,
  type Version,
} from '../../domain/rule-resolution.ts'
import type { Rule } from '../../domain/rule.ts'
import type { EquipmentProfileTable, ProfileVersionTable } from '../schema-rules.ts'
import type { DbOrTrx } from '../schema.ts'
import { listEquipmentProfiles, listOverridesOf } from './rule-assignment.ts'
import { listVersionRules, listVersions, type VersionRule } from './rule-profile.ts'
import { ruleOf } from './rule.ts'

/** Where a device stands, and the rules that hold there. A device without equipment has none, so nothing of it is judged. */
export interface Placement {
  readonly equipmentId: string | null
  readonly facilityId: string | null
  /** In all of event time: each says from when to when it holds. */
  readonly rules: readonly Rule[]
}

/** Of a device without equipment, or that nobody knows. */
export const UNPLACED: Placement = { equipmentId: null, facilityId: null, rules: [] }

/** What one statement asks for: databases bound the length of a list. */
const DEVICES_AT_ONCE = 500

/** The placements of those devices that have one. Five statements, whether one device or hundreds. */
export async function findPlacements(
  db: DbOrTrx,
  deviceIds: readonly string[],
): Promise<Map<string, Placement>> {
  const placements = new Map<string, Placement>()
  for (let i = 0; i < deviceIds.length; i += DEVICES_AT_ONCE) {
    const placed = await db
      .selectFrom('device')
      .innerJoin('equipment', 'equipment.id', 'device.equipmentId')
      .innerJoin('facility', 'facility.id', 'equipment.facilityId')
      .select(['device.id as deviceId', 'equipment.id', 'equipment.facilityId', 'equipment.profile'])
      .select(['facility.path', 'facility.timeZone'])
      .where('device.id', 'in', deviceIds.slice(i, i + DEVICES_AT_ONCE))
      .execute()
    const rules = await findRulesOf(db, placed)
    for (const { deviceId, id, facilityId } of placed)
      placements.set(deviceId, { equipmentId: id, facilityId, rules: rules.get(id) ?? [] })
  }
  return placements
}

/** Equipment, and where it stands. */
export interface Standing {
  readonly id: string
  readonly profile: string
  readonly path: string
  readonly timeZone: string
}

/** The rules that hold for each piece of equipment, by its id: of its profiles, as overridden where it stands, in the time zone of the facility. */
export async function findRulesOf(
  db: DbOrTrx,
  equipment: readonly Standing[],
): Promise<Map<string, readonly Rule[]>> {
  if (equipment.length === 0) return new Map()
  const before = Map.groupBy(
    await listEquipmentProfiles(db, [...new Set(equipment.map(({ id }) => id))]),
    ({ equipmentId }) => equipmentId,
  )
  const overrides = await listOverridesOf(db, [...new Set(equipment.flatMap(({ path }) => idsIn(path)))])
  const byFacility = Map.groupBy(overrides, ({ facilityId }) => facilityId)
  const profiles = await loadProfiles(db, profilesIn(equipment, before, overrides))
  // Most equipment of a place has the same rules, and a notifier holds those of many thousands.
  const known = new Map<string, readonly Rule[]>()
  return new Map(
    equipment.map(({ id, profile, path, timeZone }) => {
      const equipped = {
        profile,
        before: (before.get(id) ?? []).map((row) => ({ untilAt: row.untilAt, profile: row.profile })),
        overrides: idsIn(path).flatMap((facilityId) => {
          const rows = byFacility.get(facilityId)
          return rows ? [rows] : []
        }),
      }
      const key = JSON.stringify([timeZone, equipped])
      const rules = known.get(key) ?? resolveRules(equipped, profiles(timeZone))
      known.set(key, rules)
      return [id, rules]
    }),
  )
}

function idsIn(path: string): string[] {
  return path.split('/').filter((id) => id !== '')
}

function profilesIn(
  equipment: readonly Standing[],
  before: ReadonlyMap<string, readonly EquipmentProfileTable[]>,
  overrides: readonly Override[],
): string[] {
  const replacements = overrides.flatMap(({ replacement }) => replacement ?? [])
  const past = [...before.values()].flat().map(({ profile }) => profile)
  return [...new Set([EVERYWHERE, ...equipment.map(({ profile }) => profile), ...past, ...replacements])]
}

/** The versions of the profiles, for a time zone: made once for each that is asked for. */
async function loadProfiles(db: DbOrTrx, profiles: readonly string[]) {
  const versions = Map.groupBy(await listVersions(db, profiles), ({ profile }) => profile)
  const rules = Map.groupBy(await listVersionRules(db, profiles), ({ ofProfile }) => ofProfile)
  const made = new Map<string, readonly Span<Version>[]>()
  return (timeZone: string) => (profile: string) => {
    const key = `${profile} ${timeZone}`
    const spans =
      made.get(key) ?? versionsIn(versionsOf(versions.get(profile) ?? [], rules.get(profile) ?? [], timeZone))
    made.set(key, spans)
    return spans
  }
}

function versionsOf(
  versions: readonly ProfileVersionTable[],
  rows: readonly VersionRule[],
  timeZone: string,
): Version[] {
  const rules = new Map(rows.map((row) => [row.id, ruleOf(row, timeZone)]))
  return versions.map(({ version, validFrom, validTo }) => ({
    version,
    validFrom,
    validTo,
    rules: rows.filter((row) => row.ofVersion === version).flatMap(({ id }) => rules.get(id) ?? []),
  }))
}
