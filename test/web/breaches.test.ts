import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { sendWarmReadings } from './warm-readings.ts'

const skip = skipWithout('chromium', hasChromium)

test('from the first start to the first breach acknowledged', { skip, timeout: 235_000 }, async (t) => {
  const website = await openWebsite(t)
  const { http, mqttPort } = website.coldstream
  const page = await openPage(t, website)

  await page.goto('/breaches?severity=critical')
  await inspect(t, page, 'login')
  await logIn(page, 'admin', ADMIN_PASSWORD)
  await page.getByText('No breach is like this').waitFor()
  t.match(page.url(), /\/breaches\?severity=critical$/, 'a deep link survives the login')
  await page.getByRole('link', { name: 'Breaches' }).click()
  await page.getByText('Nothing is open').waitFor()
  await inspect(t, page, 'breaches-empty')

  const [device] = await registerDevices(http, 1)
  await sendWarmReadings(mqttPort, device?.accessToken ?? '')
  const row = page.getByRole('listitem').filter({ hasText: 'Refrigerator 0' })
  await row.getByText('11.5 °C').waitFor()
  t.pass('the breach appears by itself')
  t.match(await row.textContent(), /Too warm.*Waiting for somebody.*GMT\+7/s, 'in the time of the place')
  await inspect(t, page, 'breaches')

  await row.getByRole('button', { name: /^Acknowledge/ }).click()
  await page.getByLabel('Comment').fill('Generator started; vaccines are in the cold box.')
  await inspect(t, page, 'breach-acknowledge')
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
  await row.getByText('In hand').waitFor()

  await row.getByRole('link').click()
  await page.getByRole('heading', { name: 'Refrigerator 0' }).waitFor()
  await page.getByText('Generator started').waitFor()
  t.match(await page.locator('main').textContent(), /Checked on site/)
  await inspect(t, page, 'breach')

  await page.reload()
  await page.getByText('Generator started').waitFor()
  t.pass('the session outlives the page, and a deep link opens')
  const held = await page.evaluate(
    'JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie })',
  )
  t.notMatch(held, /csr_|eyJ/, 'no token where a script could read it later')

  await page.getByRole('button', { name: /^Account and settings/ }).click()
  await inspect(t, page, 'account')
  await page.getByRole('button', { name: /Language/ }).click()
  await page.getByRole('option', { name: 'Français' }).click()
  await page.getByText('Prise en charge').first().waitFor()
  await page.getByRole('button', { name: 'Se déconnecter' }).click()
  await page.getByLabel('Mot de passe').waitFor()
  t.equal(await page.locator('html').getAttribute('lang'), 'fr')
})
