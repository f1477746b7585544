import { test, type Test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { plantStock } from './plant-stock.ts'
import { sendWarmReadings } from './warm-readings.ts'

const skip = skipWithout('chromium', hasChromium)
const timeZone = 'Asia/Jakarta'

/** The stock of a district, and what makes it worth a look; a neighbour that its manager must not hear of. */
async function plantDistrict(api: Api) {
  const planted = await plantStock(api)
  const { store, clinic, item } = planted
  const make = async (path: string, body: Record<string, unknown>) =>
    (await api.post<{ id: string }>(path, body)).id
  const { parentId } = await api.get<{ parentId: string }>(`facilities/${store}`)
  const second = await make('facilities', {
    name: 'Clinic Cisarua',
    level: 'facility',
    parentId: store,
    timeZone,
  })
  await api.patch(`facilities/${clinic}`, { latitude: -6.65, longitude: 106.85 })
  await api.patch(`facilities/${second}`, { latitude: -6.68, longitude: 106.94 })
  const elsewhere = await make('facilities', { name: 'Depok', level: 'district', parentId, timeZone })
  const points = await api.all<{ id: string; facilityId: string }>('storage-points')
  const storagePointId = points.find((point) => point.facilityId === clinic)?.id
  const [tradeItem] = await api.all<{ id: string }>('trade-items')
  const expiresOn = new Date(Date.now() + 12 * 86_400_000).toISOString().slice(0, 10)
  const lotId = await make('lots', { tradeItemId: tradeItem?.id, code: 'PE23Z', expiresOn })
  await make('stock-events', {
    kind: 'receive',
    facilityId: clinic,
    lines: [{ storagePointId, lotId, vvmStage: 1, doses: 20 }],
  })
  await api.patch(`stock-levels/${second}/${item}`, { mode: 'set', minDoses: 10, maxDoses: 50 })
  const sides = { fromFacilityId: store, toFacilityId: clinic }
  const order = await make('orders', { kind: 'request', ...sides, lines: [{ itemId: item, doses: 100 }] })
  await api.post(`orders/${order}/submit`, {})
  const refrigerator = async (name: string, facilityId: string, more = {}) => {
    const body = { name, facilityId, kind: 'refrigerator', profile: 'who-30dtr', ...more }
    const equipmentId = await make('equipment', body)
    return (await api.post<{ accessToken: string }>('devices', { name, equipmentId })).accessToken
  }
  return {
    ...planted,
    second,
    elsewhere,
    ours: await refrigerator('Sunny fridge', clinic, { storagePointId }),
    theirs: await refrigerator('Depok fridge', elsewhere),
  }
}

test(
  'a manager sees what needs her, as it happens, down to the facility',
  { skip, timeout: 235_000 },
  async (t) => {
    const website = await openWebsite(t)
    const { http, mqttPort } = website.coldstream
    const api = await Api.login(http)
    const planted = await plantDistrict(api)
    const page = await openPage(t, website)
    await page.goto('/')
    await logIn(page, 'keeper', ADMIN_PASSWORD)
    await page.getByRole('heading', { name: 'Store of Bogor' }).waitFor()
    const main = page.getByRole('main')
    await main.getByText('No open breaches').waitFor()
    t.match(
      await main.textContent(),
      /Stock-outs 1Pentavalent.*Lots that expire soon 1.*PE23Z.*Orders that wait/s,
    )
    await page.locator('figure svg path').first().waitFor({ state: 'attached' })

    await sendWarmReadings(mqttPort, planted.theirs)
    await sendWarmReadings(mqttPort, planted.ours)
    await main.getByText('Open breaches 1').waitFor()
    t.pass('a breach appears by itself')
    await main.getByText('60 doses at risk').waitFor()
    await main.getByRole('link', { name: 'Too warm 1' }).waitFor()
    await inspect(t, page, 'overview')
    t.notMatch(await main.textContent(), /Depok/, 'nothing of the neighbour')

    await main.getByRole('link', { name: 'Clinic Ciawi' }).click()
    await page.waitForURL(new RegExp(`/\\?facilityId=${planted.clinic}`))
    await page.getByRole('heading', { name: 'Clinic Ciawi' }).waitFor()
    t.equal(await page.evaluate('document.activeElement.tagName'), 'H1', 'the keyboard follows')
    await main.getByText('11.5 °C').last().waitFor()
    await inspect(t, page, 'overview-facility')
    await main.getByRole('link', { name: 'All open breaches' }).click()
    await page.waitForURL(new RegExp(`/breaches\\?facilityId=${planted.clinic}`))

    await page.goto(`/?facilityId=${planted.elsewhere}`)
    await main.getByRole('alert').first().waitFor()
    t.notMatch(await main.textContent(), /Depok/, 'nor when its address is known')
    await seesNothing(t, website, api, planted.second)
  },
)

/** Where all is well it says so, and what that rests on. */
async function seesNothing(t: Test, website: Parameters<typeof openPage>[1], api: Api, facilityId: string) {
  const { items } = await api.get<{ items: { itemId: string }[] }>(`stock-levels?facilityId=${facilityId}`)
  await api.patch(`stock-levels/${facilityId}/${items[0]?.itemId}`, { minDoses: 0, maxDoses: 0 })
  const equipment = { name: 'New fridge', facilityId, kind: 'refrigerator', profile: 'who-30dtr' }
  await api.post('equipment', equipment)
  const person = { username: 'calm', name: 'Ani', role: 'operator', facilityId, password: ADMIN_PASSWORD }
  await api.post('users', person)
  const page = await openPage(t, website, 'id')
  await page.goto('/')
  await logIn(page, 'calm', ADMIN_PASSWORD)
  await page.getByText('Saat ini tidak ada yang perlu Anda tangani.').waitFor()
  await page.getByText('1 lemari es belum pernah terdengar').waitFor()
  await inspect(t, page, 'overview-nothing')
}
