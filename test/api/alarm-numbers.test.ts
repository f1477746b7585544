import { randomUUIDv7 } from 'node:crypto'
import { test, type Test } from 'tap'
import { insertBreach } from '../../db/queries/breach.ts'
import type { BreachTable } from '../../db/schema.ts'
import { onBothDatabases } from './stock-world.ts'
import { openWorld, plantTree, type Json } from './world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const NOW = Date.parse('2026-11-24T00:00:00Z')
/** Midnight of the first in Jakarta. */
const FIRST = Date.parse('2026-10-31T17:00:00Z')

test('alarms in numbers', async (suite) => onBothDatabases(suite, alarmSuite))

async function alarmSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openWorld(suite, { databaseUrl, clock: { now: () => NOW } })
  const { a, b } = await plantTree(world)
  for (const table of ['equipment', 'device'] as const)
    await world.db
      .updateTable(table)
      .set({ createdAt: FIRST - 90 * 24 * HOUR_MS })
      .execute()
  const keep = async (site: typeof a, row: Partial<BreachTable>): Promise<string> => {
    const id = randomUUIDv7()
    await insertBreach(world.db, {
      id,
      deviceId: site.device,
      sensor: 'main',
      ruleId: 'who-30dtr-high',
      equipmentId: site.equipment,
      facilityId: site.facility,
      state: 'open',
      severity: 'critical',
      startAt: FIRST,
      endAt: null,
      peak: 12,
      peakAt: FIRST,
      lastAt: FIRST,
      readings: 1,
      acknowledgedAt: null,
      closedAt: null,
      closedBy: null,
      closeReason: null,
      closeComment: null,
      outageId: null,
      cause: null,
      recordedAt: FIRST + 10 * HOUR_MS,
      updatedAt: FIRST,
      ...row,
    })
    return id
  }
  const report = async (query: string): Promise<Json[]> => {
    const { status, body } = await world.get(`/v1/reports/alarms?${query}`, world.admin)
    if (status !== 200) throw new Error(`${query}: ${status} ${JSON.stringify(body)}`)
    return body['items'] as unknown as Json[]
  }

  await suite.test('count, rate, and times to acknowledge and to resolve', async (t) => {
    for (const [index, minutes] of [10, 20, 30, 100].entries())
      await keep(a, {
        startAt: FIRST + index * 24 * HOUR_MS,
        endAt: FIRST + index * 24 * HOUR_MS + 11 * HOUR_MS,
        state: 'ended',
        recordedAt: FIRST + index * 24 * HOUR_MS,
        acknowledgedAt: FIRST + index * 24 * HOUR_MS + minutes * MINUTE_MS,
      })
    await keep(a, { startAt: FIRST + 5 * HOUR_MS, severity: 'warning' })
    await keep(a, { startAt: FIRST + 6 * HOUR_MS, state: 'withdrawn' })
    await keep(a, { startAt: FIRST - 1 })
    await keep(b, { startAt: FIRST + HOUR_MS })
    const found = await report('from=2026-11-01&to=2026-11-10')
    const of = (id: string) => found.filter(({ facilityId }) => String(facilityId) === id)
    t.equal(found.length, 4)
    t.match(of(a.facility), [
      {
        facilityName: 'Clinic A',
        period: '2026-11-01/2026-11-10',
        severity: 'critical',
        alarms: 4,
        open: 0,
        acknowledged: 4,
        resolved: 4,
        acknowledgeMedianMinutes: 25,
        acknowledgeP90Minutes: 79,
        resolveMedianMinutes: 660,
        resolveP90Minutes: 660,
        equipmentMonths: 0.33,
        alarmsPer100Months: 1217.5,
        reportingShare: 1,
      },
      { severity: 'warning', alarms: 1, open: 1, acknowledged: 0, acknowledgeMedianMinutes: null },
    ])
    t.match(of(b.facility)[1], { severity: 'warning', alarms: 0, alarmsPer100Months: 0 })
    const [total] = await report('from=2026-11-01&to=2026-11-10&per=total&severity=critical')
    t.match(total, { facilityId: null, alarms: 5, equipmentMonths: 0.66, alarmsPer100Months: 760.94 })
    t.same(
      (await report(`facilityId=${a.district}&severity=critical&by=month&from=2026-10-01&to=2026-11-30`)).map(
        ({ period, alarms, equipmentMonths }) => [period, alarms, equipmentMonths],
      ),
      [
        ['2026-10', 1, 1.02],
        ['2026-11', 4, 0.77],
      ],
      'the days that are to come are no months',
    )
  })

  await suite.test('by person, and as CSV', async (t) => {
    const operator = await world.person('op', 'operator', a.facility)
    const id = await keep(a, { startAt: FIRST + 7 * HOUR_MS, recordedAt: NOW - HOUR_MS })
    const action = { action: 'moved the vaccine', comment: 'to the cold room' }
    t.equal((await world.post(`/v1/breaches/${id}/acknowledge`, operator, action)).status, 201)
    t.equal((await world.post(`/v1/breaches/${id}/acknowledge`, world.admin, action)).status, 201)
    const found = await report('from=2026-11-01&to=2026-11-10&per=person')
    t.equal(found.length, 1, 'whoever was first')
    t.match(found[0], {
      userName: 'op',
      alarms: 1,
      acknowledgeMedianMinutes: 60,
      equipmentMonths: null,
      alarmsPer100Months: null,
    })
    const { body, headers } = await world.app.inject({
      url: '/v1/reports/alarms?from=2026-11-01&to=2026-11-10&format=csv',
      headers: { authorization: `Bearer ${world.admin}` },
    })
    t.match(headers['content-type'], /^text\/csv/)
    t.match(body, /^facilityId,facilityCode,facilityName,userId,userName,period,severity,alarms,/)
  })

  await suite.test('how much of the time devices reported, where silence is watched', async (t) => {
    await keep(a, {
      ruleId: 'silence',
      startAt: FIRST - 24 * HOUR_MS,
      endAt: FIRST + 48 * HOUR_MS,
      state: 'ended',
    })
    const [row] = await report(`from=2026-11-01&to=2026-11-10&facilityId=${a.facility}`)
    t.match(row, { reportingShare: 0.8 })
  })

  await suite.test('what a sensor went through in a breach, also when late data comes', async (t) => {
    const at = (hour: number, temperature: number) => ({
      deviceId: a.device,
      sensor: 'chamber',
      time: FIRST + hour * HOUR_MS,
      values: { temperature },
    })
    await world.series.write([at(-1, 5), at(0, 10), at(1, 12), at(2, 11), at(3, 6)])
    const ended = await keep(a, {
      sensor: 'chamber',
      startAt: FIRST,
      endAt: FIRST + 3 * HOUR_MS,
      state: 'ended',
    })
    const ask = async (id: string) => (await world.get(`/v1/breaches/${id}`, world.admin)).body['exposure']
    t.match(await ask(ended), {
      until: '2026-10-31T20:00:00.000Z',
      coveredMinutes: 180,
      minutesBeyond: 180,
      degreeMinutes: 540,
      mean: 11,
      mkt: 11.04,
    })
    await world.series.write([at(1.5, 20)])
    t.match(await ask(ended), { degreeMinutes: 120 + 120 + 360 + 180 })
    const open = await keep(a, { startAt: FIRST + 2 * HOUR_MS, sensor: 'chamber' })
    t.match(await ask(open), { until: '2026-10-31T20:00:00.000Z', minutesBeyond: 60, degreeMinutes: 180 })
    const silent = await keep(a, { startAt: FIRST, sensor: 'other' })
    t.match(await ask(silent), { coveredMinutes: 0, degreeMinutes: 0, mkt: null })
  })
}
