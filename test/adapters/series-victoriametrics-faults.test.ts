import { test, type Test } from 'tap'
import { openVictoriaMetricsSeries } from '../../adapters/series/victoriametrics.ts'
import { CodedError } from '../../domain/errors.ts'
import type { Reading } from '../../domain/reading.ts'
import { skipWithout } from '../services/required.ts'
import { hasVictoriaMetrics, startVictoriaMetrics } from '../services/victoriametrics.ts'
import { waitFor } from '../wait-for.ts'

const skip = skipWithout('VictoriaMetrics', hasVictoriaMetrics)

async function startServer(t: Test) {
  const server = await startVictoriaMetrics()
  t.teardown(() => server.stop())
  return server
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOON = 1_763_899_200_000
const at = (time: number, temperature = 4, sensor = 'main'): Reading => ({
  deviceId: 'fridge',
  sensor,
  time,
  values: { temperature },
})
const everything = { deviceId: 'fridge', sensor: 'main', from: 0, to: 2 ** 52, limit: 100_000 } as const

const timesOf = (readings: readonly Reading[]) => readings.map(({ time }) => time)

test('VictoriaMetrics series: what write has resolved is there after kill -9', { skip }, async (t) => {
  const server = await startServer(t)
  const series = await openVictoriaMetricsSeries({ url: server.url, flushEveryMs: 0 })
  t.teardown(() => series.close())
  const resolved = new Map<number, string>()
  let next = NOON
  for (let round = 0; round < 4; round++) {
    const running = { alive: true }
    const writer = async () => {
      while (running.alive) {
        const times = Array.from({ length: 20 }, () => (next += 1))
        // A new sensor in every write: names are kept in other files than samples.
        const sensor = `sensor ${next}`
        const written = await series.write([...times.map((time) => at(time)), at(next, 4, sensor)]).then(
          () => true,
          (error: unknown) => {
            t.match(error, { code: 'service.unavailable' })
            return false
          },
        )
        if (!written) return
        for (const time of times) resolved.set(time, sensor)
      }
    }
    const writers = [writer(), writer(), writer()]
    const enough = resolved.size + 200 * Math.random()
    await waitFor(() => resolved.size > enough, 'writes to resolve')
    await server.kill()
    running.alive = false
    await Promise.all(writers)
    await server.start()
    const times = new Set(timesOf(await series.read({ ...everything, order: 'ascending' })))
    const sensors = new Set((await series.latest('fridge')).map(({ sensor }) => sensor))
    const lost = [...resolved].filter(([time, sensor]) => !times.has(time) || !sensors.has(sensor))
    t.same(lost, [], `round ${round}: ${resolved.size} resolved`)
  }
})

test('VictoriaMetrics series: a restart between the answer and the disk is noticed', { skip }, async (t) => {
  const server = await startServer(t)
  const series = await openVictoriaMetricsSeries({ url: server.url, flushEveryMs: 1000 })
  t.teardown(() => series.close())
  // The first flush is at once; what comes now waits for the next one, which only the next process sees.
  await series.write([at(NOON)])
  const lost = series.write([at(NOON + 1)])
  const outcome = t.rejects(lost, { code: 'service.unavailable' })
  await waitFor(async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    return metrics.includes('vm_rows_inserted_total{type="influx"} 2')
  }, 'the sample to be taken')
  await server.kill()
  await server.start()
  await outcome
  await series.write([at(NOON + 1)])
  t.same(timesOf(await series.read({ ...everything, order: 'ascending' })), [NOON, NOON + 1])
})

test(
  'VictoriaMetrics series: a server that hangs fails a write in time, and works again',
  { skip },
  async (t) => {
    const server = await startServer(t)
    const series = await openVictoriaMetricsSeries({ url: server.url, flushEveryMs: 0, timeoutMs: 500 })
    t.teardown(() => series.close())
    await series.write([at(NOON)])
    server.pause()
    await t.rejects(series.write([at(NOON + 1)]), { code: 'service.unavailable' })
    await t.rejects(series.latest('fridge'), { code: 'service.unavailable' })
    await t.rejects(series.ping(), { code: 'service.unavailable' })
    server.resume()
    await waitFor(
      () =>
        series.write([at(NOON + 1)]).then(
          () => true,
          () => false,
        ),
      'a write after the pause',
    )
    t.same(timesOf(await series.read({ ...everything, order: 'descending' })), [NOON + 1, NOON])
  },
)

