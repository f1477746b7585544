import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { plantStock } from './plant-stock.ts'

const skip = skipWithout('chromium', hasChromium)

/** A4 in pixels of CSS. */
const PAPER = { width: 794, height: 1123 }

async function choose(page: Page, label: RegExp, option: string): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name: label }).click()
  await page.getByRole('option', { name: option }).click()
}

test('an order from the request to the receipt, by two people', { skip, timeout: 235_000 }, async (t) => {
  const website = await openWebsite(t, { GS1_COMPANY_PREFIX: '4012345' })
  const { http } = website.coldstream
  const api = await Api.login(http)
  const { store, clinic } = await plantStock(api)
  const [room] = await api.all<{ id: string }>(`storage-points?facilityId=${clinic}`)
  await api.patch(`storage-points/${room?.id}`, { capacityLitres: 0.1 })
  const nurse = await openPage(t, website)
  await nurse.goto('/orders')
  await logIn(nurse, 'nurse', ADMIN_PASSWORD)
  await nurse.getByText('There are no orders yet.').waitFor()

  await nurse.getByRole('link', { name: 'New order' }).click()
  await nurse.getByText('Maximum 140, on hand 40, on the way 0').waitFor()
  t.equal(await nurse.getByLabel('Pentavalent').inputValue(), '100', 'what lacks is suggested')
  await inspect(t, nurse, 'order-new')
  await nurse.getByLabel('Pentavalent').fill('90')
  await nurse.getByRole('button', { name: 'Send the request' }).click()
  await nurse.getByRole('heading', { name: 'ORD-000001' }).waitFor()
  await nurse.getByText('Waits for Store of Bogor').waitFor()
  t.equal(await nurse.getByRole('button', { name: 'Approve' }).count(), 0, 'the other side decides')

  const keeper = await openPage(t, website)
  await keeper.goto('/orders')
  await logIn(keeper, 'keeper', ADMIN_PASSWORD)
  const row = keeper.getByRole('listitem').filter({ hasText: 'ORD-000001' })
  await row.getByText('Decide about it').waitFor()
  await inspect(t, keeper, 'orders')
  await row.getByRole('link').click()
  await keeper.getByRole('button', { name: 'Approve' }).click()
  const form = keeper.getByRole('dialog')
  await form.getByText('Here and not promised: 400 doses (40 vials)').waitFor()
  await form.getByLabel('Pentavalent').fill('80')
  await keeper.keyboard.press('Tab')
  await choose(keeper, /Why less/, 'No stock to send')
  await inspect(t, keeper, 'order-approve')
  await form.getByRole('button', { name: 'Approve' }).click()
  await form.waitFor({ state: 'detached' })
  await keeper.getByText('No stock to send').waitFor()

  await keeper.getByRole('button', { name: 'Choose by the rule' }).click()
  await keeper.getByText('Expires first', { exact: true }).waitFor()
  await keeper.getByRole('button', { name: 'Choose by hand' }).click()
  await form.getByLabel(/PE24A/).fill('70')
  await keeper.keyboard.press('Tab')
  await form.getByText('Chosen: 70 doses').waitFor()
  await choose(keeper, /Why not by the rule/, 'Whole packs')
  await inspect(t, keeper, 'order-by-hand')
  await form.getByRole('button', { name: 'Promise this stock' }).click()
  await form.waitFor({ state: 'detached' })
  await keeper.getByText('Chosen by hand: Whole packs').waitFor()
  await keeper.getByText('10 doses (1 vial) are missing').waitFor()
  await keeper.getByRole('button', { name: 'All is packed' }).click()
  await keeper.getByText('Packed', { exact: true }).first().waitFor()
  await inspect(t, keeper, 'order')

  await keeper.getByRole('button', { name: 'Send', exact: true }).click()
  await form.getByRole('button', { name: 'Add a cold box' }).click()
  await form.getByLabel('Name of the cold box').fill('Blue box 2')
  await inspect(t, keeper, 'order-ship')
  await form.getByRole('button', { name: 'Send it' }).click()
  await form.getByText('SHP-000002 is on its way.').waitFor()
  await form.getByText('too little cold space').waitFor()
  await inspect(t, keeper, 'order-shipped')
  await form.getByRole('link', { name: 'Print the papers' }).click()
  await keeper.getByRole('heading', { name: 'Issue note SHP-000002' }).waitFor()
  await keeper.getByRole('img', { name: 'Code: SHP-000002' }).waitFor()
  await keeper.getByRole('img', { name: 'Code: Pentavalent, lot PE24A' }).waitFor()
  await inspect(t, keeper, 'papers')
  await keeper.emulateMedia({ media: 'print' })
  await keeper.setViewportSize(PAPER)
  await keeper.screenshot({ path: join(import.meta.dirname, '../out/web/papers-print.png'), fullPage: true })
  t.notOk(await keeper.getByRole('navigation').isVisible(), 'paper has no navigation')
  t.notOk(await keeper.getByRole('button', { name: 'Print' }).isVisible(), 'and no buttons')
  await keeper.emulateMedia({ media: null })

  await nurse.getByRole('link', { name: 'Stock', exact: true }).click()
  await nurse.getByRole('link', { name: /Receive SHP-000002 from Store of Bogor/ }).click()
  const receipt = nurse.getByRole('dialog')
  t.equal(await receipt.getByLabel('Accepted doses').inputValue(), '70', 'as it was sent')
  await receipt.getByLabel('Rejected doses').fill('10')
  await nurse.keyboard.press('Tab')
  t.equal(await receipt.getByLabel('Accepted doses').inputValue(), '60')
  await choose(nurse, /Why rejected/, 'Arrived broken')
  await receipt.getByLabel('Accepted doses').fill('50')
  await nurse.keyboard.press('Tab')
  await receipt.getByText('Missing: 10 doses (1 vial)').waitFor()
  await choose(nurse, /VVM stage on arrival/, 'VVM stage 2')
  await inspect(t, nurse, 'shipment-receive')
  await lose(nurse, '/receive')
  await receipt.getByRole('button', { name: 'Receive' }).click()
  await receipt.getByRole('alert').waitFor()
  t.equal((await api.all('stock-events?kind=deliver')).length, 1, 'it arrived, and its answer did not')
  await receipt.getByRole('button', { name: 'Receive' }).click()
  await receipt.getByText('Accepted 50 doses, rejected 10 doses, missing 10 doses.').waitFor()
  t.equal((await api.all('stock-events?kind=deliver')).length, 1, 'sent again it is the same receipt')
  await receipt.getByRole('button', { name: 'Close' }).click()
  await nurse.getByText('Received', { exact: true }).first().waitFor()
  await inspect(t, nurse, 'shipment')
  const sums = await api.all<{ facilityId: string; doses: number; vvmStage: number }>('stock')
  const at = (place: string) =>
    sums.filter(({ facilityId }) => facilityId === place).map(({ doses, vvmStage }) => [vvmStage, doses])
  t.same(at(store), [[1, 330]])
  t.same(at(clinic).toSorted(), [
    [1, 40],
    [2, 50],
  ])

  await nurse.getByRole('link', { name: /Order ORD-000001/ }).click()
  await nurse
    .getByRole('listitem')
    .filter({ hasText: /^Received\s*Siti/ })
    .waitFor()
  const steps = await nurse
    .getByRole('listitem')
    .filter({ hasText: /Budi|Siti/ })
    .allTextContents()
  t.match(
    steps.map((step) => step.replace(/ · .*/, '')),
    [
      /Received *Siti/,
      /Sent *Budi/,
      /Packed *Budi/,
      /promised *Budi/,
      /promised *Budi/,
      /Approved *Budi/,
      /Asked *Siti/,
      /Drafted *Siti/,
    ],
  )
  await nurse.getByRole('button', { name: 'Close the order' }).click()
  await nurse.getByRole('dialog').getByRole('button', { name: 'Close the order' }).click()
  await nurse.getByText('Nothing more is to be done.').waitFor()
  await keeper.goto('/orders?status=closed')
  await keeper.getByRole('listitem').filter({ hasText: 'ORD-000001' }).getByText('Closed').waitFor()
})

/** The next answer to this path is lost on its way, after the server did what was asked. */
async function lose(page: Page, path: string): Promise<void> {
  await page.route(
    `**${path}`,
    async (route) => {
      await route.fetch()
      await route.abort('internetdisconnected')
    },
    { times: 1 },
  )
}
