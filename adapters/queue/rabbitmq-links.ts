import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, ChannelModel } from 'amqplib'
import { countAll } from './rabbitmq-counts.ts'
import { createGossip, type Gossip } from './rabbitmq-gossip.ts'
import { Link } from './rabbitmq-link.ts'
import { Outbox } from './rabbitmq-outbox.ts'
import type { Pending } from './rabbitmq-pending.ts'
import { Subscriptions } from './rabbitmq-subscriptions.ts'
import { declareTopology } from './rabbitmq-topology.ts'
import type { RabbitState } from './rabbitmq.ts'

/** The connections to RabbitMQ and what goes over them. */
export interface Links {
  readonly outbox: Outbox
  readonly pending: Pending
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
    doubted: () => void (state.gap = true),
    fail: (error) => inLink.fail(error),
  })
  const outLink = openOutLink(state, outbox, gossip)
  const inLink = openInLink(state, subscriptions, gossip)
  const disconnected = () => outLink.failure ?? inLink.failure

  return {
    outbox,
    pending: gossip.pending,
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

function openOutLink(state: RabbitState, outbox: Outbox, gossip: Gossip): Link {
  const { urls, limits, log } = state
  const link: Link = new Link({
    name: 'coldstream publish',
    urls,
    limits,
    log,
    async up(model) {
      await declare(state, model)
      const mouth = await link.channel(model.createChannel())
      outbox.attach(await link.channel(model.createConfirmChannel()))
      gossip.speakOver(mouth)
    },
    down() {
      gossip.speakOver(undefined)
      outbox.detach()
    },
    blocked(reason) {
      outbox.blocked = reason
    },
  })
  return link
}

function openInLink(state: RabbitState, subscriptions: Subscriptions, gossip: Gossip): Link {
  const { urls, limits, log, topology } = state
  async function poll(channel: Channel): Promise<void> {
    const askedAt = Date.now()
    state.counted = await countAll(channel, topology)
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

function declare({ topology, limits, log }: RabbitState, model: ChannelModel): Promise<void> {
  return declareTopology(model, topology, limits, (queue, error) =>
    log?.warn({ queue, err: error }, 'queue: it was made with other limits, and keeps them'),
  )
}
