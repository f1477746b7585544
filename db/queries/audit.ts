import type { AuditTable, DbOrTrx } from '../schema.ts'

/** Call it in the transaction of the change itself: no change without its row, no row without its change. */
export async function insertAudit(db: DbOrTrx, row: AuditTable): Promise<void> {
  await db.insertInto('audit').values(row).execute()
}

const STEPS_MAX = 500

/** Who did what to one thing, the newest first. Somebody who is no longer there has no name. */
export async function listSteps(db: DbOrTrx, entity: string, entityId: string) {
  return db
    .selectFrom('audit as a')
    .leftJoin('userAccount as u', 'u.id', 'a.userId')
    .select(['a.at', 'a.action', 'u.name as userName'])
    .where('a.entity', '=', entity)
    .where('a.entityId', '=', entityId)
    .orderBy('a.id', 'desc')
    .limit(STEPS_MAX)
    .execute()
}

/** What was done to one thing, oldest first. */
export async function listAudit(db: DbOrTrx, entity: string, entityId: string): Promise<AuditTable[]> {
  return db
    .selectFrom('audit')
    .selectAll()
    .where('entity', '=', entity)
    .where('entityId', '=', entityId)
    .orderBy('id')
    .execute()
}
