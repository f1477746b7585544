import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  CUT_OFF_HOURS,
  CUT_OFF_SHARE,
  planFor,
  PROGRAMMES,
  QUEUE_NODES,
  simulateMeasured,
  timeOf,
  WAKING_SECONDS,
  type Plan,
} from './plan.ts'
import type { Report } from './report.ts'
import type { Outcome } from './simulation.ts'
import { measureUnitCosts, type Pool, type UnitCosts } from './unit-costs.ts'

const page = resolve(import.meta.dirname, '../docs/scaling.md')

const YEAR_SECONDS = 365 * 86_400
/** What clouds ask for, roughly: a processor with 4 GB of memory for a month, and a gigabyte of block storage. */
const DOLLARS_PER_PROCESSOR = 30
const DOLLARS_PER_GIGABYTE = 0.1

/**
 * Measures what a reading costs in each part and server, checks that the simulation of the machine that was measured says what was measured, and simulates with these costs what
 * programmes of several sizes need. The tables of docs/scaling.md are its output.
 */
export async function benchScaling(): Promise<Report> {
  const costs = await measureUnitCosts()
  const simulated = { few: simulateMeasured(costs, costs.few), many: simulateMeasured(costs, costs.many) }
  const plans = PROGRAMMES.map((programme) => planFor(programme, costs))
  await render({
    costs: costTable(costs),
    check: checkTable(costs, simulated),
    plans: planTable(plans, costs),
    fares: fareTable(plans),
    limits: limitTable(plans, costs),
  })
  const ratios = [costs.few, costs.many].map(
    (sample, index) =>
      timeOf(index === 0 ? simulated.few : simulated.many, 'acknowledged').p50 /
      (sample.acknowledgedP50Ms / 1000),
  )
  return {
    name: 'scaling',
    title: 'The simulation of the distributed deployment, against its measurement',
    baseline: 'the measured acknowledgement, p50',
    figures: [costs.few, costs.many].map((sample, index) => ({
      name: `acknowledgement at ${Math.round(sample.readingsPerSecond).toLocaleString('en')}/s, simulated, p50`,
      unit: 'ms',
      values: [(ratios[index] ?? Number.NaN) * sample.acknowledgedP50Ms],
      ratio: [ratios[index] ?? Number.NaN],
    })),
    target: 'between half and twice of what was measured',
    passes: ratios.every((ratio) => ratio >= 0.5 && ratio <= 2),
  }
}

type Table = readonly (readonly string[])[]

function costTable({ costs, acknowledgingShare }: UnitCosts): Table {
  return [
    [
      'process',
      'idle, share of a processor',
      'a batch',
      'a reading in it',
      'of it before the acknowledgement',
    ],
    ...Object.entries(costs).map(([pool, { idleSeconds, perBatchSeconds, perReadingSeconds }]) => [
      pool,
      percent(idleSeconds),
      micros(perBatchSeconds),
      micros(perReadingSeconds),
      pool === 'broker' ? percent(1) : percent(acknowledgingShare[pool as 'ingest'] ?? 0),
    ]),
  ]
}

function checkTable({ few, many }: UnitCosts, simulated: Record<'few' | 'many', Outcome>): Table {
  const rows = [
    [few, simulated.few],
    [many, simulated.many],
  ] as const
  return [
    [
      'readings a second',
      'readings in a batch',
      'acknowledged p50: measured',
      'simulated',
      'p99: measured',
      'simulated',
    ],
    ...rows.map(([sample, outcome]) => [
      count(sample.readingsPerSecond),
      sample.readingsPerBatch.toFixed(1),
      millis(sample.acknowledgedP50Ms / 1000),
      millis(timeOf(outcome, 'acknowledged').p50),
      millis(sample.acknowledgedP99Ms / 1000),
      millis(timeOf(outcome, 'acknowledged').p99),
    ]),
  ]
}

