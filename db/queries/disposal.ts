import type { DisposalLineTable, DisposalStatus, DisposalTable } from '../schema-orders.ts'
import type { DbOrTrx } from '../schema.ts'
import { likePrefix } from './facility.ts'

export interface Disposal extends DisposalTable {
  readonly lines: readonly DisposalLineTable[]
}

/** A disposal, if its facility lies under the path `scope`. */
export async function findDisposal(db: DbOrTrx, id: string, scope: string): Promise<Disposal | undefined> {
  const row = await db
    .selectFrom('disposal as d')
    .innerJoin('facility as f', 'f.id', 'd.facilityId')
    .selectAll('d')
    .where('d.id', '=', id)
    .where('f.path', 'like', likePrefix(scope))
    .executeTakeFirst()
  if (!row) return undefined
  const [disposal] = await withLines(db, [row])
  return disposal
}

/** The newest first, by id. */
export async function listDisposals(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly status: DisposalStatus | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<Disposal[]> {
  const rows = await db
    .selectFrom('disposal as d')
    .innerJoin('facility as f', 'f.id', 'd.facilityId')
    .selectAll('d')
    .where('f.path', 'like', likePrefix(query.scope))
    .$if(query.under !== undefined, (q) => q.where('f.path', 'like', likePrefix(query.under ?? '')))
    .$if(query.status !== undefined, (q) => q.where('d.status', '=', query.status ?? 'draft'))
    .$if(query.after !== undefined, (q) => q.where('d.id', '<', query.after ?? ''))
    .orderBy('d.id', 'desc')
    .limit(query.limit)
    .execute()
  return withLines(db, rows)
}

async function withLines(db: DbOrTrx, rows: readonly DisposalTable[]): Promise<Disposal[]> {
  if (rows.length === 0) return []
  const lines = await db
    .selectFrom('disposalLine')
    .selectAll()
    .where(
      'disposalId',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('line')
    .execute()
  const linesOf = Map.groupBy(lines, ({ disposalId }) => disposalId)
  return rows.map((row) => ({ ...row, lines: linesOf.get(row.id) ?? [] }))
}

/** The disposal that an event carried out, locked until the transaction ends. */
export async function findDisposalOf(trx: DbOrTrx, eventId: string): Promise<Disposal | undefined> {
  const row = await trx.selectFrom('disposal').select('id').where('eventId', '=', eventId).executeTakeFirst()
  if (!row) return undefined
  await lockDisposal(trx, row.id)
  const [disposal] = await withLines(
    trx,
    await trx
      .selectFrom('disposal')
      .selectAll()
      .where('id', '=', row.id)
      .where('eventId', '=', eventId)
      .execute(),
  )
  return disposal
}

/** Throws the database's duplicate error when the id is taken. */
export async function insertDisposal(
  trx: DbOrTrx,
  disposal: DisposalTable,
  lines: readonly DisposalLineTable[],
): Promise<void> {
  await trx.insertInto('disposal').values(disposal).execute()
  await trx.insertInto('disposalLine').values(lines).execute()
}

/** Holds a disposal still until the transaction ends. Call it before the first read of it. */
export async function lockDisposal(trx: DbOrTrx, id: string): Promise<void> {
  await trx
    .updateTable('disposal')
    .set((eb) => ({ version: eb.ref('version') }))
    .where('id', '=', id)
    .execute()
}

/** Writes what a step made of a disposal that is locked. */
export async function updateDisposal(
  trx: DbOrTrx,
  id: string,
  change: Partial<DisposalTable> & { readonly status: DisposalStatus; readonly updatedAt: number },
): Promise<void> {
  await trx
    .updateTable('disposal')
    .set((eb) => ({ ...change, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute()
}
