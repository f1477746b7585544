import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type ChannelModel, type ConfirmChannel, type GetMessage } from 'amqplib'
import type { Batch } from '../../domain/batch.ts'
import { CodedError } from '../../domain/errors.ts'
import { QUEUES, type Parked, type ParkedQuery, type QueueName } from '../../ports/queue.ts'
import type { Inbox } from './rabbitmq-inbox.ts'
import { closePolitely } from './rabbitmq-link.ts'
import type { RabbitQueueLimits } from './rabbitmq-limits.ts'
import { again, attemptsOf, decode, encode, reasonOf, split, type Outgoing } from './rabbitmq-message.ts'
import type { Topology } from './rabbitmq-topology.ts'

export interface ParkedDeskOptions {
  readonly urls: readonly string[]
  readonly topology: Topology
  readonly limits: RabbitQueueLimits
  readonly inboxes: { readonly [Q in QueueName]: Pick<Inbox, 'counts'> }
}

const TIMEOUT_MS = 30_000
const LOCK_DELAY_MS = 50
const RESOURCE_LOCKED = 405

/** A page of the parked batches of a queue, in the order of their ids: the queue itself may bring those that were looked at in another order. */
export function listParked(
  options: ParkedDeskOptions,
  queue: QueueName,
  { limit, after = '' }: ParkedQuery,
): Promise<Parked[]> {
  return atDesk(options, async (channel) => {
    const page = new Map<string, GetMessage>()
    for await (const message of messagesOf(channel, options, queue)) {
      const id = idOf(queue, message)
      if (id <= after) continue
      page.set(id, message)
      if (page.size > limit)
        page.delete([...page.keys()].reduce((last, other) => (other > last ? other : last)))
    }
    const sorted = [...page].toSorted(([one], [other]) => (one < other ? -1 : 1))
    return sorted.map(([, message]) => parkedFrom(queue, message))
  })
}

export async function findParked(options: ParkedDeskOptions, id: string): Promise<Parked | undefined> {
  let found: Parked | undefined
  await withParked(options, id, async (_channel, queue, message) => {
    found = parkedFrom(queue, message)
    return true
  })
  return found
}

/** Puts a parked batch back with all of its tries. False when there is none, or none that can be read. */
export function replayParked(options: ParkedDeskOptions, id: string): Promise<boolean> {
  return withParked(options, id, async (channel, queue, message) => {
    const batch = decode(message)
    if (!batch) return false
    for (const target of targetsOf(options, queue, batch, message)) {
      await confirmed(channel, options.topology.exchange, target)
      options.inboxes[target.queue].counts.in += 1
    }
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
  return {
    id: idOf(queue, message),
    queue,
    batch: decode(message),
    bytes: message.content.length,
    attempts: attemptsOf(message),
    ...reasonOf(message),
  }
}

const idOf = (queue: QueueName, { properties: { messageId } }: GetMessage): string => `${queue}-${messageId}`

interface Target extends Outgoing {
  readonly queue: QueueName
  /** In RabbitMQ. */
  readonly name: string
}

// Where it came from, but the number of partitions may have changed since. What was stored late is judged again, after it is on its way to the store.
function targetsOf(
  { topology, limits }: ParkedDeskOptions,
  queue: QueueName,
  batch: Batch,
  message: GetMessage,
): Target[] {
  const [store = ''] = topology.queues.store
  const back: Target[] = queue === 'store' ? [{ queue, name: store, ...again(message, 0) }] : []
  if (queue === 'store' && batch.readings.length === 0) return back
  const judging = queue === 'store' ? 'rejudge' : queue
  const judged = queue === 'store' ? { ...batch, refusals: [], attributes: [] } : batch
  for (const [partition, part] of split(judged, limits.partitions)) {
    const name = topology.queues[judging][partition] ?? ''
    back.push({ queue: judging, name, ...encode(part, `${batch.id}.${partition}`) })
  }
  return back
}

function confirmed(channel: ConfirmChannel, exchange: string, { name, body, options }: Target) {
  return new Promise<void>((resolve, reject) => {
    let returned = false
    const onReturn = () => (returned = true)
    channel.on('return', onReturn)
    channel.publish(exchange, name, body, options, (error: unknown) => {
      channel.off('return', onReturn)
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
  return atDesk(options, async (channel) => {
    for await (const message of messagesOf(channel, options, queue))
      if (idOf(queue, message) === id) return act(channel, queue, message)
    return false
  })
}

// Asking for them one after the other would wait for the network each time.
const GETS_AT_ONCE = 50

// They stay with the channel, so that each is seen once, and go back when it is closed.
async function* messagesOf(
  channel: ConfirmChannel,
  { topology, limits }: ParkedDeskOptions,
  queue: QueueName,
) {
  for (let asked = 0; asked < limits.parkedScanMax; asked += GETS_AT_ONCE) {
    const messages = await Promise.all(
      Array.from({ length: GETS_AT_ONCE }, () => channel.get(topology.parked[queue])),
    )
    for (const message of messages) {
      if (!message) return
      yield message
    }
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
