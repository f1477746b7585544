import type { Clock } from './clock.ts'

/** Every metric there is: kind, help, labels. Prometheus conventions: base units, `_total` on counters. No device ids in labels. */
export const METRICS = {
  coldstream_part_ready: ['gauge', '1 while a part can do its work, as `/readyz` says; else 0.', ['part']],
  coldstream_mqtt_connections: ['gauge', 'MQTT connections open now.', []],
  coldstream_mqtt_connects_total: ['counter', 'MQTT connection attempts by outcome.', ['outcome']],
  coldstream_mqtt_packets_total: ['counter', 'Telemetry packets taken over MQTT by outcome.', ['outcome']],
  coldstream_mqtt_denied_total: ['counter', 'Publishes and subscriptions denied, by reason.', ['reason']],
  coldstream_intake_retries_total: [
    'counter',
    'Hand-overs from broker to ingest that had to be tried again.',
    [],
  ],
  coldstream_intake_requests_total: [
    'counter',
    'Requests from broker to ingest workers by outcome: answered, slow, failed, stale (a kept connection was gone), tooLarge.',
    ['outcome'],
  ],
  coldstream_intake_workers_out: ['gauge', 'Ingest workers that are left out because they failed.', []],
  coldstream_readings_accepted_total: ['counter', 'Readings accepted and made durable.', []],
  coldstream_refusals_total: ['counter', 'Refused packets and readings by reason code.', ['code']],
  coldstream_refusals_purged_total: ['counter', 'Refusals deleted, by limit: age or count.', ['limit']],
  coldstream_intake_pending_bytes: ['gauge', 'Bytes accepted from devices and not yet durable.', []],
  coldstream_batch_readings: ['histogram', 'Readings in one durable batch.', []],
  coldstream_confirm_seconds: ['histogram', 'Time to make one batch durable.', []],
  coldstream_confirm_failures_total: [
    'counter',
    'Batches that could not be made durable, and were not acknowledged.',
    [],
  ],
  coldstream_lag_seconds: [
    'histogram',
    'From acceptance until a batch was stored, judged, or (from when it came out of order) judged again; from a notification until it was sent.',
    ['stage'],
  ],
  coldstream_readings_stored_total: ['counter', 'Readings written to the series store.', []],
  coldstream_readings_judged_total: [
    'counter',
    'Readings judged, by path: in order, or again over a window.',
    ['path'],
  ],
  coldstream_breach_changes_total: ['counter', 'Breaches opened, extended, closed, withdrawn.', ['kind']],
  coldstream_notifications_total: [
    'counter',
    'Notifications by channel and outcome.',
    ['channel', 'outcome'],
  ],
  coldstream_devices_silent: ['gauge', 'Devices that are silent.', []],
  coldstream_outages_open: ['gauge', 'Outages of facilities, gateways and areas that are open.', []],
  coldstream_watch_quiet: [
    'gauge',
    '1 while nothing comes in from anybody, though much is to be expected.',
    [],
  ],
  coldstream_queue_batches: ['gauge', 'Batches waiting in a queue.', ['queue']],
  coldstream_queue_bytes: ['gauge', 'Bytes waiting in a queue.', ['queue']],
  coldstream_queue_limit_bytes: ['gauge', 'Bytes in one queue at which acknowledgements begin to wait.', []],
  coldstream_queue_oldest_seconds: [
    'gauge',
    'Age of the oldest batch that is not finished; of a queue that processes share, of those that were delivered to this one.',
    ['queue'],
  ],
  coldstream_queue_parked: ['gauge', 'Batches parked for an operator.', ['queue']],
  coldstream_queue_retries_total: ['counter', 'Deliveries that were answered with retry.', ['queue']],
  coldstream_disk_free_bytes: ['gauge', 'Room on the disk of `DATA_DIR`, when everything is kept there.', []],
  coldstream_disk_size_bytes: ['gauge', 'Size of that disk.', []],
  coldstream_http_request_seconds: [
    'histogram',
    'HTTP requests by route, method and status.',
    ['route', 'method', 'status'],
  ],
  coldstream_stream_clients: ['gauge', 'Open live streams.', []],
  coldstream_stream_dropped_total: ['counter', 'Live streams cut off because the client did not read.', []],
  coldstream_logs_kept_total: ['counter', 'Lines of the log that were kept for searching.', []],
  coldstream_logs_dropped_total: [
    'counter',
    'Lines of the log that were shown and not kept: too many waited, or the database was away at the end.',
    [],
  ],
} as const satisfies Record<string, readonly ['counter' | 'gauge' | 'histogram', string, readonly string[]]>

export type MetricName = keyof typeof METRICS
type Labels<N extends MetricName> = { readonly [L in (typeof METRICS)[N][2][number]]: string }

/** What the parts may do with metrics. */
export interface Metrics {
  /** Adds to a counter. */
  count<N extends MetricName>(name: N, labels: Labels<N>, by?: number): void
  /** Sets a gauge. */
  set<N extends MetricName>(name: N, labels: Labels<N>, value: number): void
  /** Records a value in a histogram. */
  observe<N extends MetricName>(name: N, labels: Labels<N>, value: number): void
}

/** The ways of a batch, and of a notification, that `coldstream_lag_seconds` measures. */
export type Stage = 'stored' | 'judged' | 'judged-again' | 'sent'

/** Records how long ago `since` was, now that the stage is done. The clock that said `since` may be ahead of ours. */
export function observeLag(
  { metrics, clock }: { readonly metrics: Metrics; readonly clock: Clock },
  stage: Stage,
  since: number,
): void {
  metrics.observe('coldstream_lag_seconds', { stage }, Math.max(0, clock.now() - since) / 1000)
}
