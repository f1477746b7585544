import type { Batch } from '../domain/batch.ts'
import type { Reading } from '../domain/reading.ts'
import { observeLag } from '../ports/metrics.ts'
import type { Delivery, Verdict } from '../ports/queue.ts'
import { followBatches, type Following } from '../ports/trace.ts'
import { judgeInOrder, type Runs } from './in-order.ts'
import { createJudging, fail, storesAnswer, type JudgeDeps, type Judging } from './judging.ts'
import type { Stream } from './judging-state.ts'
import type { LateBatch } from './late.ts'
import { recordRuns } from './record-breaches.ts'
import { createRejudge } from './rejudge.ts'

export { JUDGE_SETTINGS, type JudgeDeps, type JudgeSettings } from './judging.ts'

export interface Judge {
  /** Takes nothing new; resolves when what was begun is finished. */
  stop(): Promise<void>
  /** Undefined when it works, else why not, in a sentence. */
  ready(): Promise<string | undefined>
}

/**
 * Starts to turn readings into breaches. Readings in order are judged from memory as they come; everything else goes through the queue
 * `rejudge` and is judged over the window of the series that it touches, so that the result is the same in whatever order readings arrive (P3).
 */
export async function startJudge(deps: JudgeDeps): Promise<Judge> {
  const judging = createJudging(deps)
  const { queue, cache, stopping, settings } = judging
  const forgetAll = () => {
    judging.placements.forgetAll()
    judging.streams.forgetDevices(() => true)
  }
  const forget = ({ deviceId }: { deviceId: string }) => {
    judging.placements.forget(deviceId)
    judging.streams.forgetDevice(deviceId)
  }
  const unsubscribe = cache.subscribe('registry', forget, forgetAll)
  const rejudging = queue.consume('rejudge', createRejudge(judging), {
    deliveriesMax: settings.lateDeliveriesMax,
  })
  // Somebody else may have judged meanwhile: what memory says of a stream is then not the fold of all that came.
  const consuming = queue.consume('judge', (deliveries) => judge(judging, deliveries), {
    deliveriesMax: settings.deliveriesMax,
    onGap(isAffected) {
      judging.streams.forgetDevices(isAffected)
      judging.watch?.forgetDevices(isAffected)
    },
  })
  return {
    async stop() {
      // First, since whoever waits out an outage has to hear of it.
      stopping.abort()
      await consuming.stop()
      await rejudging.stop()
      unsubscribe()
    },
    ready: async () => judging.failure,
  }
}

interface Call {
  readonly runs: Runs
  readonly late: (LateBatch & { readonly readings: Reading[] })[]
  readonly deferred: Set<Stream>
  inOrder: number
}

async function judge(judging: Judging, deliveries: readonly Delivery[]): Promise<Verdict[]> {
  const batches = deliveries.map(({ batch }) => batch)
  const steps = followBatches(judging.tracer, 'judge', batches)
  const call: Call = { runs: new Map(), late: [], deferred: new Set(), inOrder: 0 }
  for (const { batch } of deliveries)
    judging.acceptedAtMax = Math.max(judging.acceptedAtMax, batch.acceptedAt)
  for (const { batch } of deliveries) {
    takeReadings(judging, call, batch.readings)
    judging.forecast?.note(batch.readings)
  }
  try {
    if (call.runs.size > 0) await judging.writes.run(() => recordRuns(judging, call.runs, steps?.parents))
    for (const { number, acceptedAt, readings } of call.late) {
      const id = `${judging.name}.${number}`
      const late = { id, acceptedAt, readings, refusals: [], attributes: [] }
      await judging.queue.publish({ ...late, ...(steps && tracesOf(steps, readings)) }, ['rejudge'])
    }
    await judging.watch?.note(deliveries)
  } catch (error) {
    fail(judging, error, 'judge: deliveries are tried again')
    steps?.end(error)
    undo(judging, call)
    await storesAnswer(judging)
    return deliveries.map(() => 'retry')
  }
  steps?.end()
  judging.failure = undefined
  countJudged(judging, call, batches)
  return batches.map(() => 'done')
}

function countJudged(judging: Judging, { inOrder }: Call, batches: readonly Batch[]): void {
  if (inOrder > 0) judging.metrics.count('coldstream_readings_judged_total', { path: 'in-order' }, inOrder)
  for (const { acceptedAt } of batches) observeLag(judging, 'judged', acceptedAt)
}

function tracesOf({ parents }: Following, readings: readonly Reading[]): Pick<Batch, 'traces'> {
  const devices = new Set(readings.map(({ deviceId }) => deviceId))
  const traces = [...parents].map(([deviceId, traceparent]) => ({ deviceId, traceparent }))
  return { traces: traces.filter(({ deviceId }) => devices.has(deviceId)) }
}

// Memory has moved on without its effects. Forgotten streams are rebuilt from the store when the deliveries come again.
function undo({ streams }: Judging, { runs, deferred }: Call): void {
  for (const { stream } of runs.values()) streams.forget(stream)
  for (const stream of deferred) streams.forget(stream)
}

// The hottest loop there is: no allocation for a reading in order and in range.
function takeReadings(judging: Judging, call: Call, readings: readonly Reading[]): void {
  let deviceId: string | undefined
  let streams: ReadonlyMap<string, Stream> | undefined
  for (const reading of readings) {
    if (reading.deviceId !== deviceId || streams === undefined) {
      deviceId = reading.deviceId
      streams = judging.streams.find(deviceId)
    }
    const stream = streams?.get(reading.sensor)
    if (stream !== undefined && stream.phase === 'current' && judgeInOrder(call.runs, stream, reading))
      call.inOrder += 1
    else {
      defer(judging, call, stream ?? judging.streams.create(deviceId, reading.sensor), reading)
      // Making a stream may have made others go.
      streams = undefined
    }
  }
}

function defer(judging: Judging, call: Call, stream: Stream, reading: Reading): void {
  let batch = call.late.at(-1)
  if (batch === undefined || batch.readings.length >= judging.settings.lateBatchReadingsMax) {
    // Whatever was judged in order before this must be in the store before the window is read, also what came with a newer batch: hence now.
    const acceptedAt = Math.max(judging.clock.now(), judging.acceptedAtMax)
    batch = { number: (judging.lateBatches += 1), acceptedAt, readings: [] }
    call.late.push(batch)
  }
  batch.readings.push(reading)
  call.deferred.add(stream)
  judging.streams.defer(stream, batch, reading)
}
