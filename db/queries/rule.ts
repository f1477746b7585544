import { WATCH_PROFILE } from '../../domain/watch-rule.ts'
import type { DbOrTrx, RuleTable } from '../schema.ts'

/** Rules by id; `profile` narrows them to one storage profile. */
export async function listRules(
  db: DbOrTrx,
  query: {
    readonly profile: string | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<RuleTable[]> {
  return db
    .selectFrom('rule')
    .selectAll()
    .$if(query.profile !== undefined, (q) => q.where('profile', '=', query.profile ?? ''))
    .$if(query.after !== undefined, (q) => q.where('id', '>', query.after ?? ''))
    .orderBy('id')
    .limit(query.limit)
    .execute()
}

/** Every storage profile that has a rule. */
export async function listProfiles(db: DbOrTrx): Promise<string[]> {
  const rows = await db
    .selectFrom('rule')
    .select('profile')
    .distinct()
    .where('profile', '!=', WATCH_PROFILE)
    .orderBy('profile')
    .execute()
  return rows.map((row) => row.profile)
}
