import type { Channel, ConsumeMessage } from 'amqplib'
import type { ConsumeOptions, Delivery, QueueName, Verdict } from '../../ports/queue.ts'
import { acceptedAtOf, attemptsOf } from './rabbitmq-message.ts'

export type Handler = (deliveries: readonly Delivery[]) => Promise<readonly Verdict[]>

/** A consumer of one queue in RabbitMQ, on a channel of its own: closing that gives back what was not answered, in order. */
export interface Subscription {
  readonly queue: QueueName
  /** In RabbitMQ. */
  readonly name: string
  readonly channel: Channel
  /** `closing`: hands over nothing more. `lost`: RabbitMQ has taken back what it had delivered. */
  phase: 'open' | 'closing' | 'lost'
  /** By the monotonic clock. */
  readonly since: number
  /** Deliveries with a handler, or whose verdict is being carried out. */
  outstanding: number
  whenIdle: (() => void) | undefined
}

export interface Item {
  readonly sub: Subscription
  readonly message: ConsumeMessage
  readonly acceptedAt: number
  /** Tries that have failed so far. */
  readonly attempts: number
}

export interface LocalConsumer {
  readonly id: number
  readonly handler: Handler
  readonly options: ConsumeOptions
  stopped: boolean
  serving: Promise<void>
}

/** What this process holds of one queue of the port. */
export interface Inbox {
  readonly queue: QueueName
  readonly consumers: Set<LocalConsumer>
  /** Delivered, not yet with a handler. */
  buffer: Item[]
  /** Delivered and not answered. */
  readonly items: Set<Item>
  /** Waiting for another try, the oldest first; calling ends the wait. */
  readonly backingOff: Map<Item, () => void>
  /** The oldest `acceptedAt` of what was given back unfinished, by second. */
  readonly returned: Map<number, number>
  /** Messages that this process has put into the queue, and those that it has taken out of it for good. */
  readonly counts: { in: number; out: number }
  /** Of the messages seen so far, on average. */
  meanBytes: number
  /** Wakes the consumers that found nothing to do. */
  idle: (() => void)[]
}

export function createInbox(queue: QueueName): Inbox {
  return {
    queue,
    consumers: new Set(),
    buffer: [],
    items: new Set(),
    backingOff: new Map(),
    returned: new Map(),
    counts: { in: 0, out: 0 },
    meanBytes: 0,
    idle: [],
  }
}

export function seeBytes(inbox: Inbox, bytes: number): void {
  inbox.meanBytes = inbox.meanBytes === 0 ? bytes : inbox.meanBytes * 0.95 + bytes * 0.05
}

/** RabbitMQ has delivered something. */
export function receive(inbox: Inbox, sub: Subscription, message: ConsumeMessage): void {
  if (sub.phase !== 'open') return
  const item = { sub, message, acceptedAt: acceptedAtOf(message), attempts: attemptsOf(message) }
  seeBytes(inbox, message.content.length)
  inbox.items.add(item)
  inbox.buffer.push(item)
  wake(inbox)
}

export function wake(inbox: Inbox): void {
  for (const go of inbox.idle.splice(0)) go()
}

/** The next items for a consumer; each must be ended with `finish`. */
export function take(inbox: Inbox, itemsMax: number): Item[] {
  const taken = inbox.buffer.splice(0, itemsMax)
  for (const { sub } of taken) sub.outstanding += 1
  return taken
}

/** The item is acknowledged or given back, or RabbitMQ has taken it back. */
export function finish(inbox: Inbox, item: Item, outcome: 'done' | 'returned'): void {
  inbox.items.delete(item)
  if (outcome === 'done') inbox.counts.out += 1
  else noteReturned(inbox, item.acceptedAt)
  const { sub } = item
  sub.outstanding -= 1
  if (sub.outstanding === 0) sub.whenIdle?.()
}

/** Forgets what of the subscription no handler has seen yet; RabbitMQ delivers it again, to somebody. */
export function dropBuffered(inbox: Inbox, sub: Subscription): void {
  for (const item of inbox.buffer) {
    if (item.sub !== sub) continue
    inbox.items.delete(item)
    noteReturned(inbox, item.acceptedAt)
  }
  inbox.buffer = inbox.buffer.filter((item) => item.sub !== sub)
}

// Longer than a round of questions (rabbitmq-pending.ts) lasts.
const RETURNED_MS = 4000

export function noteReturned(inbox: Inbox, acceptedAt: number): void {
  const second = Math.floor(performance.now() / 1000)
  inbox.returned.set(second, Math.min(inbox.returned.get(second) ?? Infinity, acceptedAt))
  for (const old of inbox.returned.keys())
    if (old * 1000 < performance.now() - RETURNED_MS) inbox.returned.delete(old)
}

/** The oldest `acceptedAt` of what this process holds unfinished, or has given back unfinished within the last seconds; Infinity when there is nothing. */
export function heldSince(inbox: Inbox): number {
  let oldest = Infinity
  for (const { acceptedAt } of inbox.items) oldest = Math.min(oldest, acceptedAt)
  for (const [second, acceptedAt] of inbox.returned)
    if (second * 1000 >= performance.now() - RETURNED_MS) oldest = Math.min(oldest, acceptedAt)
  return oldest
}
