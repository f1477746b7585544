import { test } from 'tap'
import type { Notice, NoticeChannel } from '../../ports/notice.ts'
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
} from './tell-world.ts'

/** A channel that takes everything at once: what is said to whom is what these tests are about. */
function createListener(kind = 'console') {
  const heard: Notice[] = []
  const channel: NoticeChannel = {
    kind,
    destination: kind,
    needsRecipient: kind === 'smtp',
    send: async (notice) => void heard.push(notice),
    close: async () => {},
  }
  return { channel, heard, steps: () => heard.map((notice) => notice.step) }
}

test('a breach opens and ends: one message each, with the facts', async (t) => {
  const world = await createWorld(t)
  const { channel, heard, steps } = createListener()
  await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  t.same(steps(), ['opened'])
  t.equal(heard[0]?.subject, 'Too warm: Refrigerator 3, Puskesmas Cisarua, 11.4 °C')
  t.match(heard[0]?.data, { breachId: breach.id, device: { id: 'logger' }, facility: { id: 'cisarua' } })

  world.clock.at += HOUR_MS
  await endBreach(world, breach.id)
  await settled(world)
  t.same(steps(), ['opened', 'recovered'])
  t.match(heard[1]?.data, { breachId: breach.id, durationMinutes: 665 })
  t.match(await world.notifications(), [
    { step: 'opened', status: 'sent', sequence: 0, attempts: 1, sentAt: NOW },
    { step: 'recovered', status: 'sent', sequence: 0, attempts: 1 },
  ])
})

test('a hint wakes it: it does not wait for the timer', async (t) => {
  const world = await createWorld(t)
  const { channel, steps } = createListener()
  await world.start([channel], { pollMs: 600_000 })
  const breach = await openBreach(world)
  world.cache.publish('breaches', { breachId: breach.id, facilityId: 'cisarua', kind: 'opened' })
  await settled(world)
  t.same(steps(), ['opened'])
})

test('what happened while it was not running is told when it starts', async (t) => {
  const world = await createWorld(t)
  const { channel, steps } = createListener()
  await openBreach(world)
  await world.start([channel], { pollMs: 600_000 })
  await settled(world)
  t.same(steps(), ['opened'])
})

test('opened and ended before anybody was told: one message that says that it is over', async (t) => {
  const world = await createWorld(t)
  const { channel, heard, steps } = createListener()
  const breach = await openBreach(world)
  await endBreach(world, breach.id)
  await world.start([channel])
  await settled(world)
  t.same(steps(), ['opened'])
  t.match(heard[0]?.subject, /over now/)
})

test('history is not announced: not its opening, not its end, and no reminder', async (t) => {
  const world = await createWorld(t)
  const { channel, heard } = createListener()
  await world.start([channel])
  const lastAt = NOW - 24 * HOUR_MS - 1
  const old = { startAt: lastAt - 700 * MINUTE_MS, peakAt: lastAt, lastAt }
  const breach = await openBreach(world, old)
  await settled(world)
  await changeBreach(world, breach.id, 'extended', { lastAt: lastAt + 1 - HOUR_MS })
  await settled(world)
  world.clock.at += 5 * HOUR_MS
  await endBreach(world, breach.id)
  await settled(world)
  t.same(heard, [])
  t.same(await world.notifications(), [])
  await openBreach(world, { ...old, startAt: old.startAt + 1, lastAt: world.clock.at - 24 * HOUR_MS })
  await settled(world)
  t.equal(heard.length, 1, 'exactly at the limit it is announced')
})

