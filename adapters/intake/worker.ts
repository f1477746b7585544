import type { Logger } from 'pino'
import type { Packet } from '../../ports/intake.ts'
import { decodeAnswers, encodePackets, type Answer } from '../../ports/intake-wire.ts'
import type { Metrics } from '../../ports/metrics.ts'
import { ExchangeError, openExchange, type Exchange } from './exchange.ts'
import { watchHealth, type HealthState } from './health.ts'
import type { HttpIntakeLimits } from './limits.ts'

/** One ingest worker, as seen from a broker. */
export interface IntakeWorker {
  /** Where it is, without credentials. */
  readonly address: string
  readonly state: HealthState
  /** Undefined when it answered last time. */
  readonly problem: string | undefined
  readonly inFlight: number
  /** Requests that it may be given now. */
  readonly room: number
  /** Payload bytes in one request; less than the limit once it said that a request was too large. */
  readonly bytesMax: number
  /** Resolves with one answer per packet. @throws ExchangeError */
  post(packets: readonly Packet[]): Promise<readonly Answer[]>
  close(): void
}

interface WorkerDeps {
  readonly url: URL
  readonly token: string
  readonly log: Logger
  readonly metrics: Metrics
  readonly limits: HttpIntakeLimits
  /** Told when it is left out, and when it may be given packets again. */
  readonly onChange: () => void
}

const ANSWERED = { outcome: 'answered' } as const

export function createWorker(deps: WorkerDeps): IntakeWorker {
  const { url, token, limits, metrics } = deps
  const { requestsInFlightMax } = limits
  const exchange = openExchange({
    url,
    token,
    // One more than there are requests: a probe never waits for one that is stuck.
    connectionsMax: requestsInFlightMax + 1,
    answerBytesMax: limits.answerBytesMax,
  })
  const health = watchHealth({
    ...limits,
    probe: () => ask(exchange, [], limits.probeTimeoutMs),
    onChange(state) {
      if (state === 'out')
        deps.log.warn({ worker: url.host, problem: health.problem }, 'an ingest worker is left out')
      else if (state === 'up') deps.log.info({ worker: url.host }, 'an ingest worker takes packets again')
      deps.onChange()
    },
  })
  let inFlight = 0
  let bytesMax = limits.requestBytesMax

  async function post(packets: readonly Packet[]): Promise<readonly Answer[]> {
    inFlight++
    try {
      const answers = await ask(exchange, packets, limits.timeoutMs)
      metrics.count('coldstream_intake_requests_total', ANSWERED)
      const nothingTaken = answers.find(isFailure)
      // One packet that fails is its own affair. When all do, the worker is cut off from what is behind it, and would attract
      // the more packets the faster it fails.
      if (nothingTaken === undefined || !answers.every(isFailure)) health.succeeded()
      else health.failed(`it takes no packets: ${nothingTaken.detail ?? nothingTaken.failed}`)
      return answers
    } catch (error) {
      blame(error as ExchangeError, packets)
      throw error
    } finally {
      inFlight--
    }
  }

  function blame({ fault, message }: ExchangeError, packets: readonly Packet[]): void {
    metrics.count('coldstream_intake_requests_total', { outcome: fault })
    if (fault === 'tooLarge') bytesMax = Math.max(1, Math.floor(payloadBytes(packets) / 2))
    else if (fault !== 'stale') health.failed(message)
  }

  return {
    address: url.host,
    get state() {
      return health.state
    },
    get problem() {
      return health.problem
    },
    get inFlight() {
      return inFlight
    },
    get room() {
      return (health.state === 'out' ? 0 : health.state === 'trial' ? 1 : requestsInFlightMax) - inFlight
    },
    get bytesMax() {
      return bytesMax
    },
    post,
    close() {
      health.stop()
      exchange.close()
    },
  }
}

async function ask(exchange: Exchange, packets: readonly Packet[], timeoutMs: number): Promise<Answer[]> {
  const answers = decodeAnswers(await exchange.post(encodePackets(packets), timeoutMs), packets.length)
  if (answers === undefined) throw new ExchangeError('failed', 'its answer is no answer to the packets')
  return answers
}

function isFailure(answer: Answer): answer is Extract<Answer, { failed: unknown }> {
  return 'failed' in answer
}

function payloadBytes(packets: readonly Packet[]): number {
  return packets.reduce((sum, { payload }) => sum + payload.byteLength, 0)
}
