import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { sendWarmReadings } from './warm-readings.ts'

const skip = skipWithout('chromium', hasChromium)

test('a warm refrigerator is found, with its curve and its breach', { skip, timeout: 200_000 }, async (t) => {
  const website = await openWebsite(t)
  const { http, mqttPort } = website.coldstream
  const [device] = await registerDevices(http, 2)
  await sendWarmReadings(mqttPort, device?.accessToken ?? '')
  const page = await openPage(t, website)
  await page.goto('/refrigerators?state=warm')
  await logIn(page, 'admin', ADMIN_PASSWORD)
  const row = page.getByRole('main').getByRole('listitem').filter({ hasText: 'Refrigerator 0' })
  await row.getByText('11.5 °C').waitFor()
  t.equal(await page.getByText('Refrigerator 1').count(), 0, 'the filter of the address holds')
  await inspect(t, page, 'refrigerators')

  await row.getByRole('link').click()
  await page.getByRole('img', { name: 'Temperature' }).waitFor()
  await inspect(t, page, 'refrigerator')
  await page.getByText('The curve as a table').click()
  t.match(await page.getByRole('table').first().textContent(), /11\.5 °C/)
  await page.getByRole('button', { name: 'Closer' }).click()
  await page.waitForURL(/from=\d+&to=\d+/)
  await page.getByRole('button', { name: /^Acknowledge/ }).click()
  await page.getByLabel('Comment').fill('The vaccines are in the cold box.')
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
  await page.getByText('In hand').waitFor()
  t.pass('acknowledged where it is seen')
  await page.getByRole('link', { name: 'See the breach' }).click()
  await page.getByText('The vaccines are in the cold box.').waitFor()
})
