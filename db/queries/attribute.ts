import type { AttributeUpdate } from '../../domain/batch.ts'
import type { DbOrTrx } from '../schema.ts'

/**
 * Keeps what devices say of themselves: per device and key the newest by its own time, and of two at the same time the greater text,
 * so that neither order nor repetition of the updates matters. Call it in a transaction.
 */
export async function keepAttributes(db: DbOrTrx, updates: readonly AttributeUpdate[]): Promise<void> {
  const newest = newestPerKey(updates)
  for (let i = 0; i < newest.length; i += UPDATES_PER_QUERY)
    await keepSome(db, newest.slice(i, i + UPDATES_PER_QUERY))
}

const UPDATES_PER_QUERY = 200

function newestPerKey(updates: readonly AttributeUpdate[]): AttributeUpdate[] {
  const newest = new Map<string, AttributeUpdate>()
  for (const update of updates) {
    const known = newest.get(identity(update))
    if (known === undefined || isNewer(update, known.time, known.value)) newest.set(identity(update), update)
  }
  return [...newest.values()]
}

async function keepSome(db: DbOrTrx, updates: readonly AttributeUpdate[]): Promise<void> {
  const known = await findAttributes(db, updates)
  const missing = updates.filter((update) => !known.has(identity(update)))
  if (missing.length > 0) {
    const rows = missing.map(({ deviceId, key, value, time }) => ({ deviceId, key, value, updatedAt: time }))
    await db.insertInto('deviceAttribute').values(rows).execute()
  }
  for (const update of updates) {
    const row = known.get(identity(update))
    if (row !== undefined && isNewer(update, row.updatedAt, row.value)) await replaceOlder(db, update)
  }
}

async function findAttributes(db: DbOrTrx, updates: readonly AttributeUpdate[]) {
  const rows = await db
    .selectFrom('deviceAttribute')
    .selectAll()
    .where('deviceId', 'in', [...new Set(updates.map((update) => update.deviceId))])
    .where('key', 'in', [...new Set(updates.map((update) => update.key))])
    .execute()
  return new Map(rows.map((row) => [identity(row), row]))
}

async function replaceOlder(db: DbOrTrx, update: AttributeUpdate): Promise<void> {
  await db
    .updateTable('deviceAttribute')
    .set({ value: update.value, updatedAt: update.time })
    .where('deviceId', '=', update.deviceId)
    .where('key', '=', update.key)
    .where('updatedAt', '<=', update.time)
    .execute()
}

function identity(of: { readonly deviceId: string; readonly key: string }): string {
  return `${of.deviceId}/${of.key}`
}

function isNewer(update: AttributeUpdate, time: number, value: string): boolean {
  return update.time > time || (update.time === time && update.value > value)
}