test('a backlog that reaches the present: announced when the breach turns out to go on now', async (t) => {
  const world = await createWorld(t)
  const { channel, steps } = createListener()
  await world.start([channel])
  const breach = await openBreach(world, { startAt: NOW - 100 * HOUR_MS, lastAt: NOW - 90 * HOUR_MS })
  await settled(world)
  t.same(steps(), [])
  // As the judge does it: no change is kept for each further reading.
  await world.db.updateTable('breach').set({ lastAt: NOW }).where('id', '=', breach.id).execute()
  world.clock.at += MINUTE_MS
  await waitFor(() => steps().length === 1, 'the announcement')
  world.clock.at += 2 * MINUTE_MS
  await changeBreach(world, breach.id, 'revised', { lastAt: world.clock.at })
  await settled(world)
  t.same(steps(), ['opened'], 'once')
})

test('a backlog that nearly reaches the present: what ended a while ago is told as over', async (t) => {
  const world = await createWorld(t)
  const { channel, heard } = createListener()
  await world.start([channel])
  const breach = await openBreach(world, { startAt: NOW - 100 * HOUR_MS, lastAt: NOW - 90 * HOUR_MS })
  await settled(world)
  const lastAt = NOW - 3 * HOUR_MS
  await changeBreach(world, breach.id, 'ended', { state: 'ended', lastAt, endAt: lastAt + MINUTE_MS })
  await settled(world)
  t.same(
    heard.map((notice) => notice.step),
    ['opened'],
  )
  t.match(heard[0]?.subject, /over now/)
})

test('nobody was responsible at first: whoever becomes it is told of what is still open', async (t) => {
  const world = await createWorld(t)
  const { channel, heard } = createListener('smtp')
  await world.start([channel])
  await openBreach(world)
  await settled(world)
  await insertUser(world.db, 'newcomer')
  world.clock.at += MINUTE_MS
  await waitFor(() => heard.length === 1, 'the message')
  t.match(heard[0], { step: 'opened', recipient: 'newcomer@example.org' })
})

test('reminders: while open and not acknowledged, counted, bounded', async (t) => {
  const world = await createWorld(t)
  const { channel, steps } = createListener()
  await world.start([channel], { remindersMax: 3 })
  const breach = await openBreach(world)
  await settled(world)
  world.clock.at += 4 * HOUR_MS - 1
  await settled(world)
  t.same(steps(), ['opened'], 'not yet')
  for (const expected of [1, 2, 3]) {
    world.clock.at += 4 * HOUR_MS
    await waitFor(() => steps().length === 1 + expected, `reminder ${expected}`)
  }
  world.clock.at += 40 * HOUR_MS
  await endBreach(world, breach.id)
  await settled(world)
  t.same(steps(), ['opened', 'reminder', 'reminder', 'reminder', 'recovered'], 'no more than three')
  const reminders = (await world.notifications()).filter((row) => row.step === 'reminder')
  t.same(
    reminders.map((row) => row.sequence),
    [0, 1, 2],
  )
})

test('reminders: none after an acknowledgement, none with 0, one after a long absence', async (t) => {
  const world = await createWorld(t)
  const { channel, steps } = createListener()
  const first = await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  await first.stop()
  world.clock.at += 13 * HOUR_MS
  const second = await world.start([channel])
  await waitFor(() => steps().length === 2, 'a reminder')
  await second.stop()
  t.same(steps(), ['opened', 'reminder'], 'one for the three that were missed')

  world.clock.at += 5 * HOUR_MS
  const third = await world.start([channel], { reminderEveryMs: 0 })
  await openBreach(world, { sensor: 'other' })
  await settled(world)
  await third.stop()
  t.same(steps(), ['opened', 'reminder', 'opened'], 'only the new breach')

  await world.db.updateTable('breach').set({ acknowledgedAt: NOW }).execute()
  await changeBreach(world, breach.id, 'acknowledged', {})
  await world.start([channel])
  await settled(world)
  world.clock.at += 5 * HOUR_MS
  await openBreach(world, { sensor: 'third' })
  await waitFor(() => steps().length === 4, 'the third breach')
  t.same(steps(), ['opened', 'reminder', 'opened', 'opened'], 'and still no reminder')
})