test(
  'VictoriaMetrics series: what it would drop in silence fails its own write only',
  { skip },
  async (t) => {
    const server = await startServer(t)
    const series = await openVictoriaMetricsSeries({ url: server.url, flushEveryMs: 0, batchReadingsMax: 2 })
    t.teardown(() => series.close())
    const good = series.write([1, 2, 3, 4, 5].map((time) => at(NOON + time)))
    const wrong = [
      at(NaN),
      at(0),
      at(-1),
      at(DAY_MS - 1),
      at(Date.now() + 49 * HOUR_MS),
      at(NOON, NaN),
      at(NOON, 1, 'a\nb'),
      at(NOON, 1, ''),
    ]
    for (const reading of wrong) {
      const error = await series.write([reading]).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      t.ok(error instanceof Error && !(error instanceof CodedError), `${reading.time} ${reading.sensor}`)
    }
    await good
    t.same(
      timesOf(await series.read({ ...everything, order: 'ascending' })),
      [1, 2, 3, 4, 5].map((time) => NOON + time),
    )
    await t.rejects(openVictoriaMetricsSeries({ url: `${server.url}/nothing/here` }))
  },
)

test(
  'VictoriaMetrics series: finds a few readings in a long history with gaps, either way',
  { skip },
  async (t) => {
    const server = await startServer(t)
    const limits = { windowSamplesMax: 500, bucketsMax: 100, aggregateSamplesMax: 4000 }
    const series = await openVictoriaMetricsSeries({ url: server.url, flushEveryMs: 0, ...limits })
    t.teardown(() => series.close())
    // Fast and slow, years apart, one crowded second.
    const times = [
      ...Array.from({ length: 500 }, (_, index) => NOON - 20_000 * HOUR_MS + index * 600_000),
      ...Array.from({ length: 1000 }, (_, index) => NOON - 300 * HOUR_MS + index),
      ...Array.from({ length: 2000 }, (_, index) => NOON + index * 60_000),
    ]
    await series.write([
      ...times.map((time) => at(time)),
      at(NOON - 9000 * HOUR_MS, 1, 'silent'),
      at(DAY_MS, 2, 'dead'),
    ])
    t.same(timesOf(await series.read({ ...everything, order: 'ascending' })), times)
    t.same(timesOf(await series.read({ ...everything, order: 'descending' })), times.toReversed())
    for (const limit of [1, 32, 501, 1700]) {
      const some = { ...everything, limit }
      t.same(timesOf(await series.read({ ...some, order: 'ascending' })), times.slice(0, limit))
      t.same(timesOf(await series.read({ ...some, order: 'descending' })), times.toReversed().slice(0, limit))
    }
    t.same(
      (await series.latest('fridge')).toSorted((a, b) => a.time - b.time),
      [at(DAY_MS, 2, 'dead'), at(NOON - 9000 * HOUR_MS, 1, 'silent'), at(times.at(-1) ?? 0)],
    )
    const span = {
      deviceId: 'fridge',
      sensor: 'main',
      quantity: 'temperature',
      from: 0,
      to: 2 ** 50,
    } as const
    t.equal(
      (await series.aggregate({ ...span, everyMs: 1000 * HOUR_MS })).reduce(
        (sum, { count }) => sum + count,
        0,
      ),
      3500,
    )
    await t.rejects(series.aggregate({ ...span, everyMs: 1000 }), { code: 'request.invalid' })
    await series.write(Array.from({ length: 600 }, (_, index) => at(NOON - HOUR_MS + index)))
    await t.rejects(series.aggregate({ ...span, everyMs: 1000 * HOUR_MS }), { code: 'request.invalid' })
  },
)

test(
  'VictoriaMetrics series: leaves no snapshot behind, and takes its password from the URL',
  { skip },
  async (t) => {
    const server = await startVictoriaMetrics(['-httpAuth.username=user', '-httpAuth.password=a/b c'])
    t.teardown(() => server.stop())
    await t.rejects(openVictoriaMetricsSeries({ url: server.url }))
    const url = server.url.replace('//', `//user:${encodeURIComponent('a/b c')}@`)
    const series = await openVictoriaMetricsSeries({ url, flushEveryMs: 0 })
    await series.write([at(NOON)])
    t.same(await series.latest('fridge'), [at(NOON)])
    await series.close()
    const authorization = `Basic ${btoa('user:a/b c')}`
    const list = await fetch(`${server.url}/snapshot/list`, { headers: { authorization } })
    t.match(await list.json(), { snapshots: [] })
  },
)
