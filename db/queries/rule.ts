import { QUANTITY_NAMES, type Quantity } from '../../domain/reading.ts'
import type { Rule, Window } from '../../domain/rule.ts'
import type { DbOrTrx } from '../schema.ts'
import type { RuleTable } from '../schema-rules.ts'
import { profilesIn } from './rule-profile.ts'

/** A row as a rule for a place. @param timeZone of that place: days and hours of the rule are its own */
export function ruleOf(row: RuleTable, timeZone: string): Rule {
  const { activeFrom: from, activeTo: to } = row
  return {
    id: row.id,
    profile: row.profile,
    version: row.version,
    name: row.name,
    quantity: row.quantity as Quantity,
    measure: row.measure,
    comparator: row.comparator,
    threshold: row.threshold,
    mode: row.mode,
    durationMs: row.durationMs,
    window: windowOf(row.windowKind, row.windowMs, timeZone),
    hysteresis: row.hysteresis,
    gapMsMax: row.gapMsMax,
    severity: row.severity,
    activeHours: from === null || to === null ? null : { from, to, timeZone },
    validFrom: row.validFrom,
    validTo: row.validTo,
  }
}

function windowOf(kind: RuleTable['windowKind'], ms: number | null, timeZone: string): Window | null {
  if (kind === 'day') return { kind, timeZone }
  return kind === null ? null : { kind, ms: ms ?? 0 }
}

/** The row of a rule. Time zones are those of places, and not kept. */
export function rowOf({ window, activeHours, ...rest }: Rule): RuleTable {
  return {
    ...rest,
    windowKind: window?.kind ?? null,
    windowMs: window?.kind === 'sliding' ? window.ms : null,
    activeFrom: activeHours?.from ?? null,
    activeTo: activeHours?.to ?? null,
  }
}

/** Rules by id, of all versions of the profiles that `scope` shows; `profile` narrows them to one of these. */
export async function listRules(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly profile: string | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<RuleTable[]> {
  return db
    .selectFrom('rule')
    .innerJoin(profilesIn(db, query.scope).as('p'), 'p.code', 'rule.profile')
    .selectAll('rule')
    .$if(query.profile !== undefined, (q) => q.where('rule.profile', '=', query.profile ?? ''))
    .$if(query.after !== undefined, (q) => q.where('rule.id', '>', query.after ?? ''))
    .orderBy('rule.id')
    .limit(query.limit)
    .execute()
}

/** Which of these rules judge readings; the others watch over devices and places. */
export async function findReadingRules(db: DbOrTrx, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('rule')
    .select('id')
    .where('id', 'in', ids)
    .where('quantity', 'in', QUANTITY_NAMES)
    .execute()
  return new Set(rows.map(({ id }) => id))
}
