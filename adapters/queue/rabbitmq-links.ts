import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { countAll } from './rabbitmq-counts.ts'
import { createGossip, type Gossip } from './rabbitmq-gossip.ts'
import { closePolitely, Link } from './rabbitmq-link.ts'
import { Outbox } from './rabbitmq-outbox.ts'
import type { Figures } from './rabbitmq-figures.ts'
import type { Pending } from './rabbitmq-pending.ts'
import { Subscriptions } from './rabbitmq-subscriptions.ts'
import { declareTopology } from './rabbitmq-topology.ts'
import type { RabbitState } from './rabbitmq.ts'

/** The connections to RabbitMQ and what goes over them. */
export interface Links {
  readonly outbox: Outbox
  readonly pending: Pending
  readonly figures: Figures
  /** Resolves when everything is connected, with undefined; or after `openTimeoutMs` with the reason why not. */
  opened(): Promise<string | undefined>
  /** Subscribes, or gives up, what the consumers of this process demand; resolves when the giving up is done. */
  consumersChanged(): Promise<void>
  /** Undefined when everything is well. */
  failure(): string | undefined
  close(): Promise<void>
}

/**
 * Two connections: RabbitMQ stops reading from those that publish when it runs short of memory or disk, and consumers must be able to acknowledge then.
 */
export function openLinks(state: RabbitState): Links {
  const { limits, topology, inboxes } = state
  const outbox: Outbox = new Outbox({
    exchange: topology.exchange,
    timeoutMs: limits.publishTimeoutMs,
    fail: (error) => outLink.fail(error),
    renew: () => out.renew(),
  })
  const gossip: Gossip = createGossip({
    state,
    isBlocked: () => outbox.blocked !== undefined,
    membersChanged: () => void subscriptions.reconcile(),
    settled: (queue) => subscriptions.settled(queue),
  })
  const subscriptions = new Subscriptions({
    topology,
    inboxes,
    isMine: gossip.members.isMine,
    doubted: (partition) => void state.gaps.add(partition),
    fail: (error) => inLink.fail(error),
  })
  const out = openOut(state, outbox, gossip)
  const outLink = out.link
  const inLink = openInLink(state, subscriptions, gossip)
  const disconnected = () => outLink.failure ?? inLink.failure

  return {
    outbox,
    pending: gossip.pending,
    figures: gossip.figures,
    async opened() {
      const deadline = performance.now() + limits.openTimeoutMs
      while (disconnected() && performance.now() < deadline) await sleep(10)
      return disconnected()
    },
    consumersChanged() {
      gossip.greet()
      return subscriptions.reconcile()
    },
    failure() {
      if (outbox.blocked !== undefined) return `RabbitMQ takes no messages: ${outbox.blocked}`
      const other = gossip.members.otherPartitions
      if (other === undefined) return disconnected()
      return `another process has ${other} partitions, this one ${limits.partitions}`
    },
    async close() {
      gossip.leave()
      await Promise.all([outLink.close(limits.closeTimeoutMs), inLink.close(limits.closeTimeoutMs)])
    },
  }
}

function openOut(state: RabbitState, outbox: Outbox, gossip: Gossip) {
  const { urls, limits, log } = state
  let current: { readonly model: ChannelModel; channel?: ConfirmChannel } | undefined

  async function openChannel(of: { readonly model: ChannelModel; channel?: ConfirmChannel }): Promise<void> {
    const channel = await link.channel(of.model.createConfirmChannel())
    if (of !== current) return
    const old = of.channel
    of.channel = channel
    outbox.attach(channel)
    if (old) await closePolitely(old)
  }

  const link: Link = new Link({
    name: 'coldstream publish',
    urls,
    limits,
    log,
    missing: () => void (state.declared = false),
    async up(model) {
      await declare(state, model)
      const mouth = await link.channel(model.createChannel())
      current = { model }
      await openChannel(current)
      gossip.speakOver(mouth)
    },
    down() {
      current = undefined
      gossip.speakOver(undefined)
      outbox.detach()
      outbox.blocked = undefined
    },
    blocked(reason) {
      outbox.blocked = reason
    },
  })
  return {
    link,
    /** Publishes over another channel of the same connection from now on. */
    renew() {
      if (current) openChannel(current).catch((error: unknown) => link.fail(toError(error)))
    },
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

function openInLink(state: RabbitState, subscriptions: Subscriptions, gossip: Gossip): Link {
  const { urls, limits, log, topology } = state
  async function poll(channel: Channel): Promise<void> {
    const askedAt = Date.now()
    const askedMs = performance.now()
    state.counted = { ...(await countAll(channel, topology)), askedMs }
    gossip.pending.hearCounts(askedAt, state.counted.counts)
  }
  async function keepPolling(channel: Channel): Promise<void> {
    for (;;) {
      await sleep(limits.pollMs, undefined, { ref: false })
      await poll(channel)
    }
  }
  const link: Link = new Link({
    name: 'coldstream consume',
    urls,
    limits,
    log,
    missing: () => void (state.declared = false),
    async up(model) {
      await declare(state, model)
      const channel = await link.channel(model.createChannel())
      await gossip.listenOn(channel)
      await poll(channel)
      // Ends when the channel is closed; the next connection polls again.
      void keepPolling(channel).catch(() => undefined)
      subscriptions.attach(model)
    },
    down: () => subscriptions.detach(),
  })
  return link
}

/**
 * Not with each connection: binding waits for all nodes of a cluster, those too that do not answer and are not taken for gone yet. To publish and to
 * consume, a majority is enough.
 */
async function declare(state: RabbitState, model: ChannelModel): Promise<void> {
  if (state.declared) return
  await declareTopology(model, state.topology, state.limits, (queue, error) =>
    state.log?.warn({ queue, err: error }, 'queue: it was made with other limits, and keeps them'),
  )
  state.declared = true
}
