/** Bounds of the queue on RabbitMQ. Those that are arguments of queues there (marked) hold from the first declaration on. */
export interface RabbitQueueLimits {
  /** Into how many queues `judge` and `rejudge` are each split. The same in every process; changed only while they are empty. */
  readonly partitions: number
  /** Ready bytes of each of the three queues at which publish begins to wait (an argument of the queues; partitions share it evenly). */
  readonly bytesMax: number
  /** Bytes of parked batches of each queue; without room a failing batch is tried on (an argument of the queues). */
  readonly parkedBytesMax: number
  /** Deliveries of one batch that ended without a verdict, such as a crash of the process, before it is parked (an argument of the queues). */
  readonly deliveriesMax: number
  /** Bytes handed to publish and not confirmed. More than that wait; a batch larger than this goes alone. */
  readonly inFlightBytesMax: number
  /** How long publish waits for RabbitMQ to answer at all, through reconnects, before it rejects. */
  readonly publishTimeoutMs: number
  /** How long opening waits for the first connection. */
  readonly openTimeoutMs: number
  /** How long closing waits for RabbitMQ, after the handlers have finished. */
  readonly closeTimeoutMs: number
  /** Tries of a batch before it is parked. */
  readonly triesMax: number
  /** The first back-off of a failed batch; it doubles with each try. */
  readonly retryDelayMs: number
  readonly retryDelayMsMax: number
  /** Waiting time between two attempts to connect, at least and at most; it doubles in between. */
  readonly reconnectDelayMs: number
  readonly reconnectDelayMsMax: number
  /** Either side takes the other for dead after twice that much silence. */
  readonly heartbeatS: number
  /** How often the lengths of the queues are asked for. */
  readonly pollMs: number
  /** How often a process says that it is there; it is gone after `beatsMissedMax`. */
  readonly beatMs: number
  readonly beatsMissedMax: number
  /** By how much the clocks of the machines may differ. */
  readonly clockMarginMs: number
  /** Parked batches that are looked through for the one to be replayed or discarded. */
  readonly parkedScanMax: number
}

export const RABBIT_QUEUE_LIMITS: RabbitQueueLimits = {
  partitions: 8,
  bytesMax: 1024 ** 3,
  parkedBytesMax: 1024 ** 3,
  deliveriesMax: 200,
  inFlightBytesMax: 64 * 1024 ** 2,
  publishTimeoutMs: 20_000,
  openTimeoutMs: 60_000,
  closeTimeoutMs: 3000,
  triesMax: 10,
  retryDelayMs: 100,
  retryDelayMsMax: 30_000,
  reconnectDelayMs: 100,
  reconnectDelayMsMax: 5000,
  heartbeatS: 5,
  pollMs: 500,
  beatMs: 1000,
  beatsMissedMax: 5,
  clockMarginMs: 2000,
  parkedScanMax: 10_000,
}
