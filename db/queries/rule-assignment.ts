import type { EquipmentProfileTable, ProfileOverrideTable } from '../schema-rules.ts'
import type { DbOrTrx } from '../schema.ts'
import { EVERYWHERE } from '../../domain/rule-resolution.ts'
import { likePrefix } from './facility.ts'

/** What this equipment was before, in order of time. */
export async function listEquipmentProfiles(
  db: DbOrTrx,
  equipmentIds: readonly string[],
): Promise<EquipmentProfileTable[]> {
  if (equipmentIds.length === 0) return []
  return db
    .selectFrom('equipmentProfile')
    .selectAll()
    .where('equipmentId', 'in', equipmentIds)
    .orderBy('equipmentId')
    .orderBy('untilAt')
    .execute()
}

/** Puts `rows` in place of all that is known of this equipment from `from` on. */
export async function replaceEquipmentProfiles(
  trx: DbOrTrx,
  equipmentId: string,
  from: number,
  rows: readonly EquipmentProfileTable[],
): Promise<void> {
  await trx
    .deleteFrom('equipmentProfile')
    .where('equipmentId', '=', equipmentId)
    .where('untilAt', '>=', from)
    .execute()
  if (rows.length > 0) await trx.insertInto('equipmentProfile').values(rows).execute()
}

/** The overrides that these facilities have, in order of time. */
export async function listOverridesOf(
  db: DbOrTrx,
  facilityIds: readonly string[],
): Promise<ProfileOverrideTable[]> {
  if (facilityIds.length === 0) return []
  return db
    .selectFrom('profileOverride')
    .selectAll()
    .where('facilityId', 'in', facilityIds)
    .orderBy('facilityId')
    .orderBy('profile')
    .orderBy('fromAt')
    .execute()
}

/** With the names of the facility and of who set it. */
export interface NamedOverride extends ProfileOverrideTable {
  readonly facilityName: string
  readonly setByName: string | null
}

/** By facility, profile and time. `under`: path of a facility; overrides in it and below. */
export async function listOverrides(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly after: Pick<ProfileOverrideTable, 'facilityId' | 'profile' | 'fromAt'> | undefined
    readonly limit: number
  },
): Promise<NamedOverride[]> {
  const { after } = query
  return db
    .selectFrom('profileOverride as o')
    .innerJoin('facility as f', 'f.id', 'o.facilityId')
    .leftJoin('userAccount as u', 'u.id', 'o.setBy')
    .selectAll('o')
    .select(['f.name as facilityName', 'u.name as setByName'])
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(after !== undefined, (q) =>
      q.where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple('o.facilityId', 'o.profile', 'o.fromAt'),
          '>',
          tuple(after?.facilityId ?? '', after?.profile ?? '', after?.fromAt ?? 0),
        ),
      ),
    )
    .orderBy('o.facilityId')
    .orderBy('o.profile')
    .orderBy('o.fromAt')
    .limit(query.limit)
    .execute()
}

/** Puts `row` in place of all that the facility says of this profile from its `fromAt` on. */
export async function replaceOverrides(trx: DbOrTrx, row: ProfileOverrideTable): Promise<void> {
  await trx
    .deleteFrom('profileOverride')
    .where('facilityId', '=', row.facilityId)
    .where('profile', '=', row.profile)
    .where('fromAt', '>=', row.fromAt)
    .execute()
  await trx.insertInto('profileOverride').values(row).execute()
}

/** What a change of rules reaches: equipment that has or had a profile, under a path; or one piece of equipment. */
export type Reach = { readonly profile: string; readonly under: string } | { readonly equipmentId: string }

/** Where the rules of a profile may hold: where equipment has it, and where it replaces another one. */
export async function listReaches(db: DbOrTrx, profile: string): Promise<Reach[]> {
  const overrides = await db
    .selectFrom('profileOverride as o')
    .innerJoin('facility as f', 'f.id', 'o.facilityId')
    .select(['o.profile', 'f.path as under'])
    .distinct()
    .where('o.replacement', '=', profile)
    .execute()
  return [{ profile, under: '' }, ...overrides]
}

/** The devices that are reached. */
export async function listDeviceIdsReached(db: DbOrTrx, reaches: readonly Reach[]): Promise<string[]> {
  const rows = await db
    .selectFrom('device as d')
    .innerJoin('equipment as e', 'e.id', 'd.equipmentId')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .select('d.id')
    .where((eb) =>
      eb.or(
        reaches.map((reach) => {
          if ('equipmentId' in reach) return eb('e.id', '=', reach.equipmentId)
          const { profile, under } = reach
          const isThere = eb('f.path', 'like', likePrefix(under))
          if (profile === EVERYWHERE) return isThere
          const had = eb
            .selectFrom('equipmentProfile as h')
            .select('h.untilAt')
            .whereRef('h.equipmentId', '=', 'e.id')
            .where('h.profile', '=', profile)
          return eb.and([isThere, eb.or([eb('e.profile', '=', profile), eb.exists(had)])])
        }),
      ),
    )
    .orderBy('d.id')
    .execute()
  return rows.map(({ id }) => id)
}
