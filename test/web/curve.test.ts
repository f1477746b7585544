import { readFileSync } from 'node:fs'
import { test } from 'tap'
import type { Page } from 'playwright-core'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { plotted } from '../../web/controls/series.ts'
import { sendReadings, type Said } from './seed-readings.ts'

const skip = skipWithout('chromium', hasChromium)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const CADENCE_MS = 10 * MINUTE_MS
const SPIKE_CELSIUS = 13.7
const NOBODY = { id: '', accessToken: '' }

/** Sixty days; one reading twenty days ago is a spike, and five days ago nothing was said for six hours. */
function history(now: number): Said[] {
  const readings: Said[] = []
  const spikeAt = now - 20 * DAY_MS
  for (let ts = now - 60 * DAY_MS; ts <= now; ts += CADENCE_MS) {
    const age = now - ts
    if (age < 5 * DAY_MS && age > 5 * DAY_MS - 6 * HOUR_MS) continue
    const hour = (ts / HOUR_MS) % 24
    const isCut = age < 9 * HOUR_MS && age > 7 * HOUR_MS
    readings.push({
      ts,
      values: {
        temperature: ts === spikeAt ? SPIKE_CELSIUS : Math.round((4.6 + 0.6 * Math.sin(hour)) * 10) / 10,
        ambientTemperature: Math.round((28 + 3 * Math.sin((hour / 24) * 2 * Math.PI)) * 10) / 10,
        doorOpenSeconds: Math.round(hour) % 6 === 0 ? 40 : 0,
        powerGoodSeconds: isCut ? 0 : 600,
        battery: 81,
      },
    })
  }
  return readings
}

test('a curve is broken where the device was silent, and nowhere else', async (t) => {
  const bucket = (minutes: number) => ({
    start: new Date(minutes * MINUTE_MS).toISOString(),
    count: 1,
    min: 1,
    max: 3,
    mean: 2,
    last: 2,
  })
  const items = [0, 10, 30, 90, 100].map(bucket)
  const span = { from: 0, to: 200 * MINUTE_MS }
  const { columns, gaps } = plotted({ ...span, everyMs: MINUTE_MS, items }, 30 * MINUTE_MS, 170 * MINUTE_MS)
  t.same(
    gaps.map(({ from, to }) => [from / MINUTE_MS, to / MINUTE_MS]),
    [
      [31, 90],
      [101, 170],
    ],
    'until now, and not into the time to come',
  )
  t.same(columns[3], [2, 2, 2, null, 2, 2])
})