function planTable(plans: readonly Plan[], costs: UnitCosts): Table {
  const pools = Object.keys(costs.costs) as Pool[]
  return [
    ['', ...plans.map(({ programme }) => programme.name)],
    ['refrigerators', ...plans.map(({ programme }) => count(programme.refrigerators))],
    ['readings a second', ...plans.map(({ readingsPerSecond }) => count(readingsPerSecond))],
    ...pools.map((pool) => [unitOf(pool), ...plans.map(({ sizes }) => count(sizes[pool]))]),
    ['so processors', ...plans.map((plan) => count(processorsOf(plan)))],
    ['readings on disk after a year, GB', ...plans.map((plan) => count(seriesGigabytes(plan, costs)))],
    ['a month, US$', ...plans.map((plan) => count(dollarsOf(plan, costs)))],
  ]
}

function unitOf(pool: Pool): string {
  if (pool === 'RabbitMQ') return `processors for RabbitMQ, on ${QUEUE_NODES} nodes`
  if (pool === 'VictoriaMetrics') return 'processors for VictoriaMetrics'
  return `processes of ${pool}`
}

function processorsOf({ sizes }: Plan): number {
  return Object.values(sizes).reduce((sum, size) => sum + size, 0)
}

function seriesGigabytes({ readingsPerSecond }: Plan, { seriesBytesPerReading }: UnitCosts): number {
  return (readingsPerSecond * YEAR_SECONDS * seriesBytesPerReading) / 1e9
}

/** With the database, Redis and the api on as many processors again as a tenth, two at least, and a year of readings. */
function dollarsOf(plan: Plan, costs: UnitCosts): number {
  const processors = processorsOf(plan) + Math.max(2, processorsOf(plan) / 10)
  return processors * DOLLARS_PER_PROCESSOR + seriesGigabytes(plan, costs) * DOLLARS_PER_GIGABYTE
}

function fareTable(plans: readonly Plan[]): Table {
  return [
    [
      '',
      'acknowledged p99',
      'judged p99',
      'one process of each less: judged p99',
      `all within ${WAKING_SECONDS} s: acknowledged p99`,
      'the same: judged p99',
      `${percent(CUT_OFF_SHARE)} return with ${CUT_OFF_HOURS} h: all judged after`,
    ],
    ...plans.map(({ programme, steady, oneLess, waking, cutOff }) => [
      programme.name,
      millis(timeOf(steady, 'acknowledged').p99),
      millis(timeOf(steady, 'judged').p99),
      millis(timeOf(oneLess, 'judged').p99),
      millis(timeOf(waking, 'acknowledged').p99),
      millis(timeOf(waking, 'judged').p99),
      duration(timeOf(cutOff, 'judged').max),
    ]),
  ]
}

/** How much more each could take, and who is the first that cannot. */
function limitTable(plans: readonly Plan[], { costs }: UnitCosts): Table {
  const pools = Object.keys(costs) as Pool[]
  return [
    ['busy, steady', ...plans.map(({ programme }) => programme.name)],
    ...pools.map((pool) => [pool, ...plans.map(({ steady }) => percent(steady.busy[pool] ?? 0))]),
  ]
}

function count(value: number): string {
  return (value >= 10 ? Math.round(value) : Math.round(value * 10) / 10).toLocaleString('en')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}

function micros(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} µs`
}

function millis(seconds: number): string {
  return seconds < 10 ? `${(seconds * 1000).toFixed(0)} ms` : duration(seconds)
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`
}

/** Puts each table between its two marks. */
async function render(tables: Readonly<Record<string, Table>>): Promise<void> {
  let text = await readFile(page, 'utf8')
  for (const [name, [head = [], ...rows]] of Object.entries(tables)) {
    const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`${page} has no place for the table ${name}`)
    text = `${text.slice(0, from + begin.length)}\n\n${lines.join('\n')}\n\n${text.slice(to)}`
  }
  await writeFile(page, text)
}
