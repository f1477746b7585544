import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectAsync } from 'mqtt'
import { test, type Test } from 'tap'
import { Api, registerDevices } from '../services/coldstream.ts'
import { hasDistributed, startDistributed, startEmbedded, type Deployment } from '../services/deployment.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
}
interface LogRecord {
  readonly traceId?: string
  readonly spanId?: string
  readonly body: { readonly stringValue: string }
}
interface Export {
  readonly resourceSpans?: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
  readonly resourceLogs?: readonly {
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[]
  }[]
}

/** A collector: takes what comes over OTLP/HTTP, in JSON. */
async function startCollector(t: Test) {
  const spans: Span[] = []
  const logs: LogRecord[] = []
  const paths = new Set<string>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { resourceSpans = [], resourceLogs = [] } = JSON.parse(Buffer.concat(chunks).toString()) as Export
      spans.push(...resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)))
      logs.push(...resourceLogs.flatMap((one) => one.scopeLogs.flatMap((scope) => scope.logRecords)))
      paths.add(request.url ?? '')
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { spans, logs, paths, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** What came of one reading of a refrigerator that is far too warm, whose device has been heard before. */
async function traceOne(t: Test, start: (env: Record<string, string>) => Promise<Deployment>): Promise<void> {
  const collector = await startCollector(t)
  const deployment = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER_ARG: '1',
  })
  t.teardown(() => deployment.stop())
  const [device] = await registerDevices(deployment.http, 1)
  if (!device) throw new Error('no device')
  const client = await connectAsync(`mqtt://127.0.0.1:${deployment.mqttPort}`, {
    username: device.accessToken,
  })
  t.teardown(() => client.endAsync(true))
  const publish = (readings: readonly object[]) =>
    client.publishAsync('v1/devices/me/telemetry', JSON.stringify(readings), { qos: 1 })
  const HOUR_MS = 3_600_000
  const now = Date.now()
  const cold = [{ ts: now - 12 * HOUR_MS, values: { temperature: 4 } }]
  await publish(cold)
  const ofName = (name: string) => collector.spans.filter((span) => span.name === name)
  await waitFor(() => ofName('store').length > 0 && ofName('rejudge').length > 0, 'the first way', 30_000)

  // Eleven hours above 8 °C: a breach, told at once.
  const warm = Array.from({ length: 67 }, (_, index) => ({
    ts: now - 11 * HOUR_MS + index * 600_000,
    values: { temperature: 12 },
  }))
  await publish(warm)
  const notify = await waitFor(() => ofName('notify')[0], 'the notification', 30_000)
  const traceId = notify.traceId
  const names = ['publish', 'accept', 'store', 'judge', 'notify']
  const spans = () => collector.spans.filter((span) => span.traceId === traceId)
  await waitFor(
    () => names.every((name) => spans().some((span) => span.name === name)),
    'every step of the trace',
    30_000,
  )
  const parentOf = (name: string) => {
    const { parentSpanId } = spans().find((span) => span.name === name) ?? {}
    return spans().find((span) => span.spanId === parentSpanId)?.name
  }
  t.equal(spans().filter((span) => !span.parentSpanId).length, 1, 'one root')
  t.equal(parentOf('publish'), undefined)
  t.equal(parentOf('accept'), 'publish')
  t.equal(parentOf('store'), 'accept')
  t.equal(parentOf('judge'), 'accept')
  // The first readings of a sensor are judged over a window, later ones as they come.
  t.match(parentOf('notify'), /^(judge|rejudge)$/)
  if (spans().some(({ name }) => name === 'rejudge')) t.equal(parentOf('rejudge'), 'judge')

  const said = await waitFor(
    () => collector.logs.find((record) => record.body.stringValue === 'notification sent'),
    'the log of the notification',
    30_000,
  )
  t.match(said, { traceId, spanId: notify.spanId })
  t.same([...collector.paths].toSorted(), ['/v1/logs', '/v1/traces'])

  const api = await Api.login(deployment.http)
  const found = await waitFor(async () => {
    const { items } = await api.get<{ items: { message: string }[] }>(`logs?traceId=${traceId}`)
    return items.length > 0 && items
  }, 'the same in the log that is kept')
  t.match(found[0], { kind: 'application', part: 'notifier', message: 'notification sent' })
  const processes = Object.values(deployment.processes).flat().length
  await waitFor(async () => {
    const items = await api.all<{ message: string }>('logs?part=main&text=listening')
    return items.filter(({ message }) => message === 'listening').length === processes
  }, 'every process to have kept what it said')
}

test('one reading, embedded: one trace from PUBLISH to the notification', (t) => traceOne(t, startEmbedded))

test(
  'one reading, distributed: one trace through every process',
  { skip: skipWithout('MariaDB, RabbitMQ, Redis or VictoriaMetrics', hasDistributed) },
  (t) => traceOne(t, startDistributed),
)
