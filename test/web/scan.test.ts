import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as bwip from 'bwip-js/node'
import type { Page } from 'playwright-core'
import { test } from 'tap'
import { makeSscc } from '../../domain/sscc.ts'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { plantStock } from './plant-stock.ts'

const skip = skipWithout('chromium', hasChromium)
const GTIN = '08901057500005'
const VIAL = `01${GTIN}10PE24A`
const SSCC = makeSscc('4012345', 7)

/** What a scanner types, as fast as one: the time between two keys of a driver depends on how busy the machine is. */
async function scan(page: Page, code: string): Promise<void> {
  const keys = JSON.stringify([...code, 'Enter'])
  await page.evaluate(`for (const key of ${keys})
    (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))`)
}

const WIDTH = 640
const HEIGHT = 480
const MODULE_PX = 10

/** A film of one picture, for the camera: a GS1 DataMatrix in the middle. */
function filmOf(text: string): Buffer {
  // The named export is another one, which draws bars.
  const [symbol] = bwip.default.raw({ bcid: 'gs1datamatrix', text })
  if (!symbol || !('pixs' in symbol)) throw new Error('no symbol')
  const luma = Buffer.alloc(WIDTH * HEIGHT, 235)
  const left = (WIDTH - symbol.pixx * MODULE_PX) / 2
  const top = (HEIGHT - symbol.pixy * MODULE_PX) / 2
  for (let y = 0; y < symbol.pixy * MODULE_PX; y++)
    for (let x = 0; x < symbol.pixx * MODULE_PX; x++) {
      const at = Math.floor(y / MODULE_PX) * symbol.pixx + Math.floor(x / MODULE_PX)
      if (symbol.pixs[at] === 1) luma[Math.floor(top + y) * WIDTH + Math.floor(left + x)] = 16
    }
  const grey = Buffer.alloc((WIDTH * HEIGHT) / 2, 128)
  const head = `YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420\n`
  return Buffer.concat([Buffer.from(`${head}FRAME\n`), luma, grey])
}

test('codes are scanned and looked up', { skip, timeout: 235_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coldstream-film-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const film = join(folder, 'vial.y4m')
  writeFileSync(film, filmOf(`(01)${GTIN}(10)PE24A`))
  const website = await openWebsite(t, {}, [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${film}`,
  ])
  const api = await Api.login(website.coldstream.http)
  const { store, clinic, item } = await plantStock(api)
  const page = await openPage(t, website)
  await page.goto('/scan')
  await logIn(page, 'nurse', ADMIN_PASSWORD)
  await page.getByRole('heading', { name: 'Scan' }).waitFor()
  await inspect(t, page, 'scan')

  await t.test('a scanner at any time, with FNC1 as it comes', async (s) => {
    await page.getByLabel('Code').focus()
    await scan(page, `${VIAL}\u001d21X1`)
    await page.getByRole('heading', { name: 'Pentavalent' }).waitFor()
    s.match(await page.getByRole('main').textContent(), /Lot PE24A.*Serial number X1.*40 doses/s)
    s.equal(await page.getByLabel('Code').inputValue(), '', 'it does not end in the field')
    await inspect(s, page, 'scan-lot')
    await page.getByRole('link', { name: 'Count' }).click()
    const form = page.getByRole('dialog')
    await form.getByText('The card says 40 doses').waitFor()
    s.match(page.url(), /lotId=/)
    await scan(page, `01${GTIN}10OTHER`)
    await form.getByText('This code names no lot that is known.').waitFor()
    await scan(page, VIAL)
    await form.getByText('Scanned: Pentavalent · PE24A').waitFor()
    await inspect(s, page, 'scan-in-form')
    await form.getByRole('button', { name: 'Cancel' }).click()
  })

  await t.test('what is wrong is explained', async (s) => {
    await page.goto('/scan')
    await page.getByRole('heading', { name: 'Scan' }).waitFor()
    await scan(page, `01${GTIN.slice(0, -1)}6`)
    await page.getByText('A check digit is wrong').waitFor()
    await page.getByText('Clean and flatten it').waitFor()
    await inspect(s, page, 'scan-damaged')
    await scan(page, `01${GTIN}1720013110PE24A`)
    await page.getByText('The lot has expired').waitFor()
    s.equal(await page.getByRole('link', { name: 'Issue' }).count(), 0, 'what has expired is given to nobody')
    await scan(page, '010952123454321310X')
    await page.getByText('The product 09521234543213 is not known here').waitFor()
    await scan(page, `01${GTIN}1730123110NEW`)
    await page.getByText('Lot NEW is not known yet. Ask your manager').waitFor()
    await scan(page, `00${makeSscc('4012345', 8)}`)
    await page.getByText('No shipment with the number').waitFor()
  })

  await t.test('the camera', async (s) => {
    await page.getByRole('button', { name: 'Use the camera' }).click()
    await page.getByRole('heading', { name: 'Pentavalent' }).waitFor()
    s.match(await page.getByRole('main').textContent(), /Lot PE24A/)
    s.equal(
      await page.getByRole('button', { name: 'Use the camera' }).count(),
      1,
      'it stops when it has a code',
    )
  })

  await t.test('the code of a shipment opens it', async (s) => {
    const order = await api.post<{ id: string }>('orders', {
      kind: 'request',
      fromFacilityId: store,
      toFacilityId: clinic,
      lines: [{ itemId: item, doses: 20 }],
    })
    for (const step of ['submit', 'approve', 'allocate']) await api.post(`orders/${order.id}/${step}`, {})
    await api.post(`orders/${order.id}/shipments`, { sscc: SSCC })
    await scan(page, `]C100${SSCC}`)
    const form = page.getByRole('dialog', { name: /Receive SHP-000002/ })
    await form.waitFor()
    await scan(page, VIAL)
    await form.getByText('Scanned: Pentavalent · PE24A').waitFor()
    await form.getByRole('button', { name: 'Receive' }).click()
    await form.getByText('Accepted 20 doses').waitFor()
    s.match(page.url(), /\/shipments\//)
  })
})
