import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection, type Connection } from 'mysql2/promise'
import type { Test } from 'tap'
import { openApi } from '../../simulators/api.ts'
import { runFleet } from '../../simulators/fleet.ts'
import type { Episode } from '../../simulators/refrigerator.ts'
import { register, type PlacePlan, type RegisteredDevice } from '../../simulators/register.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { startDistributed, type Distributed } from '../services/deployment.ts'
import { startMysqlExporter, startRedisExporter } from '../services/exporters.ts'
import { portFor } from '../services/place.ts'
import { promtool, startPrometheus } from '../services/prometheus.ts'
import { waitFor } from '../wait-for.ts'

const grafana = join(import.meta.dirname, '../../grafana')
const HOUR_MS = 3_600_000
const READER = { user: 'grafana', password: 'secret' }

export interface World {
  readonly prometheusUrl: string
  readonly seriesUrl: string
  /** As the user that Grafana has. */
  readonly reader: Connection
  /** Of each process of the program. */
  readonly processes: readonly string[]
  /** Warms without power. */
  readonly warming: RegisteredDevice
}

/** The distributed deployment with Prometheus and exporters, and a day of a small country in it; devices go on sending until the end of the test. */
export async function openWorld(t: Test): Promise<World> {
  const queueMetricsPort = await portFor({})
  const deployment = await startDistributed({ FORECAST_EVERY_MS: '1000' }, { queueMetricsPort })
  t.teardown(() => deployment.stop())
  const reader = await makeReader(t, deployment.databaseUrl)
  const prometheusUrl = await scrape(t, deployment, queueMetricsPort)
  const { devices, warming } = await runCountry(t, deployment)
  await sayMore(deployment, warming)
  const api = await Api.login(deployment.http)
  await keepStock(deployment.http, api, warming.facilityId)
  await waitForBreaches(api)
  await waitFor(
    async () =>
      (await count(
        reader,
        `grafana_time_to_breach WHERE median_at IS NOT NULL AND equipment_id = '${warming.equipmentId}'`,
      )) > 0,
    'a forecast of what warms',
    60_000,
  )
  await waitFor(
    async () => (await count(reader, "grafana_notification WHERE status = 'sent'")) > 0,
    'a message',
    60_000,
  )
  await waitFor(
    async () => (await count(reader, 'grafana_device WHERE cadence_ms IS NOT NULL')) === devices,
    'all cadences',
    60_000,
  )
  const processes = Object.values(deployment.processes).flat()
  return {
    prometheusUrl,
    seriesUrl: deployment.seriesUrl,
    reader,
    processes: processes.map(({ http }) => http),
    warming,
  }
}

async function count(reader: Connection, what: string): Promise<number> {
  const [[row]] = (await reader.query(`SELECT COUNT(*) AS n FROM ${what}`)) as unknown as [{ n: number }[]]
  return Number(row?.n)
}

async function makeReader(t: Test, databaseUrl: string): Promise<Connection> {
  const root = await createConnection({ uri: databaseUrl, multipleStatements: true })
  const grants = readFileSync(join(grafana, 'reader.sql'), 'utf8')
  await root.query(`CREATE USER ${READER.user} IDENTIFIED BY '${READER.password}'; ${grants}`)
  await root.end()
  const { hostname, port } = new URL(databaseUrl)
  const reader = await createConnection({
    host: hostname,
    port: Number(port),
    database: 'coldstream',
    timezone: 'Z',
    ...READER,
  })
  t.teardown(() => reader.end())
  return reader
}

/** Prometheus with the configuration of compose.yaml, but for the addresses and the pace. */
async function scrape(t: Test, deployment: Distributed, queueMetricsPort: number): Promise<string> {
  const { databaseUrl, cacheUrl, seriesUrl, processes } = deployment
  const mysql = await startMysqlExporter(new URL(databaseUrl).host, READER.user, READER.password)
  t.teardown(() => mysql.stop())
  const redis = await startRedisExporter(cacheUrl)
  t.teardown(() => redis.stop())
  const parts = Object.entries(processes).flatMap(([part, copies]) =>
    copies.map(
      ({ httpPort }) => `      - targets: ["127.0.0.1:${httpPort}"]\n        labels: { part: ${part} }\n`,
    ),
  )
  const replaced: [RegExp | string, string][] = [
    [/ {4}dns_sd_configs:[^]*?(?= {2}- job_name)/, `    static_configs:\n${parts.join('')}`],
    ['rabbitmq:15692', `127.0.0.1:${queueMetricsPort}`],
    ['victoriametrics:8428', new URL(seriesUrl).host],
    ['mysql-exporter:9104', mysql.address],
    ['redis-exporter:9121', redis.address],
    ['scrape_interval: 15s', 'scrape_interval: 1s'],
    ['evaluation_interval: 15s', 'evaluation_interval: 1s'],
    ['rules.yaml', join(grafana, 'rules.yaml')],
  ]
  let config = readFileSync(join(grafana, 'prometheus.yaml'), 'utf8')
  for (const [from, to] of replaced) {
    const before = config
    config = config.replace(from, to)
    t.not(config, before, `prometheus.yaml has ${from}`)
  }
  const file = join(t.testdir(), 'prometheus.yaml')
  await writeFile(file, config)
  await promtool(['check', 'config', file])
  const prometheus = await startPrometheus(file)
  t.teardown(() => prometheus.stop())
  return prometheus.url
}

