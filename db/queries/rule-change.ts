import { randomUUIDv7 } from 'node:crypto'
import type { RuleChangeTable } from '../schema-rules.ts'
import type { DbOrTrx } from '../schema.ts'
import type { Reach } from './rule-assignment.ts'

/** Where rules changed, and from which event time on. */
export interface RuleChange {
  readonly id: string
  readonly at: number
  readonly from: number
  readonly reaches: readonly Reach[]
}

/** Notes that rules changed, so that what was judged by the ones before is judged again. Call it in the transaction of the change. */
export async function insertRuleChange(trx: DbOrTrx, change: Omit<RuleChange, 'id'>): Promise<void> {
  const { at, from, reaches } = change
  const row: RuleChangeTable = {
    id: randomUUIDv7(),
    at,
    fromAt: from,
    reaches: JSON.stringify(reaches),
    doneAt: null,
  }
  await trx.insertInto('ruleChange').values(row).execute()
}

/** Those that are still to be acted on, the oldest first. */
export async function listRuleChanges(db: DbOrTrx, limit: number): Promise<RuleChange[]> {
  const rows = await db
    .selectFrom('ruleChange')
    .selectAll()
    .where('doneAt', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id, at, fromAt, reaches }) => ({
    id,
    at,
    from: fromAt,
    reaches: JSON.parse(reaches) as Reach[],
  }))
}

export async function completeRuleChange(db: DbOrTrx, id: string, at: number): Promise<void> {
  await db.updateTable('ruleChange').set({ doneAt: at }).where('id', '=', id).execute()
}
