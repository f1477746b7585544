import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { plantStock } from './plant-stock.ts'

const skip = skipWithout('chromium', hasChromium)

/** What the page keeps on the device, as text. */
const KEPT = `new Promise((resolve) => {
  const opening = indexedDB.open('coldstream')
  opening.onsuccess = () => {
    const asked = opening.result.transaction('answers').objectStore('answers').getAll()
    asked.onsuccess = () => {
      opening.result.close()
      resolve(JSON.stringify(asked.result))
    }
  }
})`

test('a count without a network is sent once when there is one', { skip, timeout: 235_000 }, async (t) => {
  const website = await openWebsite(t)
  const api = await Api.login(website.coldstream.http)
  const { clinic, lot } = await plantStock(api)
  const page = await openPage(t, website)
  await page.goto('/stock')
  await logIn(page, 'nurse', ADMIN_PASSWORD)
  const row = page.getByRole('listitem').filter({ hasText: 'Pentavalent' })
  await row.getByText('40 doses (4 vials)').waitFor()
  await row.getByText('Below minimum').waitFor()
  await inspect(t, page, 'stock')
  await row.getByRole('link').click()
  await page.getByRole('heading', { name: 'Pentavalent' }).waitFor()
  await page.getByText('VVM stage 1').waitFor()

  await page.getByRole('button', { name: 'Session' }).click()
  await page.getByLabel('Doses administered').fill('7')
  await page.keyboard.press('Tab')
  await page.getByText('Wasted from opened vials: 3 doses').waitFor()
  await inspect(t, page, 'stock-session')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('30 doses (3 vials)').first().waitFor()
  t.pass('what is sent is seen at once')
  await inspect(t, page, 'stock-item')

  // What was seen is on the device, and so is the application, before the network goes.
  await page.evaluate('navigator.serviceWorker.ready')
  await page.waitForFunction(`${KEPT}.then((kept) => kept.includes('"doses":30'))`)
  await page.context().setOffline(true)
  await page.reload()
  await page.getByRole('heading', { name: 'Pentavalent' }).waitFor()
  await page.getByText('As it was').waitFor()
  await page.getByText('30 doses (3 vials)').first().waitFor()
  await page.getByRole('button', { name: 'Count', exact: true }).click()
  await page.getByLabel('Doses counted').fill('28')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: '1 event waits to be sent' }).waitFor()
  await inspect(t, page, 'stock-waiting')
  await page.reload()
  await page.getByRole('heading', { name: '1 event waits to be sent' }).waitFor()
  t.equal((await api.all('stock-events?kind=count')).length, 0)

  await page.context().setOffline(false)
  await page.getByRole('heading', { name: '1 event waits to be sent' }).waitFor({ state: 'detached' })
  await page.getByText('28 doses (3 vials)').first().waitFor()
  const counts = await api.all<{ entries: { doses: number }[] }>('stock-events?kind=count')
  t.equal(counts.length, 1, 'once')
  const stock = await api.all<{ doses: number }>(`stock?facilityId=${clinic}&lotId=${lot}`)
  t.same(
    stock.map(({ doses }) => doses),
    [28],
  )

  await page.context().setOffline(true)
  await page.getByRole('button', { name: 'Count', exact: true }).click()
  await page.getByLabel('Doses counted').fill('20')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: '1 event waits to be sent' }).waitFor()
  await api.post('stock-events', {
    kind: 'issue',
    facilityId: clinic,
    lines: [{ storagePointId: await pointOf(api, clinic), lotId: lot, doses: 8 }],
  })
  await page.context().setOffline(false)
  await page.getByText('12 doses (2 vials)').first().waitFor()
  t.pass('a count that comes late stands where it was made: before what was issued meanwhile')

  await page.getByRole('button', { name: /^Account and settings/ }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.locator('input[name=username]').waitFor()
  const left = await page.evaluate(
    'Object.keys(localStorage).filter((key) => !/preferences|leaving/.test(key))',
  )
  t.same(left, [], 'nothing tells the next person that something was waiting')
})

async function pointOf(api: Api, facilityId: string): Promise<string> {
  const points = await api.all<{ id: string }>(`storage-points?facilityId=${facilityId}`)
  return points[0]?.id ?? ''
}
