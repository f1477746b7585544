import type { DashboardPlan } from './dashboard.ts'
import { bars, lines, stat, steps, table, to, WHEN } from './panel.ts'
import {
  metric,
  metricNow,
  metrics,
  reading,
  readingNow,
  readingRows,
  readings,
  rows,
  view,
} from './query.ts'
import { deviceVariable, placeVariables, under } from './variable.ts'

const DEVICE = view('grafana_device')
const ofDevices = (condition: string) =>
  rows(`SELECT COUNT(*) AS devices FROM ${DEVICE} WHERE ${condition} AND ${under()}`)
const NOW_MS = '(UNIX_TIMESTAMP() * 1000)'

export const fleet: DashboardPlan = {
  name: 'fleet',
  title: 'Fleet health',
  about: 'The devices themselves: how often they speak, their batteries, their signal, their clocks.',
  variables: [...placeVariables(), deviceVariable(under())],
  panels: [
    stat('Devices', 'That are to report.', 4, 'short', ofDevices('1 = 1')),
    stat('Silent', 'For longer than expected of each.', 4, 'short', ofDevices('is_silent > 0')).thresholds(
      steps([1, 'red']),
    ),
    stat(
      'Never heard',
      'Registered, and nothing ever came.',
      4,
      'short',
      ofDevices('newest_at IS NULL'),
    ).thresholds(steps([1, 'orange'])),
    stat(
      'Without power',
      'As they say themselves.',
      4,
      'short',
      ofDevices('power_lost_at IS NOT NULL'),
    ).thresholds(steps([1, 'red'])),
    stat(
      'Clock off',
      'Steadily, by more than can be the network.',
      4,
      'short',
      ofDevices('clock_off_ms IS NOT NULL'),
    ).thresholds(steps([1, 'orange'])),
    stat(
      'Weakest battery',
      'Of the last day.',
      4,
      'percent',
      readingNow(`min(last_over_time(${reading('battery')}[1d]))`, 'weakest'),
    ),
    bars(
      'Cadence',
      'Devices by the time between their readings, as learned.',
      8,
      'short',
      rows(`SELECT CASE WHEN cadence_ms IS NULL THEN 'not known' WHEN cadence_ms <= 60000 THEN 'up to 1 min'
      WHEN cadence_ms <= 600000 THEN 'up to 10 min' WHEN cadence_ms <= 3600000 THEN 'up to 1 h' ELSE 'longer' END AS cadence, COUNT(*) AS devices
      FROM ${DEVICE} WHERE ${under()} GROUP BY 1 ORDER BY MIN(cadence_ms)`),
    ),
    lines(
      'Battery',
      'The weakest, the weakest tenth, and the middle.',
      8,
      'percent',
      readings(`min(${reading('battery')})`, 'weakest'),
      readings(`quantile(0.1, ${reading('battery')})`, 'tenth'),
      readings(`quantile(0.5, ${reading('battery')})`, 'middle'),
    ),
    lines(
      'Signal',
      'The weakest, and the middle.',
      8,
      'dBm',
      readings(`min(${reading('rssi')})`, 'weakest'),
      readings(`quantile(0.5, ${reading('rssi')})`, 'middle'),
    ),
    table(
      'Devices',
      'Silent ones and those unheard for longest first.',
      24,
      {
        device: { hidden: true },
        equipment_id: { hidden: true },
        Time: { hidden: true },
        sensor: { hidden: true },
        name: { title: 'Device' },
        equipment: { title: 'Equipment', link: to('refrigerator', 'equipment', 'equipment_id') },
        facility: { title: 'Facility' },
        newest_at: { title: 'Newest reading', unit: WHEN },
        unheard_ms: { title: 'Unheard for', unit: 'ms' },
        cadence_ms: { title: 'Cadence', unit: 'ms' },
        clock_off_ms: { title: 'Clock behind', unit: 'ms' },
        Value: { title: 'Battery', unit: 'percent' },
      },
      rows(`SELECT id AS device, name, equipment, facility, newest_at, ${NOW_MS} - arrived_at AS unheard_ms, cadence_ms, clock_off_ms, equipment_id FROM ${DEVICE}
        WHERE ${under()} ORDER BY is_silent DESC, arrived_at IS NULL DESC, arrived_at LIMIT 500`),
      readingRows(`last_over_time(${reading('battery')}[1d])`),
    ).withTransformation({ id: 'joinByField', options: { byField: 'device', mode: 'outerTabular' } }),
  ],
}

const rate = (name: Parameters<typeof metric>[0], by = '') =>
  `sum${by && ` by (${by})`} (rate(${metric(name)}[$__rate_interval]))`
