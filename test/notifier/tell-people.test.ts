import { once } from 'node:events'
import { randomUUIDv7 } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { test, type Test } from 'tap'
import { openNoticeChannels } from '../../adapters/notice/open.ts'
import { newPrivateKey } from '../../adapters/notice/push-encryption.ts'
import type { ContactTable } from '../../db/schema-people.ts'
import { DEFAULT_POLICIES, type EscalationLevel, type Receivers } from '../../domain/escalation.ts'
import type { Notice, NoticeChannel } from '../../ports/notice.ts'
import { answering, createHttpReceiver } from '../adapters/notice-receiver.ts'
import { waitFor } from '../wait-for.ts'
import {
  changeBreach,
  createWorld,
  endBreach,
  HOUR_MS,
  insertUser,
  MINUTE_MS,
  NOW,
  openBreach,
  settled,
  type World,
} from './tell-world.ts'

const role = (level: 'facility' | 'district', as: 'operator' | 'manager' = 'operator'): Receivers => ({
  kind: 'role',
  role: as,
  level,
})
const level = (delayMinutes: number, ...who: Receivers[]): EscalationLevel => ({
  delayMinutes,
  keepsWorkingHours: false,
  who,
})

async function insertPolicy(
  world: World,
  levels: readonly EscalationLevel[],
  facilityId = 'bogor',
): Promise<void> {
  const body = JSON.stringify({ ...DEFAULT_POLICIES.critical, levels })
  const times = { version: 1, createdAt: NOW, updatedAt: NOW, archivedAt: null }
  await world.db
    .insertInto('escalationPolicy')
    .values({ id: randomUUIDv7(), facilityId, severity: 'critical', name: 'P', body, ...times })
    .execute()
}

async function insertContact(world: World, userId: string, contact: Partial<ContactTable>): Promise<void> {
  const none = { language: 'en', phone: null, telegramChatId: null, channels: null, updatedAt: NOW } as const
  await world.db
    .insertInto('contact')
    .values({ ...none, userId, ...contact })
    .execute()
}

function createMail(kind = 'smtp') {
  const heard: Notice[] = []
  const channel: NoticeChannel = {
    kind,
    destination: kind,
    needsRecipient: true,
    send: async (notice) => void heard.push(notice),
    close: async () => {},
  }
  return {
    channel,
    heard,
    said: () => heard.map(({ step, recipient = '' }) => `${step} ${recipient.split('@')[0]}`),
  }
}

test('nobody acknowledges: the next level hears, in the time of the policy; an acknowledgement ends it', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'nurse')
  await insertUser(world.db, 'boss', { role: 'manager', facilityId: 'bogor' })
  await insertPolicy(world, [level(0, role('facility')), level(30, role('district', 'manager'))])
  const { channel, said } = createMail()
  await world.start([channel])
  const first = await openBreach(world)
  await settled(world)
  t.same(said(), ['opened nurse'])
  const second = await openBreach(world, { sensor: 'other' })
  await settled(world)
  await changeBreach(world, second.id, 'acknowledged', { acknowledgedAt: world.clock.at })
  world.clock.at += 30 * MINUTE_MS
  await waitFor(() => said().length === 3, 'the second level')
  await settled(world)
  t.same(said(), ['opened nurse', 'opened nurse', 'opened boss'])
  await endBreach(world, first.id)
  await settled(world)
  t.same(said().slice(3).toSorted(), ['recovered boss', 'recovered nurse'])
  t.match(await world.notifications(), [{ level: 0 }, { level: 0 }, { level: 1 }, {}, {}])
})

test('a policy of the facility takes the place of that of the district; a changed one counts for what is open', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'nurse')
  await insertUser(world.db, 'boss', { role: 'manager', facilityId: 'bogor' })
  await insertPolicy(world, [level(0, role('district', 'manager'))])
  await insertPolicy(world, [level(0, role('facility')), level(600, role('district', 'manager'))], 'cisarua')
  const { channel, said } = createMail()
  await world.start([channel])
  await openBreach(world)
  await settled(world)
  t.same(said(), ['opened nurse'])
  await world.db
    .updateTable('escalationPolicy')
    .set({ archivedAt: NOW })
    .where('facilityId', '=', 'cisarua')
    .execute()
  world.clock.at += 10 * MINUTE_MS
  await waitFor(() => said().length === 2, 'whoever the district names')
  t.same(said(), ['opened nurse', 'opened boss'])
})

const shift = (userId: string, from: number, to: number) => ({ userId, from: NOW + from, to: NOW + to })

