import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { Webhook } from 'standardwebhooks'
import { test } from 'tap'
import { openNoticeChannels } from '../../adapters/notice/open.ts'
import type { NoticeChannel } from '../../ports/notice.ts'
import { NoticeError } from '../../ports/notice.ts'
import { attempt } from '../../notifier/send.ts'
import { TELL_DEFAULTS } from '../../notifier/tell.ts'
import { waitFor } from '../wait-for.ts'
import {
  changeBreach,
  createReceiver,
  createWorld,
  endBreach,
  HOUR_MS,
  insertUser,
  MINUTE_MS,
  NOW,
  openBreach,
  SECRET,
  settled,
  type World,
} from './tell-world.ts'

const types = (received: readonly { json: { type: string } }[]) => received.map(({ json }) => json.type)

function open(world: World, url: string, timeoutMs = 10_000): NoticeChannel[] {
  return openNoticeChannels(url, { log: world.log, timeoutMs })
}

/** A channel whose sends the test lets through one by one. */
function createGate(destination = 'gate') {
  const waiting: { readonly id: string; readonly resolve: () => void }[] = []
  const channel: NoticeChannel = {
    kind: 'webhook',
    destination,
    needsRecipient: false,
    send: ({ id }) => new Promise((resolve) => void waiting.push({ id, resolve })),
    close: async () => {},
  }
  return { channel, waiting }
}

test('a receiver that is down for a while gets its message once it is up, once', async (t) => {
  const world = await createWorld(t)
  const receiver = await createReceiver(t)
  receiver.answer = (response) => void response.destroy()
  await world.start(open(world, `${receiver.url}/hook?secret=${SECRET}`))
  const breach = await openBreach(world)
  for (const attempts of [1, 2, 3]) {
    await waitFor(() => receiver.sent.length === attempts, `attempt ${attempts}`)
    await settled(world)
    world.clock.at += MINUTE_MS
  }
  receiver.answer = (response) => void response.writeHead(500).end()
  await waitFor(() => receiver.sent.length === 4, 'an attempt that is answered with 500')
  await settled(world)
  t.equal(receiver.taken.length, 0)
  await endBreach(world, breach.id)
  await settled(world)

  receiver.answer = (response) => void response.writeHead(204).end()
  world.clock.at += 5 * MINUTE_MS
  await waitFor(() => receiver.taken.length === 2, 'both messages')
  world.clock.at += HOUR_MS
  await settled(world)
  t.same(types(receiver.taken), ['breach.opened', 'breach.recovered'], 'each once, in order')
  t.equal(new Set(receiver.sent.slice(0, 5).map(({ headers }) => headers['webhook-id'])).size, 1)
  for (const { body, headers } of receiver.taken) new Webhook(SECRET).verify(body, headers)
  t.match(await world.notifications(), [
    { step: 'opened', status: 'sent', attempts: 5, lastError: null },
    { step: 'recovered', status: 'sent' },
  ])
})

test('back-off: grows up to a limit, with jitter, and gives up after a day', async (t) => {
  const world = await createWorld(t)
  let calls = 0
  const down: NoticeChannel = {
    ...createGate('down').channel,
    send: async () => {
      calls += 1
      throw new NoticeError('HTTP 503', false)
    },
  }
  await world.start([down])
  await openBreach(world)
  const delays: number[] = []
  while (world.clock.at < NOW + 25 * HOUR_MS) {
    const before = calls
    await waitFor(async () => {
      const [row] = await world.notifications()
      return (
        row && (row.status === 'failed' || (row.lastError !== null && row.nextAttemptAt > world.clock.at))
      )
    }, 'the outcome')
    const [row] = await world.notifications()
    if (!row || row.status === 'failed') break
    delays.push(row.nextAttemptAt - world.clock.at)
    world.clock.at = row.nextAttemptAt
    await waitFor(() => calls > before, 'the next attempt')
    if (delays.length === 8) world.clock.at = NOW + 24 * HOUR_MS
  }
  for (const [index, delay] of delays.slice(0, 8).entries()) {
    const greatest = Math.min(5_000 * 2 ** index, 300_000)
    t.ok(delay > greatest / 2 - 1 && delay <= greatest, `${delay} ms of ${greatest}`)
  }
  t.match(await world.notifications(), [{ status: 'failed', lastError: 'gave up: HTTP 503' }])
})

