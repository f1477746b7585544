import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { QUEUES, type QueueName } from '../../ports/queue.ts'
import { serve } from '../sqlite/worker.ts'

export interface QueueWorkerData {
  readonly file: string
  /** Size of the file in pages; above it commits fail with SQLITE_FULL. Undefined: what the disk holds. */
  readonly pagesMax: number | undefined
}

export interface Insert {
  readonly id: number
  readonly queues: readonly QueueName[]
  readonly acceptedAt: number
  readonly bytes: number
  readonly body: string
}

/** What becomes of a delivery; `retry` again after `delayMs`. */
export interface Ruling {
  readonly kind: 'done' | 'retry' | 'park'
  readonly queue: QueueName
  readonly id: number
  readonly delayMs: number
  readonly error: string
}

export interface StoredBatch {
  readonly id: number
  readonly attempts: number
  readonly bytes: number
  readonly body: string
}

export interface StoredParked extends StoredBatch {
  readonly parkedAt: number
  readonly error: string
}

/** What only the disk knows of a queue, sent along with every answer that may have changed it. */
export interface Facts {
  readonly oldestAcceptedAt: number | undefined
  /** Until the next retry is due; undefined when there is none. */
  readonly retryInMs: number | undefined
}
export type AllFacts = { readonly [Q in QueueName]: Facts }

export interface Totals {
  readonly batches: number
  readonly bytes: number
  readonly parked: number
  readonly parkedBytes: number
}

