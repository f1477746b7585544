import type { AcknowledgementTable, DbOrTrx } from '../schema.ts'

export async function insertAcknowledgement(db: DbOrTrx, row: AcknowledgementTable): Promise<void> {
  await db.insertInto('acknowledgement').values(row).execute()
}

/** Who acknowledged a breach, oldest first; the name is null where they are gone. */
export async function listAcknowledgements(
  db: DbOrTrx,
  breachId: string,
): Promise<(AcknowledgementTable & { readonly userName: string | null })[]> {
  return db
    .selectFrom('acknowledgement as a')
    .leftJoin('userAccount as u', 'u.id', 'a.userId')
    .selectAll('a')
    .select('u.name as userName')
    .where('a.breachId', '=', breachId)
    .orderBy('a.id')
    .execute()
}
