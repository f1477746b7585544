import type { Logger } from 'pino'
import { CodedError } from '../../domain/errors.ts'
import type { Intake, Outcome, Packet } from '../../ports/intake.ts'
import type { Answer } from '../../ports/intake-wire.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { ExchangeError } from './exchange.ts'
import { HTTP_INTAKE_DEFAULTS, type HttpIntakeLimits } from './limits.ts'
import { createPending, type Entry } from './pending.ts'
import { createWorker, type IntakeWorker } from './worker.ts'

export interface HttpIntakeOptions {
  /** Where the ingest workers listen, `http://host:port` or `https://`. */
  readonly urls: readonly string[]
  /** The secret that the workers know too. */
  readonly token: string
  readonly log: Logger
  readonly metrics: Metrics
  /** Those left out have the defaults of `HTTP_INTAKE_DEFAULTS`. */
  readonly limits?: Partial<HttpIntakeLimits>
}

export interface HttpIntake extends Intake {
  /** Undefined while a worker can be given packets, else why not. */
  ready(): string | undefined
  /** Takes nothing new, rejects what waits, and resolves when what is under way has been answered or was given up. */
  close(): Promise<void>
}

/**
 * The intake of ingest workers in other processes. What comes while requests are under way goes with the next ones, to the worker that has the
 * least to do; what a worker does not answer goes to another one. A packet may thus be taken twice, which changes nothing (P6).
 * @throws TypeError when there is no address, or one that is not HTTP
 */
export function openHttpIntake(options: HttpIntakeOptions): HttpIntake {
  const limits = { ...HTTP_INTAKE_DEFAULTS, ...options.limits }
  const urls = options.urls.map(toUrl)
  if (urls.length === 0) throw new TypeError('no ingest worker is named')
  return createIntake({ ...options, limits }, urls)
}

function toUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new TypeError('the address of an ingest worker is not of the form http://host:port')
  return url
}

function createIntake(
  options: HttpIntakeOptions & { limits: HttpIntakeLimits },
  urls: readonly URL[],
): HttpIntake {
  const { metrics, limits } = options
  const pending = createPending(limits)
  const workers = urls.map((url) => createWorker({ ...options, url, onChange }))
  const next = inTurn(workers)
  let scheduled = false
  let closed = false

  // Not async: this runs tens of thousands of times a second.
  function accept(packet: Packet): Promise<Outcome> {
    if (closed) return Promise.reject(unavailable('The intake is closed.'))
    if (!workers.some(isUsable)) return Promise.reject(unavailable(problems(workers)))
    const room = pending.room()
    if (room !== undefined) return room.then(() => accept(packet))
    schedule()
    return pending.add(packet)
  }

  // At the end of the turn of the event loop: everything that its sockets delivered goes together.
  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      dispatch()
    })
  }

  function dispatch(): void {
    while (pending.waiting > 0) {
      const worker = next()
      if (worker === undefined) break
      void send(worker, pending.take(worker.bytesMax))
    }
    if (!workers.some(isUsable)) pending.failWaiting(unavailable(problems(workers)))
  }

  async function send(worker: IntakeWorker, entries: readonly Entry[]): Promise<void> {
    try {
      const answers = await worker.post(entries.map(({ packet }) => cut(packet, limits.payloadBytesMax)))
      for (const [index, entry] of entries.entries()) pending.settle(entry, answers[index] as Answer)
    } catch (error) {
      giveBack(entries, error as ExchangeError, worker)
    }
    metrics.set('coldstream_intake_pending_bytes', {}, pending.bytes)
    dispatch()
  }

  function giveBack(entries: readonly Entry[], error: ExchangeError, { address }: IntakeWorker): void {
    metrics.count('coldstream_intake_retries_total', {}, entries.length)
    const tooLarge = error.fault === 'tooLarge'
    // What was too large together may go in parts, and that was no try.
    if (!tooLarge) for (const entry of entries) entry.tries++
    const last = (entry: Entry) =>
      closed || entry.tries >= limits.triesMax || (tooLarge && entries.length === 1)
    const { again = [], given = [] } = Object.groupBy(entries, (it) => (last(it) ? 'given' : 'again'))
    pending.putBack(again)
    pending.fail(given, unavailable(`${address}: ${error.message}`, error))
  }

  function onChange(): void {
    metrics.set('coldstream_intake_workers_out', {}, workers.filter((it) => !isUsable(it)).length)
    schedule()
  }

  return {
    accept,
    ready: () => (workers.some(({ problem }) => problem === undefined) ? undefined : problems(workers)),
    async close() {
      closed = true
      pending.failWaiting(unavailable('The intake is closed.'))
      await pending.drained()
      for (const worker of workers) worker.close()
    },
  }
}

/** Finds the worker with the least to do, in turn where they are equal, so that a quiet broker does not know one worker only. */
function inTurn(workers: readonly IntakeWorker[]): () => IntakeWorker | undefined {
  let first = 0
  return () => {
    let best: IntakeWorker | undefined
    for (let i = 0; i < workers.length; i++) {
      const worker = workers[(first + i) % workers.length]
      if (worker && worker.room > 0 && (best === undefined || worker.inFlight < best.inFlight)) best = worker
    }
    if (best !== undefined) first = workers.indexOf(best) + 1
    return best
  }
}

function isUsable({ state }: IntakeWorker): boolean {
  return state !== 'out'
}

function unavailable(detail: string, cause?: Error): CodedError {
  return new CodedError('service.unavailable', detail, { cause })
}

function problems(workers: readonly IntakeWorker[]): string {
  const each = workers.map(({ address, problem }) => `${address}: ${problem}`)
  return `No ingest worker takes packets (${each.join('; ')}).`
}

/** The worker refuses a payload of this size in any case; its beginning is what is kept of it. */
function cut(packet: Packet, bytesMax: number): Packet {
  if (packet.payload.byteLength <= bytesMax) return packet
  return { ...packet, payload: packet.payload.subarray(0, bytesMax) }
}
