import { get as httpGet, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { test, type Test } from 'tap'
import type { Reading } from '../../domain/reading.ts'
import { FORECAST_DEFAULTS, startForecast } from '../../notifier/forecast.ts'
import { createRefrigerator, observe, type Episode } from '../../simulators/refrigerator.ts'
import { onBothDatabases, openStockWorld, type StockWorld } from '../api/stock-world.ts'
import type { Json } from '../api/world.ts'
import { waitFor } from '../wait-for.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
// The clock of the world is that of the machine, so that the past is simulated up to now.
const NOW = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
const CUT_AT = NOW - 70 * MINUTE_MS

/** Readings every ten minutes of a day up to now. */
function simulate(deviceId: string, seed: number, episodes: readonly Episode[], hours = 24): Reading[] {
  const startAt = NOW - hours * HOUR_MS
  let fridge = createRefrigerator({ seed, startAt, episodes, doorOpeningsPerHour: 0 })
  const readings: Reading[] = []
  for (let time = startAt + 10 * MINUTE_MS; time <= NOW; time += 10 * MINUTE_MS) {
    const { values, next } = observe(fridge, time)
    readings.push({ deviceId, sensor: 'main', time, values })
    fridge = next
  }
  return readings
}

async function stream(t: Test, world: StockWorld): Promise<() => Json[]> {
  await world.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = world.app.server.address() as AddressInfo
  const headers = { authorization: `Bearer ${world.admin}` }
  const options = { port, host: '127.0.0.1', path: '/v1/stream', headers, agent: false }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(options, resolve).once('error', reject)
  })
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  response.on('error', () => undefined)
  t.teardown(() => response.destroy())
  return () =>
    text
      .split('\n\n')
      .filter((block) => block.startsWith('event: time-to-breach\n'))
      .map((block) => JSON.parse(block.slice(block.indexOf('data: ') + 6)) as Json)
}

const steadied = (events: readonly Json[]) => events.filter(({ state }) => String(state) === 'steady')

test('time to breach', async (suite) => onBothDatabases(suite, forecastSuite))

async function forecastSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openStockWorld(suite, databaseUrl)
  const { a, b } = world.tree
  const { db, series, cache } = world
  const log = pino({ level: 'silent' })
  let now = NOW
  const clock = { now: () => now }
  const settings = { ...FORECAST_DEFAULTS, forecastDelayMs: 10 }
  const forecast = startForecast({ db, series, cache, clock, log, settings })
  suite.teardown(() => forecast.stop())
  const events = await stream(suite, world)
  const list = async (token: string, query = ''): Promise<Json[]> => {
    const { status, body } = await world.get(`/v1/time-to-breach${query}`, token)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body['items'] as unknown as Json[]
  }
  const say = async (readings: readonly Reading[]) => {
    await series.write(readings)
    forecast.note(readings)
  }
  const stock = {
    kind: 'receive',
    facilityId: a.facility,
    lines: [{ storagePointId: a.storagePoint, lotId: world.penta.lot, doses: 700 }],
  }
  await world.post('/v1/stock-events', world.admin, stock)

  await suite.test('what is well is not looked at, and asked for by name it is steady', async (t) => {
    const well = simulate(b.device, 1, [])
    await say(well)
    const { body } = await world.get(`/v1/equipment/${b.equipment}/time-to-breach`, world.admin)
    t.match(body, { state: 'steady', powerOutSince: null, limitCelsius: 8, medianHours: null })
    t.same(await list(world.admin), [])
  })

  await suite.test('a power cut: when, how sure, and how many doses', async (t) => {
    await say(simulate(a.device, 2, [{ kind: 'power-cut', from: CUT_AT, to: Infinity }]))
    await waitFor(async () => (await list(world.admin)).length === 1, 'the refrigerator without power')
    const [row] = await list(world.admin, `?facilityId=${a.district}`)
    t.match(row, {
      equipmentId: a.equipment,
      equipmentName: 'Fridge A',
      facilityName: 'Clinic A',
      deviceId: a.device,
      state: 'warming',
      basis: 'fit',
      asOf: new Date(NOW).toISOString(),
      limitCelsius: 8,
      doses: 700,
    })
    const [low, median, high] = ['lowHours', 'medianHours', 'highHours'].map((name) => Number(row?.[name]))
    t.ok(low !== undefined && median !== undefined && high !== undefined && low < median && median < high)
    t.ok(median !== undefined && median > 0.1 && median < 4, `a domestic refrigerator: ${median} h`)
    const { body } = await world.get(`/v1/equipment/${a.equipment}/time-to-breach`, world.admin)
    t.match(body, { state: 'warming', medianAt: row?.['medianAt'], lowAt: row?.['lowAt'] })
    await waitFor(() => events().length === 1, 'the event')
    t.match(events()[0], { equipmentId: a.equipment, state: 'warming', medianAt: row?.['medianAt'] })
  })

  await suite.test('the most urgent first; nobody sees what is not theirs', async (t) => {
    now += 400_000
    const warm = Array.from({ length: 30 }, (_, index): Reading => {
      const time = NOW - (29 - index) * MINUTE_MS
      return { deviceId: b.device, sensor: 'main', time, values: { temperature: 9 } }
    })
    await say(warm)
    await waitFor(async () => (await list(world.admin)).length === 2, 'both')
    t.match(await list(world.admin), [
      { equipmentId: b.equipment, state: 'beyond', medianHours: null, doses: 0 },
      { equipmentId: a.equipment, state: 'warming' },
    ])
    const { body } = await world.get('/v1/time-to-breach?limit=1', world.admin)
    t.match(body, { items: [{ equipmentId: b.equipment }] })
    t.match(await list(world.admin, `?limit=1&cursor=${String(body['nextCursor'])}`), [
      { equipmentId: a.equipment },
    ])
    const viewer = await world.person('of-a', 'viewer', a.facility)
    t.same(
      (await list(viewer)).map(({ equipmentId }) => equipmentId),
      [a.equipment],
    )
    t.equal((await world.get(`/v1/equipment/${b.equipment}/time-to-breach`, viewer)).status, 404)
  })

  await suite.test(
    'the power is back: it is said, and the row goes, though no reading asks for a look',
    async (t) => {
      await series.write([
        {
          deviceId: a.device,
          sensor: 'main',
          time: NOW + MINUTE_MS,
          values: { temperature: 5, powerGoodSeconds: 600 },
        },
        { deviceId: b.device, sensor: 'main', time: NOW + MINUTE_MS, values: { temperature: 4 } },
      ])
      now += 400_000
      await waitFor(async () => (await list(world.admin)).length === 0, 'an empty list')
      await waitFor(() => steadied(events()).length === 2, 'the events')
      t.same(
        steadied(events())
          .map(({ equipmentId }) => String(equipmentId))
          .toSorted(),
        [a.equipment, b.equipment].toSorted(),
      )
    },
  )
}
