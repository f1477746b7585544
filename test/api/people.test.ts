import { randomUUIDv7 } from 'node:crypto'
import { test, type Test } from 'tap'
import { insertBreach, NOT_CLOSED } from '../../db/queries/breach.ts'
import { onBothDatabases } from './stock-world.ts'
import { openWorld, plantTree, type Json, type World } from './world.ts'

const START = Date.UTC(2026, 2, 13, 19)

async function open(t: Test, databaseUrl = 'sqlite::memory:') {
  const clock = { at: Date.UTC(2026, 2, 14), now: () => clock.at }
  const world = await openWorld(t, { databaseUrl, clock })
  const tree = await plantTree(world)
  const { a } = tree
  let sensors = 0
  async function breach(state: 'open' | 'ended' | 'withdrawn' = 'open', outageId: string | null = null) {
    const id = randomUUIDv7()
    sensors += 1
    await insertBreach(world.db, {
      id,
      deviceId: a.device,
      sensor: `s${sensors}`,
      ruleId: 'who-30dtr-high',
      equipmentId: a.equipment,
      facilityId: a.facility,
      state,
      severity: 'critical',
      startAt: START,
      endAt: state === 'ended' ? START + 3_600_000 : null,
      peak: 12,
      peakAt: START,
      lastAt: START,
      readings: 3,
      acknowledgedAt: null,
      ...NOT_CLOSED,
      outageId,
      cause: null,
      recordedAt: START,
      updatedAt: START,
    })
    return id
  }
  return { world, tree, clock, breach }
}

const CLOSING = { reason: 'sensor-lost', comment: 'Stolen.' }
const ACTION = { action: 'Moved the vaccines', comment: 'To the store.' }

test('the life of a breach', async (suite) => {
  await onBothDatabases(suite, async (t, databaseUrl) => {
    const { world, tree, clock, breach } = await open(t, databaseUrl)
    const nurse = await world.person('nurse', 'operator', tree.a.facility)
    const id = await breach()
    const post = (step: string, body: unknown, of = id) =>
      world.post(`/v1/breaches/${of}/${step}`, nurse, body)

    for (const body of [
      { action: '', comment: 'c' },
      { action: ' ', comment: 'c' },
      { action: 'a', comment: ' ' },
      { action: 'a' },
    ])
      t.match(await post('acknowledge', body), { status: 400, body: { code: 'request.invalid' } })
    for (const body of [
      { reason: 'other', comment: '' },
      { reason: 'boredom', comment: 'c' },
      { comment: 'c' },
    ])
      t.match(await post('close', body), { status: 400, body: { code: 'request.invalid' } })
    t.match(await post('close', { reason: 'reviewed', comment: 'c' }), {
      status: 422,
      body: { code: 'breach.notOver' },
    })

    t.equal((await post('acknowledge', ACTION)).status, 201)
    clock.at += 60_000
    t.match(await post('close', CLOSING), {
      status: 200,
      body: { state: 'closed', closeReason: 'sensor-lost', closeComment: 'Stolen.' },
    })
    t.match(await post('close', CLOSING), { status: 409, body: { code: 'breach.closed' } })
    t.match(await post('acknowledge', ACTION), { status: 409, body: { code: 'breach.closed' } })

    const ended = await breach('ended')
    t.equal((await post('close', { reason: 'reviewed', comment: 'VVM read.' }, ended)).status, 200)
    const withdrawn = await breach('withdrawn')
    for (const [step, body] of [
      ['close', CLOSING],
      ['acknowledge', ACTION],
    ] as const)
      t.match(await post(step, body, withdrawn), { status: 409, body: { code: 'breach.withdrawn' } })

    const { body } = await world.get(`/v1/breaches/${id}`, nurse)
    t.match(body['changes'], [
      { kind: 'acknowledged', before: { state: 'open', acknowledgedAt: null }, after: { state: 'open' } },
      { kind: 'closed', before: { state: 'open' }, after: { state: 'closed', closeReason: 'sensor-lost' } },
    ])
    const listed = await world.get('/v1/breaches?state=closed', nurse)
    t.same(
      (listed.body['items'] as unknown as Json[]).map((one) => String(one['id'])).toSorted(),
      [id, ended].toSorted(),
    )
    const audits = await world.db.selectFrom('audit').select('action').where('entityId', '=', id).execute()
    t.same(
      audits.map((row) => row.action),
      ['breach.acknowledged', 'breach.closed'],
    )
  })
})

