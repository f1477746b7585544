import type { ErrorCode } from '../domain/errors.ts'

/** One message from a device, as it came off the wire. The device is authenticated; nothing else is trusted. */
export interface Packet {
  readonly deviceId: string
  readonly isGateway: boolean
  /** A native topic (`v1/devices/me/telemetry` ...) or that of another dialect. */
  readonly topic: string
  readonly payload: Uint8Array
  readonly receivedAt: number
  /** W3C Trace Context, when its way is being traced. */
  readonly traceparent?: string
}

export interface Outcome {
  readonly readings: number
  /** What of the packet was refused; kept as refusals. */
  readonly refused: readonly { readonly code: ErrorCode; readonly detail: string }[]
}

/** Where packets become durable. */
export interface Intake {
  /**
   * Decodes, validates and makes durable. Resolves only when what was accepted, and what was refused, survives a power cut (P1, P2);
   * a caller may acknowledge then. A packet that can never be valid resolves too. Waits while a buffer is full (P5).
   * Rejects when nothing could be made durable: the caller must not acknowledge, and the device sends again.
   */
  accept(packet: Packet): Promise<Outcome>
}
