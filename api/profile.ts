import { listProfiles } from '../db/queries/rule.ts'
import type { DbOrTrx } from '../db/schema.ts'
import { FieldError } from './errors.ts'

/** @throws CodedError `request.invalid` for a storage profile that has no rules */
export async function checkProfile(db: DbOrTrx, profile: string): Promise<void> {
  const known = await listProfiles(db)
  if (!known.includes(profile)) throw new FieldError('profile', `is none of: ${known.join(', ')}`)
}
