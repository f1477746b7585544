import { CodedError } from '../../domain/errors.ts'
import type { QueueName } from '../../ports/queue.ts'
import type { Remote } from '../sqlite/worker.ts'
import { unclaim, type Publication } from './embedded-admission.ts'
import type { AllFacts, QueueOperations, Ruling } from './embedded-worker.ts'

/** A ruling with what the accounts of its queue need. */
export interface CountedRuling extends Ruling {
  readonly bytes: number
}

/** What the committer tells of each commit. */
export interface CommitEvents {
  committed(
    publications: readonly (readonly [id: number, Publication])[],
    rulings: readonly CountedRuling[],
    facts: AllFacts,
  ): void
  failed(error: Error): void
  recovered(): void
}

export interface CommitterLimits {
  /** Bodies in one transaction; what is above goes into the next. */
  readonly commitBytesMax: number
  /** A verdict waits this long for a publish to share its commit with. */
  readonly verdictDelayMs: number
  /** This many verdicts do not wait. */
  readonly verdictsMax: number
  /** Pause after a failed commit before verdicts are tried again. */
  readonly recoveryDelayMs: number
}

/** Group commit: what came while the last commit was in flight goes into the next one. */
export interface Committer {
  publications: Publication[]
  rulings: CountedRuling[]
  flushes: PromiseWithResolvers<void>[]
  running: boolean
  timer: NodeJS.Timeout | undefined
  lastId: number
  commits: number
  /** Why the last commit failed; undefined while all is well. */
  failure: Error | undefined
  readonly limits: CommitterLimits
  readonly remote: Remote<QueueOperations>
  readonly events: CommitEvents
}

export function createCommitter(
  remote: Remote<QueueOperations>,
  lastId: number,
  limits: CommitterLimits,
  events: CommitEvents,
): Committer {
  return {
    publications: [],
    rulings: [],
    flushes: [],
    running: false,
    timer: undefined,
    lastId,
    commits: 0,
    failure: undefined,
    limits,
    remote,
    events,
  }
}

export function addPublication(committer: Committer, publication: Publication): void {
  committer.publications.push(publication)
  start(committer)
}

/** Verdicts, to be kept with the next commit; at the latest after `verdictDelayMs`. */
export function addRulings(committer: Committer, rulings: readonly CountedRuling[], atOnce: boolean): void {
  for (const ruling of rulings) committer.rulings.push(ruling)
  if (committer.failure) return startLater(committer, committer.limits.recoveryDelayMs)
  if (atOnce || committer.rulings.length >= committer.limits.verdictsMax) start(committer)
  else startLater(committer, committer.limits.verdictDelayMs)
}

/** Resolves when everything added so far is kept; rejects when that commit fails. */
export function flush(committer: Committer): Promise<void> {
  if (!committer.running && committer.rulings.length === 0) return Promise.resolve()
  const flushed = Promise.withResolvers<void>()
  committer.flushes.push(flushed)
  start(committer)
  return flushed.promise
}

/** Commits verdicts now instead of after their delay: someone waits for the room. */
export function hurry(committer: Committer): void {
  if (committer.rulings.length > 0 && !committer.failure) start(committer)
}

function startLater(committer: Committer, delayMs: number): void {
  if (committer.running || committer.timer) return
  committer.timer = setTimeout(() => {
    committer.timer = undefined
    start(committer)
  }, delayMs)
}

function start(committer: Committer): void {
  if (committer.running) return
  committer.running = true
  clearTimeout(committer.timer)
  committer.timer = undefined
  // In a microtask, so that publishes of the same turn share the first commit too.
  queueMicrotask(() => void run(committer))
}

async function run(committer: Committer): Promise<void> {
  do {
    await commitOnce(committer)
  } while (
    committer.publications.length + committer.flushes.length > 0 ||
    (committer.rulings.length >= committer.limits.verdictsMax && !committer.failure)
  )
  committer.running = false
  if (committer.remote.death()) return
  if (committer.failure) startLater(committer, committer.limits.recoveryDelayMs)
  else if (committer.rulings.length > 0) startLater(committer, committer.limits.verdictDelayMs)
}

async function commitOnce(committer: Committer): Promise<void> {
  const publications = takePublications(committer)
  const rulings = committer.rulings
  // Those who wait for a flush gave their rulings before; they are all in this commit.
  const flushes = committer.flushes
  committer.rulings = []
  committer.flushes = []
  let facts: AllFacts
  try {
    facts = await committer.remote.call('commit', {
      inserts: publications.map(([id, publication]) => toInsert(id, publication)),
      rulings: rulings.map(({ kind, queue, id, delayMs, error }) => ({ kind, queue, id, delayMs, error })),
    })
  } catch (cause) {
    const error = unavailable(cause)
    committer.failure = error
    // The verdicts still count, and go first the next time; without the thread nobody can keep them, and redelivery is safe.
    committer.rulings = committer.remote.death() ? [] : [...rulings, ...committer.rulings]
    for (const [, publication] of publications) unclaim(publication)
    committer.events.failed(error)
    for (const [, publication] of publications) publication.reject(error)
    for (const flushed of flushes) flushed.reject(error)
    return
  }
  const recovered = committer.failure !== undefined
  committer.failure = undefined
  committer.commits += 1
  for (const [, publication] of publications) unclaim(publication)
  committer.events.committed(publications, rulings, facts)
  for (const [, publication] of publications) publication.resolve()
  for (const flushed of flushes) flushed.resolve()
  if (recovered) committer.events.recovered()
}

function takePublications(committer: Committer): (readonly [number, Publication])[] {
  let bytes = 0
  const end = committer.publications.findIndex((publication, index) => {
    bytes += publication.bytes
    return index > 0 && bytes > committer.limits.commitBytesMax
  })
  const taken = committer.publications.splice(0, end === -1 ? Infinity : end)
  return taken.map((publication) => [++committer.lastId, publication] as const)
}

function toInsert(id: number, publication: Publication) {
  const queues: QueueName[] = publication.lanes.map((lane) => lane.queue)
  return {
    id,
    queues,
    acceptedAt: publication.batch.acceptedAt,
    bytes: publication.bytes,
    body: publication.body,
  }
}

/** The error that a publisher gets when the medium fails. */
export function unavailable(cause: unknown): CodedError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CodedError('service.unavailable', `the queue cannot write: ${reason}`, { cause })
}
