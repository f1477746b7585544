import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { sendWarmReadings } from './warm-readings.ts'

const skip = skipWithout('chromium', hasChromium)
const warm = {
  name: 'Warm for two hours',
  quantity: 'temperature',
  comparator: 'gt',
  threshold: 8,
  mode: 'consecutive',
  durationMs: 7_200_000,
  severity: 'critical',
}

test('rules are tried on the past, then changed', { skip, timeout: 200_000 }, async (t) => {
  const website = await openWebsite(t)
  const { http, mqttPort } = website.coldstream
  const [device] = await registerDevices(http, 1)
  const api = await Api.login(http)
  await api.post('profiles', { id: 'clinic', name: 'Clinics', rules: [warm] })
  const { equipmentId } = await api.get<{ equipmentId: string }>(`devices/${device?.id}`)

  const page = await openPage(t, website)
  // A slow network: the form is open before it is known which profiles there are.
  await page.route(
    '**/v1/profiles?*',
    async (route) => {
      await page.getByRole('dialog').waitFor()
      await route.continue()
    },
    { times: 1 },
  )
  await page.goto(`/refrigerators/${equipmentId}`)
  await logIn(page, 'admin', ADMIN_PASSWORD)
  await page.getByRole('button', { name: 'Give another profile' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: /Profile/ }).click()
  await page.getByRole('option', { name: 'Clinics' }).click()
  await dialog.getByRole('button', { name: /From when/ }).click()
  await page.getByRole('option', { name: /^Always/ }).click()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Temperature above 8 °C, for 2 hr 0 min without a pause').waitFor()
  t.pass('equipment is given a profile')
  await sendWarmReadings(mqttPort, device?.accessToken ?? '')
  const breaches = async () => (await api.get<{ items: { id: string }[] }>('breaches?state=open')).items
  await waitFor(async () => (await breaches()).length === 1, 'the breach', 30_000)
  const [breach] = await breaches()

  await page.goto('/rules')
  await page.getByText('Profile given: Refrigerator 0 → clinic').waitFor()
  await inspect(t, page, 'rules')
  await page.getByRole('link', { name: 'Clinics' }).click()
  await page.getByRole('heading', { name: 'Equipment with this profile' }).waitFor()
  await page.getByRole('link', { name: 'Change the rules' }).click()
  await page.getByRole('textbox', { name: 'Limit', exact: true }).fill('12')
  await page.getByRole('textbox', { name: 'Minutes', exact: true }).fill('0')
  await page.getByRole('button', { name: 'Publish as a new version' }).click()
  await page.getByText('Look at the marked fields').waitFor()
  t.match(
    await page.getByRole('group', { name: 'Rule 1' }).textContent(),
    /needs one; else it is instant/,
    'what the API refuses stands at its field',
  )
  await inspect(t, page, 'rules-refused')

  await page.getByRole('textbox', { name: 'Minutes', exact: true }).fill('60')
  await page.getByRole('button', { name: 'Try on the last year' }).click()
  await page.getByRole('img', { name: 'The last year' }).waitFor()
  await page.getByRole('img', { name: 'Breaches before: 1' }).waitFor()
  await page.getByRole('img', { name: 'Breaches with this change: 0' }).waitFor()
  await inspect(t, page, 'rules-preview')
  await page.getByLabel(/^Why/).fill('Ours stand in warm rooms.')
  await page.getByRole('button', { name: 'Publish as a new version' }).click()
  await page.getByText('Clinics: version 2 holds.').waitFor()
  await page.getByText('Version 1', { exact: true }).click()
  await page.getByText('Ours stand in warm rooms.').waitFor()
  await page.getByText('Temperature above 12 °C, for 1 hr 0 min without a pause').waitFor()
  await page.getByText('Temperature above 8 °C, for 2 hr 0 min without a pause').waitFor()
  await inspect(t, page, 'rules-profile')

  await page.goto(`/breaches/${breach?.id}`)
  await page.getByRole('img', { name: 'What was measured' }).waitFor()
  const text = await page.locator('main').textContent()
  t.match(text, /Warm for two hours/)
  t.match(text, /Limit8 °C/, 'the breach keeps the rule that made it')
  await inspect(t, page, 'breach-around')
})
