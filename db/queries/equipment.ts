import type { DbOrTrx, EquipmentTable } from '../schema.ts'
import { likePrefix } from './facility.ts'

/** Equipment in a facility under the path `scope`. */
export async function findEquipment(
  db: DbOrTrx,
  id: string,
  scope: string,
): Promise<EquipmentTable | undefined> {
  return equipmentIn(db, scope).where('e.id', '=', id).executeTakeFirst()
}

/** What there is of this equipment under the path `scope`. */
export async function findEquipmentOf(
  db: DbOrTrx,
  ids: readonly string[],
  scope: string,
): Promise<EquipmentTable[]> {
  return ids.length === 0 ? [] : equipmentIn(db, scope).where('e.id', 'in', ids).execute()
}

/** In the order of its making. `under`: path of a facility; what stands in it or below it. */
export async function listEquipment(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<EquipmentTable[]> {
  return equipmentIn(db, query.scope)
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(query.after !== undefined, (q) => q.where('e.id', '>', query.after ?? ''))
    .orderBy('e.id')
    .limit(query.limit)
    .execute()
}

export async function insertEquipment(db: DbOrTrx, equipment: EquipmentTable): Promise<void> {
  await db.insertInto('equipment').values(equipment).execute()
}

/** Holds it still until the transaction ends. */
export async function lockEquipment(trx: DbOrTrx, id: string): Promise<void> {
  await trx
    .updateTable('equipment')
    .set((eb) => ({ name: eb.ref('name') }))
    .where('id', '=', id)
    .execute()
}

export async function updateEquipment(
  db: DbOrTrx,
  id: string,
  set: Partial<Pick<EquipmentTable, 'name' | 'profile' | 'facilityId' | 'storagePointId'>>,
): Promise<void> {
  await db.updateTable('equipment').set(set).where('id', '=', id).execute()
}

function equipmentIn(db: DbOrTrx, scope: string) {
  return db
    .selectFrom('equipment as e')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .selectAll('e')
    .where('f.path', 'like', likePrefix(scope))
}
