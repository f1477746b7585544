import type { Rule } from '../../domain/rule.ts'
import type { ProfileTable, ProfileVersionTable, RuleTable } from '../schema-rules.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'
import { rowOf } from './rule.ts'

/** Profiles that people in a part of the tree meet: those of the programme, of places above them, and of their own places. */
export function profilesIn(db: DbOrTrx, scope: string) {
  const above = scope.split('/').filter((id) => id !== '')
  return db
    .selectFrom('profile')
    .leftJoin('facility', 'facility.id', 'profile.facilityId')
    .selectAll('profile')
    .select('facility.path')
    .$if(scope !== '', (q) =>
      q.where((eb) =>
        eb.or([
          eb('profile.facilityId', 'is', null),
          eb('profile.facilityId', 'in', above),
          eb('facility.path', 'like', likePrefix(scope)),
        ]),
      ),
    )
}

/** With the path of the facility that it belongs to; null: of the whole programme. */
export interface PlacedProfile extends ProfileTable {
  readonly path: string | null
}

export async function findProfile(
  db: DbOrTrx,
  code: string,
  scope: string,
): Promise<PlacedProfile | undefined> {
  return profilesIn(db, scope).where('profile.code', '=', code).executeTakeFirst()
}

/** By code. */
export async function listProfiles(
  db: DbOrTrx,
  query: { readonly scope: string; readonly after: string | undefined; readonly limit: number },
): Promise<PlacedProfile[]> {
  return profilesIn(db, query.scope)
    .$if(query.after !== undefined, (q) => q.where('profile.code', '>', query.after ?? ''))
    .orderBy('profile.code')
    .limit(query.limit)
    .execute()
}

export async function insertProfile(db: DbOrTrx, row: ProfileTable): Promise<void> {
  await db.insertInto('profile').values(row).execute()
}

/** Who publishes a version, sets an override or assigns holds the profile until the transaction ends, so that each sees what the one before did. */
export async function lockProfile(trx: DbOrTrx, code: string): Promise<void> {
  await trx
    .updateTable('profile')
    .set((eb) => ({ name: eb.ref('name') }))
    .where('code', '=', code)
    .execute()
}

/** In the order of their numbers, by profile. */
export async function listVersions(db: DbOrTrx, profiles: readonly string[]): Promise<ProfileVersionTable[]> {
  if (profiles.length === 0) return []
  return db
    .selectFrom('profileVersion')
    .selectAll()
    .where('profile', 'in', profiles)
    .orderBy('profile')
    .orderBy('version')
    .execute()
}

/** A rule as a part of a version; `version` of the rule itself is the first one that had it. */
export interface VersionRule extends RuleTable {
  readonly ofProfile: string
  readonly ofVersion: number
}

/** The rules of all versions of these profiles. */
export async function listVersionRules(db: DbOrTrx, profiles: readonly string[]): Promise<VersionRule[]> {
  if (profiles.length === 0) return []
  return db
    .selectFrom('profileRule as p')
    .innerJoin('rule as r', 'r.id', 'p.ruleId')
    .selectAll('r')
    .select(['p.profile as ofProfile', 'p.version as ofVersion'])
    .where('p.profile', 'in', profiles)
    .orderBy('r.id')
    .execute()
}

/** @param rules of the version; those that are there already, from a version before, are left as they are */
export async function insertVersion(
  trx: DbOrTrx,
  row: ProfileVersionTable,
  rules: readonly Rule[],
): Promise<void> {
  const { profile, version } = row
  await trx.insertInto('profileVersion').values(row).execute()
  const made = rules.filter((rule) => rule.profile === profile && rule.version === version)
  if (made.length > 0) await trx.insertInto('rule').values(made.map(rowOf)).execute()
  const links = rules.map(({ id }) => ({ profile, version, ruleId: id }))
  if (links.length > 0) await trx.insertInto('profileRule').values(links).execute()
}
