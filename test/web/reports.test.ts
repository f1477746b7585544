import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { plantStock } from './plant-stock.ts'

const skip = skipWithout('chromium', hasChromium)

const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()

test('reports are read, narrowed, printed and taken along', { skip, timeout: 235_000 }, async (t) => {
  const website = await openWebsite(t)
  const api = await Api.login(website.coldstream.http)
  const { clinic, lot } = await plantStock(api)
  const points = await api.all<{ id: string; facilityId: string }>('storage-points')
  const storagePointId = points.find((point) => point.facilityId === clinic)?.id
  await api.post('stock-events', {
    kind: 'receive',
    facilityId: clinic,
    occurredAt: dayAgo(70),
    lines: [{ storagePointId, lotId: lot, vvmStage: 1, doses: 100 }],
  })
  for (const days of [62, 31, 2])
    await api.post('stock-events', {
      kind: 'consume',
      facilityId: clinic,
      occurredAt: dayAgo(days),
      lines: [{ storagePointId, lotId: lot, vvmStage: 1, administered: 10, wasted: 2 }],
    })
  const page = await openPage(t, website)
  await page.goto('/reports')
  await logIn(page, 'keeper', ADMIN_PASSWORD)
  await page.getByRole('heading', { name: 'Reports' }).waitFor()
  await inspect(t, page, 'reports')

  await page.getByRole('link', { name: 'Consumption' }).click()
  const table = page.getByRole('table')
  await table.getByText('Clinic Ciawi').waitFor()
  await page.getByLabel('From').fill(dayAgo(80).slice(0, 10))
  await page.getByRole('button', { name: /Rows/ }).click()
  await page.getByRole('option', { name: 'One for each month' }).click()
  await page.waitForURL(/from=.*by=month|by=month.*from=/)
  await page.getByRole('img', { name: 'Doses given and issued by period' }).waitFor()
  t.ok((await table.getByRole('row').count()) > 2)
  await inspect(t, page, 'report')

  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as CSV' }).click(),
  ])
  t.equal(saved.suggestedFilename(), 'consumption.csv')
  t.match(await readFile(await saved.path(), 'utf8'), /^facilityId,.*\r\n.*,Clinic Ciawi,/)

  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  t.notOk(await page.getByRole('navigation').first().isVisible(), 'paper has no navigation')
  await page.screenshot({ path: 'test/out/web/report-print.png', fullPage: true })
  t.equal(
    await page.evaluate('getComputedStyle(document.body).backgroundColor'),
    'rgb(255, 255, 255)',
    'and is light',
  )
  await page.emulateMedia({ media: 'screen' })

  await page.goto('/reports/stock-outs?by=nothing&from=2020-01-01&to=2026-01-01')
  await page.getByRole('alert').waitFor()
  await page.goto('/reports/unheard-of')
  await page.getByText('There is nothing here').waitFor()
})
