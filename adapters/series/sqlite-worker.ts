import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { QUANTITY_NAMES, type Quantity, type SensorKey } from '../../domain/reading.ts'
import type { Bucket, RangeQuery } from '../../ports/series.ts'
import { serve } from '../sqlite/worker.ts'
import { bitsOf, type Packed } from './sqlite-pack.ts'

export interface SeriesWorkerData {
  readonly file: string
  /** `write` is one connection for all writes; `read` another, so that a long read never holds up a write. */
  readonly role: 'write' | 'read'
}

export interface AggregateQuery extends SensorKey {
  readonly quantity: Quantity
  readonly from: number
  readonly to: number
  readonly everyMs: number
  readonly bucketsMax: number
}

const LOG_PAGES_MAX = 4096
const CACHE_KIB = 8192
const STREAMS_REMEMBERED_MAX = 100_000
const STATEMENTS_REMEMBERED_MAX = 200

const columns = QUANTITY_NAMES.map((quantity) => `"${quantity}"`)

function openForWriting(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5000 })
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${LOG_PAGES_MAX}; PRAGMA journal_size_limit = ${4096 * LOG_PAGES_MAX}`)
  db.exec(`
    CREATE TABLE IF NOT EXISTS stream (
      id INTEGER PRIMARY KEY,
      deviceId TEXT NOT NULL,
      sensor TEXT NOT NULL,
      UNIQUE (deviceId, sensor)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS reading (
      stream INTEGER NOT NULL,
      time INTEGER NOT NULL,
      ${columns.map((column) => `${column} REAL`).join(', ')},
      PRIMARY KEY (stream, time)
    ) STRICT, WITHOUT ROWID`)
  const known = new Set(db.prepare("SELECT name FROM pragma_table_info('reading')").all().map(nameOf))
  for (const quantity of QUANTITY_NAMES)
    if (!known.has(quantity)) db.exec(`ALTER TABLE reading ADD COLUMN "${quantity}" REAL`)
  return db
}

function nameOf(row: Record<string, unknown>): unknown {
  return row.name
}

function openForReading(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  db.exec(`PRAGMA cache_size = -${CACHE_KIB / 2}`)
  return db
}

function writing(db: DatabaseSync) {
  const findStream = db.prepare('SELECT id FROM stream WHERE deviceId = ? AND sensor = ?')
  const addStream = db.prepare('INSERT INTO stream (deviceId, sensor) VALUES (?, ?)')
  const streams = new Map<string, number>()
  const upserts = new Map<number, StatementSync>()
  const streamId = (deviceId: string, sensor: string): number => {
    const key = `${deviceId.length}:${deviceId}${sensor}`
    const known = streams.get(key)
    if (known !== undefined) return known
    if (streams.size >= STREAMS_REMEMBERED_MAX) streams.clear()
    const found = findStream.get(deviceId, sensor)?.id ?? addStream.run(deviceId, sensor).lastInsertRowid
    streams.set(key, Number(found))
    return Number(found)
  }
  const upsert = (mask: number): StatementSync => {
    const known = upserts.get(mask)
    if (known) return known
    if (upserts.size >= STATEMENTS_REMEMBERED_MAX) upserts.clear()
    const statement = db.prepare(upsertSql(mask))
    upserts.set(mask, statement)
    return statement
  }
  const insertAll = (packed: Packed) => {
    const ids = packed.streams.flatMap((deviceId, index, all) =>
      index % 2 === 0 ? [streamId(deviceId, all[index + 1] ?? '')] : [],
    )
    let at = 0
    for (const [index, mask] of packed.mask.entries()) {
      const end = at + bitsOf(mask).length
      const values = packed.values.subarray(at, end)
      // A reading without any value says nothing.
      if (mask !== 0)
        upsert(mask).run(ids[packed.stream[index] ?? 0] ?? 0, packed.time[index] ?? 0, ...values)
      at = end
    }
  }
  return {
    open: () => true,
    write(packed: Packed) {
      db.exec('BEGIN IMMEDIATE')
      try {
        insertAll(packed)
        db.exec('COMMIT')
      } catch (error) {
        // Ids of streams that were just rolled back must not be used again.
        streams.clear()
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    },
  }
}

/** Inserts the quantities of the mask; of two values for the same moment the greater stays, and a repetition writes nothing. */
function upsertSql(mask: number): string {
  const present = bitsOf(mask).map((bit) => columns[bit])
  const set = present.map(
    (column) => `${column} = max(excluded.${column}, ifnull(reading.${column}, excluded.${column}))`,
  )
  const changes = present.map(
    (column) => `reading.${column} IS NULL OR excluded.${column} > reading.${column}`,
  )
  return `INSERT INTO reading (stream, time, ${present.join(', ')}) VALUES (?, ?${', ?'.repeat(present.length)})
    ON CONFLICT (stream, time) DO UPDATE SET ${set.join(', ')} WHERE ${changes.join(' OR ')}`
}

function reading(db: DatabaseSync) {
  const all = `time, ${columns.join(', ')}`
  const ofStream = 'stream = (SELECT id FROM stream WHERE deviceId = ? AND sensor = ?)'
  const range = (direction: 'ASC' | 'DESC') =>
    db.prepare(`SELECT ${all} FROM reading
      WHERE ${ofStream} AND time >= ? AND time < ? ORDER BY time ${direction} LIMIT ?`)
  const ranges = { ascending: range('ASC'), descending: range('DESC') }
  // The subquery is one seek to the end of the stream, however long the stream is.
  const newest = db.prepare(`SELECT s.sensor, ${all} FROM stream s CROSS JOIN reading r
    ON r.stream = s.id AND r.time = (SELECT max(time) FROM reading WHERE stream = s.id)
    WHERE s.deviceId = ? ORDER BY s.sensor`)
  const ping = db.prepare('SELECT 1 FROM stream LIMIT 1')
  for (const statement of [ranges.ascending, ranges.descending, newest]) statement.setReturnArrays(true)
  const aggregates = new Map<Quantity, StatementSync>()
  const aggregate = (quantity: Quantity): StatementSync => {
    const statement = aggregates.get(quantity) ?? db.prepare(aggregateSql(quantity))
    aggregates.set(quantity, statement)
    return statement
  }
  return {
    open: () => true,
    read({ deviceId, sensor, from, to, limit, order }: RangeQuery): Packed {
      const rows = ranges[order].iterate(deviceId, sensor, from, to, limit) as Iterable<unknown>
      return packRows(rows as Iterable<Cell[]>, [deviceId, sensor], 0)
    },
    latest(deviceId: string): Packed {
      const rows = newest.all(deviceId) as unknown as [string, ...Cell[]][]
      const streams = rows.flatMap(([sensor]) => [deviceId, sensor])
      return packRows(
        rows.map(([, ...cells]) => cells),
        streams,
        1,
      )
    },
    aggregate({ deviceId, sensor, quantity, from, to, everyMs, bucketsMax }: AggregateQuery) {
      const rows = aggregate(quantity).all({ deviceId, sensor, from, to, everyMs, bucketsMax })
      return rows.map((row) => ({ ...row })) as unknown as Bucket[]
    },
    ping: () => ping.get() !== null,
  }
}

/** Buckets begin at multiples of `everyMs`; `%` keeps the sign of the time, so before 1970 it is corrected. */
function aggregateSql(quantity: Quantity): string {
  const column = `"${quantity}"`
  return `
    WITH one AS (SELECT id FROM stream WHERE deviceId = :deviceId AND sensor = :sensor),
    bucket AS (
      SELECT time - ((time % :everyMs + :everyMs) % :everyMs) AS start, count(${column}) AS count,
        min(${column}) AS min, max(${column}) AS max, avg(${column}) AS mean, max(time) AS lastTime
      FROM reading
      WHERE stream = (SELECT id FROM one) AND time >= :from AND time < :to AND ${column} IS NOT NULL
      GROUP BY 1 ORDER BY 1 LIMIT :bucketsMax
    )
    SELECT start, count, min, max, mean, newest.${column} AS last
    FROM bucket JOIN reading newest ON newest.stream = (SELECT id FROM one) AND newest.time = lastTime
    ORDER BY start`
}

type Cell = number | null

/** @param streamStep 0 when all rows are of one stream, 1 when each is of its own */
function packRows(rows: Iterable<Cell[]>, streams: string[], streamStep: 0 | 1): Packed {
  const times: number[] = []
  const masks: number[] = []
  const values: number[] = []
  for (const [time, ...cells] of rows) {
    let mask = 0
    cells.forEach((value, bit) => {
      if (value === null) return
      mask |= 1 << bit
      values.push(value)
    })
    times.push(time ?? 0)
    masks.push(mask)
  }
  return {
    streams,
    stream: Uint32Array.from(times, (_, index) => index * streamStep),
    time: Float64Array.from(times),
    mask: Uint32Array.from(masks),
    values: Float64Array.from(values),
  }
}

export type WriteOperations = ReturnType<typeof writing>
export type ReadOperations = ReturnType<typeof reading>

const { file, role } = workerData as SeriesWorkerData
const db = role === 'write' ? openForWriting(file) : openForReading(file)
serve(role === 'write' ? writing(db) : reading(db), () => db.close())
