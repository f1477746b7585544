import mqtt from 'mqtt'
import { randomUUIDv7 } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'tap'
import { openEmbeddedQueue } from '../../adapters/queue/embedded.ts'
import { createMetrics } from '../../main/metrics.ts'
import { hasChromium, inspect, logIn, openPage, openWebsite, type Website } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api, registerDevices } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

const skip = skipWithout('chromium', hasChromium)
const MINUTE_MS = 60_000

test(
  'what was refused or set aside is found, understood and replayed',
  { skip, timeout: 235_000 },
  async (t) => {
    const website = await openWebsite(t)
    const { http } = website.coldstream
    const [device] = await registerDevices(http, 1)
    const parkedAt = Date.now() - 30 * MINUTE_MS
    await park(website, device?.id ?? '', parkedAt)
    const api = await Api.login(http)
    const gateway = await makeGateway(api)
    const say = (time: number) => speak(website, gateway, time)
    const refusedAt = Date.now() - 20 * MINUTE_MS
    await say(refusedAt - MINUTE_MS)
    const child = await waitFor(
      async () =>
        (await api.all<{ id: string; name: string }>('devices')).find(({ name }) => name === 'Child'),
      'the gateway to have named it',
    )

    const page = await openPage(t, website)
    await page.goto('/administration/devices?show=unplaced')
    await logIn(page, 'admin', ADMIN_PASSWORD)
    await page.getByRole('link', { name: 'Child' }).click()
    await page.getByText('Behind a gateway').waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    const form = page.getByRole('dialog')
    await form.getByRole('button', { name: /What it watches/ }).click()
    await page.getByRole('option', { name: 'Refrigerator 0' }).click()
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: 'Refrigerator 0' }).waitFor()
    await inspect(t, page, 'device')
    await page.getByRole('link', { name: 'Devices' }).last().click()
    await page.getByRole('link', { name: 'Child' }).waitFor()
    await inspect(t, page, 'devices')
    await page.getByRole('link', { name: 'Print labels' }).click()
    await page.getByText('3 labels').waitFor()
    await inspect(t, page, 'labels')
    await page.goto(`/devices/${child.id}`)
    await page.getByRole('heading', { name: 'Refrigerator 0' }).waitFor()
    t.pass('a label leads to the refrigerator')

    await api.patch(`devices/${child.id}`, { disabled: true })
    await say(refusedAt)
    await api.patch(`devices/${child.id}`, { disabled: false })
    await page.goto('/administration/refusals?code=reading.deviceDisabled')
    await page.getByRole('link', { name: 'The device behind the gateway is disabled.' }).click()
    await page.locator('pre').getByText('"Child"').waitFor()
    await page.getByRole('button', { name: 'Replay' }).click()
    await page.getByText('1 reading accepted').waitFor()
    await inspect(t, page, 'refusal')
    await stored(api, child.id, refusedAt)
    await page.getByRole('link', { name: 'Refused packets' }).last().click()
    await page.getByText('1 reading accepted').waitFor()
    await inspect(t, page, 'refusals')

    await page.getByRole('link', { name: 'Queues' }).click()
    await page.getByText('Set aside: 1').first().waitFor()
    await inspect(t, page, 'queues')
    await page.getByRole('link', { name: 'Store: 1 reading' }).click()
    await page.getByRole('button', { name: 'Discard' }).click()
    await form.getByLabel('Why?').waitFor()
    await inspect(t, page, 'parked-discard')
    await form.getByRole('button', { name: 'Cancel' }).click()
    await inspect(t, page, 'parked')
    await page.getByRole('button', { name: 'Replay' }).click()
    await page.getByText('Nothing was set aside.').waitFor()
    await stored(api, device?.id ?? '', parkedAt)

    const { requestId } = await rename(api, http, child.id)
    await page.goto(`/administration/logs?requestId=${requestId}`)
    await page.getByText('device.changed').waitFor()
    t.equal(await page.locator('ol > li').count(), 1, 'just what belongs to this request')
    await page.getByRole('button', { name: 'Clear the filter' }).click()
    await page.getByText('listening').first().waitFor()
    await inspect(t, page, 'logs')
    await page.getByRole('link', { name: 'Changes' }).click()
    const change = page.getByRole('listitem').filter({ hasText: 'device.changed' }).first()
    await change.getByText('What was changed').first().click()
    await change.getByRole('row', { name: 'name Child Renamed' }).waitFor()
    await inspect(t, page, 'audit')
  },
)

/** A batch that failed too often, as the program finds it at its start. */
async function park({ coldstream, dataDir }: Website, deviceId: string, time: number): Promise<void> {
  await coldstream.end('SIGTERM')
  const queue = await openEmbeddedQueue({ file: join(dataDir, 'queue.sqlite'), metrics: createMetrics() })
  const consumer = queue.consume('store', async (all) => all.map(() => 'drop'), { deliveriesMax: 10 })
  const readings = [{ deviceId, sensor: 'main', time, values: { temperature: 5 } }]
  const nothing = { refusals: [], attributes: [] }
  await queue.publish({ id: randomUUIDv7(), acceptedAt: Date.now(), readings, ...nothing }, ['store'])
  await waitFor(() => queue.depth('store').parked === 1, 'it to be parked')
  await consumer.stop()
  await queue.close()
  await coldstream.restart()
}

async function makeGateway(api: Api): Promise<string> {
  const [equipment] = await api.all<{ id: string }>('equipment')
  const body = { name: 'Gateway', equipmentId: equipment?.id, isGateway: true }
  return (await api.post<{ accessToken: string }>('devices', body)).accessToken
}

async function speak({ coldstream }: Website, token: string, time: number): Promise<void> {
  const client = await mqtt.connectAsync({ host: '127.0.0.1', port: coldstream.mqttPort, username: token })
  const packet = JSON.stringify({ Child: [{ ts: time, values: { temperature: 4.5 } }] })
  await client.publishAsync('v1/gateway/telemetry', packet, { qos: 1 })
  await client.endAsync()
}

async function stored(api: Api, deviceId: string, time: number): Promise<void> {
  const range = `from=${new Date(time).toISOString()}&to=${new Date(time + 1).toISOString()}`
  await waitFor(
    async () => (await api.all<unknown>(`devices/${deviceId}/readings?${range}`)).length === 1,
    'the reading to be stored',
  )
}

async function rename({ token }: Api, http: string, deviceId: string) {
  const response = await fetch(`${http}/v1/devices/${deviceId}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Renamed' }),
  })
  return { requestId: response.headers.get('x-request-id') ?? '' }
}
