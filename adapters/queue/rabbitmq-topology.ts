import type { ChannelModel } from 'amqplib'
import { QUEUES, type QueueName } from '../../ports/queue.ts'
import type { RabbitQueueLimits } from './rabbitmq-limits.ts'

/** What is called how in RabbitMQ. */
export interface Topology {
  readonly exchange: string
  /** Where the processes speak to each other. */
  readonly members: string
  /** Whoever has this queue alone may touch parked batches. */
  readonly parkedLock: string
  /** The queues behind each queue of the port: one, or one per partition. */
  readonly queues: { readonly [Q in QueueName]: readonly string[] }
  readonly parked: { readonly [Q in QueueName]: string }
}

/** The names that begin with `prefix`. */
export function topologyOf(prefix: string, partitions: number): Topology {
  const split = (queue: QueueName) =>
    Array.from({ length: partitions }, (_, partition) => `${prefix}.${queue}.${partition}`)
  return {
    exchange: prefix,
    members: `${prefix}.members`,
    parkedLock: `${prefix}.parked.lock`,
    queues: { store: [`${prefix}.store`], judge: split('judge'), rejudge: split('rejudge') },
    parked: {
      store: `${prefix}.store.parked`,
      judge: `${prefix}.judge.parked`,
      rejudge: `${prefix}.rejudge.parked`,
    },
  }
}

/** Whether one consumer at a time may have each of its queues, so that a device has one judge. */
export const isPartitioned = (queue: QueueName): boolean => queue !== 'store'

/**
 * Which partition a device belongs to, for ever: whoever publishes decides it, in any process of any version.
 * FNV-1a over UTF-16 code units, then the finisher of MurmurHash3, without which similar names fall together.
 */
export function partitionOf(deviceId: string, partitions: number): number {
  return partitions === 1 ? 0 : hash(deviceId) % partitions
}

export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

// No limit at all would mean 20 from RabbitMQ 4 on, after which a message is thrown away.
const UNLIMITED = 1_000_000_000

/**
 * Makes what is missing. A queue that exists with other limits is left as it is, and `onDifferent` is told: its messages matter more.
 * @throws when RabbitMQ refuses or the connection is lost
 */
export async function declareTopology(
  model: ChannelModel,
  topology: Topology,
  limits: RabbitQueueLimits,
  onDifferent: (queue: string, error: Error) => void,
): Promise<void> {
  const channel = await model.createChannel()
  channel.on('error', () => undefined)
  await channel.assertExchange(topology.exchange, 'direct', { durable: true })
  await channel.assertExchange(topology.members, 'fanout', { durable: true })
  await channel.close()
  for (const queue of QUEUES) {
    const parkedBytes = { 'x-max-length-bytes': limits.parkedBytesMax, 'x-delivery-limit': UNLIMITED }
    await declareQueue(model, topology.parked[queue], parkedBytes, topology, onDifferent)
    const names = topology.queues[queue]
    const args = {
      'x-max-length-bytes': Math.ceil(limits.bytesMax / names.length),
      'x-delivery-limit': limits.deliveriesMax,
      'x-single-active-consumer': isPartitioned(queue),
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': topology.parked[queue],
      'x-dead-letter-strategy': 'at-least-once',
    }
    for (const name of names) await declareQueue(model, name, args, topology, onDifferent)
  }
}

const PRECONDITION_FAILED = 406

async function declareQueue(
  model: ChannelModel,
  name: string,
  args: Readonly<Record<string, unknown>>,
  { exchange }: Topology,
  onDifferent: (queue: string, error: Error) => void,
): Promise<void> {
  const channel = await model.createChannel()
  channel.on('error', () => undefined)
  try {
    await channel.assertQueue(name, {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-overflow': 'reject-publish',
        'x-queue-leader-locator': 'balanced',
        ...args,
      },
    })
  } catch (error) {
    // The channel is closed by this; the queue is there.
    if (!(error instanceof Error) || !('code' in error) || error.code !== PRECONDITION_FAILED) throw error
    onDifferent(name, error)
    const another = await model.createChannel()
    await another.bindQueue(name, exchange, name)
    return another.close()
  }
  await channel.bindQueue(name, exchange, name)
  await channel.close()
}
