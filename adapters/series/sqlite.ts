import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError } from '../../domain/errors.ts'
import type { Reading } from '../../domain/reading.ts'
import type { Series } from '../../ports/series.ts'
import { startRemote, type Remote } from '../sqlite/worker.ts'
import { buffersOf, pack, unpack } from './sqlite-pack.ts'
import type { ReadOperations, SeriesWorkerData, WriteOperations } from './sqlite-worker.ts'

export interface SqliteSeriesOptions {
  /** Path of the SQLite file; created when missing. */
  readonly file: string
  /** Readings in one transaction; writes above it go into the next. */
  readonly commitReadingsMax?: number
  /**
   * Transactions begin at least this far apart; a write after a pause goes at once. Readings of a fleet lie in as many pages as there are
   * sensors, and a page is written once per transaction: few large transactions cost half of what many small ones do.
   */
  readonly commitEveryMs?: number
  /** Buckets that one `aggregate` may answer; above it is refused. */
  readonly bucketsMax?: number
}

interface PendingWrite {
  readonly readings: readonly Reading[]
  resolve(): void
  reject(error: unknown): void
}

interface Writer {
  pending: PendingWrite[]
  /** Settles when nothing is pending any more; undefined while nothing is. */
  running: Promise<void> | undefined
  /** Ends the pause before the next transaction. */
  readonly hurry: AbortController
  beganAt: number
  readonly commitReadingsMax: number
  readonly commitEveryMs: number
  readonly remote: Remote<WriteOperations>
}

/**
 * Opens the time-series store of one process on an SQLite file (WAL, `synchronous=FULL`). Writes and reads run in a thread each.
 * @throws when the file cannot be opened
 */
export async function openSqliteSeries(options: SqliteSeriesOptions): Promise<Series> {
  const { file, commitReadingsMax = 20_000, commitEveryMs = 100, bucketsMax = 100_000 } = options
  const start = (role: SeriesWorkerData['role']) =>
    [new URL('./sqlite-worker.ts', import.meta.url), { file, role } satisfies SeriesWorkerData] as const
  const remote = startRemote<WriteOperations>(...start('write'))
  // The writer makes the file, so the reader comes after it.
  await remote.call('open', undefined)
  const reader = startRemote<ReadOperations>(...start('read'))
  await reader.call('open', undefined)
  const writer: Writer = {
    pending: [],
    running: undefined,
    hurry: new AbortController(),
    beganAt: -Infinity,
    commitReadingsMax,
    commitEveryMs,
    remote,
  }
  return {
    write: (readings) => write(writer, readings),
    async read({ deviceId, sensor, from, to, limit, order }) {
      const bounded = Math.max(0, Math.trunc(limit))
      return unpack(await reader.call('read', { deviceId, sensor, from, to, limit: bounded, order }))
    },
    async readTails(sensors, from, readingsMax) {
      const tails: Reading[][] = []
      let left = readingsMax
      for (const { deviceId, sensor } of sensors) {
        const query = { deviceId, sensor, from, to: Number.MAX_SAFE_INTEGER, limit: left + 1 }
        const tail = unpack(await reader.call('read', { ...query, order: 'ascending' }))
        left -= tail.length
        if (left < 0) return undefined
        tails.push(tail)
      }
      return tails
    },
    async aggregate({ deviceId, sensor, quantity, from, to, everyMs }) {
      if (!(Number.isSafeInteger(everyMs) && everyMs > 0)) throw new Error(`everyMs is ${everyMs}`)
      const query = { deviceId, sensor, quantity, from, to, everyMs, bucketsMax: bucketsMax + 1 }
      const buckets = await reader.call('aggregate', query)
      if (buckets.length > bucketsMax)
        throw new CodedError('request.invalid', `more than ${bucketsMax} intervals; take longer ones`)
      return buckets
    },
    latest: async (deviceId) => unpack(await reader.call('latest', deviceId)),
    async ping() {
      await Promise.all([remote.call('open', undefined), reader.call('ping', undefined)])
    },
    async close() {
      writer.hurry.abort()
      await writer.running
      // The writer last: the last connection to close folds the log into the file.
      await reader.close()
      await remote.close()
    },
  }
}

async function write(writer: Writer, readings: readonly Reading[]): Promise<void> {
  // One bad number would fail the commit of everyone else in it.
  const wrong = readings.find((reading) => !Number.isSafeInteger(reading.time))
  if (wrong) throw new Error(`the time of a reading is no epoch time: ${wrong.time}`)
  if (readings.length === 0) return
  await new Promise<void>((resolve, reject) => {
    writer.pending.push({ readings, resolve, reject })
    writer.running ??= commitAll(writer)
  })
}

/** What came while the last transaction was in flight goes into the next. */
async function commitAll(writer: Writer): Promise<void> {
  // Writes of the same turn share the first transaction too.
  await undefined
  while (writer.pending.length > 0) {
    await pause(writer)
    writer.beganAt = performance.now()
    const writes = takeWrites(writer)
    try {
      const packed = pack(writes.flatMap(({ readings }) => readings))
      await writer.remote.call('write', packed, buffersOf(packed))
      for (const { resolve } of writes) resolve()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const error = new CodedError('service.unavailable', `the series store cannot write: ${reason}`, {
        cause,
      })
      for (const { reject } of writes) reject(error)
    }
  }
  writer.running = undefined
}

async function pause({ pending, hurry, beganAt, commitReadingsMax, commitEveryMs }: Writer): Promise<void> {
  const leftMs = beganAt + commitEveryMs - performance.now()
  const readings = pending.reduce((sum, one) => sum + one.readings.length, 0)
  if (leftMs <= 0 || readings >= commitReadingsMax || hurry.signal.aborted) return
  await sleep(leftMs, undefined, { signal: hurry.signal }).catch(() => {})
}

function takeWrites(writer: Writer): PendingWrite[] {
  let readings = 0
  const end = writer.pending.findIndex((pending, index) => {
    readings += pending.readings.length
    return index > 0 && readings > writer.commitReadingsMax
  })
  return writer.pending.splice(0, end === -1 ? Infinity : end)
}
