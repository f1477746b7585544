import type { Logger } from 'pino'
import type { Metrics } from '../../ports/metrics.ts'
import { QUEUES, type Queue, type QueueName } from '../../ports/queue.ts'
import { startRemote } from '../sqlite/worker.ts'
import type { Admission } from './embedded-admission.ts'
import { addPublication, createCommitter, unavailable, type CommitterLimits } from './embedded-committer.ts'
import { startConsumer } from './embedded-consumer.ts'
import {
  close,
  committed,
  deskOf,
  died,
  learn,
  publish,
  recovered,
  type EmbeddedState,
} from './embedded-flow.ts'
import { createLane, type Lane } from './embedded-lane.ts'
import { discardParked, findParked, listParked, replayParked } from './embedded-parked.ts'
import type { QueueOperations, QueueWorkerData } from './embedded-worker.ts'

export interface EmbeddedQueueLimits extends CommitterLimits {
  /** Per queue, on disk, parked ones aside: at the limit publish waits. */
  readonly bytesMax: number
  /** Per queue: what is parked. At the limit a batch is tried again instead of parked, so that nothing is lost. */
  readonly parkedBytesMax: number
  /** Per queue, in memory: as bytes of JSON; the objects take two to three times that. */
  readonly windowBytesMax: number
  /** Tries before a batch is parked. */
  readonly triesMax: number
  /** Back-off before the first retry; doubles each time. */
  readonly retryDelayMs: number
  readonly retryDelayMsMax: number
  /** Size of the file in pages of 8 KiB, above which commits fail; undefined: what the disk holds. */
  readonly pagesMax: number | undefined
}

export const EMBEDDED_QUEUE_LIMITS: EmbeddedQueueLimits = {
  bytesMax: 1024 ** 3,
  parkedBytesMax: 1024 ** 3,
  windowBytesMax: 32 * 1024 ** 2,
  triesMax: 10,
  retryDelayMs: 100,
  retryDelayMsMax: 30_000,
  commitBytesMax: 8 * 1024 ** 2,
  verdictDelayMs: 10,
  verdictsMax: 500,
  recoveryDelayMs: 1000,
  pagesMax: undefined,
}

export interface EmbeddedQueueOptions {
  /** Path of the SQLite file; created when missing. One process at a time can have it open. */
  readonly file: string
  /** Those left out have the defaults of `EMBEDDED_QUEUE_LIMITS`. */
  readonly limits?: Partial<EmbeddedQueueLimits>
  readonly metrics: Metrics
  readonly log?: Pick<Logger, 'error' | 'warn' | 'info'>
}

export interface EmbeddedQueue extends Queue {
  /** Undefined while it can keep batches, else why not, in a sentence. */
  ready(): string | undefined
  /** Commits so far. */
  commits(): number
  /** Bytes of JSON that a queue holds in memory now; at most `windowBytesMax`, or one batch. */
  windowBytes(queue: QueueName): number
}

/**
 * Opens the durable queue of one process, on an SQLite file (WAL, `synchronous=FULL`); everything unfinished in it is delivered again.
 * @throws when the file cannot be opened, or another process has it
 */
export async function openEmbeddedQueue(options: EmbeddedQueueOptions): Promise<EmbeddedQueue> {
  const limits = { ...EMBEDDED_QUEUE_LIMITS, ...options.limits }
  let state: EmbeddedState | undefined
  const remote = startRemote<QueueOperations>(
    new URL('./embedded-worker.ts', import.meta.url),
    { file: options.file, pagesMax: limits.pagesMax } satisfies QueueWorkerData,
    (error) => state && died(state, error),
  )
  const { lastId, totals, facts } = await remote.call('open', undefined)
  const lanes = Object.fromEntries(
    QUEUES.map((queue) => [queue, createLane(queue, totals[queue], facts[queue])]),
  ) as { [Q in QueueName]: Lane }
  const committer = createCommitter(remote, lastId, limits, {
    committed: (publications, rulings, all) => state && committed(state, publications, rulings, all),
    failed: (error) => options.log?.error({ err: error }, 'queue: a commit failed'),
    recovered: () => state && recovered(state),
  })
  const admission: Admission = {
    waiting: [],
    bytesMax: limits.bytesMax,
    enter: (publication) => addPublication(committer, publication),
  }
  const { metrics, log } = options
  state = { limits, metrics, log, remote, lanes, committer, admission, phase: 'open' }
  for (const queue of QUEUES) learn(state, lanes[queue], facts[queue])
  return queueOf(state)
}

function queueOf(state: EmbeddedState): EmbeddedQueue {
  const { lanes, committer, remote } = state
  const desk = deskOf(state)
  const stops = new Set<() => Promise<void>>()
  let closing: Promise<void> | undefined
  return {
    publish: (batch, to) => publish(state, batch, to),
    consume(queue, handler, { deliveriesMax }) {
      if (state.phase !== 'open') throw new Error('the queue is closed')
      if (!(deliveriesMax >= 1)) throw new Error(`deliveriesMax must be at least 1, not ${deliveriesMax}`)
      const consumer = startConsumer(lanes[queue], handler, deliveriesMax, desk)
      stops.add(consumer.stop)
      return { stop: () => consumer.stop().finally(() => stops.delete(consumer.stop)) }
    },
    pendingSince: (queue) => lanes[queue].oldestAcceptedAt,
    depth(queue) {
      const { batches, bytes, parked, oldestAcceptedAt } = lanes[queue]
      return { batches, bytes, parked, oldestAcceptedAt }
    },
    state(queue) {
      const { batches, bytes, parked, consumers, oldestAcceptedAt, in: entering, out } = lanes[queue]
      const rates = { inPerSecond: entering.perSecond(), outPerSecond: out.perSecond() }
      return { batches, bytes, parked, consumers, oldestAcceptedAt, ...rates }
    },
    parked: (queue, query) => listParked(state, queue, query),
    findParked: (id) => findParked(state, id),
    replay: (id) => replayParked(state, id),
    discard: (id) => discardParked(state, id),
    close: () => (closing ??= close(state, stops)),
    ready: () => (remote.death() ? unavailable(remote.death()) : committer.failure)?.message,
    commits: () => committer.commits,
    windowBytes: (queue) => lanes[queue].windowBytes,
  }
}
