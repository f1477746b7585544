import mqtt from 'mqtt'
import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'

const skip = skipWithout('chromium', hasChromium)
const HOUR_MS = 3_600_000
const CADENCE_MS = 600_000

/** Twelve hours of a refrigerator that has no power, as its logger tells them when it is switched on. */
async function sendWarmReadings(mqttPort: number, token: string): Promise<void> {
  const client = await mqtt.connectAsync({ host: '127.0.0.1', port: mqttPort, username: token })
  const now = Date.now()
  for (let ts = now - 12 * HOUR_MS; ts <= now; ts += CADENCE_MS) {
    const reading = JSON.stringify({ ts, values: { temperature: 11.5 } })
    await client.publishAsync('v1/devices/me/telemetry', reading, { qos: 1 })
  }
  await client.endAsync()
}

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

test('a role that may not act is not offered to', { skip, timeout: 120_000 }, async (t) => {
  const website = await openWebsite(t)
  const { http, mqttPort } = website.coldstream
  const [device] = await registerDevices(http, 1)
  await sendWarmReadings(mqttPort, device?.accessToken ?? '')
  const api = await Api.login(http)
  const { items } = await api.get<{ items: { id: string }[] }>('facilities')
  const viewer = {
    username: 'looks',
    name: 'Sri',
    role: 'viewer',
    facilityId: items[0]?.id,
    password: ADMIN_PASSWORD,
  }
  await api.post('users', viewer)

  const page = await openPage(t, website, 'id')
  await page.goto('/')
  await logIn(page, 'looks', ADMIN_PASSWORD)
  const row = page.getByRole('listitem').filter({ hasText: 'Refrigerator 0' })
  await row.getByText('Terlalu panas').waitFor()
  t.equal(await row.getByRole('button').count(), 0)
  await row.getByRole('link').click()
  await page.getByRole('heading', { name: 'Riwayat' }).waitFor()
  t.equal(await page.getByRole('button', { name: 'Tanggapi' }).count(), 0)
})
