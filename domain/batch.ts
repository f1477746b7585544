import type { ErrorCode } from './errors.ts'
import type { Reading } from './reading.ts'

/** A packet, or a part of one, that was not accepted: kept whole, so that it can be replayed once a codec or a rule is mended. */
export interface Refusal {
  /** UUIDv7 made of `receivedAt`, device, topic and payload: storing it twice, or replaying it in vain, leaves one. */
  readonly id: string
  readonly deviceId: string
  readonly topic: string
  readonly code: ErrorCode
  readonly detail: string
  /** The raw bytes of the whole packet, base64. */
  readonly payload: string
  readonly receivedAt: number
}

/** What a device says of itself: text, or values that are no readings. The newest per key counts. */
export interface AttributeUpdate {
  readonly deviceId: string
  readonly key: string
  readonly value: string
  readonly time: number
}

/** Where a reading's way is being traced: under this the next step is. */
export interface Trace {
  readonly deviceId: string
  /** W3C Trace Context. */
  readonly traceparent: string
}

/** What the intake makes durable in one go: many packets' worth, so that one commit or confirm serves them all. */
export interface Batch {
  /** UUIDv7. */
  readonly id: string
  /** When the first of it was accepted, epoch milliseconds. */
  readonly acceptedAt: number
  readonly readings: readonly Reading[]
  readonly refusals: readonly Refusal[]
  readonly attributes: readonly AttributeUpdate[]
  /** Left out when nothing of it is traced, as nearly always. */
  readonly traces?: readonly Trace[]
}
