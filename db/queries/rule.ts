import { RULE_DEFAULTS } from '../../domain/shipped-rules.ts'
import type { Rule } from '../../domain/rule.ts'
import type { DbOrTrx, RuleTable } from '../schema.ts'

/** A row as a rule: what the table does not have (yet) is as in `RULE_DEFAULTS`. */
export function ruleOf(row: RuleTable): Rule {
  return { ...RULE_DEFAULTS, ...row }
}

/** The row of a rule; what the table does not have (yet) is left out. */
export function rowOf(rule: Rule): RuleTable {
  const { id, profile, name, quantity, comparator, threshold, mode, durationMs, gapMsMax, severity } = rule
  return { id, profile, name, quantity, comparator, threshold, mode, durationMs, gapMsMax, severity }
}

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
  const rows = await db.selectFrom('rule').select('profile').distinct().orderBy('profile').execute()
  return rows.map((row) => row.profile)
}