const p99 = (name: Parameters<typeof metric>[0], by = '') =>
  `histogram_quantile(0.99, sum by (le${by && `, ${by}`}) (rate(${metric(name)}_bucket[$__rate_interval])))`

export const pipeline: DashboardPlan = {
  name: 'pipeline',
  title: 'Pipeline',
  about:
    'From the device to the message: rates, lags, queues, refusals. The alerts are in docs/operations.md.',
  variables: [],
  panels: [
    stat(
      'Connections',
      'MQTT, now.',
      4,
      'short',
      metricNow(`sum(${metric('coldstream_mqtt_connections')})`, 'open'),
    ),
    stat(
      'Readings',
      'Accepted and durable.',
      4,
      'cps',
      metricNow('coldstream:readings_accepted:rate5m', 'accepted'),
    ),
    stat(
      'Refused',
      'Of what comes in, the last five minutes.',
      4,
      'percentunit',
      metricNow('coldstream:refusals:ratio5m or vector(0)', 'refused'),
    ).decimals(2),
    stat(
      'Parked',
      'Batches that wait for a person.',
      4,
      'short',
      metricNow('sum(queue:coldstream_queue_parked:max)', 'parked'),
    ).thresholds(steps([1, 'red'])),
    stat(
      'Fullest queue',
      'At 100 % acknowledgements wait.',
      4,
      'percentunit',
      metricNow('max(queue:coldstream_queue_fullness:ratio)', 'full'),
    ).decimals(2),
    stat(
      'Nothing comes in',
      '1: though much is to be expected.',
      4,
      'short',
      metricNow(`max(${metric('coldstream_watch_quiet')})`, 'quiet'),
    ).thresholds(steps([1, 'red'])),
    lines(
      'Readings',
      'Through each stage.',
      12,
      'cps',
      metrics(rate('coldstream_readings_accepted_total'), 'accepted'),
      metrics(rate('coldstream_readings_stored_total'), 'stored'),
      metrics(rate('coldstream_readings_judged_total', 'path'), 'judged {{path}}'),
    ),
    lines(
      'Lag by stage',
      'One in a hundred takes longer.',
      12,
      's',
      metrics(p99('coldstream_lag_seconds', 'stage'), '{{stage}}'),
    ),
    lines(
      'Commit or confirm',
      'To make a batch durable: the middle, and one in a hundred.',
      8,
      's',
      metrics(p99('coldstream_confirm_seconds'), '99 %'),
      metrics(p99('coldstream_confirm_seconds').replace('0.99', '0.5'), '50 %'),
    ),
    lines(
      'Queues',
      'Batches that wait.',
      8,
      'short',
      metrics('queue:coldstream_queue_batches:max', '{{queue}}'),
    ),
    lines(
      'Age of the oldest',
      'Of each queue.',
      8,
      's',
      metrics('queue:coldstream_queue_oldest_seconds:max', '{{queue}}'),
    ),
    lines('Refusals', 'By reason.', 8, 'cps', metrics(rate('coldstream_refusals_total', 'code'), '{{code}}')),
    lines(
      'Retries',
      'Deliveries that were tried again.',
      8,
      'cps',
      metrics(rate('coldstream_queue_retries_total', 'queue'), '{{queue}}'),
      metrics(rate('coldstream_intake_retries_total'), 'broker to ingest'),
    ),
    lines(
      'Not durable',
      'Commits that failed.',
      8,
      'cps',
      metrics(rate('coldstream_confirm_failures_total'), 'failed'),
    ),
    lines(
      'MQTT',
      'Packets and connections by outcome.',
      8,
      'cps',
      metrics(rate('coldstream_mqtt_packets_total', 'outcome'), 'packets {{outcome}}'),
      metrics(rate('coldstream_mqtt_connects_total', 'outcome'), 'connections {{outcome}}'),
    ),
    lines(
      'Breaches',
      'Changes by kind.',
      8,
      'cps',
      metrics(rate('coldstream_breach_changes_total', 'kind'), '{{kind}}'),
    ),
    lines(
      'Messages',
      'By channel and outcome.',
      8,
      'cps',
      metrics(rate('coldstream_notifications_total', 'channel, outcome'), '{{channel}} {{outcome}}'),
    ),
  ],
}

const perS = (name: string, by = 'instance') => `sum by (${by}) (rate(${name}[$__rate_interval]))`

