import { createHash } from 'node:crypto'
import type { DbOrTrx, DeviceTable } from '../schema.ts'

/** How an access token is kept: SHA-256, hex. Tokens are long and random, so that a slow hash would only slow the broker down. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export async function findDeviceByToken(db: DbOrTrx, token: string): Promise<DeviceTable | undefined> {
  return db.selectFrom('device').selectAll().where('tokenHash', '=', hashToken(token)).executeTakeFirst()
}

export async function findDevice(db: DbOrTrx, id: string): Promise<DeviceTable | undefined> {
  return db.selectFrom('device').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function insertDevice(db: DbOrTrx, device: DeviceTable): Promise<void> {
  await db.insertInto('device').values(device).execute()
}
