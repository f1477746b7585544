import type { Db } from './schema.ts'

/** Resolves when the database answers; throws when it does not. */
export async function ping(db: Db): Promise<void> {
  await db.selectFrom('rule').select('id').limit(1).execute()
}

/** The same for `ready` of a part: undefined when it answers, else a sentence. */
export async function whyNotReady(db: Db): Promise<string | undefined> {
  return ping(db).then(
    () => undefined,
    () => 'The database does not answer.',
  )
}
