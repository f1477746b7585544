import { test } from 'tap'
import { INTAKE_PATH } from '../../ports/intake-wire.ts'
import { METRICS, type MetricName } from '../../ports/metrics.ts'
import { buildHttp } from '../../main/http.ts'
import { createMetrics, type PromMetrics } from '../../main/metrics.ts'
import { hasPrometheus, promtool } from '../services/prometheus.ts'
import { skipWithout } from '../services/required.ts'
import { addDevice, NOW, openWorld, packet } from '../ingest/world.ts'

const skip = skipWithout('Prometheus', hasPrometheus)

/** Uses every metric once: one without samples is not looked at. */
function touchAll(metrics: PromMetrics): void {
  for (const [name, [kind, , labelNames]] of Object.entries(METRICS)) {
    const labels = Object.fromEntries(labelNames.map((label) => [label, 'x'])) as never
    if (kind === 'counter') metrics.count(name as MetricName, labels)
    else if (kind === 'gauge') metrics.set(name as MetricName, labels, 1)
    else metrics.observe(name as MetricName, labels, 1)
  }
}

test('every metric is named as Prometheus asks', { skip }, async (t) => {
  const metrics = createMetrics()
  touchAll(metrics)
  t.equal(await promtool(['check', 'metrics'], await metrics.scrape()), '')
  await t.rejects(
    promtool(['check', 'metrics'], '# HELP wrong_total A gauge.\n# TYPE wrong_total gauge\nwrong_total 1\n'),
    /_total/,
    'it does look',
  )
})

const seriesOf = async (metrics: PromMetrics) =>
  (await metrics.scrape())
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')))
    .filter((series) => series.startsWith('coldstream_'))
    .toSorted()

const DEVICES = 100_000
/** As many as a gateway may have. */
const TOGETHER = 1000

// Of 101,000 devices behind gateways, readings that are taken and others that are refused; and requests that name each of them.
test('100,000 devices more make not one series more', async (t) => {
  const world = await openWorld(t)
  const part = await world.ingest()
  const http = await buildHttp({ log: world.log, metrics: world.metrics, parts: [part] })
  t.teardown(() => http.close())
  const send = async (from: number, count: number) => {
    const body = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `device-${from + index}`,
        [{ ts: NOW - index, values: { temperature: index % 10 === 0 ? 'hot' : 4.5 } }],
      ]),
    )
    const gatewayId = await addDevice(world.db, { isGateway: 1 })
    const change = { topic: 'v1/gateway/telemetry', isGateway: true }
    const outcome = await part.intake.accept(packet(gatewayId, body, change))
    for (const path of [`/v1/devices/device-${from}`, `${INTAKE_PATH}/device-${from}`, '/healthz'])
      await http.inject(path)
    return outcome.readings
  }
  t.equal(await send(0, TOGETHER), TOGETHER * 0.9)
  await world.stored()
  const before = await seriesOf(world.metrics)
  let taken = 0
  for (let from = TOGETHER; from < TOGETHER + DEVICES; from += TOGETHER) taken += await send(from, TOGETHER)
  await world.stored()
  t.equal(taken, DEVICES * 0.9)
  t.equal(await world.metric('coldstream_readings_accepted_total'), (DEVICES + TOGETHER) * 0.9)
  t.same(await seriesOf(world.metrics), before)
  t.notMatch(before.join('\n'), /device-\d|[0-9a-f]{8}-[0-9a-f]{4}-/, 'no ids in labels')
  t.ok(before.length < 250, `${before.length} series`)
})
