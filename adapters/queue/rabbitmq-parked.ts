import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type ChannelModel, type ConfirmChannel, type GetMessage } from 'amqplib'
import type { Batch } from '../../domain/batch.ts'
import { CodedError } from '../../domain/errors.ts'
import { QUEUES, type Parked, type QueueName } from '../../ports/queue.ts'
import { closePolitely } from './rabbitmq-link.ts'
import type { RabbitQueueLimits } from './rabbitmq-limits.ts'
import { again, attemptsOf, decode, encode, reasonOf, split, type Outgoing } from './rabbitmq-message.ts'
import type { Topology } from './rabbitmq-topology.ts'

export interface ParkedDeskOptions {
  readonly urls: readonly string[]
  readonly topology: Topology
  readonly limits: RabbitQueueLimits
}

const TIMEOUT_MS = 30_000
const LOCK_DELAY_MS = 50
const RESOURCE_LOCKED = 405

/** The oldest parked batches of a queue. */
export function listParked(options: ParkedDeskOptions, queue: QueueName, limit: number): Promise<Parked[]> {
  return atDesk(options, async (channel) => {
    const found: Parked[] = []
    for await (const message of messagesOf(channel, options.topology.parked[queue], limit))
      found.push(parkedFrom(queue, message))
    return found
  })
}

/** Puts a parked batch back with all of its tries. False when there is none, or none that can be read. */
export function replayParked(options: ParkedDeskOptions, id: string): Promise<boolean> {
  return withParked(options, id, async (channel, queue, message) => {
    const batch = decode(message)
    if (!batch) return false
    for (const [name, outgoing] of targetsOf(options, queue, batch, message))
      await confirmed(channel, options.topology.exchange, name, outgoing)
    channel.ack(message)
    return true
  })
}

/** Deletes a parked batch for good. */
export function discardParked(options: ParkedDeskOptions, id: string): Promise<boolean> {
  return withParked(options, id, async (channel, _queue, message) => {
    channel.ack(message)
    return true
  })
}

function parkedFrom(queue: QueueName, message: GetMessage): Parked {
  const batch = decode(message)
  return {
    id: idOf(queue, message),
    queue,
    batch: batch ?? { id: '', acceptedAt: 0, readings: [], refusals: [], attributes: [] },
    attempts: attemptsOf(message),
    ...reasonOf(message),
  }
}

const idOf = (queue: QueueName, { properties: { messageId } }: GetMessage): string => `${queue}-${messageId}`

// Where it came from; but the number of partitions may have changed since.
function targetsOf(
  { topology, limits }: ParkedDeskOptions,
  queue: QueueName,
  batch: Batch,
  message: GetMessage,
): Map<string, Outgoing> {
  const [store = ''] = topology.queues.store
  if (queue === 'store') return new Map([[store, again(message, 0)]])
  return new Map(
    [...split(batch, limits.partitions)].map(([partition, part]) => [
      topology.queues[queue][partition] ?? '',
      encode(part, `${batch.id}.${partition}`),
    ]),
  )
}

function confirmed(channel: ConfirmChannel, exchange: string, name: string, { body, options }: Outgoing) {
  return new Promise<void>((resolve, reject) => {
    let returned = false
    channel.once('return', () => (returned = true))
    channel.publish(exchange, name, body, options, (error: unknown) => {
      if (!error && !returned) return resolve()
      reject(new CodedError('service.unavailable', 'the queue takes nothing now'))
    })
  })
}

async function withParked(
  options: ParkedDeskOptions,
  id: string,
  act: (channel: ConfirmChannel, queue: QueueName, message: GetMessage) => Promise<boolean>,
): Promise<boolean> {
  const queue = QUEUES.find((name) => id.startsWith(`${name}-`))
  if (!queue) return false
  const { topology, limits } = options
  return atDesk(options, async (channel) => {
    for await (const message of messagesOf(channel, topology.parked[queue], limits.parkedScanMax))
      if (idOf(queue, message) === id) return act(channel, queue, message)
    return false
  })
}

// They stay with the channel, so that each is seen once, and go back in order when it is closed.
async function* messagesOf(channel: ConfirmChannel, queue: string, messagesMax: number) {
  for (let count = 0; count < messagesMax; count += 1) {
    const message = await channel.get(queue)
    if (!message) return
    yield message
  }
}

/**
 * Does something with parked batches over a connection of its own, while nobody else does: what one looks at, another would not see.
 * @throws CodedError `service.unavailable` when RabbitMQ does not answer, or others keep the lock
 */
async function atDesk<T>(
  options: ParkedDeskOptions,
  work: (channel: ConfirmChannel) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  let model: ChannelModel | undefined
  try {
    model = await connectAny(options.urls, timeout)
    model.on('error', () => undefined)
    await lock(model, options.topology.parkedLock, timeout)
    const channel = await model.createConfirmChannel()
    channel.on('error', () => undefined)
    const result = await work(channel)
    await closePolitely(channel)
    return result
  } catch (error) {
    if (error instanceof CodedError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new CodedError('service.unavailable', `RabbitMQ: ${detail}`, { cause: error })
  } finally {
    if (model) await closePolitely(model)
  }
}

async function connectAny(urls: readonly string[], signal: AbortSignal): Promise<ChannelModel> {
  const options = { timeout: 5000, signal }
  let failure: unknown
  for (const url of urls)
    try {
      return await connect(url, options)
    } catch (error) {
      failure = error
    }
  throw failure
}

/** An exclusive queue is a lock that goes away with the connection of whoever has it. */
async function lock(model: ChannelModel, name: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const channel = await model.createChannel()
    channel.on('error', () => undefined)
    try {
      await channel.assertQueue(name, { exclusive: true, durable: false })
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === RESOURCE_LOCKED)) throw error
      await sleep(LOCK_DELAY_MS, undefined, { signal })
    }
  }
}
