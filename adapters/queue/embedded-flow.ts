import type { Batch } from '../../domain/batch.ts'
import { CodedError } from '../../domain/errors.ts'
import { QUEUES, type QueueName, type Verdict } from '../../ports/queue.ts'
import type { Remote } from '../sqlite/worker.ts'
import { letIn, tryEnter, type Admission, type Publication } from './embedded-admission.ts'
import { addRulings, flush, hurry, unavailable } from './embedded-committer.ts'
import type { Committer, CountedRuling } from './embedded-committer.ts'
import type { ConsumerDesk } from './embedded-consumer.ts'
import { append, leave, offer, wake, wantsReading, type Entry, type Lane } from './embedded-lane.ts'
import type { AllFacts, Facts, QueueOperations, StoredBatch } from './embedded-worker.ts'
import type { EmbeddedQueueLimits, EmbeddedQueueOptions } from './embedded.ts'

/** What the functions of the embedded queue share. */
export interface EmbeddedState {
  readonly limits: EmbeddedQueueLimits
  readonly metrics: EmbeddedQueueOptions['metrics']
  readonly log: EmbeddedQueueOptions['log']
  readonly remote: Remote<QueueOperations>
  readonly lanes: { readonly [Q in QueueName]: Lane }
  readonly committer: Committer
  readonly admission: Admission
  /** While closing, running handlers may still publish, but nobody waits for room any more. */
  phase: 'open' | 'closing' | 'closed'
}

/** As the port says; called once the queue is open. */
export async function publish(state: EmbeddedState, batch: Batch, to: readonly QueueName[]): Promise<void> {
  const lanes = [...new Set(to)].map((queue) => state.lanes[queue])
  if (lanes.length === 0) throw new Error('publish to no queue at all')
  // One bad number would fail the commit of everyone else in it.
  if (!Number.isSafeInteger(batch.acceptedAt))
    throw new Error(`acceptedAt is no epoch time: ${batch.acceptedAt}`)
  refuseUnlessOpen(state)
  const body = JSON.stringify(batch)
  await new Promise<void>((resolve, reject) => {
    const publication = { batch, body, bytes: Buffer.byteLength(body), lanes, resolve, reject }
    if (tryEnter(state.admission, publication)) return
    if (state.phase !== 'open') return reject(closedError())
    state.admission.waiting.push(publication)
    hurry(state.committer)
  })
}

function refuseUnlessOpen(state: EmbeddedState): void {
  const death = state.remote.death()
  if (death) throw unavailable(death)
  if (state.phase === 'closed') throw closedError()
}

function closedError(): CodedError {
  return new CodedError('service.unavailable', 'the queue is closed')
}

/** A commit is durable: keeps the accounts, hands the new batches to the windows. */
export function committed(
  state: EmbeddedState,
  publications: readonly (readonly [id: number, Publication])[],
  rulings: readonly CountedRuling[],
  facts: AllFacts,
): void {
  for (const ruling of rulings) account(state.lanes[ruling.queue], ruling)
  for (const [id, { batch, bytes, lanes }] of publications)
    for (const lane of lanes) offer(lane, { id, batch, bytes, attempts: 0 }, state.limits.windowBytesMax)
  for (const queue of QUEUES) learn(state, state.lanes[queue], facts[queue])
  if (state.admission.waiting.length > 0) letIn(state.admission)
}

function account(lane: Lane, { kind, bytes }: CountedRuling): void {
  if (kind === 'retry') return
  leave(lane, bytes)
  if (kind !== 'park') return
  lane.parked += 1
  lane.parkedBytes += bytes
}

/** Takes in what the disk said of a lane, and acts on it. */
export function learn(state: EmbeddedState, lane: Lane, facts: Facts): void {
  const { queue } = lane
  lane.oldestAcceptedAt = facts.oldestAcceptedAt
  state.metrics.set('coldstream_queue_batches', { queue }, lane.batches)
  state.metrics.set('coldstream_queue_bytes', { queue }, lane.bytes)
  state.metrics.set('coldstream_queue_parked', { queue }, lane.parked)
  clearTimeout(lane.retryTimer)
  lane.retryTimer = undefined
  lane.retryDue = facts.retryInMs === 0
  if (facts.retryInMs && state.phase === 'open')
    lane.retryTimer = setTimeout(() => {
      lane.retryDue = true
      refill(state, lane)
    }, facts.retryInMs)
  refill(state, lane)
}