const timeZone = 'Asia/Jakarta'
const PLAN: PlacePlan = {
  name: 'Indonesia',
  level: 'country',
  timeZone,
  places: [
    {
      name: 'Jawa Barat',
      level: 'province',
      timeZone,
      places: [
        {
          name: 'Bandung',
          level: 'district',
          timeZone,
          places: [
            {
              name: 'Puskesmas Cibiru',
              level: 'facility',
              timeZone,
              equipment: [{ name: 'Warming' }, { name: 'Without power' }, { name: 'Frozen' }],
            },
            { name: 'Puskesmas Ujungberung', level: 'facility', timeZone, equipment: [{ name: 'Fine' }] },
          ],
        },
      ],
    },
  ],
}

async function runCountry(t: Test, { http, mqttPort }: Distributed) {
  const simulated = await openApi({ url: http, username: 'admin', password: ADMIN_PASSWORD })
  const devices = await register(simulated, PLAN)
  const [warming, dark, frozen] = devices
  if (!warming || !dark || !frozen) throw new Error('no devices')
  const now = Date.now()
  const ago = (hours: number) => now - hours * HOUR_MS
  const episodes: Record<string, Episode[]> = {
    [warming.id]: [{ kind: 'power-cut', from: ago(1), to: Infinity }],
    [dark.id]: [{ kind: 'power-cut', from: ago(20), to: Infinity }],
    [frozen.id]: [{ kind: 'thermostat-stuck-on', from: ago(20), to: ago(15) }],
  }
  const stopping = new AbortController()
  const run = (members: readonly RegisteredDevice[], startAt: number) => {
    const live = Promise.withResolvers<void>()
    const running = runFleet({
      url: `mqtt://127.0.0.1:${mqttPort}`,
      members: members.map(({ name, token, id }, index) => ({
        name,
        token,
        refrigerator: { seed: index + 1, episodes: episodes[id] ?? [] },
      })),
      startAt,
      speed: 7200,
      cadenceMs: 300_000,
      liveCadenceMs: 1000,
      signal: stopping.signal,
      onProgress: (progress) => progress.live && live.resolve(),
    })
    t.teardown(async () => {
      stopping.abort()
      await running
    })
    return Promise.race([live.promise, running])
  }
  await Promise.all([run(devices.slice(1), ago(23)), run([warming], ago(1.5))])
  return { devices: devices.length, warming }
}

/** What the simulated devices do not say: signal, states, and something that is refused. */
async function sayMore({ processes }: Distributed, { token }: RegisteredDevice): Promise<void> {
  const ingest = processes['ingest']?.[0]
  const send = (body: unknown) =>
    fetch(`${ingest?.http}/v1/telemetry`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const values = { rssi: -71, powerOn: 0, doorOpen: 0 }
  const now = Date.now()
  const answer = await send([0, 1, 2].map((minute) => ({ ts: now - minute * 60_000, values })))
  if (!answer.ok) throw new Error(`telemetry: ${answer.status} ${await answer.text()}`)
  await send({ temperature: 'warm' })
}

async function waitForBreaches(api: Api): Promise<void> {
  const list = (state: string) => api.all<{ id: string }>(`breaches?state=${state}`)
  const ended = await waitFor(async () => (await list('ended'))[0], 'a breach that is over', 60_000)
  const open = await waitFor(async () => (await list('open'))[0], 'an open breach', 60_000)
  for (const { id } of [ended, open])
    await api.post(`breaches/${id}/acknowledge`, { action: 'moved-stock', comment: 'In the cold box' })
}

async function keepStock(http: string, api: Api, facilityId: string): Promise<void> {
  const make = async (path: string, body: Record<string, unknown>) =>
    (await api.post<{ id: string }>(path, body)).id
  const storagePointId = await make('storage-points', { facilityId, name: 'Refrigerator' })
  const itemId = await make('items', {
    code: 'penta',
    name: 'Pentavalent',
    kind: 'vaccine',
    dosesPerVial: 10,
    vvmType: 'VVM14',
    freezeSensitive: true,
    mm3PerDose: 2600,
  })
  const manufacturerId = await make('manufacturers', { name: 'Bio Farma' })
  const tradeItemId = await make('trade-items', {
    itemId,
    manufacturerId,
    name: 'Pentabio',
    dosesPerPack: 100,
  })
  const expiresOn = new Date(Date.now() + 60 * 24 * HOUR_MS).toISOString().slice(0, 10)
  const lotId = await make('lots', { tradeItemId, code: 'P2301', expiresOn })
  const happen = (kind: string, line: Record<string, unknown>) =>
    make('stock-events', { kind, facilityId, lines: [{ storagePointId, lotId, ...line }] })
  await happen('receive', { doses: 1000 })
  await happen('consume', { administered: 190, wasted: 10 })
  await happen('wastage', { doses: 20, reasonCode: 'broken' })
  await happen('hold', { doses: 30, reasonCode: 'breach' })
  for (const [path, body] of [
    [`stock-levels/${facilityId}/${itemId}`, { mode: 'set', minDoses: 900, maxDoses: 2000 }],
    [`facilities/${facilityId}`, { latitude: -6.93, longitude: 107.72 }],
  ] as const) {
    const response = await fetch(`${http}/v1/${path}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${api.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  }
}
