import type { Batch } from '../domain/batch.ts'

/**
 * `store`: every batch, to be written to the series store. `judge`: the same batches, to be judged as they come.
 * `rejudge`: readings that came out of order, to be judged again over the window they touch, once the store has caught up.
 */
export const QUEUES = ['store', 'judge', 'rejudge'] as const
export type QueueName = (typeof QUEUES)[number]

/** `done`: never deliver again. `retry`: deliver again after a back-off; parked after `triesMax`. `drop`: park now, it can never succeed. */
export type Verdict = 'done' | 'retry' | 'drop'

export interface Delivery {
  /**
   * Of `judge` and `rejudge` it may be a part of what was published, with the same id: all of the batch that is of some of its devices.
   * The deliveries of a device go to one process at a time.
   */
  readonly batch: Batch
  /** 1 the first time. */
  readonly attempt: number
}

export interface ConsumeOptions {
  /** At most this many batches in one call of the handler. Waiting batches are handed over together, without added delay. */
  readonly deliveriesMax: number
  /**
   * Called before a delivery when another process may have had deliveries of the same devices since the last one: what is remembered of those that
   * `isAffected` holds for may be out of date. May come while a handler of another consumer runs. Never called by a queue that one process has to itself.
   */
  readonly onGap?: (isAffected: (deviceId: string) => boolean) => void
}

/** A batch that failed too often, for an operator to read, replay or discard. */
export interface Parked {
  readonly id: string
  readonly queue: QueueName
  /** Undefined when what lies there is no batch: somebody else has published it. */
  readonly batch: Batch | undefined
  readonly bytes: number
  readonly attempts: number
  readonly parkedAt: number
  readonly error: string
}

export interface Depth {
  readonly batches: number
  readonly bytes: number
  readonly parked: number
  /** Of the oldest batch that is not finished, of a shared queue the oldest that this process has; undefined: there is none. */
  readonly oldestAcceptedAt: number | undefined
}

export interface ParkedQuery {
  readonly limit: number
  /** Id of the last one seen. */
  readonly after?: string | undefined
}

/** What an operator wants to know of a queue. */
export interface QueueState {
  /** Not finished, parked ones aside; of `judge` and `rejudge` parts of batches count where there are partitions. Bytes may be estimated. */
  readonly batches: number
  readonly bytes: number
  readonly parked: number
  /** How many take deliveries from it: of a shared queue, processes. */
  readonly consumers: number
  /** When the oldest that is not finished was accepted; of a shared queue as far as its consumers hold it. Undefined: there is none, or it is not known. */
  readonly oldestAcceptedAt: number | undefined
  /** Batches that came in and that left it (done or parked), on average over the last minute, or since this process looks. */
  readonly inPerSecond: number
  readonly outPerSecond: number
}

/** The durable hand-off between the parts. Its promises are held by `test/contracts/queue.ts`. */
export interface Queue {
  /**
   * Makes the batch durable for all of the queues named, in one commit. Resolves after that commit (survives a power cut).
   * Waits while any of the queues holds its limit of bytes (P5); rejects when it is closed or the medium fails. Then nothing was kept, but for a
   * medium behind a network, which may have kept it for some of the queues: it is to be published again.
   */
  publish(batch: Batch, to: readonly QueueName[]): Promise<void>
  /**
   * Calls the handler, one call at a time per consumer, in the order of publishing (retried batches later). The handler answers one verdict
   * per delivery; when it throws, all of them are retried. What has no verdict when the process dies is delivered again.
   */
  consume(
    queue: QueueName,
    handler: (deliveries: readonly Delivery[]) => Promise<readonly Verdict[]>,
    options: ConsumeOptions,
  ): Consumer
  /**
   * Everything published before this moment is finished (parked is finished): `acceptedAt` of the oldest batch that the queue has not finished, undefined
   * when it is empty. A queue that is shared by processes answers for all of them with a lower bound, and so never undefined: in good times the present less
   * a margin for the clocks of the machines, while anything is in doubt an earlier moment, at first 0.
   */
  pendingSince(queue: QueueName): number | undefined
  /** Of a shared queue: as of a moment ago, bytes estimated, deliveries with other processes left out. */
  depth(queue: QueueName): Depth
  /**
   * The same and more, for people; of a shared queue for all of its processes.
   * @throws CodedError `service.unavailable` when a shared queue has not answered for some seconds
   */
  state(queue: QueueName): QueueState
  /** Parked batches in an order that stays, page by page. Of a shared queue only the oldest some thousands are looked through. */
  parked(queue: QueueName, query: ParkedQuery): Promise<readonly Parked[]>
  findParked(id: string): Promise<Parked | undefined>
  /**
   * Puts a parked batch back with all of its tries. One of `store` goes to `rejudge` as well: while it was parked, windows were judged without it.
   * False when there is none of this id, or none that can be read.
   */
  replay(id: string): Promise<boolean>
  /** Deletes a parked batch for good. False when there is none of this id. */
  discard(id: string): Promise<boolean>
  /** Waits for running handlers, commits their verdicts, then closes. */
  close(): Promise<void>
}

export interface Consumer {
  /** Takes no more deliveries; resolves when the running handler has finished and its verdicts are kept. */
  stop(): Promise<void>
}