/** Reads back what is on disk only, when the window has room. Never rejects: a failed read is tried again with the next commit. */
function refill(state: EmbeddedState, lane: Lane): void {
  const { windowBytesMax } = state.limits
  if (state.phase !== 'open' || state.committer.failure || !wantsReading(lane, windowBytesMax)) return
  lane.reading = true
  void readBack(state, lane)
}

async function readBack(state: EmbeddedState, lane: Lane): Promise<void> {
  const bytesMax = state.limits.windowBytesMax / 2
  try {
    const { queue, readUpTo: after } = lane
    const { retried, fresh, facts } = await state.remote.call('read', { queue, after, bytesMax })
    // A commit that was answered in between may have put some of these into the window already.
    const unread = fresh.filter((row) => row.id > lane.readUpTo)
    for (const row of [...unread, ...retried]) append(lane, decode(row))
    lane.unread -= unread.length
    lane.readUpTo = unread.at(-1)?.id ?? lane.readUpTo
    lane.reading = false
    learn(state, lane, facts)
  } catch (error) {
    lane.reading = false
    state.log?.error({ err: error, queue: lane.queue }, 'queue: reading back failed')
    if (!state.remote.death()) setTimeout(refill, state.limits.recoveryDelayMs, state, lane).unref()
  }
}

function decode({ id, attempts, bytes, body }: StoredBatch): Entry {
  return { id, attempts, bytes, batch: JSON.parse(body) as Batch }
}

/** What the consumers of this queue work with. */
export function deskOf(state: EmbeddedState): ConsumerDesk {
  const { committer, admission } = state
  return {
    paused: () => committer.failure !== undefined,
    refill: (lane) => refill(state, lane),
    decide: (lane, entry, verdict, error) => decide(state, lane, entry, verdict, error),
    keep: (rulings) => addRulings(committer, rulings, admission.waiting.length > 0),
    flush: () => flush(committer),
  }
}

function decide(
  state: EmbeddedState,
  lane: Lane,
  entry: Entry,
  verdict: Verdict,
  error: string,
): CountedRuling {
  const { limits, metrics, log } = state
  const { queue } = lane
  const { id, bytes } = entry
  if (verdict === 'done') return { kind: 'done', queue, id, bytes, delayMs: 0, error: '' }
  const attempts = entry.attempts + 1
  const over = verdict === 'drop' || attempts >= limits.triesMax
  if (over && lane.parkedBytes + bytes <= limits.parkedBytesMax) {
    log?.warn({ queue, id, attempts, error, batchId: entry.batch.id }, 'queue: a batch was parked')
    return { kind: 'park', queue, id, bytes, delayMs: 0, error }
  }
  metrics.count('coldstream_queue_retries_total', { queue })
  // The exponent is capped before the power: attempts grow without bound when parking has no room left.
  const delayMs = Math.min(limits.retryDelayMsMax, limits.retryDelayMs * 2 ** Math.min(attempts - 1, 30))
  return { kind: 'retry', queue, id, bytes, delayMs, error }
}

/** The medium works again: consumers go on. */
export function recovered(state: EmbeddedState): void {
  state.log?.info('queue: commits succeed again')
  for (const queue of QUEUES) {
    wake(state.lanes[queue])
    refill(state, state.lanes[queue])
  }
}

/** The thread with the file is gone for good: whoever waits is told, nothing more is delivered. */
export function died(state: EmbeddedState, error: Error): void {
  state.log?.error({ err: error }, 'queue: its thread has died; restart the process')
  state.committer.failure = unavailable(error)
  for (const publication of state.admission.waiting.splice(0)) publication.reject(unavailable(error))
  for (const queue of QUEUES) clearTimeout(state.lanes[queue].retryTimer)
}

/** As the port says. `stops` are those of the consumers. Never rejects: what could not be kept is delivered again. */
export async function close(state: EmbeddedState, stops: Iterable<() => Promise<void>>): Promise<void> {
  state.phase = 'closing'
  for (const publication of state.admission.waiting.splice(0)) publication.reject(closedError())
  for (const queue of QUEUES) clearTimeout(state.lanes[queue].retryTimer)
  const stopped = await Promise.allSettled([...stops].map((stop) => stop()))
  state.phase = 'closed'
  const flushed = await Promise.allSettled([flush(state.committer)])
  for (const outcome of [...stopped, ...flushed])
    if (outcome.status === 'rejected')
      state.log?.warn({ err: outcome.reason }, 'queue: verdicts could not be kept; they will come again')
  clearTimeout(state.committer.timer)
  await state.remote.close()
}