test('an outage is acknowledged with its parts, but for those that are dealt with', async (t) => {
  const { world, breach } = await open(t)
  const outage = await breach()
  const parts = [
    await breach('open', outage),
    await breach('ended', outage),
    await breach('withdrawn', outage),
  ]
  const other = await breach()
  t.match(await world.post(`/v1/breaches/${outage}/acknowledge`, world.admin, { ...ACTION, members: true }), {
    status: 201,
    body: { breachId: outage, members: 2 },
  })
  t.match(await world.post(`/v1/breaches/${outage}/acknowledge`, world.admin, { ...ACTION, members: true }), {
    body: { members: 0 },
  })
  const isAcknowledged = async (id: string | undefined) =>
    (await world.get(`/v1/breaches/${id}`, world.admin)).body['acknowledgedAt'] !== null
  t.same(await Promise.all([...parts, other].map(isAcknowledged)), [true, true, false, false])
})

test('two people close the same breach at the same moment: one of them does', async (suite) => {
  await onBothDatabases(suite, async (t, databaseUrl) => {
    const { world, breach } = await open(t, databaseUrl)
    const id = await breach()
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => world.post(`/v1/breaches/${id}/close`, world.admin, CLOSING)),
    )
    t.same(answers.map(({ status }) => status).toSorted(), [200, 409, 409, 409, 409])
    const changes = await world.db.selectFrom('breachChange').selectAll().where('breachId', '=', id).execute()
    t.equal(changes.length, 1)
  })
})

test('contacts: mine, and those of my part; what is wrong is refused', async (t) => {
  const { world, tree } = await open(t)
  const nurse = await world.person('nurse', 'operator', tree.a.facility)
  const boss = await world.person('boss', 'manager', tree.a.district)
  t.match(await world.get('/v1/me/contact', nurse), {
    body: { language: 'en', phone: null, telegramChatId: null, channels: null, updatedAt: null },
  })
  const contact = {
    language: 'id',
    phone: '+6281234567890',
    telegramChatId: '-100123',
    channels: ['sms', 'telegram'],
  }
  t.match(await world.patch('/v1/me/contact', nurse, contact), { status: 200, body: contact })
  t.match(await world.patch('/v1/me/contact', nurse, { phone: null }), { body: { ...contact, phone: null } })
  for (const wrong of [
    { phone: '0812' },
    { phone: '+62 812' },
    { language: 'de' },
    { channels: [] },
    { channels: ['sms', 'sms'] },
    { channels: ['pigeon'] },
    { telegramChatId: 'x y' },
    {},
  ])
    t.match(await world.patch('/v1/me/contact', nurse, wrong), {
      status: 400,
      body: { code: 'request.invalid' },
    })
  const id = String((await world.get('/v1/me', nurse)).body['id'])
  t.match(await world.patch(`/v1/users/${id}/contact`, boss, { language: 'fr' }), {
    body: { language: 'fr' },
  })
  t.match(await world.get(`/v1/users/${id}/contact`, boss), { body: { channels: ['sms', 'telegram'] } })
  t.equal(
    (await world.db.selectFrom('audit').selectAll().where('action', '=', 'contact.changed').execute()).length,
    3,
  )
})

test('browsers: subscribed, shown without their secret, forgotten; the same one again is one', async (t) => {
  const { world, tree } = await open(t)
  const nurse = await world.person('nurse', 'operator', tree.a.facility)
  const other = await world.person('other', 'operator', tree.a.facility)
  const browser = {
    endpoint: 'https://push.example.org/abc',
    keys: { p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) },
  }
  t.equal((await world.post('/v1/me/push-subscriptions', nurse, browser)).status, 201)
  const again = await world.post('/v1/me/push-subscriptions', nurse, browser)
  const listed = await world.get('/v1/me/push-subscriptions', nurse)
  t.same(
    (listed.body['items'] as unknown as Json[]).map((one) => one['endpointHost']),
    ['push.example.org'],
  )
  t.notOk(JSON.stringify(listed.body).includes('abc'))
  const remove = `/v1/me/push-subscriptions/${String(again.body['id'])}/remove`
  t.equal((await world.post(remove, other, {})).status, 404)
  t.equal((await world.post(remove, nurse, {})).status, 204)
  t.same((await world.get('/v1/me/push-subscriptions', nurse)).body, { items: [] })
  t.match(await world.get('/v1/push-key', nurse), { body: { publicKey: null } })
})