test('recovered and reopened: told again, as again', async (t) => {
  const world = await createWorld(t)
  const { channel, heard, steps } = createListener()
  await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  await endBreach(world, breach.id)
  await settled(world)
  await changeBreach(world, breach.id, 'reopened', { state: 'open', endAt: null, lastAt: NOW })
  await settled(world)
  await endBreach(world, breach.id)
  await settled(world)
  t.same(steps(), ['opened', 'recovered', 'opened', 'recovered'])
  t.match(heard[2]?.subject, /^Too warm again/)
})

test('late data makes it longer than was said: those who were told hear how long it was', async (t) => {
  const world = await createWorld(t)
  const { channel, heard, steps } = createListener()
  await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  await endBreach(world, breach.id)
  await settled(world)
  const { endAt } = await world.db.selectFrom('breach').select('endAt').executeTakeFirstOrThrow()
  const later = Number(endAt) + 6 * HOUR_MS
  await changeBreach(world, breach.id, 'revised', { endAt: later })
  await settled(world)
  await changeBreach(world, breach.id, 'revised', { endAt: later + MINUTE_MS })
  await settled(world)
  t.same(steps(), ['opened', 'recovered', 'corrected'])
  t.match(heard[2]?.subject, /^Was too warm for 16 hours 5 minutes/)
})

test('withdrawn: said to those who were told, also after recovery; nobody hears of one they were not told of', async (t) => {
  const world = await createWorld(t)
  const { channel, steps } = createListener()
  const untold = await openBreach(world, { sensor: 'other' })
  await changeBreach(world, untold.id, 'withdrawn', { state: 'withdrawn' })
  await world.start([channel])
  await settled(world)
  t.same(steps(), [])
  const breach = await openBreach(world)
  await settled(world)
  await endBreach(world, breach.id)
  await settled(world)
  await changeBreach(world, breach.id, 'withdrawn', { state: 'withdrawn' })
  await settled(world)
  t.same(steps(), ['opened', 'recovered', 'withdrawn'])
})

test('people: operators and managers of the facility and above it, each once', async (t) => {
  const world = await createWorld(t)
  await insertUser(world.db, 'operator')
  await insertUser(world.db, 'district', { role: 'manager', facilityId: 'bogor' })
  await insertUser(world.db, 'twin', { email: 'Operator@example.org' })
  await insertUser(world.db, 'viewer', { role: 'viewer' })
  await insertUser(world.db, 'neighbour', { facilityId: 'ciawi' })
  await insertUser(world.db, 'gone', { disabledAt: 1 })
  await insertUser(world.db, 'silent', { email: null })
  await insertUser(world.db, 'root', { role: 'administrator', facilityId: null })
  const { channel, heard } = createListener('smtp')
  await world.start([channel])
  const breach = await openBreach(world)
  await settled(world)
  const expected = ['district@example.org', 'operator@example.org']
  t.same(heard.map((notice) => notice.recipient).toSorted(), expected)

  await world.db
    .updateTable('userAccount')
    .set({ disabledAt: NOW })
    .where('username', '=', 'district')
    .execute()
  await insertUser(world.db, 'newcomer')
  await endBreach(world, breach.id)
  await settled(world)
  t.same(
    heard.slice(2).map((notice) => [notice.step, notice.recipient]),
    [['recovered', 'operator@example.org']],
    'who left hears no more, who came later was never told',
  )
})

test('nobody to tell is said in the log', async (t) => {
  const world = await createWorld(t)
  await world.start([createListener('smtp').channel])
  await openBreach(world)
  await settled(world)
  t.ok(world.lines.some((line) => line.includes('no e-mail address of anybody responsible')))
})

test('no destination at all: changes are still dealt with', async (t) => {
  const world = await createWorld(t)
  const tell = await world.start([])
  await openBreach(world)
  await settled(world)
  t.same(await world.notifications(), [])
  t.equal(await tell.ready(), undefined)
})
