import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { CodedError } from '../../domain/errors.ts'
import type { Metrics } from '../../ports/metrics.ts'
import {
  QUEUES,
  type Consumer,
  type ConsumeOptions,
  type Depth,
  type Queue,
  type QueueName,
  type QueueState,
} from '../../ports/queue.ts'
import { serve, type ConsumerDesk } from './rabbitmq-consumer.ts'
import type { Counted } from './rabbitmq-counts.ts'
import { createInbox, wake, type Handler, type Inbox, type LocalConsumer } from './rabbitmq-inbox.ts'
import { RABBIT_QUEUE_LIMITS, type RabbitQueueLimits } from './rabbitmq-limits.ts'
import { openLinks, type Links } from './rabbitmq-links.ts'
import { discardParked, findParked, listParked, replayParked } from './rabbitmq-parked.ts'
import { createPublisher } from './rabbitmq-publish.ts'
import { partitionOf, topologyOf, type Topology } from './rabbitmq-topology.ts'

export { RABBIT_QUEUE_LIMITS, type RabbitQueueLimits } from './rabbitmq-limits.ts'

export interface RabbitQueueOptions {
  /** `amqp://user:password@host/vhost`, or `amqps:`; several nodes of a cluster separated by white space. */
  readonly url: string
  readonly metrics: Metrics
  readonly log?: Pick<Logger, 'error' | 'warn' | 'info'>
  /** Those left out have the defaults of `RABBIT_QUEUE_LIMITS`. */
  readonly limits?: Partial<RabbitQueueLimits>
  /** Opens also while RabbitMQ does not answer, for a process that can do other work without it. */
  readonly opensWithout?: boolean
  /** What the names of exchanges and queues begin with; `coldstream` unless given. */
  readonly prefix?: string
}

export interface RabbitQueue extends Queue {
  /** Undefined while RabbitMQ is connected and takes messages, else why not, in a sentence. */
  ready(): string | undefined
}

/** What the functions of the queue share. */
export interface RabbitState {
  readonly self: string
  readonly urls: readonly string[]
  readonly topology: Topology
  readonly limits: RabbitQueueLimits
  readonly metrics: Metrics
  readonly log: RabbitQueueOptions['log']
  readonly inboxes: { readonly [Q in QueueName]: Inbox }
  /** Exchanges and queues were there when we last looked. */
  declared: boolean
  /** The partitions that whoever judges must be told of before the next delivery. */
  readonly gaps: Set<number>
  /** With the moment, by the monotonic clock. */
  counted: (Counted & { readonly askedMs: number }) | undefined
  phase: 'open' | 'closing' | 'closed'
}

/**
 * Opens the queue that processes share, on quorum queues of RabbitMQ; makes what is missing there. Connections that are lost are made again for ever.
 * @throws CodedError `service.unavailable` when there is no connection within `openTimeoutMs`
 */
export async function openRabbitQueue(options: RabbitQueueOptions): Promise<RabbitQueue> {
  const { url, metrics, log, prefix = 'coldstream' } = options
  const limits = { ...RABBIT_QUEUE_LIMITS, ...options.limits }
  const state: RabbitState = {
    self: randomUUID(),
    urls: url.split(/\s+/).filter(Boolean),
    topology: topologyOf(prefix, limits.partitions),
    limits,
    metrics,
    log,
    inboxes: { store: createInbox('store'), judge: createInbox('judge'), rejudge: createInbox('rejudge') },
    declared: false,
    gaps: new Set(),
    counted: undefined,
    phase: 'open',
  }
  const links = openLinks(state)
  const failure = options.opensWithout ? undefined : await links.opened()
  if (failure === undefined) return queueOf(state, links)
  await links.close()
  throw new CodedError('service.unavailable', `RabbitMQ: ${failure}`)
}

