import type { LotFacts } from '../../domain/stock-event.ts'
import type { ReasonKind } from '../../domain/stock.ts'
import type { DbOrTrx } from '../schema.ts'

/** What the ledger has to know of these lots; those that do not exist are missing. */
export async function findLotFacts(db: DbOrTrx, lotIds: readonly string[]): Promise<Map<string, LotFacts>> {
  if (lotIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('lot as l')
    .innerJoin('item as i', 'i.id', 'l.itemId')
    .select([
      'l.id',
      'l.itemId',
      'l.expiresOn',
      'l.manufacturedOn',
      'l.parentLotId',
      'l.recalledAt',
      'i.vvmType',
    ])
    .where('l.id', 'in', lotIds)
    .execute()
  return new Map(
    rows.map(({ id, recalledAt, vvmType, ...lot }) => [
      id,
      { ...lot, isRecalled: recalledAt !== null, hasVvm: vvmType !== null },
    ]),
  )
}

/** Which of these are storage points of the facility. */
export async function findPointsOf(
  db: DbOrTrx,
  facilityId: string,
  pointIds: readonly string[],
): Promise<Set<string>> {
  if (pointIds.length === 0) return new Set()
  const rows = await db
    .selectFrom('storagePoint')
    .select('id')
    .where('id', 'in', pointIds)
    .where('facilityId', '=', facilityId)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** The facility of each of these storage points. */
export async function findPointFacilities(
  db: DbOrTrx,
  pointIds: readonly string[],
): Promise<Map<string, string>> {
  if (pointIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('storagePoint')
    .select(['id', 'facilityId'])
    .where('id', 'in', pointIds)
    .execute()
  return new Map(rows.map(({ id, facilityId }) => [id, facilityId]))
}

/** Which of these are activities that are still in use. */
export async function findActivities(db: DbOrTrx, codes: readonly string[]): Promise<Set<string>> {
  if (codes.length === 0) return new Set()
  const rows = await db
    .selectFrom('activity')
    .select('code')
    .where('code', 'in', codes)
    .where('archivedAt', 'is', null)
    .execute()
  return new Set(rows.map(({ code }) => code))
}

/** The kinds of these reasons, but for those that are no longer used. */
export async function findReasonKinds(
  db: DbOrTrx,
  codes: readonly string[],
): Promise<Map<string, ReasonKind>> {
  if (codes.length === 0) return new Map()
  const rows = await db
    .selectFrom('reason')
    .select(['code', 'kind'])
    .where('code', 'in', codes)
    .where('archivedAt', 'is', null)
    .execute()
  return new Map(rows.map(({ code, kind }) => [code, kind]))
}
