import { isDuplicate } from '../dialects/duplicate.ts'
import type { TimeToBreachTable } from '../schema-numbers.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'

export async function findTimeToBreach(
  db: DbOrTrx,
  equipmentId: string,
): Promise<TimeToBreachTable | undefined> {
  return db.selectFrom('timeToBreach').selectAll().where('equipmentId', '=', equipmentId).executeTakeFirst()
}

/** Keeps it in place of what was known of the equipment before. */
export async function keepTimeToBreach(db: DbOrTrx, row: TimeToBreachTable): Promise<void> {
  const { equipmentId, ...set } = row
  const update = () => db.updateTable('timeToBreach').set(set).where('equipmentId', '=', equipmentId)
  if ((await update().executeTakeFirst()).numUpdatedRows > 0n) return
  try {
    await db.insertInto('timeToBreach').values(row).execute()
  } catch (error) {
    // Another notifier was faster.
    if (!isDuplicate(error)) throw error
    await update().execute()
  }
}

/** @returns whether there was one */
export async function deleteTimeToBreach(db: DbOrTrx, equipmentId: string): Promise<boolean> {
  const deleting = db.deleteFrom('timeToBreach').where('equipmentId', '=', equipmentId)
  return (await deleting.executeTakeFirst()).numDeletedRows > 0n
}

/** Equipment that nobody has looked at since a moment, the longest first. */
export async function listOutdated(db: DbOrTrx, before: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('timeToBreach')
    .select('equipmentId')
    .where('updatedAt', '<', before)
    .orderBy('updatedAt')
    .limit(limit)
    .execute()
  return rows.map(({ equipmentId }) => equipmentId)
}

export interface Endangered extends TimeToBreachTable {
  readonly equipmentName: string
  readonly facilityName: string
  readonly storagePointId: string | null
}

/** The most urgent first. `under`: path of a facility; what stands in it or below it. */
export async function listTimeToBreach(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    /** The last one of the page before. */
    readonly after: Pick<TimeToBreachTable, 'urgentAt' | 'equipmentId'> | undefined
    readonly limit: number
  },
): Promise<Endangered[]> {
  const { after } = query
  return endangered(db)
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(after !== undefined, (q) =>
      q.where(({ eb, or, and }) =>
        or([
          eb('t.urgentAt', '>', after?.urgentAt ?? 0),
          and([
            eb('t.urgentAt', '=', after?.urgentAt ?? 0),
            eb('t.equipmentId', '>', after?.equipmentId ?? ''),
          ]),
        ]),
      ),
    )
    .orderBy('t.urgentAt')
    .orderBy('t.equipmentId')
    .limit(query.limit)
    .execute()
}

export async function findEndangered(db: DbOrTrx, equipmentId: string): Promise<Endangered | undefined> {
  return endangered(db).where('t.equipmentId', '=', equipmentId).executeTakeFirst()
}

function endangered(db: DbOrTrx) {
  return db
    .selectFrom('timeToBreach as t')
    .innerJoin('equipment as e', 'e.id', 't.equipmentId')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .selectAll('t')
    .select(['e.name as equipmentName', 'f.name as facilityName', 'e.storagePointId'])
}

/** Doses on hand by storage point; a point without stock is missing. */
export async function sumDosesAt(db: DbOrTrx, pointIds: readonly string[]): Promise<Map<string, number>> {
  if (pointIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('stockBalance')
    .select('accountId')
    .select((eb) => eb.fn.sum<number | string>('doses').as('doses'))
    .where('accountKind', '=', 'point')
    .where('accountId', 'in', pointIds)
    .groupBy('accountId')
    .execute()
  return new Map(rows.map(({ accountId, doses }) => [accountId, Number(doses)]))
}