function queueOf(state: RabbitState, links: Links): RabbitQueue {
  const { inboxes, topology, limits, metrics, log } = state
  const { outbox } = links
  const publisher = createPublisher({ limits, topology, outbox, inboxes })
  const desk: ConsumerDesk = { limits, metrics, log, outbox, topology, tellGap: () => tellGap(state) }
  let lastConsumer = 0
  let closing: Promise<void> | undefined

  function consume(queue: QueueName, handler: Handler, options: ConsumeOptions): Consumer {
    if (state.phase !== 'open') throw new Error('the queue is closed')
    const { deliveriesMax } = options
    if (!(deliveriesMax >= 1)) throw new Error(`deliveriesMax must be at least 1, not ${deliveriesMax}`)
    const serving = Promise.withResolvers<void>()
    const id = (lastConsumer += 1)
    const consumer: LocalConsumer = { id, handler, options, stopped: false, serving: serving.promise }
    inboxes[queue].consumers.add(consumer)
    serving.resolve(serve(desk, inboxes[queue], consumer))
    links.consumersChanged()
    let stopping: Promise<void> | undefined
    return { stop: () => (stopping ??= stop(inboxes[queue], consumer)) }
  }

  async function stop(inbox: Inbox, consumer: LocalConsumer): Promise<void> {
    consumer.stopped = true
    wake(inbox)
    await consumer.serving
    inbox.consumers.delete(consumer)
    await links.consumersChanged()
  }

  async function close(): Promise<void> {
    state.phase = 'closing'
    publisher.stopWaiting()
    outbox.stopWaiting()
    const all = QUEUES.flatMap((queue) =>
      [...inboxes[queue].consumers].map((one) => stop(inboxes[queue], one)),
    )
    await Promise.all(all)
    state.phase = 'closed'
    await outbox.close(limits.closeTimeoutMs)
    await links.close()
  }

  return {
    async publish(batch, to) {
      if (state.phase === 'closed') throw new CodedError('service.unavailable', 'the queue is closed')
      await publisher.publish(batch, to)
    },
    consume,
    pendingSince: (queue) => links.pending.since(queue),
    depth: (queue) => depthOf(state, queue),
    state: (queue) => stateOf(state, links, queue),
    parked: (queue, query) => listParked(state, queue, query),
    findParked: (id) => findParked(state, id),
    replay: (id) => replayParked(state, id),
    discard: (id) => discardParked(state, id),
    close: () => (closing ??= close()),
    ready: () => links.failure(),
  }
}

function depthOf({ inboxes, counted }: RabbitState, queue: QueueName): Depth {
  const { items, meanBytes } = inboxes[queue]
  const batches = (counted?.counts[queue].ready ?? 0) + items.size
  let oldest: number | undefined
  for (const { acceptedAt } of items) oldest = Math.min(oldest ?? acceptedAt, acceptedAt)
  return {
    batches,
    bytes: Math.round(batches * meanBytes),
    parked: counted?.parked[queue] ?? 0,
    oldestAcceptedAt: oldest,
  }
}

// Several times as long as between two counts.
const COUNT_AGE_MS_MAX = 5000

function stateOf({ counted }: RabbitState, { figures, pending }: Links, queue: QueueName): QueueState {
  if (!counted || performance.now() - counted.askedMs > COUNT_AGE_MS_MAX)
    throw new CodedError('service.unavailable', 'RabbitMQ does not say how long its queues are.')
  const { held, since, meanBytes, ...rest } = figures.of(queue)
  const batches = counted.counts[queue].ready + held
  // What consumers hold was at the front of the queue. When nobody holds anything, all that is known is from when the queue was empty.
  const oldest = batches === 0 ? undefined : since || pending.since(queue) || undefined
  const bytes = Math.round(batches * meanBytes)
  return { ...rest, batches, bytes, parked: counted.parked[queue], oldestAcceptedAt: oldest }
}

function tellGap({ gaps, inboxes, limits: { partitions } }: RabbitState): void {
  if (gaps.size === 0) return
  const told = new Set(gaps)
  gaps.clear()
  const isAffected = (deviceId: string) => told.has(partitionOf(deviceId, partitions))
  for (const queue of QUEUES) for (const { options } of inboxes[queue].consumers) options.onGap?.(isAffected)
}
