import { randomUUIDv7 } from 'node:crypto'
import type { Logger } from 'pino'
import type { AttributeUpdate, Refusal, Trace } from '../domain/batch.ts'
import type { ErrorCode } from '../domain/errors.ts'
import type { Reading } from '../domain/reading.ts'
import type { Clock } from '../ports/clock.ts'
import type { Outcome } from '../ports/intake.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Queue, QueueName } from '../ports/queue.ts'
import type { Decoded } from './codecs/codec.ts'
import type { IngestSettings } from './settings.ts'

interface GroupDeps {
  readonly queue: Queue
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
  readonly settings: IngestSettings
}

/** Gathers packets into batches, so that one confirm of the queue serves all that came while the last one was awaited. */
export interface Group {
  /** Resolves when the batch that the packet went into is durable; rejects when that failed. */
  add(decoded: Decoded, refusal: Refusal | undefined, bytes: number, trace?: Trace): Promise<Outcome>
  /** Undefined while there is room for more; else resolves when it is worth asking again. */
  room(): Promise<void> | undefined
  /** Resolves when everything added has been answered. */
  drained(): Promise<void>
}

interface OpenBatch {
  readonly acceptedAt: number
  readonly readings: Reading[]
  readonly refusals: Refusal[]
  readonly attributes: AttributeUpdate[]
  readonly refusedByCode: Map<ErrorCode, number>
  readonly durable: PromiseWithResolvers<void>
  /** By number of readings, for packets without refusals: packets that fare alike share one promise. */
  readonly clean: Map<number, Promise<Outcome>>
  bytes: number
  traces: Trace[] | undefined
}

interface GroupState extends GroupDeps {
  /** Oldest first; only the last one still grows. */
  readonly waiting: OpenBatch[]
  inFlight: number
  scheduled: boolean
  pendingBytes: number
  freed: PromiseWithResolvers<void> | undefined
}

const STORE_AND_JUDGE: readonly QueueName[] = ['store', 'judge']
const STORE_ONLY: readonly QueueName[] = ['store']

// What a reading takes in memory beside the bytes that it came in, roughly.
const READING_BYTES = 300

export function createGroup(deps: GroupDeps): Group {
  const state: GroupState = {
    ...deps,
    waiting: [],
    inFlight: 0,
    scheduled: false,
    pendingBytes: 0,
    freed: undefined,
  }
  return {
    add: (decoded, refusal, bytes, trace) => add(state, decoded, refusal, bytes, trace),
    room: () => (state.pendingBytes < state.settings.pendingBytesMax ? undefined : untilFreed(state)),
    async drained() {
      while (state.pendingBytes > 0) await untilFreed(state)
    },
  }
}

function untilFreed(state: GroupState): Promise<void> {
  state.freed ??= Promise.withResolvers()
  return state.freed.promise
}

function add(
  state: GroupState,
  decoded: Decoded,
  refusal: Refusal | undefined,
  payloadBytes: number,
  trace: Trace | undefined,
): Promise<Outcome> {
  const bytes = 1 + payloadBytes + decoded.readings.length * READING_BYTES + (refusal?.payload.length ?? 0)
  const batch = batchFor(state, decoded.readings.length, bytes)
  for (const reading of decoded.readings) batch.readings.push(reading)
  for (const attribute of decoded.attributes) batch.attributes.push(attribute)
  for (const { code } of decoded.refused)
    batch.refusedByCode.set(code, (batch.refusedByCode.get(code) ?? 0) + 1)
  if (refusal !== undefined) batch.refusals.push(refusal)
  if (trace !== undefined) addTrace(batch, trace)
  batch.bytes += bytes
  state.pendingBytes += bytes
  schedule(state)
  return outcomeOf(batch, decoded)
}

function batchFor(state: GroupState, readings: number, bytes: number): OpenBatch {
  const { batchReadingsMax, batchBytesMax } = state.settings
  const last = state.waiting.at(-1)
  const fits =
    last !== undefined &&
    last.readings.length + readings <= batchReadingsMax &&
    last.bytes + bytes <= batchBytesMax
  if (fits) return last
  const batch: OpenBatch = {
    acceptedAt: state.clock.now(),
    readings: [],
    refusals: [],
    attributes: [],
    refusedByCode: new Map(),
    durable: Promise.withResolvers(),
    clean: new Map(),
    bytes: 0,
    traces: undefined,
  }
  state.waiting.push(batch)
  return batch
}

// Few are taken; somebody who takes all of them must not make batches of traces.
const TRACES_PER_BATCH_MAX = 10

function addTrace(batch: OpenBatch, trace: Trace): void {
  batch.traces ??= []
  if (batch.traces.length < TRACES_PER_BATCH_MAX) batch.traces.push(trace)
}

function outcomeOf(batch: OpenBatch, decoded: Decoded): Promise<Outcome> {
  const readings = decoded.readings.length
  const { refused } = decoded
  if (refused.length > 0) return batch.durable.promise.then(() => ({ readings, refused }))
  const shared = batch.clean.get(readings)
  if (shared !== undefined) return shared
  const outcome: Outcome = Object.freeze({ readings, refused })
  const promise = batch.durable.promise.then(() => outcome)
  batch.clean.set(readings, promise)
  return promise
}

// At the end of the turn of the event loop: everything that its sockets delivered goes together.
function schedule(state: GroupState): void {
  if (state.scheduled || state.inFlight >= state.settings.inFlightMax) return
  state.scheduled = true
  setImmediate(() => {
    state.scheduled = false
    publishWaiting(state)
  })
}

function publishWaiting(state: GroupState): void {
  while (state.inFlight < state.settings.inFlightMax) {
    const batch = state.waiting.shift()
    if (batch === undefined) return
    void publish(state, batch)
  }
}

async function publish(state: GroupState, batch: OpenBatch): Promise<void> {
  const { acceptedAt, readings, refusals, attributes, traces } = batch
  const startedAt = performance.now()
  state.inFlight++
  try {
    await state.queue.publish(
      { id: randomUUIDv7(), acceptedAt, readings, refusals, attributes, ...(traces && { traces }) },
      readings.length > 0 ? STORE_AND_JUDGE : STORE_ONLY,
    )
    state.metrics.observe('coldstream_confirm_seconds', {}, (performance.now() - startedAt) / 1000)
    count(state, batch)
    batch.durable.resolve()
  } catch (error) {
    state.log.warn({ err: error, readings: readings.length }, 'a batch could not be made durable')
    state.metrics.count('coldstream_confirm_failures_total', {})
    batch.durable.reject(error)
  }
  state.inFlight--
  free(state, batch.bytes)
  publishWaiting(state)
}

function free(state: GroupState, bytes: number): void {
  state.pendingBytes -= bytes
  state.metrics.set('coldstream_intake_pending_bytes', {}, state.pendingBytes)
  const { freed } = state
  state.freed = undefined
  freed?.resolve()
}

// Only what is durable counts: what was not will be sent, and decoded, again.
function count({ metrics, log }: GroupState, batch: OpenBatch): void {
  metrics.count('coldstream_readings_accepted_total', {}, batch.readings.length)
  metrics.observe('coldstream_batch_readings', {}, batch.readings.length)
  for (const [code, by] of batch.refusedByCode) metrics.count('coldstream_refusals_total', { code }, by)
  const [refusal] = batch.refusals
  if (refusal === undefined) return
  const { id, deviceId, code } = refusal
  log.info({ packets: batch.refusals.length, first: { id, deviceId, code } }, 'packets were refused')
}
