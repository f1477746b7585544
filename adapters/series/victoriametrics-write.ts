import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { HttpError, InfluxDB } from '@influxdata/influxdb-client'
import type { Reading } from '../../domain/reading.ts'
import type { Flusher } from './victoriametrics-flush.ts'
import { createGate, failure, reasonOf, unavailable, type Server } from './victoriametrics-http.ts'
import { toLines } from './victoriametrics-lines.ts'

interface WriterOptions {
  readonly server: Server
  readonly flusher: Flusher
  /** Readings in one request. */
  readonly batchReadingsMax: number
  /** Requests under way at once; the lines of the others are not made yet. */
  readonly requestsMax: number
}

export interface Writer {
  write(readings: readonly Reading[]): Promise<void>
  /** Waits for the writes under way. */
  close(): Promise<void>
}

/** Writes through the Influx client; each batch fails or succeeds on its own, and nothing is kept for a second try. */
export function createWriter({ server, flusher, batchReadingsMax, requestsMax }: WriterOptions): Writer {
  const agent = new (server.url.startsWith('https:') ? HttpsAgent : HttpAgent)({ keepAlive: true })
  const gate = createGate(requestsMax)
  const underWay = new Set<Promise<void>>()
  let closed = false

  async function writeAll(readings: readonly Reading[]): Promise<void> {
    const startedAt = await flusher.startedAt()
    const sent = batches(readings, batchReadingsMax).map((batch) =>
      gate(() => send(server, agent, toLines(batch, Date.now()))),
    )
    // All of them, so that a refused batch does not leave others under way.
    const failures = (await Promise.allSettled(sent)).filter((result) => result.status === 'rejected')
    if (failures.length > 0) {
      flusher.forget()
      throw failures[0]?.reason
    }
    await flusher.durable(startedAt)
  }

  return {
    async write(readings) {
      if (closed) throw unavailable('it is closed')
      if (readings.length === 0) return
      const work = writeAll(readings)
      underWay.add(work)
      try {
        await work
      } finally {
        underWay.delete(work)
      }
    },
    async close() {
      closed = true
      await Promise.allSettled(underWay)
      await flusher.close()
      agent.destroy()
    },
  }
}

function batches(readings: readonly Reading[], size: number): (readonly Reading[])[] {
  if (readings.length <= size) return [readings]
  const count = Math.ceil(readings.length / size)
  return Array.from({ length: count }, (_, index) => readings.slice(index * size, (index + 1) * size))
}

/**
 * One batch, one WriteApi, to which it is one record: it would look at each of them. Its buffer must hold it until it is flushed: what the client sends
 * by itself when the buffer is full fails with no one told. With no retries there is nothing for its retry buffer to drop, and `writeFailed` hands us the error instead of its logger.
 */
async function send(server: Server, agent: HttpAgent, lines: string): Promise<void> {
  if (lines === '') return
  // The client's own time limit leaves the request behind, with its connection; a signal ends both.
  const signal = AbortSignal.timeout(server.timeoutMs)
  const client = new InfluxDB({
    url: server.url,
    headers: { ...server.headers },
    timeout: server.timeoutMs,
    transportOptions: { agent, signal },
  })
  const api = client.getWriteApi('coldstream', 'coldstream', 'ms', {
    batchSize: 2,
    maxBatchBytes: Infinity,
    flushInterval: 0,
    maxRetries: 0,
    maxBufferLines: 0,
    // Compressing costs both sides more than the network between them is worth.
    gzipThreshold: Infinity,
    writeFailed: async (error) => {
      throw error
    },
  })
  api.writeRecord(lines)
  try {
    await api.flush()
  } catch (error) {
    if (!(error instanceof HttpError)) throw unavailable(reasonOf(error), error)
    throw failure(error.statusCode, (error.body ?? error.message).slice(0, 300), error)
  }
}
