import type { Logger } from 'pino'
import type { Series } from '../../ports/series.ts'
import { aggregateSamples } from './victoriametrics-aggregate.ts'
import { createFlusher } from './victoriametrics-flush.ts'
import { createGate, requestText, serverAt } from './victoriametrics-http.ts'
import { readLatest, readRange, readTails } from './victoriametrics-read.ts'
import { createWriter } from './victoriametrics-write.ts'

interface VictoriaMetricsOptions {
  /**
   * Of a single-node server, such as `http://user:password@host:8428`. It must keep everything: `-retentionPeriod=100y`, and no
   * `-dedup.minScrapeInterval`. `-snapshotsMaxAge=1d` clears away what a crash leaves behind.
   */
  readonly url: string
  readonly log?: Pick<Logger, 'warn'>
  /** One request to the server; a write is a few of them. */
  readonly timeoutMs?: number
  /** Readings in one request; larger writes are divided. */
  readonly batchReadingsMax?: number
  /** Write requests, and reads, under way at once; more wait. */
  readonly requestsMax?: number
  /** Flushes to disk begin at least this far apart. A write takes two of them. */
  readonly flushEveryMs?: number
  /** Samples that one `read` holds beyond what it answers. */
  readonly windowSamplesMax?: number
  /** Buckets that one `aggregate` may answer, and samples that it may go through; above it is refused. */
  readonly bucketsMax?: number
  readonly aggregateSamplesMax?: number
  /** Sensors that one `latest` answers. */
  readonly sensorsMax?: number
}

/**
 * Opens the time-series store on a VictoriaMetrics server. Resolves when it answers.
 * What `write` has resolved is on the server's disk, and so is seen by every process that reads.
 * A value keeps its first twelve significant digits.
 * @throws CodedError `service.unavailable` when it does not answer; a plain Error when it is no such server or the password is wrong
 */
export async function openVictoriaMetricsSeries(options: VictoriaMetricsOptions): Promise<Series> {
  const { url, log, timeoutMs = 30_000, batchReadingsMax = 10_000, requestsMax = 4 } = options
  const { flushEveryMs = 500, windowSamplesMax = 200_000, sensorsMax = 1000 } = options
  const { bucketsMax = 100_000, aggregateSamplesMax = 10_000_000 } = options
  const server = serverAt(url, timeoutMs)
  const flusher = createFlusher(server, flushEveryMs, log)
  const writer = createWriter({ server, flusher, batchReadingsMax, requestsMax })
  const gate = createGate(requestsMax)
  // Metrics need no password, snapshots do.
  await Promise.all([flusher.startedAt(), requestText(server, '/snapshot/list')])
  return {
    write: (readings) => writer.write(readings),
    read: (query) => gate(() => readRange(server, query, windowSamplesMax)),
    // A reading is a sample for each of its quantities; the limit is one of memory.
    readTails: (sensors, from, readingsMax) => gate(() => readTails(server, sensors, from, 2 * readingsMax)),
    aggregate: (query) =>
      gate(() => aggregateSamples(server, query, { bucketsMax, samplesMax: aggregateSamplesMax })),
    latest: (deviceId) => gate(() => readLatest(server, deviceId, sensorsMax)),
    async ping() {
      await requestText(server, '/health')
    },
    close: () => writer.close(),
  }
}
