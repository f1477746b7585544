import type { BreachTable, DbOrTrx } from '../schema.ts'

/** What a device was refused for, how often, from when to when. */
export interface RefusalGroup {
  readonly deviceId: string
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

/** Devices of which packets were refused for one of these reasons, at least `countMin` times since then. */
export async function listRefusalGroups(
  db: DbOrTrx,
  query: {
    readonly codes: readonly string[]
    readonly since: number
    readonly countMin: number
    readonly limit: number
  },
): Promise<RefusalGroup[]> {
  const rows = await db
    .selectFrom('refusal as r')
    .innerJoin('device as d', 'd.id', 'r.deviceId')
    .select('r.deviceId')
    .select(({ fn }) => [
      fn.countAll<number | string>().as('count'),
      fn.min('r.receivedAt').as('firstAt'),
      fn.max('r.receivedAt').as('lastAt'),
    ])
    .where('r.receivedAt', '>=', query.since)
    .where('r.code', 'in', query.codes)
    .where('d.disabledAt', 'is', null)
    .groupBy('r.deviceId')
    .having(({ fn }) => fn.countAll(), '>=', query.countMin)
    .orderBy('r.deviceId')
    .limit(query.limit)
    .execute()
  return rows.map(({ deviceId, count, firstAt, lastAt }) => ({
    deviceId,
    count: Number(count),
    firstAt: Number(firstAt),
    lastAt: Number(lastAt),
  }))
}

/** When a packet of a device was last refused, for one of these reasons or for any; 0: never. */
export async function findLastRefusal(
  db: DbOrTrx,
  deviceId: string,
  codes?: readonly string[],
): Promise<number> {
  const row = await db
    .selectFrom('refusal')
    .select('receivedAt')
    .where('deviceId', '=', deviceId)
    .$if(codes !== undefined, (q) => q.where('code', 'in', codes ?? []))
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.receivedAt ?? 0
}

/** Devices whose clock is steadily off. */
export async function listWrongClocks(
  db: DbOrTrx,
  limit: number,
): Promise<{ readonly deviceId: string; readonly arrivedAt: number; readonly clockOffMs: number | null }[]> {
  return db
    .selectFrom('deviceWatch')
    .select(['deviceId', 'arrivedAt', 'clockOffMs'])
    .where('clockOffMs', 'is not', null)
    .orderBy('deviceId')
    .limit(limit)
    .execute()
}

/** Lets one watcher at a time say something of a device. First thing in a transaction. */
export async function lockDevice(trx: DbOrTrx, deviceId: string): Promise<void> {
  await trx
    .updateTable('device')
    .set(({ ref }) => ({ name: ref('name') }))
    .where('id', '=', deviceId)
    .execute()
}

/** The open breaches of a rule, in the order of their ids, from beyond `after`. */
export async function listOpenOfRule(
  db: DbOrTrx,
  ruleId: string,
  after: string,
  limit: number,
): Promise<BreachTable[]> {
  return db
    .selectFrom('breach')
    .selectAll()
    .where('ruleId', '=', ruleId)
    .where('state', '=', 'open')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** The open breach of a device by a rule. */
export async function findOpenOf(
  db: DbOrTrx,
  deviceId: string,
  ruleId: string,
): Promise<BreachTable | undefined> {
  return db
    .selectFrom('breach')
    .selectAll()
    .where('deviceId', '=', deviceId)
    .where('ruleId', '=', ruleId)
    .where('state', '=', 'open')
    .executeTakeFirst()
}
