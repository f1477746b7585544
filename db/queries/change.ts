import { randomUUIDv7 } from 'node:crypto'
import type { DbOrTrx } from '../schema.ts'

/** Notes for clients that something changed, once for each facility that may see it; `[null]`: everybody may. Call it in the transaction of the change. */
export async function insertChanges(
  trx: DbOrTrx,
  at: number,
  facilities: readonly (string | null)[],
  entity: string,
  entityId: string,
  kind: 'put' | 'delete' = 'put',
): Promise<void> {
  const rows = facilities.map((facilityId) => ({
    id: randomUUIDv7(),
    seq: null,
    entity,
    entityId,
    facilityId,
    kind,
    at,
  }))
  await trx.insertInto('change').values(rows).execute()
}
