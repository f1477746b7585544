import type { Batch } from '../../domain/batch.ts'
import { CodedError } from '../../domain/errors.ts'
import type { QueueName } from '../../ports/queue.ts'
import { seeBytes, type Inbox } from './rabbitmq-inbox.ts'
import type { RabbitQueueLimits } from './rabbitmq-limits.ts'
import { encode, split, type Outgoing } from './rabbitmq-message.ts'
import type { Outbox } from './rabbitmq-outbox.ts'
import type { Topology } from './rabbitmq-topology.ts'

export interface PublisherOptions {
  readonly limits: RabbitQueueLimits
  readonly topology: Topology
  readonly outbox: Outbox
  readonly inboxes: { readonly [Q in QueueName]: Inbox }
}

export interface Publisher {
  publish(batch: Batch, to: readonly QueueName[]): Promise<void>
  /** Rejects those who wait for room. */
  stopWaiting(): void
}

interface Part extends Outgoing {
  readonly queue: QueueName
  /** In RabbitMQ. */
  readonly name: string
}

/** Publishes batches, with a bound on the bytes that are not confirmed yet; who waits for room is let in in turn. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { limits, outbox, inboxes } = options
  const waiting: { readonly bytes: number; enter(error?: Error): void }[] = []
  let inFlightBytes = 0
  let closed: CodedError | undefined

  async function enter(bytes: number): Promise<void> {
    if (closed && !hasRoom(bytes)) throw closed
    if (waiting.length > 0 || !hasRoom(bytes))
      await new Promise<void>((resolve, reject) => {
        waiting.push({ bytes, enter: (error) => (error ? reject(error) : resolve()) })
      })
    else inFlightBytes += bytes
  }

  const hasRoom = (bytes: number) => inFlightBytes === 0 || inFlightBytes + bytes <= limits.inFlightBytesMax

  function leave(bytes: number): void {
    inFlightBytes -= bytes
    for (let next = waiting[0]; next && hasRoom(next.bytes); next = waiting[0]) {
      waiting.shift()
      inFlightBytes += next.bytes
      next.enter()
    }
  }

  /**
   * The store first: what a judge may have seen must be found by `pendingSince('store')`, even when the queue of the store is full for a while.
   */
  async function send(parts: readonly Part[]): Promise<void> {
    const toStore = parts.filter(({ queue }) => queue === 'store')
    const others = parts.filter(({ queue }) => queue !== 'store')
    for (const group of [toStore, others]) {
      const sent = await Promise.allSettled(group.map((part) => outbox.send(part.name, part, true)))
      for (const outcome of sent) if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  return {
    async publish(batch, to) {
      const parts = partsOf(options, batch, to)
      const bytes = parts.reduce((sum, { body }) => sum + body.length, 0)
      await enter(bytes)
      for (const { queue, body } of parts) seeBytes(inboxes[queue], body.length)
      await send(parts).finally(() => leave(bytes))
      for (const { queue } of parts) inboxes[queue].counts.in += 1
    },
    stopWaiting() {
      closed = new CodedError('service.unavailable', 'the queue is closed')
      for (const one of waiting.splice(0)) one.enter(closed)
    },
  }
}

function partsOf({ topology, limits }: PublisherOptions, batch: Batch, to: readonly QueueName[]): Part[] {
  if (to.length === 0) throw new Error('publish to no queue at all')
  if (!Number.isSafeInteger(batch.acceptedAt))
    throw new Error(`acceptedAt is no epoch time: ${batch.acceptedAt}`)
  const queues = new Set(to)
  const parts: Part[] = []
  const [store = ''] = topology.queues.store
  if (queues.delete('store')) parts.push({ queue: 'store', name: store, ...encode(batch, batch.id) })
  if (queues.size === 0) return parts
  for (const [partition, part] of split(batch, limits.partitions)) {
    const message = encode(part, `${batch.id}.${partition}`)
    for (const queue of queues)
      parts.push({ queue, name: topology.queues[queue][partition] ?? '', ...message })
  }
  return parts
}
