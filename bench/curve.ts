import { chromium, type Page } from 'playwright-core'
import { logIn } from '../test/services/browser.ts'
import { ADMIN_PASSWORD, Api, registerDevices } from '../test/services/coldstream.ts'
import { sendReadings } from '../test/web/seed-readings.ts'
import { waitFor } from '../test/wait-for.ts'
import { startFresh } from './harness.ts'

// What a person waits for at the curve of a refrigerator: `node bench/curve.ts`, after `npm run build:web`.

const READINGS = 52_560
const CADENCE_MS = 600_000
const ROUNDS = 10
const QUIET_MS = 400

const program = await startFresh()
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const { http } = program
  const [device] = await registerDevices(http, 1)
  const now = Math.floor(Date.now() / CADENCE_MS) * CADENCE_MS
  const readings = Array.from({ length: READINGS }, (_, index) => ({
    ts: now - (READINGS - 1 - index) * CADENCE_MS,
    values: { temperature: Math.round((5 + 2 * Math.sin(index / 20)) * 10) / 10 },
  }))
  await sendReadings(http, device?.accessToken ?? '', readings)
  const api = await Api.login(http)
  const path = `devices/${device?.id}/readings?every=1d&from=${new Date(now - 366 * 86_400_000).toISOString()}`
  await waitFor(
    async () => {
      const { items } = await api.get<{ items: { count: number }[] }>(path)
      return items.reduce((sum, one) => sum + one.count, 0) === READINGS
    },
    'a year to be stored',
    300_000,
  )
  const { equipmentId } = await api.get<{ equipmentId: string }>(`devices/${device?.id}`)
  const page = await browser.newPage({ baseURL: http, viewport: { width: 1440, height: 900 }, locale: 'en' })
  await page.addInitScript(WATCH_PAINTING())
  await page.goto(`/refrigerators/${equipmentId}`)
  await logIn(page, 'admin', ADMIN_PASSWORD)
  await page.getByRole('img', { name: 'Temperature', exact: true }).waitFor()
  const year: number[] = []
  const zoom: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await page.goto(`/refrigerators/${equipmentId}?range=day`)
    await page.getByRole('img', { name: 'Temperature', exact: true }).waitFor()
    year.push((await paintedAfter(page, 'radio', 'Year')).last)
    zoom.push((await paintedAfter(page, 'button', 'Closer')).first)
  }
  console.log(`a year of ${READINGS} readings, from click to drawn: ${figures(year)}`)
  console.log(`closer, from click to drawn: ${figures(zoom)}`)
} finally {
  await browser.close()
  await program.stop()
}

/** Notes when somebody let go of a button, and when the largest canvas was cleared after it, which begins each drawing of it. */
function WATCH_PAINTING(): string {
  return `globalThis.painted = []
    addEventListener('pointerup', () => {
      painted.length = 0
      globalThis.clickedAt = performance.now()
    }, true)
    const clear = CanvasRenderingContext2D.prototype.clearRect
    CanvasRenderingContext2D.prototype.clearRect = function (...all) {
      clear.apply(this, all)
      if (this.canvas.height > 200) painted.push(performance.now())
    }`
}

/** Milliseconds from a click to the first and to the last drawing of the curve. */
async function paintedAfter(page: Page, role: 'radio' | 'button', name: string) {
  await page.getByRole(role, { name }).click()
  // The policy of the site lets nobody evaluate text within the page, so the question comes from outside.
  const isQuiet = `painted.length > 0 && performance.now() - painted.at(-1) > ${QUIET_MS}`
  await waitFor(async () => page.evaluate<boolean>(isQuiet), 'the curve to be drawn', 30_000)
  return page.evaluate<{ first: number; last: number }>(
    '({ first: painted[0] - clickedAt, last: painted.at(-1) - clickedAt })',
  )
}

function figures(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
  return `median ${at(0.5)} ms, worst ${at(1)} ms of ${values.length}`
}
