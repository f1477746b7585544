import { test } from 'tap'
import { hasChromium, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { sendWarmReadings } from './warm-readings.ts'

const skip = skipWithout('chromium', hasChromium)

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
  await page.goto('/breaches')
  await logIn(page, 'looks', ADMIN_PASSWORD)
  const row = page.getByRole('listitem').filter({ hasText: 'Refrigerator 0' })
  await row.getByText('Terlalu panas').waitFor()
  t.equal(await row.getByRole('button').count(), 0)
  await row.getByRole('link').click()
  await page.getByRole('heading', { name: 'Riwayat' }).waitFor()
  t.equal(await page.getByRole('button', { name: 'Tanggapi' }).count(), 0)
})