test('410 Gone: not tried again, and no recovery message either', async (t) => {
  const world = await createWorld(t)
  const receiver = await createReceiver(t)
  receiver.answer = (response) => void response.writeHead(410).end()
  await world.start(open(world, `${receiver.url}/?secret=${SECRET}`))
  const breach = await openBreach(world)
  await settled(world)
  world.clock.at += HOUR_MS
  await endBreach(world, breach.id)
  await settled(world)
  t.equal(receiver.sent.length, 1)
  t.match(await world.notifications(), [{ step: 'opened', status: 'failed', lastError: 'HTTP 410' }])
})

test('two notifiers on one database send each message once', async (t) => {
  const world = await createWorld(t)
  const receiver = await createReceiver(t)
  const url = `${receiver.url}/?secret=${SECRET}`
  await Promise.all([world.start(open(world, url)), world.start(open(world, url))])
  for (let i = 0; i < 20; i += 1) await openBreach(world, { sensor: `s${i}` })
  await waitFor(() => receiver.taken.length >= 20, 'all of them')
  await settled(world)
  world.clock.at += 4 * HOUR_MS
  await waitFor(() => receiver.taken.length >= 40, 'the reminders')
  await settled(world)
  const ids = receiver.sent.map(({ headers }) => headers['webhook-id'])
  t.equal(ids.length, 40)
  t.equal(new Set(ids).size, 40)
})

test('two attempts at the same notification at the same moment: one of them sends', async (t) => {
  const world = await createWorld(t)
  const first = await world.start([createGate().channel], { stopTimeoutMs: 1, sendsMax: 0 })
  await openBreach(world)
  const row = await waitFor(async () => (await world.notifications())[0], 'the notification')
  await first.stop()
  const { channel, waiting } = createGate()
  const deps = { ...world, settings: TELL_DEFAULTS }
  const attempts = [attempt(deps, channel, row), attempt(deps, channel, row)]
  await Promise.race(attempts)
  await waitFor(() => waiting.length > 0, 'the send')
  waiting[0]?.resolve()
  await Promise.all(attempts)
  t.equal(waiting.length, 1)
})

test('a notifier that dies between sending and marking: sent again under the same id, no earlier than the lease', async (t) => {
  const world = await createWorld(t)
  const gate = createGate()
  const first = await world.start([gate.channel], { stopTimeoutMs: 1 })
  await openBreach(world)
  await waitFor(() => gate.waiting.length === 1, 'the first attempt')
  // As good as dead: nothing that it finds out is kept.
  await first.stop()
  const other = createGate()
  await world.start([other.channel])
  await openBreach(world, { sensor: 'later' })
  await waitFor(() => other.waiting.length > 0, 'what came later')
  t.not(other.waiting[0]?.id, gate.waiting[0]?.id, 'the claim holds')
  world.clock.at += 30_000
  await waitFor(() => other.waiting.some(({ id }) => id === gate.waiting[0]?.id), 'the second attempt')
  for (const { resolve } of other.waiting) resolve()
  await waitFor(async () => (await world.notifications())[0]?.status === 'sent', 'the mark')
  gate.waiting[0]?.resolve()
})

test('stop: what is on its way is finished and marked; what is pending waits for the next start', async (t) => {
  const world = await createWorld(t)
  const gate = createGate()
  const tell = await world.start([gate.channel], { sendsPerDestinationMax: 1, stopTimeoutMs: 5_000 })
  await openBreach(world, { sensor: 'a' })
  await openBreach(world, { sensor: 'b' })
  await waitFor(() => gate.waiting.length === 1, 'the first send')
  const stopped = tell.stop()
  gate.waiting[0]?.resolve()
  await stopped
  t.same((await world.notifications()).map((row) => row.status).toSorted(), ['pending', 'sent'])
  const receiver = await createReceiver(t)
  t.equal(receiver.sent.length, 0)
  const again = createGate()
  await world.start([again.channel])
  await waitFor(() => again.waiting.length === 1, 'the other one')
  t.not(again.waiting[0]?.id, gate.waiting[0]?.id)
  again.waiting[0]?.resolve()
})