// Large pages keep a batch of tens of kilobytes in a few pages; a large log means that most batches are gone before they would be copied.
const PAGE_BYTES = 8192
const LOG_PAGES_MAX = 4096

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS delivery (
    queue TEXT NOT NULL,
    message INTEGER NOT NULL,
    acceptedAt INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Milliseconds since this process opened the file; 0 when it never was retried.
    availableAt INTEGER NOT NULL DEFAULT 0,
    parkedAt INTEGER,
    error TEXT,
    PRIMARY KEY (queue, message)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS deliveryPending ON delivery (queue, acceptedAt) WHERE parkedAt IS NULL;
  CREATE INDEX IF NOT EXISTS deliveryRetry ON delivery (queue, availableAt, message) WHERE availableAt > 0;
  CREATE INDEX IF NOT EXISTS deliveryParked ON delivery (queue, message) WHERE parkedAt IS NOT NULL;
  UPDATE delivery SET availableAt = 0 WHERE availableAt > 0;`

function openFile({ file, pagesMax }: QueueWorkerData): DatabaseSync {
  // Exclusive: two processes on one file would deliver everything twice; the second fails here instead.
  const db = new DatabaseSync(file, { timeout: 0 })
  db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${LOG_PAGES_MAX};
    PRAGMA journal_size_limit = ${PAGE_BYTES * LOG_PAGES_MAX}; PRAGMA cache_size = -8192`)
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}; COMMIT`)
  if (pagesMax !== undefined) db.exec(`PRAGMA max_page_count = ${pagesMax}`)
  return db
}

const queueList = QUEUES.map((queue) => `'${queue}'`).join(', ')

function prepare(db: DatabaseSync) {
  const stored = `SELECT d.message AS id, d.attempts, d.bytes, m.body, d.availableAt, d.parkedAt, d.error
    FROM delivery d JOIN message m ON m.id = d.message`
  return {
    insertMessage: db.prepare('INSERT INTO message (id, body) VALUES (?, ?)'),
    insertDelivery: db.prepare(
      'INSERT INTO delivery (queue, message, acceptedAt, bytes) VALUES (?, ?, ?, ?)',
    ),
    finish: db.prepare('DELETE FROM delivery WHERE queue = ? AND message = ?'),
    forget: db.prepare(`DELETE FROM message WHERE id = ?1
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = ?1 AND queue IN (${queueList}))`),
    retry: db.prepare(`UPDATE delivery SET attempts = attempts + 1, availableAt = ?, error = ?
      WHERE queue = ? AND message = ?`),
    park: db.prepare(`UPDATE delivery SET attempts = attempts + 1, availableAt = 0, parkedAt = ?, error = ?
      WHERE queue = ? AND message = ?`),
    replay: db.prepare(`UPDATE delivery SET attempts = 0, availableAt = ?, parkedAt = NULL, error = NULL
      WHERE queue = ? AND message = ? AND parkedAt IS NOT NULL`),
    // What is there already stays as it is: it will be judged.
    rejudge: db.prepare(`INSERT INTO delivery (queue, message, acceptedAt, bytes, availableAt)
      SELECT 'rejudge', message, acceptedAt, bytes, ? FROM delivery WHERE queue = 'store' AND message = ?
      ON CONFLICT DO NOTHING`),
    findParked: db.prepare(`${stored} WHERE d.queue = ? AND d.message = ? AND d.parkedAt IS NOT NULL`),
    oldest: db.prepare('SELECT min(acceptedAt) AS at FROM delivery WHERE queue = ? AND parkedAt IS NULL'),
    nextRetry: db.prepare(`SELECT availableAt AS at FROM delivery
      WHERE queue = ? AND availableAt > 0 AND (availableAt, message) > (?, ?) ORDER BY availableAt, message LIMIT 1`),
    fresh: db.prepare(
      `${stored} WHERE d.queue = ? AND d.message > ? AND d.availableAt = 0 AND d.parkedAt IS NULL ORDER BY d.message`,
    ),
    retried: db.prepare(`${stored} WHERE d.queue = ? AND d.availableAt > 0
      AND (d.availableAt, d.message) > (?, ?) AND d.availableAt <= ? ORDER BY d.availableAt, d.message`),
    parked: db.prepare(`${stored} WHERE d.queue = ? AND d.parkedAt IS NOT NULL AND d.message > ?
      ORDER BY d.message LIMIT ?`),
    totals:
      db.prepare(`SELECT count(*) AS batches, coalesce(sum(bytes), 0) AS bytes, count(parkedAt) AS parked,
      coalesce(sum(CASE WHEN parkedAt IS NOT NULL THEN bytes END), 0) AS parkedBytes FROM delivery WHERE queue = ?`),
    lastId: db.prepare("SELECT coalesce(max(seq), 0) AS id FROM sqlite_sequence WHERE name = 'message'"),
  }
}

/** Of the run of this thread: a wall clock that is set back would hold up retries. */
function nowMs(): number {
  return Math.floor(performance.now())
}

function operations(db: DatabaseSync) {
  const sql = prepare(db)
  // Retries are read in the order of (availableAt, message), each once: a new one is always later than what was read,
  // because this thread alone sets and reads these times.
  const retriesRead = new Map<QueueName, readonly [number, number]>()
  const facts = (queue: QueueName): Facts => {
    const retry = sql.nextRetry.get(queue, ...(retriesRead.get(queue) ?? [0, 0]))
    return {
      oldestAcceptedAt: (sql.oldest.get(queue)?.at as number | null) ?? undefined,
      retryInMs: retry && Math.max(0, Number(retry.at) - nowMs()),
    }
  }
  const allFacts = () =>
    Object.fromEntries(QUEUES.map((queue) => [queue, facts(queue)])) as unknown as AllFacts
  const finish = (queue: QueueName, id: number) => {
    sql.finish.run(queue, id)
    sql.forget.run(id)
  }
  const rule = (ruling: Ruling) => {
    const { kind, queue, id, delayMs, error } = ruling
    if (kind === 'done') finish(queue, id)
    else if (kind === 'park') sql.park.run(Date.now(), error, queue, id)
    else sql.retry.run(nowMs() + Math.max(1, delayMs), error, queue, id)
  }
  const insert = ({ id, queues, acceptedAt, bytes, body }: Insert) => {
    sql.insertMessage.run(id, body)
    for (const queue of queues) sql.insertDelivery.run(queue, id, acceptedAt, bytes)
  }
  return {
    open() {
      const totals = QUEUES.map((queue) => [queue, totalsOf(sql.totals.get(queue))])
      return {
        lastId: Number(sql.lastId.get()?.id),
        totals: Object.fromEntries(totals) as { [Q in QueueName]: Totals },
        facts: allFacts(),
      }
    },
    commit({ inserts, rulings }: { inserts: readonly Insert[]; rulings: readonly Ruling[] }) {
      transaction(db, () => {
        for (const ruling of rulings) rule(ruling)
        for (const one of inserts) insert(one)
      })
      return allFacts()
    },
    read({ queue, after, bytesMax }: { queue: QueueName; after: number; bytesMax: number }) {
      const [availableAt, id] = retriesRead.get(queue) ?? [0, 0]
      const due = sql.retried.iterate(queue, availableAt, id, nowMs())
      // At most half for the retries, so that they cannot keep what is new waiting, nor the other way round.
      const retried = upTo(due, bytesMax / 2)
      const last = retried.at(-1)
      if (last) retriesRead.set(queue, [Number(last.availableAt), Number(last.id)])
      const fresh = upTo(sql.fresh.iterate(queue, after), bytesMax - bytesOf(retried))
      return { retried: retried.map(storedBatch), fresh: fresh.map(storedBatch), facts: facts(queue) }
    },
    ...parkedOperations(db, sql, allFacts, finish),
  }
}

function parkedOperations(
  db: DatabaseSync,
  sql: ReturnType<typeof prepare>,
  allFacts: () => AllFacts,
  finish: (queue: QueueName, id: number) => void,
) {
  const bytesOfParked = (queue: QueueName, id: number) =>
    sql.findParked.get(queue, id)?.bytes as number | undefined
  return {
    parked: ({ queue, after, limit }: { queue: QueueName; after: number; limit: number }): StoredParked[] =>
      sql.parked.all(queue, after, limit).map(storedParked),
    findParked({ queue, id }: { queue: QueueName; id: number }): StoredParked | undefined {
      const row = sql.findParked.get(queue, id)
      return row && storedParked(row)
    },
    /** @returns bytes of what was put back, undefined when there is nothing parked under this id; and whether it went to `rejudge` too */
    replay({ queue, id }: { queue: QueueName; id: number }) {
      const bytes = bytesOfParked(queue, id)
      let rejudged = false
      if (bytes !== undefined)
        transaction(db, () => {
          sql.replay.run(nowMs() + 1, queue, id)
          if (queue === 'store') rejudged = sql.rejudge.run(nowMs() + 1, id).changes > 0
        })
      return { bytes, rejudged, facts: allFacts() }
    },
    discard({ queue, id }: { queue: QueueName; id: number }) {
      const bytes = bytesOfParked(queue, id)
      if (bytes !== undefined) transaction(db, () => finish(queue, id))
      return { bytes, facts: allFacts() }
    },
  }
}

export type QueueOperations = ReturnType<typeof operations>

type Row = Record<string, unknown>

/** The first rows whose bodies stay within the bound, and always the first one. */
function upTo(rows: Iterable<Row>, bytesMax: number): Row[] {
  const taken: Row[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += Number(row.bytes)
    if (taken.length > 0 && bytes > bytesMax) break
    taken.push(row)
  }
  return taken
}

function bytesOf(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + Number(row.bytes), 0)
}

function storedBatch(row: Row): StoredBatch {
  return {
    id: Number(row.id),
    attempts: Number(row.attempts),
    bytes: Number(row.bytes),
    body: String(row.body),
  }
}

function storedParked(row: Row): StoredParked {
  return { ...storedBatch(row), parkedAt: Number(row.parkedAt), error: String(row.error) }
}

function totalsOf(row: Row | undefined): Totals {
  const parked = Number(row?.parked)
  const parkedBytes = Number(row?.parkedBytes)
  return {
    batches: Number(row?.batches) - parked,
    bytes: Number(row?.bytes) - parkedBytes,
    parked,
    parkedBytes,
  }
}

function transaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

const db = openFile(workerData as QueueWorkerData)
serve(operations(db), () => db.close())