const level = (delayMinutes: number, ...who: unknown[]) => ({ delayMinutes, who })
const OPERATORS = { kind: 'role', role: 'operator', level: 'facility' }

async function idOf(world: World, token: string): Promise<string> {
  return String((await world.get('/v1/me', token)).body['id'])
}

test('policies: the nearest one holds; what is not mine is neither named nor changed', async (suite) => {
  await onBothDatabases(suite, async (t, databaseUrl) => {
    const { world, tree } = await open(t, databaseUrl)
    const { a, b } = tree
    const boss = await world.person('boss', 'manager', a.district)
    const far = await world.person('far', 'manager', b.district)
    const at = `/v1/facilities/${a.facility}/escalation`
    t.match(await world.get(at, boss), {
      body: { testMode: false, critical: { id: null, name: 'Shipped' }, warning: { id: null } },
    })

    const body = {
      facilityId: a.district,
      severity: 'critical',
      name: 'District',
      levels: [level(0, OPERATORS), level(30, { kind: 'role', role: 'manager', level: 'district' })],
    }
    const made = await world.post('/v1/escalation-policies', boss, body)
    t.match(made, {
      status: 201,
      body: { levels: [{ keepsWorkingHours: false }, { delayMinutes: 30 }], testMode: false, version: 1 },
    })
    const id = String(made.body['id'])
    t.match(await world.get(at, boss), {
      body: { critical: { id, name: 'District' }, warning: { id: null } },
    })
    const own = await world.post('/v1/escalation-policies', boss, {
      ...body,
      facilityId: a.facility,
      name: 'Own',
    })
    t.match(await world.get(at, boss), { body: { critical: { name: 'Own' } } })
    t.match(await world.post('/v1/escalation-policies', boss, body), {
      status: 409,
      body: { code: 'resource.conflict' },
    })
    t.match(
      await world.patch(`/v1/escalation-policies/${String(own.body['id'])}`, boss, { archived: true }),
      { status: 200, body: { version: 2 } },
    )
    t.match(await world.get(at, boss), { body: { critical: { name: 'District' } } })
    const back = { ...body, facilityId: a.facility, name: 'Back' }
    t.match(await world.post('/v1/escalation-policies', boss, back), {
      status: 201,
      body: { id: own.body['id'], name: 'Back', archivedAt: null, version: 3 },
    })
    t.match(await world.get(at, boss), { body: { critical: { name: 'Back' } } })

    const stranger = await idOf(world, far)
    for (const who of [
      { kind: 'user', userId: stranger },
      { kind: 'onCall', onCallListId: randomUUIDv7() },
    ])
      t.match(await world.patch(`/v1/escalation-policies/${id}`, boss, { levels: [level(0, who)] }), {
        status: 422,
        body: { code: 'escalation.unknownReceiver' },
      })
    const hours = { days: [1], from: '16:00', to: '08:00' }
    t.match(await world.patch(`/v1/escalation-policies/${id}`, boss, { workingHours: hours }), {
      status: 422,
      body: { code: 'escalation.badTime' },
    })
    t.equal((await world.patch(`/v1/escalation-policies/${id}`, far, { name: 'Mine' })).status, 404)
    const stale = { token: boss, body: { name: 'X' }, headers: { 'if-match': '"7"' } }
    t.equal((await world.ask('PATCH', `/v1/escalation-policies/${id}`, stale)).status, 412)

    t.match(await world.patch(`/v1/facilities/${a.district}/escalation`, boss, { testMode: true }), {
      body: { testMode: true },
    })
    t.match(await world.get(at, boss), { body: { testMode: true } })
    t.match(await world.patch(`/v1/facilities/${a.district}/escalation`, boss, { testMode: false }), {
      body: { testMode: false },
    })
  })
})

