import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import type { Intake, Packet } from '../ports/intake.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Tracer } from '../ports/trace.ts'
import type { Gate } from './gate.ts'
import { createInFlight } from './in-flight.ts'
import { logBurst } from './log-burst.ts'
import type { BrokerSettings } from './settings.ts'

/** Hands packets to the intake, and waits for it when it fails (P1). */
export interface HandOver {
  /** Calls back without an error when the packet is durable: only then may it be acknowledged. */
  give(packet: Packet, gate: Gate, done: (error?: Error) => void): void
  /** Payload bytes given and not yet durable. */
  readonly bytes: number
  /** True from the first rejection until a packet is accepted again. */
  readonly failing: boolean
  /** Resolves when nothing is in flight, or at the deadline. Whoever calls it sees to it that no more is given. */
  finish(timeoutMs: number): Promise<void>
}

interface Deps {
  readonly intake: Intake
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly tracer?: Tracer | undefined
}

const ACCEPTED = { outcome: 'accepted' } as const
const FAILED = { outcome: 'failed' } as const

type Done = (error?: Error) => void

/** A packet that was rejected and is tried again. */
interface Waiting {
  readonly packet: Packet
  readonly gate: Gate
  readonly done: Done
  /** On the monotonic clock. */
  readonly deadlineMs: number
  readonly tries: number
}

export function createHandOver({ intake, metrics, log, clock, settings, tracer }: Deps): HandOver {
  const logFailure = logBurst(log, clock, 'the intake takes no packets')
  const inFlight = createInFlight()
  let failing = false
  let stopped = false
  let acceptedUncounted = 0

  // This runs tens of thousands of times a second: one promise (that of accept), no logging, one count per turn.
  function give(packet: Packet, gate: Gate, done: Done): void {
    inFlight.begin(packet.payload.byteLength)
    gate.enter()
    attempt(intake, packet).then(
      () => accepted(packet, gate, done),
      (err: unknown) => {
        const deadlineMs = performance.now() + settings.intakeWaitMs
        retry({ packet, gate, done, deadlineMs, tries: 1 }, err)
      },
    )
  }

  function accepted(packet: Packet, gate: Gate, done: Done): void {
    failing = false
    if (acceptedUncounted++ === 0) setImmediate(countAccepted)
    inFlight.end(packet.payload.byteLength)
    gate.leave()
    done()
  }

  function countAccepted(): void {
    metrics.count('coldstream_mqtt_packets_total', ACCEPTED, acceptedUncounted)
    acceptedUncounted = 0
  }

  function retry(waiting: Waiting, err: unknown): void {
    if (!failing) logFailure({ err })
    failing = true
    const leftMs = stopped ? 0 : waiting.deadlineMs - performance.now()
    if (leftMs > 0) {
      metrics.count('coldstream_intake_retries_total', {})
      setTimeout(again, Math.min(leftMs, backOffMs(waiting.tries, settings)), waiting)
      return
    }
    metrics.count('coldstream_mqtt_packets_total', FAILED)
    inFlight.end(waiting.packet.payload.byteLength)
    waiting.done(new Error('the intake did not take the packet in time'))
    waiting.gate.leave()
  }

  function again(waiting: Waiting): void {
    const { packet, gate, done, tries } = waiting
    const tried = stopped ? Promise.reject(new Error('stopped')) : attempt(intake, packet)
    tried.then(
      () => accepted(packet, gate, done),
      (err: unknown) => retry({ ...waiting, tries: tries + 1 }, err),
    )
  }

  return {
    give: tracer ? traced(tracer, give) : give,
    async finish(timeoutMs) {
      const drained = await inFlight.drained(timeoutMs)
      stopped = true
      if (!drained) log.warn({ packets: inFlight.count }, 'stopped before every packet was durable')
    },
    get bytes() {
      return inFlight.bytes
    },
    get failing() {
      return failing
    },
  }
}

/** A trace of a packet begins here, and this step of it ends with the acknowledgement. */
function traced(tracer: Tracer, give: HandOver['give']): HandOver['give'] {
  return (packet, gate, done) => {
    const span = tracer.begin('publish', { deviceId: packet.deviceId, topic: packet.topic })
    if (span === undefined) return give(packet, gate, done)
    give({ ...packet, traceparent: span.traceparent }, gate, (error) => {
      span.end(error)
      done(error)
    })
  }
}

// Thrown from here an error would go up through the parser and end the process.
function attempt(intake: Intake, packet: Packet): Promise<unknown> {
  try {
    return intake.accept(packet)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Doubles up to its limit, then halves at random, so that what failed together does not come back together. */
function backOffMs(tries: number, { retryDelayMs, retryDelayMsMax }: BrokerSettings): number {
  const delayMs = Math.min(retryDelayMsMax, retryDelayMs * 2 ** (tries - 1))
  return delayMs * (0.5 + Math.random() / 2)
}