test('on call: whoever it is hears, and whoever takes over while nobody has acknowledged', async (t) => {
  const world = await createWorld(t)
  for (const id of ['first', 'second']) await insertUser(world.db, id, { id, facilityId: 'ciawi' })
  const shifts = JSON.stringify([shift('first', 0, 2 * HOUR_MS), shift('second', 2 * HOUR_MS, 9 * HOUR_MS)])
  const list = {
    id: 'list',
    facilityId: 'bogor',
    name: 'L',
    rota: 'null',
    version: 1,
    createdAt: 0,
    updatedAt: 0,
  }
  await world.db
    .insertInto('onCallList')
    .values({ ...list, shifts })
    .execute()
  await insertPolicy(world, [level(0, { kind: 'onCall', onCallListId: 'list' })])
  const { channel, said } = createMail()
  await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  t.same(said(), ['opened first'], 'also of a facility that is not theirs: the policy names them')
  world.clock.at = NOW + 2 * HOUR_MS
  await waitFor(() => said().length === 2, 'the hand-over')
  await endBreach(world, breach.id)
  await settled(world)
  t.same(said().toSorted(), ['opened first', 'opened second', 'recovered first', 'recovered second'])
})

test('channels: those that a person wants, in their language; where none of those reaches them, any that does', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'nurse', { id: 'nurse' })
  await insertUser(world.db, 'dokter', { id: 'dokter' })
  await insertUser(world.db, 'chef', { id: 'chef' })
  await insertContact(world, 'nurse', { phone: '+6281111111', channels: '["sms"]', language: 'id' })
  await insertContact(world, 'dokter', { phone: '+6282222222', telegramChatId: '42' })
  await insertContact(world, 'chef', { channels: '["telegram"]', language: 'fr' })
  const [mail, sms, telegram] = [createMail(), createMail('sms'), createMail('telegram')]
  await world.start([mail.channel, sms.channel, telegram.channel])
  await openBreach(world)
  await settled(world)
  t.same(mail.said().toSorted(), ['opened chef', 'opened dokter'])
  t.same(sms.said().toSorted(), ['opened +6281111111', 'opened +6282222222'])
  t.same(telegram.said(), ['opened 42'])
  t.match(sms.heard.find(({ recipient }) => recipient === '+6281111111')?.short, /^Terlalu panas/)
  t.match(
    mail.heard.find(({ recipient }) => recipient === 'chef@example.org')?.subject,
    /^Température trop élevée/,
  )
})

test('who has no address, or one that fails for good, is not waited for: the next level hears at once', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'mute', { email: null })
  await insertUser(world.db, 'boss', { role: 'manager', facilityId: 'bogor' })
  await insertPolicy(world, [level(0, role('facility')), level(600, role('district', 'manager'))])
  const { channel, said } = createMail()
  await world.start([channel])
  await openBreach(world)
  await settled(world)
  t.same(said(), ['opened boss'])
  t.match(
    (await world.notifications()).find((row) => row.channel === 'none'),
    { status: 'failed', level: 0, lastError: /no address/ },
  )
})

test('a real mail server and a real gateway: an address that is refused for ever falls to the next level, by SMS', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'gone', { id: 'gone' })
  await insertUser(world.db, 'boss', { id: 'boss', role: 'manager', facilityId: 'bogor', email: null })
  await insertContact(world, 'boss', { phone: '+6281234567890' })
  await insertPolicy(world, [level(0, role('facility')), level(600, role('district', 'manager'))])
  const port = await startRefusingMailServer(t)
  const gateway = await createHttpReceiver(t)
  gateway.answer = answering(200, 'OK')
  const urls = `smtp://127.0.0.1:${port}?from=cold@example.org sms+http://${gateway.host}/?to={digits}&text={text}#ok=OK`
  const channels = openNoticeChannels(urls, { log: world.log, timeoutMs: 5_000 })
  t.teardown(() => Promise.all(channels.map((channel) => channel.close())))
  await world.start(channels)
  await openBreach(world)
  await waitFor(async () => (await world.notifications())[0]?.status === 'failed', 'the refusal')
  world.clock.at += MINUTE_MS
  await waitFor(() => gateway.taken.length === 1, 'the SMS')
  await settled(world)
  const { searchParams } = new URL(`http://x${gateway.taken[0]?.url ?? ''}`)
  t.equal(searchParams.get('to'), '6281234567890')
  t.match(searchParams.get('text'), /^Too warm: Refrigerator 3, Puskesmas Cisarua, 11.4 C\./)
  t.match(await world.notifications(), [
    { userId: 'gone', status: 'failed', lastError: /^SMTP 550/ },
    { userId: 'boss', channel: 'sms', status: 'sent', level: 1 },
  ])
})

async function startRefusingMailServer(t: Test): Promise<number> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: (_address, _session, done) =>
      done(Object.assign(new Error('no such user'), { responseCode: 550 })),
  })
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return (server.server.address() as AddressInfo).port
}

