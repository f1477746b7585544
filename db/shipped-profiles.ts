import { isSameVersion, rulesOfVersion } from '../domain/rule-version.ts'
import type { Rule } from '../domain/rule.ts'
import { SHIPPED_PROFILES } from '../domain/shipped-profiles.ts'
import { SHIPPED_RULES } from '../domain/shipped-rules.ts'
import { isDuplicate } from './dialects/duplicate.ts'
import {
  findProfile,
  insertProfile,
  insertVersion,
  listVersionRules,
  lockProfile,
} from './queries/rule-profile.ts'
import { ruleOf } from './queries/rule.ts'
import type { Db, DbOrTrx } from './schema.ts'
import { inTransaction } from './transaction.ts'

/**
 * Brings the profiles that ship in. One that is new holds always; one whose rules have changed since gets a new version, which holds from `now` on, so
 * that what was judged stays.
 */
export async function keepShippedProfiles(
  db: Db,
  now: number,
  shipped: readonly Rule[] = SHIPPED_RULES,
): Promise<void> {
  for (const [code, rules] of Map.groupBy(shipped, ({ profile }) => profile))
    // Of two processes that start at once, each finds what the other made.
    await inTransaction(db, (trx) => keepProfile(trx, code, rules, now)).catch((error: unknown) => {
      if (!isDuplicate(error)) throw error
    })
}

async function keepProfile(trx: DbOrTrx, code: string, rules: readonly Rule[], now: number): Promise<void> {
  await lockProfile(trx, code)
  const row = { profile: code, validTo: null, comment: '', publishedAt: now, publishedBy: null }
  const profile = await findProfile(trx, code, '')
  if (profile === undefined) {
    const texts = SHIPPED_PROFILES[code] ?? { name: code, description: '' }
    await insertProfile(trx, { code, ...texts, facilityId: null, isShipped: 1, createdAt: now })
    const first = rules.map((rule) => ({ ...rule, version: 1 }))
    return insertVersion(trx, { ...row, version: 1, validFrom: null }, first)
  }
  // Somebody made one of this name: it is theirs.
  if (profile.isShipped === 0) return
  const versions = Map.groupBy(await listVersionRules(trx, [code]), ({ ofVersion }) => ofVersion)
  const known = new Map([...versions].map(([version, of]) => [version, of.map((one) => ruleOf(one, 'UTC'))]))
  // What was there before is no change: a process of the release before that starts late publishes nothing.
  if ([...known.values()].some((of) => isSameVersion(of, rules))) return
  const last = Math.max(0, ...known.keys())
  const next = rulesOfVersion(code, last + 1, rules, known.get(last) ?? [])
  await insertVersion(trx, { ...row, version: last + 1, validFrom: now }, next)
}
