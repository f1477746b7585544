import { sql } from 'kysely'
import { isDuplicate } from '../dialects/duplicate.ts'
import type { DbOrTrx } from '../schema.ts'

/**
 * The next of 1, 2, 3, ... under a name: no two transactions get the same, and none is left out. Everybody who wants one waits until this
 * transaction ends, so take it last.
 * @param by how many to take; the last of them is returned
 */
export async function nextNumber(trx: DbOrTrx, name: string, by = 1): Promise<number> {
  return (await nextNumbers(trx, new Map([[name, by]]))).get(name) ?? by
}

/**
 * The same under several names, in two statements however many they are.
 * @param wanted how many to take under each name
 * @returns the last that was taken under each name
 */
export async function nextNumbers(
  trx: DbOrTrx,
  wanted: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  // The order in which the rows are locked.
  const names = [...wanted.keys()].toSorted()
  while (!(await addAll(trx, names, wanted, 1))) {
    await addAll(trx, names, wanted, -1)
    const there = await valuesOf(trx, names)
    for (const name of names) if (!there.has(name)) await insertZero(trx, name)
  }
  return valuesOf(trx, names)
}

/** False when some of the names are not there yet. */
async function addAll(
  trx: DbOrTrx,
  names: readonly string[],
  wanted: ReadonlyMap<string, number>,
  sign: 1 | -1,
): Promise<boolean> {
  const cases = sql.join(
    names.map((name) => sql`when ${name} then ${sign * (wanted.get(name) ?? 0)}`),
    sql` `,
  )
  const { numUpdatedRows } = await trx
    .updateTable('counter')
    .set((eb) => ({ value: eb('value', '+', sql<number>`case name ${cases} else 0 end`) }))
    .where('name', 'in', names)
    .executeTakeFirst()
  return numUpdatedRows === BigInt(names.length)
}

async function valuesOf(trx: DbOrTrx, names: readonly string[]): Promise<Map<string, number>> {
  const rows = await trx.selectFrom('counter').selectAll().where('name', 'in', names).execute()
  return new Map(rows.map(({ name, value }) => [name, Number(value)]))
}

// Somebody else may have made it meanwhile.
async function insertZero(trx: DbOrTrx, name: string): Promise<void> {
  try {
    await trx.insertInto('counter').values({ name, value: 0 }).execute()
  } catch (error) {
    if (!isDuplicate(error)) throw error
  }
}
