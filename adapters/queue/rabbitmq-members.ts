import { QUEUES, type QueueName } from '../../ports/queue.ts'
import type { ProcessFigures } from './rabbitmq-figures.ts'
import { hash, isPartitioned } from './rabbitmq-topology.ts'

/** What processes tell each other. */
export type GossipMessage = Beat | Leave | Probe | Report

/** I am here, and consume these queues. `tick`: sent because time has passed. */
export interface Beat {
  readonly kind: 'beat'
  readonly id: string
  readonly tick: boolean
  readonly consumes: readonly QueueName[]
  readonly partitions: number
  /** Missing from older versions. */
  readonly figures?: ProcessFigures
}
export interface Leave {
  readonly kind: 'leave'
  readonly id: string
}
/** What do you hold? */
export interface Probe {
  readonly kind: 'probe'
  readonly round: number
  readonly replyTo: string
}
/** The answer; per queue. `since`: null when nothing is held. */
export interface Report {
  readonly kind: 'report'
  readonly id: string
  readonly round: number
  readonly held: { readonly [Q in QueueName]: { readonly since: number | null; readonly consumers: number } }
}

/** Undefined when it is none. Whoever may publish here may do worse: this guards against other versions, not enemies. */
export function parseGossip(content: Buffer): GossipMessage | undefined {
  try {
    const message = JSON.parse(content.toString('utf8')) as GossipMessage
    if (message.kind === 'beat' && !Array.isArray(message.consumes)) return undefined
    if (message.kind === 'report' && !QUEUES.every((queue) => message.held[queue])) return undefined
    return message
  } catch {
    return undefined
  }
}

/** Who consumes which partitions, as this process sees it. */
export interface Members {
  hearBeat(beat: Beat): void
  hearLeave(leave: Leave): void
  /** Whether the partition is this process's to consume. */
  isMine(queue: QueueName, partition: number): boolean
  /** How many partitions another process believes in, if not as many as we do. */
  readonly otherPartitions: number | undefined
}

interface Member {
  consumes: readonly QueueName[]
  partitions: number
  /** Own beats that came round since its last one: silence counts only while we can hear. */
  missed: number
}

export interface MembersOptions {
  readonly self: string
  readonly partitions: number
  readonly beatsMissedMax: number
  readonly beatMs: number
  /** The partitions may belong to others now. */
  changed(): void
  /** Somebody else may have had deliveries of partitions that are ours all the time. Of those that we take over the subscriptions tell. */
  doubted(): void
  /** A process that did not know us. */
  greeted(): void
}

/**
 * Who has which partition: of those with room left, the one with the highest hash of process and partition (rendezvous hashing with bounded loads), so that
 * a change moves few of them, none has more than its share, and everybody comes to the same result.
 */
export function ownersOf(ids: readonly string[], partitions: number): string[] {
  const room = new Map(ids.map((id) => [id, Math.ceil(partitions / ids.length)]))
  return Array.from({ length: partitions }, (_, partition) => {
    const score = (id: string) => hash(`${partition}/${id}`)
    const free = [...room.keys()].filter((id) => room.get(id))
    const owner = free.reduce((best, id) => {
      const lead = score(id) - score(best)
      return lead > 0 || (lead === 0 && id > best) ? id : best
    })
    room.set(owner, (room.get(owner) ?? 0) - 1)
    return owner
  })
}

const VANISHED_MAX = 1000

/** Keeps the table of those who are there. Both queues of a partition go to the same process, when the same processes consume both. */
export function createMembers(options: MembersOptions): Members {
  const others = new Map<string, Member>()
  /** Those that were taken for gone without a word, and whether they might have judged. */
  const vanished = new Map<string, boolean>()
  let heardSelfAt: number | undefined

  // Sooner than anybody is taken for gone: whoever takes us for gone must not be the first to notice.
  const doubtfulMax = Math.ceil(options.beatsMissedMax / 2)

  function hearSelf(): void {
    const now = performance.now()
    if (now - (heardSelfAt ?? now) > doubtfulMax * options.beatMs) options.doubted()
    heardSelfAt = now
    for (const [id, member] of others) {
      member.missed += 1
      if (member.missed >= options.beatsMissedMax) vanish(id)
    }
  }

  function vanish(id: string): void {
    vanished.set(id, others.get(id)?.consumes.some(isPartitioned) ?? false)
    const [oldest = ''] = vanished.keys()
    if (vanished.size > VANISHED_MAX) vanished.delete(oldest)
    remove(id)
  }

  // It was there all the time, and has not heard of us either: it may have had what is ours, if it judges. Who died does not come back.
  function mayHaveJudged(id: string, known: Member | undefined, consumes: readonly QueueName[]): boolean {
    const judged = known ? known.consumes.some(isPartitioned) : vanished.get(id)
    const wasAway = vanished.delete(id) || (known !== undefined && known.missed >= doubtfulMax)
    return wasAway && (judged === true || consumes.some(isPartitioned))
  }

  function remove(id: string): void {
    if (others.delete(id)) options.changed()
  }

  return {
    hearBeat({ id, tick, consumes, partitions }) {
      if (id === options.self) return tick ? hearSelf() : undefined
      const known = others.get(id)
      others.set(id, { consumes, partitions, missed: 0 })
      if (mayHaveJudged(id, known, consumes)) options.doubted()
      if (known?.consumes.join() === consumes.join()) return
      if (!known) options.greeted()
      options.changed()
    },
    hearLeave: ({ id }) => remove(id),
    isMine(queue, partition) {
      const consuming = [...others].filter(([, { consumes }]) => consumes.includes(queue)).map(([id]) => id)
      return ownersOf([options.self, ...consuming], options.partitions)[partition] === options.self
    },
    get otherPartitions() {
      return [...others.values()].find(({ partitions }) => partitions !== options.partitions)?.partitions
    },
  }
}
