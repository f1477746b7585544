import type { AcknowledgementTable, DbOrTrx } from '../schema.ts'

export async function insertAcknowledgement(db: DbOrTrx, row: AcknowledgementTable): Promise<void> {
  await db.insertInto('acknowledgement').values(row).execute()
}

/** Who acknowledged a breach, oldest first. */
export async function listAcknowledgements(db: DbOrTrx, breachId: string): Promise<AcknowledgementTable[]> {
  return db.selectFrom('acknowledgement').selectAll().where('breachId', '=', breachId).orderBy('id').execute()
}
