import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'

const skip = skipWithout('chromium', hasChromium)
const HEADER = 'code,name,level,parentCode,timeZone'

function fileOf(zone: string) {
  const rows = [
    HEADER,
    'ID,Indonesia,country,,Asia/Jakarta',
    `BOG,"Bogor, city",district,ID,${zone}`,
    'CIA,Clinic Ciawi,facility,BOG,Asia/Jakarta',
  ]
  return { name: 'facilities.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) }
}

test(
  'a file with a wrong row: what would happen, mended, imported',
  { skip, timeout: 200_000 },
  async (t) => {
    const website = await openWebsite(t)
    const api = await Api.login(website.coldstream.http)
    const page = await openPage(t, website)
    await page.goto('/administration/import')
    await logIn(page, 'admin', ADMIN_PASSWORD)
    const choose = page.locator('input[type=file]')
    await page.getByRole('button', { name: 'Choose a file' }).waitFor()
    await inspect(t, page, 'import')

    await choose.setInputFiles(fileOf('Asia/Nowhere'))
    await page.getByRole('heading', { name: 'facilities.csv: this would happen' }).waitFor()
    // What lies below a row that is wrong has no place to be.
    await page.getByRole('heading', { name: '2 rows are wrong' }).waitFor()
    const wrong = page.getByRole('listitem').filter({ hasText: 'Row 3' })
    t.match(await wrong.textContent(), /timeZone: is not an IANA time zone.*Bogor, city.*Asia\/Nowhere/s)
    t.equal((await api.all('facilities')).length, 0, 'nothing is saved by looking')
    await inspect(t, page, 'import-wrong')
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download the wrong rows' }).click()
    const text = Buffer.concat(await (await (await saving).createReadStream()).toArray()).toString()
    t.match(text, /^\uFEFFrow,column,error,code,name.*\r\n3,timeZone,.*,BOG,"Bogor, city"/)

    await choose.setInputFiles({ ...fileOf('Asia/Jakarta'), name: 'mended.csv' })
    await page.getByRole('button', { name: 'Import 3 rows' }).click()
    await page.getByRole('heading', { name: 'mended.csv: imported' }).waitFor()
    await inspect(t, page, 'import-done')
    const places = await api.all<{ name: string }>('facilities')
    t.same(places.map(({ name }) => name).toSorted(), ['Bogor, city', 'Clinic Ciawi', 'Indonesia'])

    await choose.setInputFiles({ ...fileOf('Asia/Jakarta'), name: 'again.csv' })
    await page.getByText('There is nothing to import').waitFor()
    await page.getByRole('link', { name: 'Facilities' }).first().click()
    await page.getByLabel('Search by name or code').fill('cia')
    await page.waitForURL(/q=cia/)
    await page.getByRole('main').getByRole('link', { name: 'Clinic Ciawi' }).click()
    await page.getByRole('heading', { name: 'Clinic Ciawi' }).waitFor()
  },
)
