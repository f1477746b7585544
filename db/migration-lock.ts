import { setTimeout as sleep } from 'node:timers/promises'
import { isDuplicate } from './dialects/duplicate.ts'
import type { Db } from './schema.ts'

const LOCK = 'migration'
const FREE = 0
const BEAT_EVERY_MS = 2000
/** Longer than a statement may take: one beat may be late. */
const SILENT_MS_MAX = 30_000
const LOOK_EVERY_MS = 100

type Locks = { migrationLock: { id: string; beat: number } }

/**
 * Lets one process at a time do the work, of all that share the database; the others wait. The lock is a row with a number that its owner
 * changes every 2 seconds. A number that has stood still for 30 seconds is that of a process that died, and the lock is taken over: each
 * one measures that on its own clock. On Galera the row is certified like every other, so that it counts on all nodes; GET_LOCK and
 * LOCK TABLES do not.
 */
export async function withMigrationLock<T>(db: Db, work: () => Promise<T>): Promise<T> {
  const locks = db.withTables<Locks>()
  const look = async () =>
    (await locks.selectFrom('migrationLock').select('beat').where('id', '=', LOCK).executeTakeFirstOrThrow())
      .beat
  const change = async (from: number, to: number): Promise<boolean> => {
    const set = locks.updateTable('migrationLock').set({ beat: to })
    const result = await set.where('id', '=', LOCK).where('beat', '=', from).executeTakeFirst()
    return result.numUpdatedRows === 1n
  }

  await makeLock(db)
  let beat = await acquire(look, change)
  const stop = new AbortController()
  const beating = (async () => {
    while (await sleep(BEAT_EVERY_MS, true, { signal: stop.signal }).catch(() => false)) {
      // An outage: the next beat may succeed. Taken over after a longer one: nothing to keep.
      const isKept = await change(beat, beat + 1).catch(() => false)
      if (isKept) beat += 1
    }
  })()
  try {
    return await work()
  } finally {
    stop.abort()
    await beating
    await change(beat, FREE)
  }
}

async function makeLock(db: Db): Promise<void> {
  await db.schema
    .createTable('migrationLock')
    .ifNotExists()
    .addColumn('id', 'varchar(20)', (c) => c.primaryKey())
    .addColumn('beat', 'bigint', (c) => c.notNull())
    .execute()
  await db
    .withTables<Locks>()
    .insertInto('migrationLock')
    .values({ id: LOCK, beat: FREE })
    .execute()
    .catch((error: unknown) => {
      if (!isDuplicate(error)) throw error
    })
}

async function acquire(
  look: () => Promise<number>,
  change: (from: number, to: number) => Promise<boolean>,
): Promise<number> {
  let seen = await look()
  let seenAt = performance.now()
  for (;;) {
    const isSilent = performance.now() - seenAt > SILENT_MS_MAX
    // At random, so that nobody takes the beats of another one for its own.
    const mine = 1 + Math.floor(Math.random() * 1_000_000_000)
    if ((seen === FREE || isSilent) && (await change(seen, mine))) return mine
    await sleep(LOOK_EVERY_MS)
    const now = await look()
    if (now !== seen) seenAt = performance.now()
    seen = now
  }
}
