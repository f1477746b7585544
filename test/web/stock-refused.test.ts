import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { plantStock } from './plant-stock.ts'

const skip = skipWithout('chromium', hasChromium)

test('what was recorded without a network and is refused later', { skip, timeout: 235_000 }, async (t) => {
  const website = await openWebsite(t)
  const api = await Api.login(website.coldstream.http)
  const { clinic, item, lot } = await plantStock(api)
  const [point] = await api.all<{ id: string }>(`storage-points?facilityId=${clinic}`)
  const page = await openPage(t, website)
  await page.goto(`/stock/${item}`)
  await logIn(page, 'nurse', ADMIN_PASSWORD)
  await page.getByText('40 doses (4 vials)').first().waitFor()
  const issue = async (doses: string) => {
    await page.context().setOffline(true)
    await page.getByRole('button', { name: 'Issue', exact: true }).click()
    await page.getByRole('dialog').getByRole('textbox', { name: 'Doses' }).fill(doses)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByRole('heading', { name: /waits? to be sent/ }).waitFor()
  }
  const elsewhere = (doses: number) =>
    api.post('stock-events', {
      kind: 'issue',
      facilityId: clinic,
      lines: [{ storagePointId: point?.id ?? '', lotId: lot, doses }],
    })
  const events = () => api.all('stock-events?kind=issue')
  const waiting = page.getByRole('heading', { name: /waits? to be sent/ })

  await issue('30')
  await issue('5')
  await elsewhere(20)
  await page.context().setOffline(false)
  await page.getByText('Not accepted').waitFor()
  await page.getByText('Look at what is on hand now').waitFor()
  await page.getByText('Waits for the one before it').waitFor()
  await inspect(t, page, 'stock-refused')
  t.equal((await events()).length, 1, 'what comes after a refused one waits')

  await page.getByRole('button', { name: 'Edit' }).click()
  const form = page.getByRole('dialog')
  t.equal(await form.getByRole('textbox', { name: 'Doses' }).inputValue(), '30', 'as it was said')
  await form.getByRole('textbox', { name: 'Doses' }).fill('10')
  await form.getByRole('button', { name: 'Save' }).click()
  await waiting.waitFor({ state: 'detached' })
  await page.getByText('5 doses (1 vial)').first().waitFor()
  t.equal((await events()).length, 3, 'the corrected one, and the one behind it')

  await issue('4')
  await elsewhere(3)
  await page.context().setOffline(false)
  await page.getByText('Not accepted').waitFor()
  await page.getByRole('button', { name: /^Discard/ }).click()
  await form.getByRole('button', { name: 'Discard' }).click()
  await waiting.waitFor({ state: 'detached' })
  t.equal((await events()).length, 4, 'a discarded one is not sent')

  await issue('2')
  await elsewhere(1)
  const sent = Promise.withResolvers<void>()
  const discarded = Promise.withResolvers<void>()
  await page.route(
    '**/v1/stock-events',
    async (route) => {
      sent.resolve()
      await discarded.promise
      await route.continue()
    },
    { times: 1 },
  )
  const refused = page.waitForResponse((answer) => answer.status() === 409)
  await page.context().setOffline(false)
  await sent.promise
  await page.getByRole('button', { name: /^Discard/ }).click()
  await form.getByRole('button', { name: 'Discard' }).click()
  await waiting.waitFor({ state: 'detached' })
  discarded.resolve()
  await refused
  // The next one is sent behind it: by then its refusal was dealt with.
  await issue('1')
  await page.context().setOffline(false)
  await waiting.waitFor({ state: 'detached' })
  t.equal(await page.getByText('Not accepted').count(), 0, 'discarded while it was sent, it stays away')
  t.equal((await events()).length, 6)
})
