import { QUEUES, type QueueName } from '../../ports/queue.ts'
import type { Report } from './rabbitmq-members.ts'

/** What RabbitMQ said of a queue of the port: of all its partitions together. */
export interface Count {
  readonly ready: number
  readonly consumers: number
  /** A queue without consumers: RabbitMQ says zero of everything also when it cannot reach the queue. */
  readonly doubtful: boolean
}
export type Counts = { readonly [Q in QueueName]: Count }

/** Finds out from when on something may be unfinished, in the whole system. */
export interface Pending {
  /** As the port says, of the last moment that is known of; 0 as long as none is. */
  since(queue: QueueName): number
  /** RabbitMQ was asked for its counts at `askedAt`, epoch milliseconds. */
  hearCounts(askedAt: number, counts: Counts): void
  hearReport(report: Report): void
  close(): void
}

interface Round {
  readonly number: number
  readonly askedAt: number
  readonly counts: Counts
  readonly reports: Map<string, Report>
}

// What RabbitMQ has handed out just before it counted must reach its consumer before the question does.
const SETTLE_MS = 150
// Within this, those who had something when the round began still say so: see `returned` in rabbitmq-inbox.ts.
const ROUND_MS_MAX = 2000
// Somebody who asked will ask again; without anybody the questions stop.
const INTEREST_MS = 60_000

/**
 * In rounds: RabbitMQ says that nothing waits in the queue, and how many consumers it has; then everybody is asked what they hold. When as many
 * consumers have answered as there are, everything confirmed before the count is finished, or is in an answer: it was nowhere else.
 * Anything in doubt, such as a consumer that is silent, or has just come or gone, and the round tells nothing.
 * @param clockMarginMs by how much the clocks of the machines may differ
 */
export function createPending(clockMarginMs: number, ask: (round: number) => void): Pending {
  const known = new Map<QueueName, number>()
  let wantedUntil = 0
  let round: Round | undefined
  let number = 0
  let timer: NodeJS.Timeout | undefined

  function conclude({ askedAt, counts, reports }: Round): void {
    for (const queue of QUEUES) {
      const { ready, consumers, doubtful } = counts[queue]
      const held = [...reports.values()].map((report) => report.held[queue])
      const answered = held.reduce((sum, one) => sum + one.consumers, 0)
      if (ready > 0 || doubtful || answered !== consumers) continue
      const oldest = held.reduce((least, { since }) => Math.min(least, since ?? Infinity), Infinity)
      known.set(queue, Math.min(askedAt - clockMarginMs, oldest))
    }
  }

  return {
    since(queue) {
      wantedUntil = performance.now() + INTEREST_MS
      return known.get(queue) ?? 0
    },
    hearCounts(askedAt, counts) {
      if (performance.now() > wantedUntil || timer) return
      timer = setTimeout(() => {
        timer = undefined
        round = { number: (number += 1), askedAt, counts, reports: new Map() }
        ask(number)
      }, SETTLE_MS)
    },
    hearReport(report) {
      if (!round || report.round !== round.number || Date.now() - round.askedAt > ROUND_MS_MAX) return
      round.reports.set(report.id, report)
      conclude(round)
    },
    close: () => clearTimeout(timer),
  }
}
