import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { sendWarmReadings } from './warm-readings.ts'

const skip = skipWithout('chromium', hasChromium)

test('from the first facility to a device that sends', { skip, timeout: 200_000 }, async (t) => {
  const website = await openWebsite(t)
  const { http, mqttPort } = website.coldstream
  const page = await openPage(t, website)
  await page.goto('/administration')
  await logIn(page, 'admin', ADMIN_PASSWORD)
  await page.getByText('There is no facility here yet.').waitFor()

  await page.getByRole('button', { name: 'Add a facility' }).click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Name').fill('Puskesmas Kenari')
  await form.getByLabel('Time zone').fill('Asia/Nowhere')
  await form.getByRole('button', { name: /Level/ }).click()
  await page.getByRole('option', { name: 'Facility' }).click()
  await form.getByRole('button', { name: 'Save' }).click()
  await form.getByRole('alert').waitFor()
  t.equal(await form.getByLabel('Time zone').getAttribute('aria-invalid'), 'true', 'at its field')
  await inspect(t, page, 'administration-facility-refused')
  await form.getByLabel('Time zone').fill('Asia/Makassar')
  await form.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('link', { name: 'Puskesmas Kenari' }).click()
  await page.getByRole('heading', { name: 'Puskesmas Kenari' }).waitFor()

  await page.getByRole('button', { name: 'Register a device' }).click()
  await form.getByLabel('Name of the device').fill('Logger 7')
  await form.getByLabel('Name of the refrigerator').fill('Vaccine room 1')
  await inspect(t, page, 'administration-register')
  await form.getByRole('button', { name: 'Register a device' }).click()
  await page.getByText('never again').waitFor()
  const token = (await form.locator('code').textContent()) ?? ''
  t.match(token, /^\S{16,}$/)
  await inspect(t, page, 'administration-token')
  await form.getByRole('button', { name: 'Copy' }).click()
  await form.getByText('Copied.').waitFor()
  t.ok(await form.locator('code').isVisible())
  await form.getByRole('button', { name: 'I have kept it' }).click()
  await page.getByText('Logger 7').waitFor()
  await page.reload()
  await page.getByText('Logger 7').waitFor()
  t.notOk((await page.content()).includes(token), 'the token is not shown again')
  await inspect(t, page, 'administration-facility')

  await sendWarmReadings(mqttPort, token)
  const api = await Api.login(http)
  const { items } = await api.get<{ items: { name: string }[] }>('devices')
  t.same(
    items.map(({ name }) => name),
    ['Logger 7'],
    'it is the one device',
  )
  await page.getByRole('link', { name: 'Breaches' }).click()
  await page.getByRole('listitem').filter({ hasText: 'Vaccine room 1' }).getByText('11.5 °C').waitFor()
})