test('the curve of a refrigerator with all that explains it', { skip, timeout: 200_000 }, async (t) => {
  const website = await openWebsite(t)
  const { http } = website.coldstream
  const [device = NOBODY, neighbour = NOBODY] = await registerDevices(http, 2)
  const now = Math.floor(Date.now() / CADENCE_MS) * CADENCE_MS
  const readings = history(now)
  await sendReadings(http, device.accessToken, readings)
  await sendReadings(http, neighbour.accessToken, readings.slice(-144))
  const api = await Api.login(http)
  const { equipmentId } = await api.get<{ equipmentId: string }>(`devices/${device.id}`)
  await plantContents(api, equipmentId, device.id)
  const whole = `devices/${device.id}/readings?every=1d&from=${new Date(now - 61 * DAY_MS).toISOString()}`
  const count = async () => {
    const { items } = await api.get<{ items: { count: number }[] }>(whole)
    return items.reduce((sum, one) => sum + one.count, 0)
  }
  await waitFor(async () => (await count()) === readings.length, 'all readings to be stored', 60_000)

  const page = await openPage(t, website)
  await page.goto(`/refrigerators/${equipmentId}?range=week`)
  await logIn(page, 'admin', ADMIN_PASSWORD)
  for (const name of ['Temperature', 'Door', 'Power', 'Room'])
    await page.getByRole('img', { name, exact: true }).waitFor()
  t.pass('door, power and room are under the curve')
  await page.getByText('Measles').waitFor()
  t.match(await page.locator('main').textContent(), /Lot MR24A · Expires Jun 30, 2099.*120 doses/s)
  t.match(await page.locator('main').textContent(), /Calibrated until/)
  await page.getByRole('columnheader', { name: 'MKT' }).waitFor()
  await page.getByText('The curve as a table').click()
  await page
    .getByRole('listitem')
    .filter({ hasText: /^Nothing heard: .* – / })
    .waitFor()
  t.pass('what was not heard is a gap, also in words')
  await page.getByText('The curve as a table').click()
  await inspect(t, page, 'curve')

  await page.getByRole('radio', { name: 'Year' }).click()
  await page.waitForURL(/range=year/)
  await page.getByText('The curve as a table').click()
  const spike = page.getByRole('cell', { name: `${SPIKE_CELSIUS} °C` })
  await spike.first().waitFor()
  t.pass('over a year the spike of ten minutes is there')
  await dragDays(page, 23, 17)
  await page.waitForURL(/from=\d+&to=\d+/)
  await spike.first().waitFor()
  for (let closer = 0; closer < 4; closer++) await page.getByRole('button', { name: 'Closer' }).click()
  // Nine hours: each reading has a row of its own.
  await page
    .getByRole('row')
    .filter({ hasText: `${SPIKE_CELSIUS} °C${SPIKE_CELSIUS} °C` })
    .waitFor()
  t.pass('and closer it is there too, as the one reading that it is')

  await page.getByRole('radio', { name: 'Week' }).click()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save as CSV' }).click()
  const lines = readFileSync(await (await download).path(), 'utf8')
    .trim()
    .split('\r\n')
  t.equal(
    lines[0],
    'time,time Asia/Jakarta,temperature,ambientTemperature,doorOpenSeconds,powerGoodSeconds,battery',
  )
  const week = readings.filter(({ ts }) => ts >= now - 7 * DAY_MS).length
  t.ok(Math.abs(lines.length - 1 - week) <= 3, `${lines.length - 1} readings of the week, not steps of them`)

  await page.getByRole('button', { name: 'Compare with its neighbours' }).click()
  await page.getByRole('link', { name: 'Refrigerator 1' }).waitFor()
  t.match(page.url(), /neighbours=true/, 'in the address')
  await inspect(t, page, 'curve-neighbours')
  await page.emulateMedia({ forcedColors: 'active', colorScheme: 'dark' })
  await page.screenshot({ path: 'test/out/web/curve-forced-colors.png', fullPage: true })
})

/** Drags over what was measured so many days ago, on an axis of a year that begins 44 px from the left and ends 12 px from the right. */
async function dragDays(page: Page, from: number, to: number): Promise<void> {
  const chart = page.getByRole('img', { name: 'Temperature', exact: true })
  await chart.scrollIntoViewIfNeeded()
  const box = await chart.boundingBox()
  if (!box) throw new Error('the curve has no place')
  const x = (days: number) => box.x + 44 + ((box.width - 56) * (365 - days)) / 365
  await page.mouse.move(x(from), box.y + 100)
  await page.mouse.down()
  await page.mouse.move(x(to), box.y + 100, { steps: 4 })
  await page.mouse.up()
}

/** Doses in the refrigerator, and a calibration of its logger. */
async function plantContents(api: Api, equipmentId: string, deviceId: string): Promise<void> {
  const make = async (path: string, body: Record<string, unknown>) =>
    (await api.post<{ id: string }>(path, body)).id
  const { facilityId } = await api.get<{ facilityId: string }>(`equipment/${equipmentId}`)
  const storagePointId = await make('storage-points', { facilityId, name: 'Refrigerator 0' })
  await api.patch(`equipment/${equipmentId}`, { storagePointId })
  const itemId = await make('items', {
    code: 'mr',
    name: 'Measles and rubella',
    kind: 'vaccine',
    dosesPerVial: 10,
    vvmType: 'VVM14',
    mm3PerDose: 2500,
  })
  const manufacturerId = await make('manufacturers', { name: 'Maker' })
  const tradeItemId = await make('trade-items', { itemId, manufacturerId, name: 'MR 10', dosesPerPack: 100 })
  const lotId = await make('lots', { tradeItemId, code: 'MR24A', expiresOn: '2099-06-30' })
  const lines = [{ storagePointId, lotId, vvmStage: 1, doses: 120 }]
  await make('stock-events', { kind: 'receive', facilityId, lines })
  await make(`devices/${deviceId}/calibrations`, {
    calibratedAt: new Date(Date.now() - DAY_MS).toISOString(),
    intervalDays: 365,
  })
}
