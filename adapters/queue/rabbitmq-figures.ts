import { QUEUES, type QueueName, type QueueState } from '../../ports/queue.ts'
import { createRate, type Rate } from './rate.ts'
import { heldSince, type Inbox } from './rabbitmq-inbox.ts'
import type { Beat, Leave } from './rabbitmq-members.ts'

/** What a process says of a queue with each beat. Messages count, so of `judge` and `rejudge` parts of batches. */
export interface QueueFigures {
  /** Since the process has started: put into the queue, and finished or parked. */
  readonly in: number
  readonly out: number
  /** Delivered to it and not answered; the oldest of that; null when there is nothing. */
  readonly held: number
  readonly since: number | null
  readonly meanBytes: number
}
export type ProcessFigures = { readonly [Q in QueueName]: QueueFigures }

/** What the processes together say of a queue. */
export interface QueueFiguresOfAll extends Pick<QueueState, 'consumers' | 'inPerSecond' | 'outPerSecond'> {
  readonly held: number
  readonly since: number | undefined
  readonly meanBytes: number
}

/** Keeps what was heard last of each process. */
export interface Figures {
  hearBeat(beat: Beat): void
  hearLeave(leave: Leave): void
  of(queue: QueueName): QueueFiguresOfAll
}

interface Heard {
  readonly at: number
  readonly beat: Beat
}

/** What this process has to say. */
export function figuresOf(inboxes: { readonly [Q in QueueName]: Inbox }): ProcessFigures {
  const of = (queue: QueueName): QueueFigures => {
    const { counts, items, meanBytes } = inboxes[queue]
    const since = heldSince(inboxes[queue])
    return { ...counts, held: items.size, since: Number.isFinite(since) ? since : null, meanBytes }
  }
  return { store: of('store'), judge: of('judge'), rejudge: of('rejudge') }
}

/** @param silentMsMax silence after which a process is taken for gone */
export function createFigures(self: string, silentMsMax: number): Figures {
  const heard = new Map<string, Heard>()
  const rates = Object.fromEntries(QUEUES.map((queue) => [queue, [createRate(), createRate()]])) as {
    [Q in QueueName]: [Rate, Rate]
  }

  function add(now: ProcessFigures, before: ProcessFigures | undefined): void {
    for (const queue of QUEUES) {
      const [entering, leaving] = rates[queue]
      entering.add(Math.max(0, now[queue].in - (before?.[queue].in ?? 0)))
      leaving.add(Math.max(0, now[queue].out - (before?.[queue].out ?? 0)))
    }
  }

  function present(): Beat[] {
    const since = performance.now() - silentMsMax
    for (const [id, { at }] of heard) if (at < since) heard.delete(id)
    return [...heard.values()].map(({ beat }) => beat)
  }

  return {
    hearBeat(beat) {
      const before = heard.get(beat.id)
      // Of another process, what it did before we heard of it was in no second that we know.
      if (beat.figures && (before || beat.id === self)) add(beat.figures, before?.beat.figures)
      heard.set(beat.id, { at: performance.now(), beat })
    },
    hearLeave: ({ id }) => void heard.delete(id),
    of(queue) {
      const beats = present()
      const figures = beats.flatMap((beat) => (beat.figures ? [beat.figures[queue]] : []))
      const [entering, leaving] = rates[queue]
      const since = figures.flatMap((one) => one.since ?? [])
      return {
        consumers: beats.filter(({ consumes }) => consumes.includes(queue)).length,
        held: figures.reduce((sum, { held }) => sum + held, 0),
        since: since.length === 0 ? undefined : Math.min(...since),
        meanBytes: Math.max(0, ...figures.map(({ meanBytes }) => meanBytes)),
        inPerSecond: entering.perSecond(),
        outPerSecond: leaving.perSecond(),
      }
    },
  }
}
