import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { sendReadings } from './seed-readings.ts'

const skip = skipWithout('chromium', hasChromium)
const MINUTE_MS = 60_000
const DEVICES = 4

// The program's clock jumps on a signal: nobody waits five minutes for a power cut to be one.
const JUMP = `const now=Date.now;let ahead=0;Date.now=()=>now()+ahead;process.on('SIGUSR2',()=>{ahead=${10 * MINUTE_MS}})`
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(JUMP)}`

test('a place without power is acknowledged as one', { skip, timeout: 200_000 }, async (t) => {
  const website = await openWebsite(t, { NODE_OPTIONS })
  const { http, pid } = website.coldstream
  const devices = await registerDevices(http, DEVICES)
  const now = Date.now()
  for (const { accessToken } of devices) {
    const readings = [60, 50, 40, 30, 20, 10, 1].map((minutes) => ({
      ts: now - minutes * MINUTE_MS,
      values: { temperature: 5, powerOn: minutes > 45 ? 1 : 0 },
    }))
    await sendReadings(http, accessToken, readings)
  }
  const page = await openPage(t, website)
  await page.goto('/breaches')
  await logIn(page, 'admin', ADMIN_PASSWORD)
  const each = page.getByRole('main').getByRole('listitem').filter({ hasText: 'Refrigerator' })
  await each.nth(DEVICES - 1).waitFor()
  process.kill(pid, 'SIGUSR2')

  await page.getByRole('button', { name: 'Acknowledge: Indonesia' }).click({ timeout: 100_000 })
  const everything = page.getByRole('checkbox', { name: 'Everything that is part of this outage too' })
  t.ok(await everything.isChecked(), 'one matter, unless somebody says otherwise')
  await page.getByLabel('Comment').fill('The village has no power until four; ice packs are in.')
  await inspect(t, page, 'outage-acknowledge')
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
  await page.getByText(`Indonesia and ${DEVICES} parts of it: acknowledged.`).waitFor()
  await page.getByRole('link', { name: 'Indonesia', exact: true }).click()
  await page.getByRole('heading', { name: `${DEVICES} devices affected` }).waitFor()
  await page.getByText('The village has no power').waitFor()
  await inspect(t, page, 'outage')
  const api = await Api.login(http)
  const { items } = await api.get<{ items: { outageId: string | null; acknowledgedAt: string | null }[] }>(
    'breaches?state=open',
  )
  t.equal(items.filter(({ outageId }) => outageId !== null).length, DEVICES)
  t.same(
    items.filter(({ acknowledgedAt }) => acknowledgedAt === null),
    [],
    'the outage and what is part of it',
  )
})
