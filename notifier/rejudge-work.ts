import type { Delivery } from '../ports/queue.ts'
import type { Judging } from './judging.ts'
import { suspend, type Stream } from './judging-state.ts'
import { createExtent, widen, type Extent, type Late } from './late.ts'
import { isRequest } from './rejudge-request.ts'

/** What of the deliveries is of one sensor, and what else of it waits. */
export interface Work extends Extent {
  stream: Stream
}

/** Sorts deliveries of the queue `rejudge` by sensor. */
export function collect(judging: Judging, deliveries: readonly Delivery[]): Work[] {
  const { streams, clock, acceptedAtMax } = judging
  const works = new Map<string, Work>()
  const workOf = (stream: Stream): Work => {
    const key = `${stream.deviceId}\n${stream.sensor}`
    const work = works.get(key) ?? { stream, ...createExtent() }
    works.set(key, work)
    // A stream forgotten for want of room and made anew meanwhile is the same sensor.
    work.stream = stream
    return work
  }
  for (const { batch } of deliveries) {
    const number = numberOf(judging, batch.id)
    // What a stream judged in order up to now must be in the store first.
    const acceptedBy = Math.max(batch.acceptedAt, clock.now(), acceptedAtMax)
    for (const reading of batch.readings) {
      const { deviceId, sensor } = reading
      const stream = streams.find(deviceId)?.get(sensor) ?? streams.create(deviceId, sensor)
      if (isRequest(reading)) {
        suspend(stream)
        demand(workOf(stream), acceptedBy, reading.time)
      } else if (number <= stream.bornAfter) {
        suspend(stream)
        widen(workOf(stream), acceptedBy, reading)
      } else if (number > stream.judgedTo) {
        const taken = streams.take(stream, (late) => late.first <= number)
        absorb(workOf(stream), taken)
      }
    }
  }
  return [...works.values()]
}

/** Adds what came meanwhile and is in the store already: judging it too costs nothing more. */
export function collectMore({ streams }: Judging, works: readonly Work[], storedBy: number): void {
  for (const work of works)
    absorb(
      work,
      streams.take(work.stream, (late) => late.acceptedBy < storedBy),
    )
}

/** Counting from 1 in this process; 0, which no stream knows, for a batch of another one or from before a restart. */
function numberOf({ name }: Judging, id: string): number {
  return id.startsWith(`${name}.`) ? Number(id.slice(name.length + 1)) : 0
}

function demand(work: Work, acceptedBy: number, from: number): void {
  work.isWhole = true
  work.acceptedBy = Math.max(work.acceptedBy, acceptedBy)
  work.from = Math.min(work.from, from)
}

function absorb(work: Work, taken: readonly Late[]): void {
  for (const { acceptedBy, from, to, quantities, count } of taken) {
    for (const quantity of quantities) work.quantities.add(quantity)
    work.acceptedBy = Math.max(work.acceptedBy, acceptedBy)
    work.from = Math.min(work.from, from)
    work.to = Math.max(work.to, to)
    work.count += count
  }
}
