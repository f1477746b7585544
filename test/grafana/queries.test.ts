import type { RowDataPacket } from 'mysql2'
import { test, type Test } from 'tap'
import { hasDistributed } from '../services/deployment.ts'
import { hasExporters } from '../services/exporters.ts'
import { hasPrometheus, promtool } from '../services/prometheus.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import {
  dashboards,
  type DashboardModel,
  type PanelModel,
  type Target,
  type VariableModel,
} from './dashboards.ts'
import { interpolate, type Range, type Values } from './interpolate.ts'
import { openWorld, type World } from './world.ts'

const skip =
  skipWithout('MariaDB, RabbitMQ, Redis or VictoriaMetrics', hasDistributed) ||
  skipWithout('Prometheus', hasPrometheus) ||
  skipWithout('exporters', hasExporters)

const METRIC_NAMES = /\b(?:\w+:)?(?:coldstream|nodejs|process|rabbitmq|mysql|redis|vm)[_:][\w:]+/g

/** What a query answered: its columns, and its rows. Of Prometheus the columns are labels, `Time` and `Value`. */
interface Answer {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

test(
  'every query of every dashboard answers with data of the right shape',
  { skip, timeout: 230_000 },
  async (t) => {
    const world = await openWorld(t)

    await t.test('what every part says of itself passes promtool', async (t) => {
      for (const http of world.processes) {
        const said = await (await fetch(`${http}/metrics`)).text()
        t.equal(await promtool(['check', 'metrics'], said), '', http)
      }
    })

    await t.test(
      'Prometheus finds all targets up, and only the dead man’s switch always fires',
      async (t) => {
        const targets = await ask(world.prometheusUrl, 'query', { query: 'up' })
        t.ok(targets.length >= 8)
        for (const { metric, value } of targets) t.equal(value?.[1], '1', JSON.stringify(metric))
        const names = (await (await fetch(`${world.prometheusUrl}/api/v1/alerts`)).json()) as {
          data: { alerts: { state: string; labels: { alertname: string } }[] }
        }
        const firing = names.data.alerts
          .filter(({ state }) => state === 'firing')
          .map(({ labels }) => labels.alertname)
        t.same(firing, ['ColdstreamDeadMansSwitch'])
      },
    )

    await t.test('names of metrics in the dashboards exist', async (t) => {
      const used = new Set(
        dashboards
          .flatMap(({ panels }) => panels.flatMap(({ targets }) => targets))
          .filter(({ datasource }) => datasource.uid === 'coldstream-prometheus')
          .flatMap(({ expr = '' }) => [...expr.matchAll(METRIC_NAMES)].map(([name]) => name)),
      )
      t.ok(used.size > 40, `${used.size} names`)
      let missing: string[] = []
      // Rules are evaluated every 15 s, and a rate needs two scrapes.
      await waitFor(
        async () => {
          const answer = await fetch(`${world.prometheusUrl}/api/v1/label/__name__/values`)
          const known = new Set(((await answer.json()) as { data: string[] }).data)
          missing = [...used].filter((name) => !known.has(name))
          return missing.length === 0
        },
        'all metrics',
        60_000,
      ).catch(() => t.same(missing, []))
    })

    for (const dashboard of dashboards)
      for (const choice of ['all', 'one'] as const)
        await t.test(`${dashboard.title}, ${choice} of each variable`, async (t) =>
          runDashboard(t, world, dashboard, choice),
        )
  },
)

async function runDashboard(
  t: Test,
  world: World,
  dashboard: DashboardModel,
  choice: 'all' | 'one',
): Promise<void> {
  const values = await chooseVariables(t, world, dashboard, choice)
  const to = Date.now()
  const range: Range = { from: to - 86_400_000, to, intervalMs: 60_000, scrapeMs: 15_000 }
  for (const { name, target } of dashboard.annotations.list) {
    const { columns, rows } = await run(world, target, values, range)
    t.ok(rows.length > 0, `${name}: there are some`)
    t.same(columns, ['time', 'timeEnd', 'text', 'tags'])
    for (const { time, timeEnd } of rows) t.ok(Number(time) <= Number(timeEnd))
  }
  for (const panel of dashboard.panels) {
    const here = panel.repeat ? withFirst(values, panel.repeat) : values
    const answers = []
    for (const target of panel.targets) answers.push(await check(t, world, panel, target, here, range))
    checkNames(t, panel, answers)
  }
}

/** As when Grafana opens the dashboard: each in turn, with the values of those before. */
async function chooseVariables(
  t: Test,
  world: World,
  dashboard: DashboardModel,
  choice: 'all' | 'one',
): Promise<Values> {
  const values = new Map<string, { values: readonly string[]; all?: string }>()
  const range: Range = { from: 0, to: Date.now(), intervalMs: 60_000, scrapeMs: 15_000 }
  for (const variable of dashboard.templating.list) {
    const rows = await database(world, interpolate(variable.query, values, range))
    t.same(rows.columns, ['__text', '__value'], `the columns of ${variable.name}`)
    t.ok(rows.rows.length > 0, `${variable.name} has values`)
    const found = rows.rows.map((row) => String(row['__value']))
    values.set(variable.name, choose(world, variable, found, choice))
  }
  return values
}

function choose(
  { warming }: World,
  variable: VariableModel,
  found: readonly string[],
  choice: 'all' | 'one',
) {
  const mine = found.find(
    (value) => [warming.equipmentId, warming.id].includes(value) || value.endsWith(`${warming.facilityId}/`),
  )
  const one = { values: [mine ?? found[0] ?? ''] }
  if (!variable.includeAll) return one
  if (choice === 'one') return one
  return variable.allValue === undefined ? { values: found } : { values: found, all: variable.allValue }
}

function withFirst(values: Values, name: string): Values {
  return new Map([...values, [name, { values: values.get(name)?.values.slice(0, 1) ?? [] }]])
}

async function check(
  t: Test,
  world: World,
  panel: PanelModel,
  target: Target,
  values: Values,
  range: Range,
): Promise<Answer> {
  const says = `${panel.title} ${target.refId}`
  // What is measured now shows after the next scrape, or once the store shows it.
  const answer = await waitFor(
    async () => {
      const got = await run(world, target, values, range)
      return got.rows.length > 0 && got
    },
    `${says}: ${target.rawSql ?? target.expr}`,
    20_000,
  ).catch((error: Error) => t.fail(error.message))
  if (typeof answer !== 'object') return { columns: [], rows: [] }
  if (target.rawSql !== undefined)
    ROW_CHECKS[target.format === 'time_series' ? 'time_series' : panel.type]?.(t, says, answer)
  else checkSamples(t, says, target, answer)
  return answer
}

const isNumber = (value: unknown) => value !== null && value !== '' && Number.isFinite(Number(value))

/** Of what does not warm there is no such time; that there is one of what does is waited for before. */
const MAY_BE_NULL = 'median_at'

type RowCheck = (t: Test, says: string, answer: Answer) => void

const ROW_CHECKS: Readonly<Record<string, RowCheck>> = {
  time_series(t, says, { columns, rows }) {
    t.same(columns.toSorted(), ['metric', 'time', 'value'], says)
    for (const { time, metric, value } of rows)
      t.ok(Number(time) > 1e12 && isNumber(value) && typeof metric === 'string', says)
  },
  stat(t, says, { columns, rows }) {
    t.same([columns.length, rows.length], [1, 1], `${says}: one row of one column`)
    const [column = ''] = columns
    const isNone = column === MAY_BE_NULL && rows[0]?.[column] === null
    t.ok(isNone || isNumber(rows[0]?.[column]), `${says}: a number, not ${JSON.stringify(rows[0])}`)
  },
  bargauge(t, says, { columns: [name = '', number = '', ...more], rows }) {
    t.same(more, [], `${says}: a name and a number`)
    for (const row of rows) t.ok(typeof row[name] === 'string' && isNumber(row[number]), says)
  },
  geomap(t, says, { rows }) {
    for (const { latitude, longitude, state } of rows)
      t.ok([latitude, longitude, state].every(isNumber), says)
  },
}

function checkSamples(t: Test, says: string, { legendFormat = '' }: Target, { columns, rows }: Answer): void {
  t.ok(
    rows.some(({ Value }) => isNumber(Value)),
    `${says}: numbers`,
  )
  for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
    t.ok(columns.includes(label), `${says}: ${label}`)
}

/** Columns that a panel formats, hides or links exist. */
function checkNames(t: Test, panel: PanelModel, answers: readonly Answer[]): void {
  const columns = new Set(answers.flatMap((answer) => answer.columns))
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    if (matcher.id === 'byName')
      t.ok(columns.has(matcher.options), `${panel.title}: a column ${matcher.options}`)
    for (const [, column = ''] of JSON.stringify(properties).matchAll(/__data\.fields\[\\"(\w+)\\"\]/g))
      t.ok(columns.has(column), `${panel.title}: a column ${column} for a link`)
  }
}

