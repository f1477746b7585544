import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type ConsoleMessage, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { buildWebsite } from '../../main/website.ts'
import { startColdstream, type Coldstream } from './coldstream.ts'

const CHROMIUM = '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)
const OUT = join(import.meta.dirname, '../out/web')
const WIDTHS = [360, 1440]
const HEIGHT = 900

export interface Website {
  readonly coldstream: Coldstream
  readonly browser: Browser
  readonly dataDir: string
}

/** The program on data of its own, with the website as it is built, and a browser; all of it ends with the test. */
export async function openWebsite(
  t: Test,
  env: Record<string, string> = {},
  chromiumArgs: readonly string[] = [],
): Promise<Website> {
  await buildWebsite()
  const dataDir = mkdtempSync(join(tmpdir(), 'coldstream-web-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const coldstream = await startColdstream(dataDir, env)
  t.teardown(() => coldstream.end('SIGTERM'))
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...chromiumArgs] })
  t.teardown(() => browser.close())
  return { coldstream, browser, dataDir }
}

/** A person at a browser of their own. What the console says is wrong fails the test, a style that the policy refused included. */
export async function openPage(t: Test, { browser, coldstream }: Website, language = 'en'): Promise<Page> {
  const context = await browser.newContext({
    baseURL: coldstream.http,
    locale: language,
    viewport: { width: 1440, height: HEIGHT },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  t.teardown(async () => {
    if (t.passing()) return
    mkdirSync(OUT, { recursive: true })
    await page.screenshot({ path: join(OUT, 'where-it-stopped.png'), fullPage: true })
  })
  page.on('console', (message) => {
    // A test took the network away.
    if (message.text().includes('net::ERR_INTERNET_DISCONNECTED')) return
    if (message.type() === 'error' && !isRefusal(message)) t.fail(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => t.fail(`page: ${error.stack ?? error.message}`))
  return page
}

/** That the API refused what a person wrote is for the page to say; browsers note it too. */
function isRefusal(message: ConsoleMessage): boolean {
  return message.location().url.includes('/v1/') && /status of 4\d\d/.test(message.text())
}

export async function logIn(page: Page, username: string, password: string): Promise<void> {
  await page.locator('input[name=username]').fill(username)
  await page.locator('input[name=password]').fill(password)
  await page.locator('button[type=submit]').click()
  await page.locator('main#content').waitFor()
}

/** Pictures of the screen at the sizes of a phone and a desk, and what axe finds serious, in light and in dark. */
export async function inspect(t: Test, page: Page, name: string): Promise<void> {
  mkdirSync(OUT, { recursive: true })
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT })
      await page.screenshot({ path: join(OUT, `${name}-${colorScheme}-${width}.png`), fullPage: true })
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      t.equal(overflow, 0, `${name} fits ${width} px`)
    }
    t.same(await seriousIn(page), [], `${name}, ${colorScheme}: axe finds nothing serious`)
  }
}

async function seriousIn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)
}
