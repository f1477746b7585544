import type { Batch } from '../../domain/batch.ts'
import type { QueueName } from '../../ports/queue.ts'
import type { Facts, Totals } from './embedded-worker.ts'
import { createRate, type Rate } from './rate.ts'

/** A batch in memory, waiting for a consumer or with one. */
export interface Entry {
  readonly id: number
  readonly batch: Batch
  readonly bytes: number
  /** Tries that have failed so far. */
  readonly attempts: number
}

/**
 * One queue as the main thread sees it. The disk holds every batch; memory holds a window onto it:
 * `waiting` and what the consumers have, together at most `windowBytesMax`. What came when the window was full is only counted.
 */
export interface Lane {
  readonly queue: QueueName
  waiting: Entry[]
  /** Where `waiting` begins: taking from the front must not move the rest each time. */
  head: number
  windowBytes: number
  /** Batches on disk, newer than all of the window, to be read back in order. */
  unread: number
  /** Id of the newest batch that is or was in the window; retries aside. */
  readUpTo: number
  reading: boolean
  retryDue: boolean
  retryTimer: NodeJS.Timeout | undefined
  oldestAcceptedAt: number | undefined
  batches: number
  bytes: number
  parked: number
  parkedBytes: number
  /** Admitted by publish, not yet committed. */
  claimedBytes: number
  claims: number
  consumers: number
  readonly in: Rate
  readonly out: Rate
  /** Wakes the consumers that found nothing to do. */
  idle: (() => void)[]
}

export function createLane(queue: QueueName, totals: Totals, facts: Facts): Lane {
  return {
    queue,
    waiting: [],
    head: 0,
    windowBytes: 0,
    unread: totals.batches,
    readUpTo: 0,
    reading: false,
    retryDue: false,
    retryTimer: undefined,
    oldestAcceptedAt: facts.oldestAcceptedAt,
    ...totals,
    claimedBytes: 0,
    claims: 0,
    consumers: 0,
    in: createRate(),
    out: createRate(),
    idle: [],
  }
}

/** A batch more is on disk. */
export function enter(lane: Lane, bytes: number): void {
  lane.batches += 1
  lane.bytes += bytes
  lane.in.add(1)
}

/** A batch is finished or parked. */
export function leave(lane: Lane, bytes: number): void {
  lane.batches -= 1
  lane.bytes -= bytes
  lane.out.add(1)
}

/** A batch that has just been committed: into the window if it fits and nothing older is still unread. */
export function offer(lane: Lane, entry: Entry, windowBytesMax: number): void {
  enter(lane, entry.bytes)
  const fits = lane.windowBytes === 0 || lane.windowBytes + entry.bytes <= windowBytesMax
  if (lane.unread > 0 || !fits) {
    lane.unread += 1
    return
  }
  lane.readUpTo = entry.id
  append(lane, entry)
}

/** Puts an entry at the end of the window and wakes the consumers. */
export function append(lane: Lane, entry: Entry): void {
  lane.waiting.push(entry)
  lane.windowBytes += entry.bytes
  wake(lane)
}

/** The next entries for a consumer; they stay part of the window until `release`. */
export function take(lane: Lane, entriesMax: number): Entry[] {
  const taken = lane.waiting.slice(lane.head, lane.head + entriesMax)
  lane.head += taken.length
  if (lane.head * 2 > lane.waiting.length) {
    lane.waiting = lane.waiting.slice(lane.head)
    lane.head = 0
  }
  return taken
}

/** The consumer has answered: the entries leave the window. */
export function release(lane: Lane, entries: readonly Entry[]): void {
  for (const entry of entries) lane.windowBytes -= entry.bytes
}

/** Whether the disk has something to deliver and the window room for it. */
export function wantsReading(lane: Lane, windowBytesMax: number): boolean {
  if (lane.reading || lane.consumers === 0) return false
  return (lane.unread > 0 || lane.retryDue) && lane.windowBytes <= windowBytesMax / 2
}

export function wake(lane: Lane): void {
  for (const go of lane.idle.splice(0)) go()
}
