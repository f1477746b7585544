import type { Channel } from 'amqplib'
import { QUEUES, type QueueName } from '../../ports/queue.ts'
import { createFigures, figuresOf, type Figures } from './rabbitmq-figures.ts'
import { heldSince } from './rabbitmq-inbox.ts'
import {
  createMembers,
  parseGossip,
  type GossipMessage,
  type Members,
  type Report,
} from './rabbitmq-members.ts'
import { createPending, type Pending } from './rabbitmq-pending.ts'
import type { RabbitState } from './rabbitmq.ts'

export interface GossipOptions {
  readonly state: RabbitState
  /** Whether RabbitMQ takes nothing from us now. */
  isBlocked(): boolean
  /** The partitions may belong to others now. */
  membersChanged(): void
  /** Consumers in RabbitMQ that this process has for sure. */
  settled(queue: QueueName): number
}

/** What the processes tell each other over a fanout exchange: who is there, and what each holds unfinished. */
export interface Gossip {
  readonly members: Members
  readonly pending: Pending
  readonly figures: Figures
  /** Speaks over this channel from now on; undefined: there is none. */
  speakOver(channel: Channel | undefined): void
  /** Listens on this channel. Rejects when the connection is lost. */
  listenOn(channel: Channel): Promise<void>
  /** Says that this process is there, and what it consumes. */
  greet(): void
  leave(): void
}

const GOSSIP_MAX = 10_000

function heldOf(inboxes: RabbitState['inboxes'], settled: GossipOptions['settled']): Report['held'] {
  const of = (queue: QueueName) => {
    const since = heldSince(inboxes[queue])
    return { since: Number.isFinite(since) ? since : null, consumers: settled(queue) }
  }
  return { store: of('store'), judge: of('judge'), rejudge: of('rejudge') }
}

export function createGossip({ state, isBlocked, membersChanged, settled }: GossipOptions): Gossip {
  const { self, limits, topology, inboxes } = state
  let mouth: Channel | undefined
  let beating: NodeJS.Timeout | undefined
  /** The queue in which this process hears the others. */
  let ear = ''
  const doubted = () => {
    for (let partition = 0; partition < limits.partitions; partition += 1) state.gaps.add(partition)
  }
  const greet = () => beat(false)
  const members = createMembers({ self, ...limits, changed: membersChanged, doubted, greeted: greet })
  const figures = createFigures(self, limits.beatMs * limits.beatsMissedMax)
  const pending = createPending(limits.clockMarginMs, (round) => say({ kind: 'probe', round, replyTo: ear }))

  // Silent when there is no connection: nobody could hear it later.
  function say(message: GossipMessage, to?: string): void {
    if (!mouth || isBlocked()) return
    try {
      mouth.publish(to === undefined ? topology.members : '', to ?? '', Buffer.from(JSON.stringify(message)))
    } catch {
      // The channel is closing.
    }
  }

  function beat(tick: boolean): void {
    const consumes = QUEUES.filter((queue) => [...inboxes[queue].consumers].some(({ stopped }) => !stopped))
    say({
      kind: 'beat',
      id: self,
      tick,
      consumes,
      partitions: limits.partitions,
      figures: figuresOf(inboxes),
    })
  }

  function hear(content: Buffer): void {
    const message = parseGossip(content)
    if (message?.kind === 'beat') {
      figures.hearBeat(message)
      members.hearBeat(message)
    } else if (message?.kind === 'leave') {
      figures.hearLeave(message)
      members.hearLeave(message)
    } else if (message?.kind === 'report') pending.hearReport(message)
    else if (message?.kind === 'probe')
      say({ kind: 'report', id: self, round: message.round, held: heldOf(inboxes, settled) }, message.replyTo)
  }

  return {
    members,
    pending,
    figures,
    speakOver(channel) {
      clearInterval(beating)
      mouth = channel
      if (!channel) return
      beat(false)
      beating = setInterval(beat, limits.beatMs, true)
    },
    async listenOn(channel) {
      // Each connection has a new one: the last may linger, locked, until the server misses its heartbeats.
      const options = { exclusive: true, autoDelete: true, durable: false, maxLength: GOSSIP_MAX }
      const { queue } = await channel.assertQueue('', options)
      await channel.bindQueue(queue, topology.members, '')
      await channel.consume(queue, (message) => message && hear(message.content), { noAck: true })
      ear = queue
    },
    greet,
    leave() {
      clearInterval(beating)
      pending.close()
      say({ kind: 'leave', id: self })
    },
  }
}
