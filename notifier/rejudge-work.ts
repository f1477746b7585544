import type { Quantity, Reading } from '../domain/reading.ts'
import type { Delivery } from '../ports/queue.ts'
import type { Judging } from './judging.ts'
import { suspend, type Stream } from './judging-state.ts'

/** What of the deliveries is of one sensor. */
export interface Work {
  stream: Stream
  readonly batchIds: Set<string>
  readonly quantities: Set<Quantity>
  /** The store must have finished what was accepted up to then. */
  acceptedBy: number
  from: number
  to: number
  readings: number
}

/** Sorts deliveries of the queue `rejudge` by sensor. */
export function collect(judging: Judging, deliveries: readonly Delivery[]): Work[] {
  const works = new Map<string, Work>()
  for (const { batch } of deliveries) {
    const adopt = adoptionOf(judging, batch.id, batch.acceptedAt)
    for (const reading of batch.readings) {
      const { deviceId, sensor } = reading
      const stream = judging.streams.find(deviceId)?.get(sensor) ?? judging.streams.create(deviceId, sensor)
      adopt(stream)
      const share = stream.shares.get(batch.id)
      // A stream that got in order again without waiting for this batch has judged its share of it.
      if (share === undefined) continue
      const key = `${deviceId}\n${sensor}`
      const work = works.get(key) ?? createWork(stream, reading.time)
      works.set(key, work)
      // A stream forgotten for want of room and made anew meanwhile is the same sensor.
      work.stream = stream
      work.batchIds.add(batch.id)
      work.acceptedBy = Math.max(work.acceptedBy, share.acceptedBy)
      addReading(work, reading)
    }
  }
  return [...works.values()]
}

function createWork(stream: Stream, time: number): Work {
  return {
    stream,
    batchIds: new Set(),
    quantities: new Set(),
    acceptedBy: 0,
    from: time,
    to: time,
    readings: 0,
  }
}

function addReading(work: Work, { time, values }: Reading): void {
  for (const quantity of Object.keys(values) as Quantity[]) work.quantities.add(quantity)
  work.from = Math.min(work.from, time)
  work.to = Math.max(work.to, time)
  work.readings += 1
}

/**
 * A batch from before a restart, or of a stream that was forgotten since, is one that the stream knows nothing of: from now on it waits for it, and what it
 * judged in order up to now must be in the store first.
 */
function adoptionOf(judging: Judging, batchId: string, acceptedAt: number): (stream: Stream) => void {
  const waiting = judging.waiting.get(batchId) ?? { streams: new Set(), remembered: 0 }
  judging.waiting.set(batchId, waiting)
  const acceptedBy = Math.max(acceptedAt, judging.clock.now(), judging.acceptedAtMax)
  return (stream) => {
    if (waiting.streams.has(stream)) return
    waiting.streams.add(stream)
    suspend(stream)
    stream.shares.set(batchId, { acceptedBy, readings: undefined })
  }
}