test('bounds: two at once to one destination, eight in all, and nobody is starved', async (t) => {
  const world = await createWorld(t)
  const gates = Array.from({ length: 6 }, (_, i) => createGate(`gate-${i}`))
  await world.start(gates.map((gate) => gate.channel))
  for (let i = 0; i < 10; i += 1) await openBreach(world, { sensor: `s${i}` })
  const inFlight = () => gates.map((gate) => gate.waiting.length)
  await waitFor(() => inFlight().reduce((a, b) => a + b) === 8, 'eight')
  t.ok(inFlight().every((count) => count <= 2))
  let done = 0
  let greatest = 0
  while (done < 60) {
    await waitFor(() => gates.some((gate) => gate.waiting.length > 0), 'something to let through')
    greatest = Math.max(greatest, ...inFlight())
    if (done === 24) t.ok((await untouched(world)).length === 0, 'every destination had its turn')
    const gate = gates.find(({ waiting }) => waiting.length > 0)
    gate?.waiting.shift()?.resolve()
    done += 1
  }
  t.equal(greatest, 2)
  await settled(world)
})

test('bounds: no third one to a destination, however often there is room elsewhere', async (t) => {
  const world = await createWorld(t)
  const gate = createGate()
  await world.start([gate.channel])
  for (let i = 1; i <= 6; i += 1) {
    await openBreach(world, { sensor: `s${i}` })
    await waitFor(async () => (await world.notifications()).length === i, 'the next notification')
  }
  t.equal(gate.waiting.length, 2)
  for (let done = 0; done < 6; done += 1) {
    await waitFor(() => gate.waiting.length > done, 'the next send')
    t.ok(gate.waiting.length - done <= 2)
    gate.waiting[done]?.resolve()
  }
})

async function untouched(world: World): Promise<string[]> {
  const rows = await world.notifications()
  const touched = new Set(rows.filter((row) => row.attempts > 0).map((row) => row.destination))
  return [...new Set(rows.map((row) => row.destination))].filter((destination) => !touched.has(destination))
}

test('a channel that hangs is let go in time', async (t) => {
  const world = await createWorld(t)
  const gate = createGate()
  await world.start([gate.channel], { attemptTimeoutMs: 50 })
  await openBreach(world)
  await waitFor(async () => (await world.notifications())[0]?.lastError, 'the timeout')
  t.match(await world.notifications(), [{ status: 'pending', lastError: 'not done within 50 ms' }])
})

test('a reminder that is not true any more is not sent, and holds nothing back', async (t) => {
  const world = await createWorld(t)
  const receiver = await createReceiver(t)
  await world.start(open(world, `${receiver.url}/?secret=${SECRET}`))
  const breach = await openBreach(world)
  await settled(world)
  receiver.answer = (response) => void response.writeHead(503).end()
  world.clock.at += 4 * HOUR_MS
  await waitFor(() => receiver.sent.length === 2, 'the reminder that fails')
  await settled(world)
  await endBreach(world, breach.id)
  receiver.answer = (response) => void response.writeHead(204).end()
  world.clock.at += MINUTE_MS
  await waitFor(() => receiver.taken.length === 2, 'the recovery')
  await settled(world)
  t.same(types(receiver.taken), ['breach.opened', 'breach.recovered'])
  t.match(await world.notifications(), [
    { step: 'opened', status: 'sent' },
    { step: 'reminder', status: 'failed', lastError: 'not sent: the breach is over' },
    { step: 'recovered', status: 'sent' },
  ])
})

test('withdrawn while the receiver was down: it hears nothing of it', async (t) => {
  const world = await createWorld(t)
  const receiver = await createReceiver(t)
  receiver.answer = (response) => void response.writeHead(503).end()
  await world.start(open(world, `${receiver.url}/?secret=${SECRET}`))
  const breach = await openBreach(world)
  await waitFor(() => receiver.sent.length === 1, 'the first attempt')
  await settled(world)
  await changeBreach(world, breach.id, 'withdrawn', { state: 'withdrawn' })
  receiver.answer = (response) => void response.writeHead(204).end()
  world.clock.at += MINUTE_MS
  await waitFor(
    async () => (await world.notifications()).every((row) => row.status === 'failed'),
    'both to be dropped',
  )
  t.same(receiver.taken, [])
})

