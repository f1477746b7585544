import { isDuplicate } from '../dialects/duplicate.ts'
import type { DbOrTrx } from '../schema.ts'

/**
 * The next of 1, 2, 3, ... under a name: no two transactions get the same, and none is left out. Everybody who wants one waits until this
 * transaction ends, so take it last.
 * @param by how many to take; the last of them is returned
 */
export async function nextNumber(trx: DbOrTrx, name: string, by = 1): Promise<number> {
  for (;;) {
    const { numUpdatedRows } = await trx
      .updateTable('counter')
      .set((eb) => ({ value: eb('value', '+', by) }))
      .where('name', '=', name)
      .executeTakeFirst()
    if (numUpdatedRows === 1n) break
    try {
      await trx.insertInto('counter').values({ name, value: by }).execute()
      return by
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
  }
  const row = await trx
    .selectFrom('counter')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return Number(row.value)
}
