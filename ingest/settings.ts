import { DEFAULT_LIMITS, type CodecLimits } from './codecs/codec.ts'

/** Every limit of the intake. */
export interface IngestSettings extends CodecLimits {
  /** A packet larger than this is refused whole; the transports have their own, smaller limits. */
  readonly payloadBytesMax: number
  /** Publishes to the queue that may wait for their confirm at the same time. */
  readonly inFlightMax: number
  /** A batch is closed before it exceeds these; one packet is never divided, so that a single large one may. */
  readonly batchReadingsMax: number
  readonly batchBytesMax: number
  /** Payload bytes taken and not yet durable; beyond it `accept` waits. */
  readonly pendingBytesMax: number
  readonly childrenPerGatewayMax: number
  /** Names behind gateways, and device tokens, that are remembered; each for at most `registryCacheMs`. */
  readonly registryCacheMax: number
  readonly registryCacheMs: number
  /** Body of `POST /v1/telemetry`. */
  readonly bodyBytesMax: number
  /** What brokers in other processes show to hand packets over. Empty: no packets are taken from other processes. */
  readonly intakeToken: string
  /** Body of one hand-over from another process, and the packets in it. */
  readonly intakeBodyBytesMax: number
  readonly intakePacketsMax: number
  /** Bytes of such bodies that are not answered yet; beyond it a hand-over is refused, and the broker goes elsewhere. */
  readonly intakeHeldBytesMax: number
  readonly storeDeliveriesMax: number
  /** Readings in one write to the series store, so that a backlog does not hold the event loop for long. */
  readonly storeReadingsMax: number
  readonly refusalRetentionDays: number
  readonly refusalsMax: number
  readonly purgeIntervalMs: number
}

export const INGEST_DEFAULTS: IngestSettings = {
  ...DEFAULT_LIMITS,
  payloadBytesMax: 1_048_576,
  inFlightMax: 1,
  batchReadingsMax: 2000,
  batchBytesMax: 1_048_576,
  pendingBytesMax: 64 * 1_048_576,
  childrenPerGatewayMax: 1000,
  registryCacheMax: 10_000,
  registryCacheMs: 30_000,
  bodyBytesMax: 1_048_576,
  intakeToken: '',
  intakeBodyBytesMax: 16 * 1_048_576,
  intakePacketsMax: 10_000,
  intakeHeldBytesMax: 64 * 1_048_576,
  storeDeliveriesMax: 256,
  storeReadingsMax: 10_000,
  refusalRetentionDays: 90,
  refusalsMax: 200_000,
  purgeIntervalMs: 3_600_000,
}