async function run(world: World, target: Target, values: Values, range: Range): Promise<Answer> {
  if (target.rawSql !== undefined) return database(world, interpolate(target.rawSql, values, range))
  const url = target.datasource.uid === 'coldstream-readings' ? world.seriesUrl : world.prometheusUrl
  const query = interpolate(target.expr ?? '', values, range)
  // As provisioned for the readings.
  const nocache: Record<string, string> =
    target.datasource.uid === 'coldstream-readings' ? { nocache: '1' } : {}
  const span: Record<string, string> = target.instant
    ? { time: String(Date.now() / 1000) }
    : {
        start: String(range.from / 1000),
        end: String(Date.now() / 1000),
        step: String(range.intervalMs / 1000),
      }
  const result = await ask(url, target.instant ? 'query' : 'query_range', { query, ...span, ...nocache })
  const rows = result.flatMap(({ metric, value, values: many }) =>
    (many ?? (value ? [value] : [])).map(([time, said]) => ({ ...metric, Time: time * 1000, Value: said })),
  )
  return { columns: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows }
}

interface Sample {
  readonly metric: Record<string, string>
  readonly value?: readonly [number, string]
  readonly values?: readonly (readonly [number, string])[]
}

async function ask(
  url: string,
  what: 'query' | 'query_range',
  parameters: Record<string, string>,
): Promise<Sample[]> {
  const response = await fetch(`${url}/api/v1/${what}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  })
  const body = (await response.json()) as { status: string; error?: string; data: { result: Sample[] } }
  if (body.status !== 'success') throw new Error(`${parameters['query']}: ${body.error}`)
  return body.data.result
}

async function database({ reader }: World, sql: string): Promise<Answer> {
  const [rows, fields] = await reader.query<RowDataPacket[]>(sql)
  return { columns: fields.map(({ name }) => name), rows }
}
