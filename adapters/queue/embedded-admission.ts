import type { Batch } from '../../domain/batch.ts'
import { QUEUES, type QueueName } from '../../ports/queue.ts'
import type { Lane } from './embedded-lane.ts'

/** One publish on its way. */
export interface Publication {
  readonly batch: Batch
  readonly body: string
  readonly bytes: number
  readonly lanes: readonly Lane[]
  resolve(): void
  reject(error: Error): void
}

/** Where publishes wait while a queue holds its limit of bytes. First come, first served, per queue. */
export interface Admission {
  readonly waiting: Publication[]
  readonly bytesMax: number
  readonly enter: (publication: Publication) => void
}

/** Lets the publication in at once; false, and nothing done, when it would have to wait. */
export function tryEnter(admission: Admission, publication: Publication): boolean {
  const overtakes = admission.waiting.some((other) =>
    other.lanes.some((lane) => publication.lanes.includes(lane)),
  )
  if (overtakes || !publication.lanes.every((lane) => hasRoom(lane, publication.bytes, admission.bytesMax)))
    return false
  claim(admission, publication)
  return true
}

/** Lets in those that have room now; one that waits for a queue holds back the later ones of that queue only. */
export function letIn(admission: Admission): void {
  const blocked = new Set<QueueName>()
  for (let at = 0; at < admission.waiting.length && blocked.size < QUEUES.length;) {
    const publication = admission.waiting[at]
    if (!publication) return
    const { lanes, bytes } = publication
    if (lanes.every((lane) => !blocked.has(lane.queue) && hasRoom(lane, bytes, admission.bytesMax))) {
      admission.waiting.splice(at, 1)
      claim(admission, publication)
    } else {
      for (const lane of lanes) blocked.add(lane.queue)
      at += 1
    }
  }
}

// A batch larger than the whole limit is let into an empty queue: otherwise it would wait for ever.
function hasRoom(lane: Lane, bytes: number, bytesMax: number): boolean {
  if (lane.batches + lane.claims === 0) return true
  return lane.bytes + lane.claimedBytes + bytes <= bytesMax
}

function claim(admission: Admission, publication: Publication): void {
  for (const lane of publication.lanes) {
    lane.claims += 1
    lane.claimedBytes += publication.bytes
  }
  admission.enter(publication)
}

/** The commit has happened or failed. */
export function unclaim(publication: Publication): void {
  for (const lane of publication.lanes) {
    lane.claims -= 1
    lane.claimedBytes -= publication.bytes
  }
}
