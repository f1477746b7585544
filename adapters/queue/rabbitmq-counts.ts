import type { Channel } from 'amqplib'
import { QUEUES, type QueueName } from '../../ports/queue.ts'
import type { Count, Counts } from './rabbitmq-pending.ts'
import type { Topology } from './rabbitmq-topology.ts'

export interface Counted {
  readonly counts: Counts
  readonly parked: { readonly [Q in QueueName]: number }
}

/**
 * Asks RabbitMQ how many messages are ready in each queue.
 * @throws when a queue is missing, which closes the channel, or the connection is lost
 */
export async function countAll(channel: Channel, topology: Topology): Promise<Counted> {
  const counts: Partial<Record<QueueName, Count>> = {}
  const parked: Partial<Record<QueueName, number>> = {}
  for (const queue of QUEUES) {
    const replies = await Promise.all(topology.queues[queue].map((name) => channel.checkQueue(name)))
    counts[queue] = {
      ready: replies.reduce((sum, { messageCount }) => sum + messageCount, 0),
      consumers: replies.reduce((sum, { consumerCount }) => sum + consumerCount, 0),
      doubtful: replies.some(({ consumerCount }) => consumerCount === 0),
    }
    parked[queue] = (await channel.checkQueue(topology.parked[queue])).messageCount
  }
  return { counts: counts as Counts, parked: parked as Counted['parked'] }
}
