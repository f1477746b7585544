import { test } from 'tap'
import { hasChromium, inspect, logIn, openPage, openWebsite } from '../services/browser.ts'
import { ADMIN_PASSWORD, Api } from '../services/coldstream.ts'
import { createMailServer } from '../services/mail-server.ts'
import { skipWithout } from '../services/required.ts'

const skip = skipWithout('chromium', hasChromium)

test(
  'a manager makes people, says who is told, and hears that it works',
  { skip, timeout: 235_000 },
  async (t) => {
    const { mails, port } = await createMailServer(t)
    const website = await openWebsite(t, { NOTICE_URLS: `smtp://127.0.0.1:${port}?from=cold@example.org` })
    const { http } = website.coldstream
    const api = await Api.login(http)
    const timeZone = 'Asia/Jakarta'
    const make = async (path: string, body: Record<string, unknown>) =>
      (await api.post<{ id: string }>(path, body)).id
    const country = await make('facilities', { name: 'Indonesia', level: 'country', timeZone })
    const district = await make('facilities', {
      name: 'Bogor',
      level: 'district',
      parentId: country,
      timeZone,
    })
    const clinic = { name: 'Clinic Ciawi', level: 'facility', parentId: district, timeZone }
    await make('facilities', clinic)
    const boss = { username: 'boss', name: 'Budi', role: 'manager', facilityId: district }
    await make('users', { ...boss, password: ADMIN_PASSWORD })

    const page = await openPage(t, website)
    await page.goto('/administration/users')
    await logIn(page, 'boss', ADMIN_PASSWORD)
    const row = page.getByRole('main').getByRole('listitem').filter({ hasText: 'boss · Manager · Bogor' })
    await row.getByText('Last seen').waitFor()
    const pages = page.getByRole('navigation', { name: 'Administration' })
    t.equal(await pages.getByRole('link', { name: 'Changes' }).count(), 1)
    t.equal(
      await pages.getByRole('link', { name: 'Queues' }).count(),
      0,
      'what is the whole system’s is not shown',
    )

    await page.getByRole('button', { name: 'Add a person' }).click()
    const form = page.getByRole('dialog')
    await form.getByLabel('Name', { exact: true }).fill('Siti Rahma')
    await form.getByLabel('User name').fill('siti')
    await form.getByLabel('E-mail').fill('siti@example.org')
    await form.getByRole('button', { name: /Role/ }).click()
    await page.getByRole('option', { name: 'Operator' }).waitFor()
    t.equal(
      await page.getByRole('option', { name: 'Administrator' }).count(),
      0,
      'nobody makes more than they are',
    )
    await page.getByRole('option', { name: 'Operator' }).click()
    await form.getByRole('combobox', { name: 'Place where they act' }).fill('Ciawi')
    await page.getByRole('option', { name: 'Clinic Ciawi' }).click()
    await inspect(t, page, 'people-add')
    await form.getByRole('button', { name: 'Add a person' }).click()
    await form.getByText('never again').waitFor()
    const password = (await form.locator('code').nth(1).textContent()) ?? ''
    t.match(password, /^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/)
    await inspect(t, page, 'people-password')
    await form.getByRole('button', { name: 'I have kept it' }).click()
    t.equal(await status(http, 'siti', password), 200, 'they can log in')

    await page.getByLabel('Search by name').fill('rahma')
    await page.waitForURL(/q=rahma/)
    await inspect(t, page, 'people')
    await page.getByRole('link', { name: 'Siti Rahma' }).click()
    await page.getByRole('button', { name: 'Edit: How alarms reach them' }).click()
    await form.getByRole('button', { name: /Language of the messages/ }).click()
    await page.getByRole('option', { name: 'Bahasa Indonesia' }).click()
    await form.getByLabel('Phone').fill('0812')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByRole('alert').waitFor()
    t.equal(
      await form.getByLabel('Phone').getAttribute('aria-invalid'),
      'true',
      'what is wrong is said at its field',
    )
    await form.getByLabel('Phone').fill('+62 812-3456-7890')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.waitFor({ state: 'detached' })
    await page.getByText('+6281234567890').waitFor()
    await page.getByRole('button', { name: 'Send a test message' }).click()
    await page.getByText('siti@example.org').last().waitFor()
    await page
      .getByRole('listitem')
      .filter({ hasText: 'siti@example.org' })
      .getByText('sent', { exact: true })
      .waitFor()
    t.same(
      mails.map(({ to }) => to),
      [['siti@example.org']],
      'a mail server got the message',
    )
    await inspect(t, page, 'person')

    await page.getByRole('link', { name: 'Who is told' }).click()
    await page.getByRole('button', { name: 'Make one for this place: Critical' }).click()
    await form
      .getByRole('group', { name: 'Level 1' })
      .getByRole('combobox', { name: 'Add somebody' })
      .fill('Siti')
    await page.getByRole('option', { name: 'Siti Rahma · Clinic Ciawi' }).click()
    await form.getByText('Siti Rahma').first().waitFor()
    await form.getByRole('button', { name: 'Remove level 3' }).click()
    await inspect(t, page, 'alarms-policy')
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Made for this place').waitFor()
    await page.getByRole('button', { name: 'Add an on-call list' }).click()
    await form.getByLabel('Name', { exact: true }).fill('Nights')
    await form.getByRole('combobox', { name: 'Add a person' }).fill('Siti')
    await page.getByRole('option', { name: 'Siti Rahma · Clinic Ciawi' }).click()
    await form.getByText('1. Siti Rahma').waitFor()
    await inspect(t, page, 'alarms-on-call')
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByText('On call now: Siti Rahma').waitFor()
    await inspect(t, page, 'alarms')
    const kept = await api.get<{ critical: { levels: { who: { kind: string }[] }[] } }>(
      `facilities/${district}/escalation`,
    )
    t.equal(kept.critical.levels.length, 2)
    t.ok(kept.critical.levels[0]?.who.some(({ kind }) => kind === 'user'))

    let tries = 0
    page.on('request', (request) => {
      if (request.method() !== 'GET' && request.url().endsWith('/v1/me/password')) tries += 1
    })
    await page.goto('/account')
    await page.getByRole('button', { name: 'Change my password' }).click()
    await form.getByLabel('Password until now').fill('not-the-password')
    await form.getByLabel('New password', { exact: true }).fill('another-long-password')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByRole('alert').waitFor()
    t.equal(tries, 1, 'a wrong password is tried once')

    await page.goto('/administration')
    await page.getByRole('link', { name: 'People' }).click()
    await page.getByRole('link', { name: 'Siti Rahma' }).click()
    await page.getByRole('button', { name: 'Switch off' }).click()
    await form.getByRole('button', { name: 'Switch off' }).click()
    await page.getByText('Switched off').waitFor()
    t.equal(await status(http, 'siti', password), 401, 'and then they cannot')
    await page.goto('/administration/queues')
    await page.getByText('There is nothing here').waitFor()
  },
)

async function status(http: string, username: string, password: string): Promise<number> {
  const response = await fetch(`${http}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
  return response.status
}