test('on-call lists: who it is now, by turns and by shifts', async (t) => {
  const { world, tree, clock } = await open(t)
  const boss = await world.person('boss', 'manager', tree.a.district)
  const [first, second] = [
    await idOf(world, await world.person('first', 'operator', tree.a.facility)),
    await idOf(world, await world.person('second', 'operator', tree.a.facility)),
  ]
  const rota = { startsOn: '2026-03-02', handoverAt: '08:00', userIds: [first, second] }
  const made = await world.post('/v1/on-call-lists', boss, {
    facilityId: tree.a.district,
    name: 'Nights',
    rota,
  })
  t.match(made, { status: 201, body: { rota: { weeks: 1 }, shifts: [], onCallUserIds: [second] } })
  const at = `/v1/on-call-lists/${String(made.body['id'])}`
  clock.at = Date.UTC(2026, 2, 17)
  t.match(await world.get(at, boss), { body: { onCallUserIds: [first] } })
  const shift = { userId: second, from: '2026-03-16T00:00:00Z', to: '2026-03-18T00:00:00Z' }
  t.match(await world.patch(at, boss, { shifts: [shift] }), {
    status: 200,
    body: { onCallUserIds: [second], version: 2 },
  })
  const backwards = { ...shift, to: shift.from }
  t.match(await world.patch(at, boss, { shifts: [backwards] }), {
    status: 422,
    body: { code: 'escalation.badTime' },
  })
  t.match(await world.patch(at, boss, { shifts: [{ ...shift, userId: randomUUIDv7() }] }), {
    status: 422,
    body: { code: 'escalation.unknownReceiver' },
  })
})

test('notifications: my own, and for managers those of their part; a test message is asked for', async (suite) => {
  await onBothDatabases(suite, async (t, databaseUrl) => {
    const { world, tree, breach } = await open(t, databaseUrl)
    const nurse = await world.person('nurse', 'operator', tree.a.facility)
    const boss = await world.person('boss', 'manager', tree.a.district)
    const far = await world.person('far', 'manager', tree.b.district)
    const [nurseId, bossId] = [await idOf(world, nurse), await idOf(world, boss)]
    const breachId = await breach()
    for (const [index, userId] of [nurseId, bossId].entries()) {
      const to = {
        channel: 'smtp',
        destination: 'mail',
        recipient: `${index}@example.org`,
        userId,
        level: index,
      }
      const state = {
        status: 'sent',
        attempts: 1,
        nextAttemptAt: 0,
        lastError: null,
        saidState: 'open',
      } as const
      const row = {
        id: randomUUIDv7(),
        breachId,
        step: 'opened',
        sequence: 0,
        createdAt: 1,
        sentAt: 2,
      } as const
      await world.db
        .insertInto('notification')
        .values({ ...row, ...to, ...state })
        .execute()
    }
    const names = async (token: string, query = '') =>
      ((await world.get(`/v1/notifications${query}`, token)).body['items'] as unknown as Json[]).map(
        (one) => one['userName'],
      )
    t.same(await names(nurse), ['nurse'])
    t.same((await names(boss)).toSorted(), ['boss', 'nurse'])
    t.same(await names(boss, `?userId=${nurseId}&status=sent&facilityId=${tree.a.facility}`), ['nurse'])
    t.same(await names(boss, '?status=failed'), [])
    t.same(await names(far), [])
    const page = await world.get('/v1/notifications?limit=1', world.admin)
    const next = await world.get(
      `/v1/notifications?limit=1&cursor=${String(page.body['nextCursor'])}`,
      world.admin,
    )
    t.same(
      [page, next].map(({ body }) => (body['items'] as unknown as Json[]).length),
      [1, 1],
    )
    t.equal(next.body['nextCursor'], null)
    t.match((await world.get(`/v1/breaches/${breachId}`, nurse)).body['notifications'], [
      { userName: 'nurse', level: 0, status: 'sent' },
      { userName: 'boss', level: 1 },
    ])

    t.match(await world.post('/v1/notifications/test', nurse, {}), { status: 202, body: { userId: nurseId } })
    t.match(await world.post('/v1/notifications/test', boss, { userId: nurseId }), { status: 202 })
    t.equal((await world.post('/v1/notifications/test', nurse, { userId: bossId })).status, 404)
    t.equal((await world.post('/v1/notifications/test', far, { userId: nurseId })).status, 404)
    const asked = await world.db
      .selectFrom('testMessage')
      .select(['userId', 'requestedBy'])
      .orderBy('id')
      .execute()
    t.equal(asked.length, 2)
  })
})
