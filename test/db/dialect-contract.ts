import { randomUUIDv7 } from 'node:crypto'
import type { Test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { findDeviceByToken, hashToken, insertDevice } from '../../db/queries/device.ts'
import { ruleOf } from '../../db/queries/rule.ts'
import type { DeviceTable } from '../../db/schema.ts'
import { SHIPPED_RULES } from '../../domain/shipped-rules.ts'
import { WATCH_PROFILE } from '../../domain/watch-rule.ts'

function device(name: string, more: Partial<DeviceTable> = {}): DeviceTable {
  return {
    id: randomUUIDv7(),
    name,
    equipmentId: null,
    isGateway: 0,
    gatewayId: null,
    tokenHash: null,
    disabledAt: null,
    createdAt: 1_732_233_600_000,
    ...more,
  }
}

/** What must hold on every database. */
export async function dialectContract(t: Test, url: string): Promise<void> {
  const db = await openDb(url)
  t.teardown(() => db.destroy())
  await migrate(db)
  await migrate(db)

  await t.test('the shipped rules are there once, to the last digit', async (t) => {
    const rules = await db
      .selectFrom('rule')
      .selectAll()
      .where('profile', '!=', WATCH_PROFILE)
      .orderBy('id')
      .execute()
    t.same(
      rules.map((row) => ruleOf(row, 'UTC')),
      SHIPPED_RULES.toSorted((a, b) => a.id.localeCompare(b.id)),
    )
  })

  await t.test('a device comes back by its token, times as numbers', async (t) => {
    const row = device('Pintu 1 – ヒーター 🌡', {
      tokenHash: hashToken('secret'),
      disabledAt: 4_102_444_800_000,
    })
    await insertDevice(db, row)
    t.same({ ...(await findDeviceByToken(db, 'secret')) }, row)
    t.equal(await findDeviceByToken(db, 'SECRET'), undefined)
  })

  await t.test('a name is unique behind its gateway, and free elsewhere', async (t) => {
    const gateway = device('gateway', { isGateway: 1 })
    await insertDevice(db, gateway)
    await insertDevice(db, device('A', { gatewayId: gateway.id }))
    await t.rejects(insertDevice(db, device('A', { gatewayId: gateway.id })))
    await insertDevice(db, device('A'))
    await insertDevice(db, device('A'))
  })

  await t.test('a reference to nothing is refused', async (t) => {
    await t.rejects(insertDevice(db, device('orphan', { equipmentId: randomUUIDv7() })))
  })

  await t.test('a failed transaction leaves nothing', async (t) => {
    const row = device('undone')
    await t.rejects(
      db.transaction().execute(async (trx) => {
        await insertDevice(trx, row)
        throw new Error('no')
      }),
    )
    t.same(await db.selectFrom('device').select('id').where('id', '=', row.id).execute(), [])
  })

  await t.test('64 KiB and more of text survives', async (t) => {
    const payload = 'A'.repeat(200_000)
    const refusal = {
      id: randomUUIDv7(),
      deviceId: randomUUIDv7(),
      topic: 'v1/devices/me/telemetry',
      code: 'packet.notJson',
      detail: 'x',
      payload,
      receivedAt: 1,
      replayedAt: null,
      replayOutcome: null,
    }
    await db.insertInto('refusal').values(refusal).execute()
    const kept = await db
      .selectFrom('refusal')
      .select('payload')
      .where('id', '=', refusal.id)
      .executeTakeFirst()
    t.equal(kept?.payload, payload)
  })
}
