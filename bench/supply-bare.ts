import { randomUUIDv7 } from 'node:crypto'
import { createPool, type PoolConnection, type ResultSetHeader } from 'mysql2/promise'
import { drawEvent, serve, type Job, type Outcome } from './supply-work.ts'

// The same event as the API posts, in the statements that a hand needs for it, prepared, each in one round trip: a line is locked by taking
// from it, the number comes with the count, and there are no checks, no permissions and nobody to answer to.
async function run({ url, clients, seconds, size, userId }: Job): Promise<Outcome> {
  const pool = createPool({ uri: url, connectionLimit: clients, waitForConnections: true })
  const until = performance.now() + seconds * 1000
  const startedAt = performance.now()
  const latencies: number[] = []
  async function work(): Promise<void> {
    const connection = await pool.getConnection()
    await connection.query('set session transaction isolation level read committed')
    while (performance.now() < until) {
      const begunAt = performance.now()
      await post(connection, drawEvent(size), userId)
      latencies.push(performance.now() - begunAt)
    }
    connection.release()
  }
  await Promise.all(Array.from({ length: clients }, work))
  const elapsed = (performance.now() - startedAt) / 1000
  await pool.end()
  return { latencies, errors: 0, seconds: elapsed }
}

async function post(db: PoolConnection, drawn: ReturnType<typeof drawEvent>, userId: string): Promise<void> {
  const { facility, point, item, lot, kind, doses } = drawn
  const sign = kind === 'receive' ? 1 : -1
  const now = Date.now()
  const eventId = randomUUIDv7()
  await db.query('begin')
  await db.execute(
    'update stock_balance set doses = doses + ?, version = version + 1, last_occurred_at = greatest(last_occurred_at, ?), updated_at = ? where account_id = ? and lot_id = ? and vvm_stage = 0 and held = 0 and doses >= ?',
    [sign * doses, now, now, point, lot, -sign * doses],
  )
  const [rows] = await db.execute(
    'select doses, version from stock_balance where account_id = ? and lot_id = ? and vvm_stage = 0 and held = 0',
    [point, lot],
  )
  const line = (rows as { doses: number; version: number }[])[0]
  if (!line) throw new Error('no such line')
  const [counted] = await db.execute<ResultSetHeader>(
    'update counter set value = last_insert_id(value + 1) where name = ?',
    [facility],
  )
  const document = `${kind === 'receive' ? 'RCV' : 'CON'}-${String(counted.insertId).padStart(6, '0')}`
  await db.execute(
    'insert into stock_event (id, number, document_no, kind, facility_id, occurred_at, recorded_at, user_id, request_hash) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    [eventId, counted.insertId, document, kind, facility, now, now, userId, '0'.repeat(64)],
  )
  const other = kind === 'receive' ? 'supplier' : 'consumption'
  const entry = (number: number, account: string, id: string, change: number) =>
    [eventId, number, account, id, facility, item, lot, 0, 0, change] as const
  await db.execute(
    'insert into stock_entry (event_id, line, account_kind, account_id, facility_id, item_id, lot_id, vvm_stage, held, doses, opening, closing, version, occurred_at, recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    [
      ...entry(0, 'point', point, sign * doses),
      line.doses - sign * doses,
      line.doses,
      line.version,
      now,
      now,
      ...entry(1, other, facility, -sign * doses),
      null,
      null,
      null,
      now,
      now,
    ],
  )
  await db.execute(
    'insert into `change` (id, seq, entity, entity_id, facility_id, kind, at) values (?, null, ?, ?, ?, ?, ?)',
    [randomUUIDv7(), 'stockEvent', eventId, facility, 'put', now],
  )
  await db.query('commit')
}

serve(run)
