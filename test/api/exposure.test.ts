import { test } from 'tap'
import type { Reading } from '../../domain/reading.ts'
import { openWorld, plantTree, type Json, type World } from './world.ts'

const MINUTE_MS = 60_000
const NOW = Date.parse('2026-11-24T12:00:00Z')

async function rows(world: World, url: string): Promise<Json[]> {
  const { status, body } = await world.get(url, world.admin)
  if (status !== 200) throw new Error(`${url}: ${status} ${JSON.stringify(body)}`)
  return body['items'] as unknown as Json[]
}

test('exposure by equipment and by device', async (suite) => {
  const world = await openWorld(suite, { clock: { now: () => NOW } })
  const { a, b } = await plantTree(world)
  // Midnight of the 22nd in Jakarta.
  const midnight = Date.parse('2026-11-21T17:00:00Z')
  const steady = (from: number, minutes: number, temperature: number, sensor = 'main'): Reading[] =>
    Array.from({ length: minutes / 10 }, (_, index) => ({
      deviceId: a.device,
      sensor,
      time: from + index * 10 * MINUTE_MS,
      values: { temperature },
    }))
  await world.series.write([
    ...steady(midnight - 300 * MINUTE_MS, 300, 5),
    ...steady(midnight, 60, 10),
    ...steady(midnight + 60 * MINUTE_MS, 1380, 4),
    ...steady(midnight, 60, -1, 'freezer'),
    { deviceId: a.device, sensor: 'door', time: midnight, values: { doorOpen: 1 } },
  ])
  const url = `/v1/equipment/${a.equipment}/exposure`

  await suite.test('days of the facility, a row for each sensor of temperature', async (t) => {
    const found = await rows(world, `${url}?from=2026-11-20&to=2026-11-23`)
    t.same(
      found.map(({ period, sensor, readings }) => [period, sensor, readings]),
      [
        ['2026-11-20', 'freezer', 0],
        ['2026-11-21', 'freezer', 0],
        ['2026-11-22', 'freezer', 6],
        ['2026-11-23', 'freezer', 0],
        ['2026-11-20', 'main', 0],
        ['2026-11-21', 'main', 30],
        ['2026-11-22', 'main', 144],
        ['2026-11-23', 'main', 0],
      ],
    )
    t.match(found[6], {
      startAt: '2026-11-21T17:00:00.000Z',
      endAt: '2026-11-22T17:00:00.000Z',
      deviceId: a.device,
      deviceName: 'Logger A',
      // The last reading holds until one that never came.
      coveredMinutes: 1430,
      coverage: 0.9931,
      high: 8,
      low: -0.5,
      minutesAbove: 60,
      minutesBelow: 0,
      minutesInRange: 1370,
      degreeMinutesAbove: 120,
      min: 4,
      max: 10,
      maxAt: '2026-11-21T17:00:00.000Z',
      mean: 4.25,
    })
    t.match(found[2], { minutesBelow: 50, degreeMinutesBelow: 25, minutesAbove: 0 })
    t.match(found[7], { coveredMinutes: 0, coverage: 0, mkt: null, min: null, shareInRange: null })
    t.same(await rows(world, `/v1/devices/${a.device}/exposure?from=2026-11-20&to=2026-11-23`), found)
  })

  await suite.test('other limits, months, today', async (t) => {
    const [day] = (await rows(world, `${url}?from=2026-11-22&to=2026-11-22&high=4.5&low=2`)).slice(1)
    t.match(day, { high: 4.5, low: 2, minutesAbove: 60, degreeMinutesAbove: 330 })
    const months = await rows(world, `${url}?from=2026-10-30&to=2026-11-30&every=month`)
    t.same(
      months.slice(2).map(({ period, minutesAbove }) => [period, minutesAbove]),
      [
        ['2026-10', 0],
        ['2026-11', 60],
      ],
    )
    await world.series.write(steady(NOW - 60 * MINUTE_MS, 60, 5))
    const today = (await rows(world, `${url}?from=2026-11-24&to=2026-11-25`)).slice(1)
    t.equal(today.length, 1, 'tomorrow is no day yet')
    // 19 hours of it are over: it is 19:00.
    t.match(today[0], { period: '2026-11-24', readings: 6, coverage: 0.0439 })
    const latest = await rows(world, url)
    t.equal(latest.length, 60, 'thirty days by default')
  })

  await suite.test('CSV', async (t) => {
    const day = `${url}?from=2026-11-22&to=2026-11-22`
    const authorization = `Bearer ${world.admin}`
    const asked = { url: `${day}&format=csv`, headers: { authorization } }
    const { headers, body } = await world.app.inject(asked)
    t.match(headers['content-disposition'], /exposure\.csv/)
    const [header = '', ...lines] = body.trim().split('\r\n')
    t.match(header, /^period,startAt,endAt,deviceId,deviceName,sensor,readings,coveredMinutes,/)
    t.equal(lines.length, 2)
    const accepting = { url: day, headers: { authorization, accept: 'text/csv' } }
    t.equal((await world.app.inject(accepting)).body, body)
  })

  await suite.test('what cannot be, and what is not theirs', async (t) => {
    for (const query of [
      'from=2026-11-24&to=2026-11-23',
      'from=2024-01-01&to=2026-01-01',
      'from=2026-02-30',
      'high=2&low=8',
      'every=hour',
    ])
      t.match(await world.get(`${url}?${query}`, world.admin), { status: 400 }, query)
    const viewer = await world.person('clinic-b', 'viewer', b.facility)
    t.equal((await world.get(url, viewer)).status, 404)
    t.same(await rows(world, `/v1/equipment/${b.equipment}/exposure`), [], 'it never said anything')
  })
})

test('a day costs a day, however long the history is', async (t) => {
  const world = await openWorld(t, { clock: { now: () => NOW } })
  const { a } = await plantTree(world)
  const asked: { readonly from: number; readonly to: number; readonly found: number }[] = []
  const { read } = world.series
  Object.assign(world.series, {
    async read(query: Parameters<typeof read>[0]) {
      const found = await read(query)
      asked.push({ from: query.from, to: query.to, found: found.length })
      return found
    },
  })
  await world.series.write(
    Array.from({ length: 40 * 720 }, (_, index) => ({
      deviceId: a.device,
      sensor: 'main',
      time: NOW - index * 2 * MINUTE_MS,
      values: { temperature: 5 },
    })),
  )
  const url = `/v1/equipment/${a.equipment}/exposure`
  const [row] = await rows(world, `${url}?from=2026-11-01&to=2026-11-01`)
  t.match(row, { readings: 720, coveredMinutes: 1440, coverage: 1, mkt: 5, mean: 5 })
  t.equal(
    asked.reduce((sum, { found }) => sum + found, 0),
    720 + 120,
  )
  asked.length = 0
  t.equal((await rows(world, `${url}?from=2026-10-16&to=2026-11-14`)).length, 30)
  t.ok(asked.length > 3 && asked.every(({ found }) => found <= 5000), 'in pieces')
})
