import type { AuditTable, DbOrTrx } from '../schema.ts'

/** Call it in the transaction of the change itself: no change without its row, no row without its change. */
export async function insertAudit(db: DbOrTrx, row: AuditTable): Promise<void> {
  await db.insertInto('audit').values(row).execute()
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
