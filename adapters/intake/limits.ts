/** Every limit of the way from a broker to the ingest workers. */
export interface HttpIntakeLimits {
  /** Requests to one worker that are not answered yet. */
  readonly requestsInFlightMax: number
  readonly requestPacketsMax: number
  /** Payload bytes in one request; a single packet may have more. */
  readonly requestBytesMax: number
  /** Of a larger payload only the beginning is sent. It must lie above the limit of the workers, who refuse such a packet and keep its beginning. */
  readonly payloadBytesMax: number
  readonly answerBytesMax: number
  /** How long a worker may take to answer, before its packets are given to another one. */
  readonly timeoutMs: number
  /** How often a packet is given to a worker, before its `accept` rejects. */
  readonly triesMax: number
  /** Packets, and payload bytes, given to `accept` and not yet answered; beyond either `accept` waits. */
  readonly pendingPacketsMax: number
  readonly pendingBytesMax: number
  /** How long a worker that failed is left out; doubles with each failure. */
  readonly backOffMs: number
  readonly backOffMsMax: number
  readonly probeTimeoutMs: number
  /** A worker that was not heard of for this long is asked whether it is there. */
  readonly probeIdleMs: number
}

export const HTTP_INTAKE_DEFAULTS: HttpIntakeLimits = {
  requestsInFlightMax: 2,
  requestPacketsMax: 2000,
  requestBytesMax: 1_048_576,
  payloadBytesMax: 4 * 1_048_576,
  answerBytesMax: 16 * 1_048_576,
  timeoutMs: 10_000,
  triesMax: 4,
  pendingPacketsMax: 100_000,
  pendingBytesMax: 64 * 1_048_576,
  backOffMs: 250,
  backOffMsMax: 5000,
  probeTimeoutMs: 2000,
  probeIdleMs: 5000,
}