test('a destination that nobody configures any more is given up in the end', async (t) => {
  const world = await createWorld(t)
  const gate = createGate()
  const first = await world.start([gate.channel], { attemptTimeoutMs: 20 })
  await openBreach(world)
  await waitFor(async () => (await world.notifications())[0]?.lastError, 'a failed attempt')
  await first.stop()
  world.clock.at += 25 * HOUR_MS
  await world.start([createGate('another').channel])
  await waitFor(async () => (await world.notifications())[0]?.status === 'failed', 'the end')
  t.match(await world.notifications(), [{ lastError: /not configured any more/ }])
})

test('mail: a server that refuses for now, then takes; an address that it refuses for ever', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'sari')
  await insertUser(world.db, 'nobody')
  let reply = 451
  const mails: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo({ address }, _session, done) {
      const code = address.startsWith('nobody') ? 550 : reply
      done(code === 250 ? null : Object.assign(new Error('not now'), { responseCode: code }))
    },
    async onData(stream, session, done) {
      await stream.toArray()
      mails.push(...session.envelope.rcptTo.map(({ address }) => address))
      done()
    },
  })
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const channels = open(world, `smtp://127.0.0.1:${port}?from=cold@example.org`)
  t.teardown(async () => {
    for (const channel of channels) await channel.close()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  await world.start(channels)
  await openBreach(world)
  await waitFor(async () => {
    const rows = await world.notifications()
    return rows.length === 2 && rows.every((row) => row.lastError !== null)
  }, 'both refusals')
  reply = 250
  world.clock.at += MINUTE_MS
  await waitFor(() => mails.length === 1, 'the mail')
  await settled(world)
  t.same(mails, ['sari@example.org'])
  const rows = await world.notifications()
  t.match(
    rows.find((row) => row.recipient.startsWith('nobody')),
    { status: 'failed', attempts: 1 },
  )
  t.match(
    rows.find((row) => row.recipient.startsWith('sari')),
    { status: 'sent', attempts: 2 },
  )
})

test('no secret in the log or the database; every outcome is logged with its ids and counted', async (t) => {
  const world = await createWorld(t)
  const receiver = await createReceiver(t)
  const url = receiver.url.replace('http://', 'http://user-x:password-x@')
  const channels = open(
    world,
    `${url}/path-x?secret=${SECRET}&token=token-x smtp://user-x:password-x@127.0.0.1:1?from=a@b.org&to=c@d.org`,
  )
  await world.start(channels)
  receiver.answer = (response) => void response.writeHead(503).end()
  await openBreach(world)
  await waitFor(async () => (await world.notifications()).every((row) => row.lastError !== null), 'failures')
  await settled(world)
  receiver.answer = (response) => void response.writeHead(204).end()
  world.clock.at += 10_000
  await waitFor(() => receiver.taken.length === 1, 'the message')
  await settled(world)
  for (const channel of channels) await channel.close()
  const rows = await world.notifications()
  const written = world.lines.join('') + JSON.stringify(rows)
  t.notOk(/(user|password|path|token)-x|whsec/.test(written) || written.includes(SECRET.slice(6)))
  const sent = rows.find((row) => row.status === 'sent')
  t.ok(world.lines.some((line) => line.includes(sent?.id ?? '?') && line.includes('notification sent')))
  const scraped = await world.metrics.scrape()
  t.match(scraped, 'coldstream_notifications_total{channel="webhook",outcome="sent"} 1')
  t.match(scraped, 'coldstream_notifications_total{channel="webhook",outcome="retried"} 1')
})

test('a database that fails is not the end: it says so in ready and goes on', async (t) => {
  const world = await createWorld(t)
  const receiver = await createReceiver(t)
  const tell = await world.start(open(world, `${receiver.url}/?secret=${SECRET}`))
  await world.db.schema.alterTable('notification').renameTo('elsewhere').execute()
  await openBreach(world)
  await waitFor(() => tell.ready(), 'a reason')
  await world.db.schema.alterTable('elsewhere').renameTo('notification').execute()
  await waitFor(async () => (await tell.ready()) === undefined, 'ready again')
  await waitFor(() => receiver.taken.length === 1, 'the message')
  t.equal(receiver.taken.length, 1)
})