test('a browser that is gone is forgotten', async (t) => {
  const world = await createWorld(t)
  const service = await createHttpReceiver(t)
  service.answer = answering(410)
  await insertUser(world.db, 'nurse', { id: 'nurse', email: null })
  // A point on the curve, and any secret.
  const p256dh = 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'
  const browser = {
    id: 'browser',
    userId: 'nurse',
    endpointHash: 'h',
    p256dh,
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    createdAt: 1,
  }
  await world.db
    .insertInto('pushSubscription')
    .values({ ...browser, endpoint: `http://${service.host}/x` })
    .execute()
  const key = newPrivateKey().toString('base64url')
  await world.start(
    openNoticeChannels(`push:?subject=mailto:a@example.org&key=${key}&host=${service.host}`, {
      log: world.log,
    }),
  )
  await openBreach(world)
  await waitFor(async () => (await world.notifications())[0]?.status === 'failed', 'the refusal')
  t.equal(service.sent.length, 1)
  await waitFor(
    async () => (await world.db.selectFrom('pushSubscription').selectAll().execute()).length === 0,
    'it to be forgotten',
  )
  t.notOk((await world.notifications()).some((row) => row.lastError?.includes(service.host)))
})

test('test mode: what would have been sent is kept, and nobody hears of it', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'nurse')
  await world.db
    .insertInto('quietFacility')
    .values({ facilityId: 'bogor', since: NOW, userId: 'x' })
    .execute()
  const { channel, heard } = createMail()
  await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  await endBreach(world, breach.id)
  await settled(world)
  t.same(heard, [])
  t.match(await world.notifications(), [
    { step: 'opened', status: 'muted', recipient: 'nurse@example.org', attempts: 0 },
    { step: 'recovered', status: 'muted' },
  ])
})

test('a test message: every way by which a person is reached, marked; who has none learns that', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'nurse', { id: 'nurse' })
  await insertUser(world.db, 'mute', { id: 'mute', email: null })
  await insertContact(world, 'nurse', { phone: '+6281111111', language: 'id' })
  const [mail, sms] = [createMail(), createMail('sms')]
  await world.start([mail.channel, sms.channel])
  for (const userId of ['nurse', 'mute'])
    await world.db
      .insertInto('testMessage')
      .values({ id: randomUUIDv7(), userId, requestedBy: 'nurse', createdAt: NOW, toldAt: null })
      .execute()
  await waitFor(() => mail.heard.length + sms.heard.length === 2, 'both messages')
  t.match([mail.heard[0], sms.heard[0]], [{ step: 'test', subject: /^UJI COBA/ }, { short: /^UJI COBA/ }])
  await waitFor(async () => (await world.notifications()).length === 3, 'all three')
  t.match(
    (await world.notifications()).find((row) => row.userId === 'mute'),
    { status: 'failed', breachId: null, lastError: /no address/ },
  )
})

test('closed by a person: those who were told hear why, reminders end; later readings withdraw it, and they hear that too', async (t) => {
  const world = await createWorld(t)
  const { channel, heard, said } = createMail()
  await insertUser(world.db, 'nurse')
  await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  const closing = {
    closedAt: NOW,
    closedBy: 'u',
    closeReason: 'sensor-lost',
    closeComment: 'Stolen',
  } as const
  await changeBreach(world, breach.id, 'closed', { state: 'closed', ...closing })
  await settled(world)
  world.clock.at += 9 * HOUR_MS
  await changeBreach(world, breach.id, 'revised', { readings: 62 })
  await settled(world)
  t.same(said(), ['opened nurse', 'closed nurse'])
  t.match(heard[1]?.text, /the sensor is lost/)
  await changeBreach(world, breach.id, 'withdrawn', { state: 'withdrawn' })
  await settled(world)
  t.same(said(), ['opened nurse', 'closed nurse', 'withdrawn nurse'])
})

test('told as over, and it is not over after all: told again as open', async (t) => {
  const world = await createWorld(t)
  const { channel, heard, said } = createMail()
  await insertUser(world.db, 'nurse')
  const breach = await openBreach(world)
  await endBreach(world, breach.id)
  await world.start([channel])
  await settled(world)
  await changeBreach(world, breach.id, 'revised', { peak: 12 })
  await settled(world)
  t.same(said(), ['opened nurse'], 'that it is over was said')
  await changeBreach(world, breach.id, 'reopened', { state: 'open', endAt: null })
  await settled(world)
  await endBreach(world, breach.id)
  await settled(world)
  t.same(said(), ['opened nurse', 'opened nurse', 'recovered nurse'])
  t.match(heard[1]?.subject, /^Too warm again/)
})
