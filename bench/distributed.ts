import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { acksPerSecond, measureRound, type Load, type Paced, type Round } from './distributed-round.ts'
import { median } from './harness.ts'
import type { Figure, Report } from './report.ts'

const WORK: Load = {
  devices: 200,
  window: 50,
  seconds: Number(process.env.BENCH_SECONDS ?? 15),
  pace: Number(process.env.BENCH_PACE ?? 32_000),
}
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)

const PER_PLUGIN_MIN = 2.5
const PER_BARE_MIN = 0.4
const FINISHED_MIN = 30_000
/** Of what is sent. */
const GROWTH_SHARE_MAX = 0.02

/** What of the distributed deployment runs in processes of its own, by the names that they have on the machine. */
const PROCESSES = {
  broker: 'broker',
  ingest: 'ingest',
  notifier: 'notifier',
  'beam.smp': 'RabbitMQ',
  'victoria-metric': 'VictoriaMetrics',
}

/**
 * QoS 1 readings of three values: bare Aedes (memory only), RabbitMQ's own MQTT plugin into a quorum queue, and the distributed deployment with one
 * process for each part, in turn, each beside its load generator and all servers that it needs, on the same machine.
 */
export async function benchDistributed(): Promise<Report> {
  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) {
    console.error(`round ${i + 1} of ${ROUNDS}`)
    rounds.push(await measureRound(WORK))
  }
  const of = (pick: (round: Round) => number) => rounds.map(pick)
  const acks = of((r) => acksPerSecond(r.ours))
  const perBare = of((r) => acksPerSecond(r.ours) / acksPerSecond(r.bare))
  const perPlugin = of((r) => acksPerSecond(r.ours) / acksPerSecond(r.plugin))
  const finished = of((r) => r.paced.finished)
  const growth = of((r) => r.paced.growth)
  const figures: Figure[] = [
    { name: 'bare Aedes, acknowledged', unit: '1/s', values: of((r) => acksPerSecond(r.bare)) },
    {
      name: "RabbitMQ's MQTT plugin into a quorum queue, acknowledged",
      unit: '1/s',
      values: of((r) => acksPerSecond(r.plugin)),
      ratio: of((r) => acksPerSecond(r.plugin) / acksPerSecond(r.bare)),
    },
    { name: 'Coldstream into quorum queues, acknowledged', unit: '1/s', values: acks, ratio: perBare },
    { name: 'the same against the plugin', unit: '×', values: perPlugin },
    ...latencies('bare Aedes', (r) => r.bare),
    ...latencies('the plugin', (r) => r.plugin),
    ...latencies('Coldstream', (r) => r.ours),
    {
      name: 'with everything at work: as fast as acknowledged, until the last is stored and judged',
      unit: '1/s',
      values: of((r) => r.endToEnd),
      ratio: of((r) => r.endToEnd / acksPerSecond(r.bare)),
    },
    { name: `at ${WORK.pace}/s sent: stored and judged`, unit: '1/s', values: finished },
    { name: 'the same: growth of the backlog', unit: '1/s', values: growth },
    ...latencies('the same', (r) => r.paced.acknowledged),
    ...Object.entries(PROCESSES).map(([process, name]) => ({
      name: `the same: processor time per reading, ${name}`,
      unit: 'µs',
      values: of((r) => cpuOf(r.paced, process)),
    })),
  ]

  function latencies(name: string, pick: (round: Round) => Round['bare']): Figure[] {
    return [
      { name: `${name}: acknowledgement, p50`, unit: 'ms', values: of((r) => pick(r).p50Ms) },
      { name: `${name}: acknowledgement, p99`, unit: 'ms', values: of((r) => pick(r).p99Ms) },
    ]
  }

  return {
    name: 'distributed',
    title: `Distributed, one process per part: QoS 1 readings of three values, ${WORK.devices} connections, ${WORK.window} in flight each`,
    baseline: 'bare Aedes 1.2, in memory',
    versions: await versions(),
    figures,
    passes:
      median(perPlugin) >= PER_PLUGIN_MIN &&
      median(perBare) >= PER_BARE_MIN &&
      median(finished) >= FINISHED_MIN &&
      median(growth) <= GROWTH_SHARE_MAX * WORK.pace,
    target: `acknowledged at least ${PER_PLUGIN_MIN} × the plugin and ${PER_BARE_MIN} × bare Aedes; stored and judged at least ${FINISHED_MIN.toLocaleString('en')}/s with a backlog that does not grow`,
  }
}

function cpuOf({ cpuMicroseconds }: Paced, process: string): number {
  return cpuMicroseconds.get(process) ?? Number.NaN
}

const PACKAGES = ['rabbitmq-server', 'mariadb-server', 'victoria-metrics', 'redis-server']

/** Of the Debian packages whose servers were measured. */
async function versions(): Promise<string> {
  const { stdout } = await promisify(execFile)('dpkg-query', ['-W', ...PACKAGES])
  return stdout.trim().replaceAll('\t', ' ').replaceAll('\n', ', ')
}