export const services: DashboardPlan = {
  name: 'services',
  title: 'Services',
  about: 'The processes of Coldstream, and the servers that they stand on.',
  variables: [],
  panels: [
    stat('Up', 'By kind: how many answer.', 24, 'short', metricNow('sum by (job) (up)', '{{job}}')),
    stat(
      'Ready',
      '1: it can do its work.',
      24,
      'short',
      metricNow(`min by (part) (${metric('coldstream_part_ready')})`, '{{part}}'),
    ),
    lines(
      'Memory',
      'Of each process.',
      8,
      'bytes',
      metrics(
        'sum by (part, instance) (process_resident_memory_bytes{job="coldstream"})',
        '{{part}} {{instance}}',
      ),
    ),
    lines(
      'Processor',
      'Cores used.',
      8,
      'short',
      metrics(perS('process_cpu_seconds_total{job="coldstream"}', 'part, instance'), '{{part}} {{instance}}'),
    ),
    lines(
      'Event loop',
      'How late it was, one in a hundred.',
      8,
      's',
      metrics('max by (part, instance) (nodejs_eventloop_lag_p99_seconds)', '{{part}} {{instance}}'),
    ),
    lines(
      'Heap',
      'In use.',
      8,
      'bytes',
      metrics('sum by (part, instance) (nodejs_heap_size_used_bytes)', '{{part}} {{instance}}'),
    ),
    lines(
      'Garbage collection',
      'Share of the time.',
      8,
      'percentunit',
      metrics(perS('nodejs_gc_duration_seconds_sum', 'part, instance'), '{{part}} {{instance}}'),
    ),
    lines(
      'HTTP',
      'Requests by status.',
      8,
      'reqps',
      metrics(perS('coldstream_http_request_seconds_count', 'status'), '{{status}}'),
    ),
    lines(
      'RabbitMQ: messages',
      'Ready, and delivered but not acknowledged.',
      8,
      'short',
      metrics('sum(rabbitmq_queue_messages_ready)', 'ready'),
      metrics('sum(rabbitmq_queue_messages_unacked)', 'unacknowledged'),
    ),
    lines(
      'RabbitMQ: memory and disk',
      'Used; what is free; where it stops taking messages.',
      8,
      'bytes',
      metrics('sum by (instance) (rabbitmq_process_resident_memory_bytes)', 'memory {{instance}}'),
      metrics('min by (instance) (rabbitmq_disk_space_available_bytes)', 'disk free {{instance}}'),
      metrics('max by (instance) (rabbitmq_disk_space_available_limit_bytes)', 'disk limit {{instance}}'),
    ),
    lines(
      'RabbitMQ: publishes',
      'Received and confirmed.',
      8,
      'cps',
      metrics('sum(rate(rabbitmq_global_messages_received_total[$__rate_interval]))', 'received'),
      metrics('sum(rate(rabbitmq_global_messages_confirmed_total[$__rate_interval]))', 'confirmed'),
    ),
    lines(
      'MySQL: statements',
      'And those that were slow.',
      8,
      'cps',
      metrics(perS('mysql_global_status_queries'), 'all {{instance}}'),
      metrics(perS('mysql_global_status_slow_queries'), 'slow {{instance}}'),
    ),
    lines(
      'MySQL: connections',
      'Open, running, and the limit.',
      8,
      'short',
      metrics('sum by (instance) (mysql_global_status_threads_connected)', 'open {{instance}}'),
      metrics('sum by (instance) (mysql_global_status_threads_running)', 'running {{instance}}'),
      metrics('min by (instance) (mysql_global_variables_max_connections)', 'limit {{instance}}'),
    ),
    lines(
      'MySQL: row lock waits',
      'Transactions that waited for one another.',
      8,
      'cps',
      metrics(perS('mysql_global_status_innodb_row_lock_waits'), '{{instance}}'),
    ),
    lines(
      'Redis: memory',
      'Used. Nothing may be evicted.',
      8,
      'bytes',
      metrics('sum by (instance) (redis_memory_used_bytes)', '{{instance}}'),
    ),
    lines(
      'Redis: commands',
      'And keys evicted, which must be none.',
      8,
      'cps',
      metrics(perS('redis_commands_processed_total'), 'commands {{instance}}'),
      metrics(perS('redis_evicted_keys_total'), 'evicted {{instance}}'),
    ),
    lines(
      'Redis: clients',
      'Connected.',
      8,
      'short',
      metrics('sum by (instance) (redis_connected_clients)', '{{instance}}'),
    ),
    lines(
      'VictoriaMetrics: rows',
      'Written.',
      8,
      'cps',
      metrics('sum(rate(vm_rows_inserted_total[$__rate_interval]))', 'rows'),
    ),
    lines(
      'VictoriaMetrics: disk',
      'Used, and free.',
      8,
      'bytes',
      metrics('sum(vm_data_size_bytes)', 'used'),
      metrics('min(vm_free_disk_space_bytes)', 'free'),
    ),
    lines(
      'VictoriaMetrics: queries',
      'And how long one in a hundred takes.',
      8,
      'cps',
      metrics('sum(rate(vm_http_requests_total[$__rate_interval]))', 'requests'),
    ),
  ],
}
