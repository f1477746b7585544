import type { ChannelModel } from 'amqplib'
import type { QueueName } from '../../ports/queue.ts'
import { endBackOffs } from './rabbitmq-consumer.ts'
import { dropBuffered, receive, type Inbox, type Subscription } from './rabbitmq-inbox.ts'
import { closePolitely } from './rabbitmq-link.ts'
import { isPartitioned, type Topology } from './rabbitmq-topology.ts'

export interface SubscriptionsOptions {
  readonly topology: Topology
  readonly inboxes: { readonly [Q in QueueName]: Inbox }
  isMine(queue: QueueName, partition: number): boolean
  /** The partition may have been somebody else's until now. */
  doubted(partition: number): void
  /** The connection cannot be used any more. */
  fail(error: Error): void
}

interface Wanted {
  readonly inbox: Inbox
  readonly name: string
  readonly prefetch: number
  /** Undefined for a queue that has none. */
  readonly partition?: number
}

// By then RabbitMQ counts it among the consumers of its queue, on all nodes.
const SETTLED_MS = 2000

/** The consumers in RabbitMQ that this process should have, and has. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #subs = new Map<string, Subscription>()
  readonly #starting = new Set<string>()
  readonly #leaving = new Map<Subscription, Promise<void>>()
  #model: ChannelModel | undefined

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  attach(model: ChannelModel): void {
    this.#model = model
    void this.reconcile()
  }

  /** The connection is gone: what was delivered over it belongs to RabbitMQ again. */
  detach(): void {
    this.#model = undefined
    for (const sub of this.#subs.values()) {
      sub.phase = 'lost'
      const inbox = this.#options.inboxes[sub.queue]
      dropBuffered(inbox, sub)
      endBackOffs(inbox, sub)
    }
    this.#subs.clear()
    this.#starting.clear()
  }

  /** Gives up what it should not have, once the handlers are through with it; takes what it should. Resolves when the giving up is done. */
  async reconcile(): Promise<void> {
    const wanted = new Map<string, Wanted>()
    for (const inbox of Object.values(this.#options.inboxes)) want(this.#options, inbox, wanted)
    for (const [key, sub] of this.#subs)
      if (!wanted.has(key) && sub.phase === 'open') this.#leaving.set(sub, this.#giveUp(key, sub))
    for (const [key, one] of wanted)
      if (this.#model && !this.#subs.has(key) && !this.#starting.has(key))
        void this.#subscribe(this.#model, key, one)
    await Promise.all(this.#leaving.values())
  }

  /** How many there are of a queue that RabbitMQ must know by now. */
  settled(queue: QueueName): number {
    const before = performance.now() - SETTLED_MS
    return [...this.#subs.values()].filter((sub) => sub.queue === queue && sub.since < before).length
  }

  async #subscribe(model: ChannelModel, key: string, wanted: Wanted): Promise<void> {
    this.#starting.add(key)
    try {
      await this.#start(model, key, wanted)
    } catch (error) {
      if (model === this.#model) this.#options.fail(error instanceof Error ? error : new Error(String(error)))
    }
    if (model !== this.#model) return
    this.#starting.delete(key)
    // What is wanted may have changed meanwhile.
    void this.reconcile()
  }

  async #start(
    model: ChannelModel,
    key: string,
    { inbox, name, prefetch, partition }: Wanted,
  ): Promise<void> {
    const { fail, doubted } = this.#options
    const channel = await model.createChannel()
    channel.on('error', fail)
    await channel.prefetch(prefetch)
    if (model !== this.#model) return
    const { queue } = inbox
    const since = performance.now()
    const sub: Subscription = {
      queue,
      name,
      channel,
      phase: 'open',
      since,
      outstanding: 0,
      whenIdle: undefined,
    }
    this.#subs.set(key, sub)
    // Until the first delivery the partition may be with somebody else: one consumer at a time is active.
    let isNew = partition !== undefined
    await channel.consume(name, (message) => {
      if (isNew && partition !== undefined) doubted(partition)
      isNew = false
      if (message) receive(inbox, sub, message)
      else fail(new Error(`RabbitMQ ended the consumption of ${name}`))
    })
  }

  async #giveUp(key: string, sub: Subscription): Promise<void> {
    const inbox = this.#options.inboxes[sub.queue]
    sub.phase = 'closing'
    dropBuffered(inbox, sub)
    endBackOffs(inbox, sub)
    if (sub.outstanding > 0) await new Promise<void>((resolve) => (sub.whenIdle = resolve))
    if (!isLost(sub)) await closePolitely(sub.channel)
    this.#leaving.delete(sub)
    if (this.#subs.get(key) !== sub) return
    this.#subs.delete(key)
    void this.reconcile()
  }
}

// Read through a function: while something was awaited the connection may have been lost.
const isLost = ({ phase }: Subscription): boolean => phase === 'lost'

/** One consumer in RabbitMQ for each consumer of the port; of a partitioned queue one for each partition that is ours, whoever consumes it here. */
function want({ topology, isMine }: SubscriptionsOptions, inbox: Inbox, wanted: Map<string, Wanted>): void {
  const { queue } = inbox
  const consumers = [...inbox.consumers].filter(({ stopped }) => !stopped)
  const names = topology.queues[queue]
  if (!isPartitioned(queue)) {
    for (const { id, options } of consumers)
      for (const name of names)
        wanted.set(`${name} ${id}`, { inbox, name, prefetch: options.deliveriesMax * 2 })
    return
  }
  const places = consumers.reduce((sum, { options }) => sum + options.deliveriesMax * 2, 0)
  if (places === 0) return
  for (const [partition, name] of names.entries())
    if (isMine(queue, partition))
      wanted.set(name, { inbox, name, prefetch: Math.ceil(places / names.length), partition })
}
