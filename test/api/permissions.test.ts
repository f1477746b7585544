import { randomUUIDv7 } from 'node:crypto'
import { test } from 'tap'
import { mayCall, NATIONAL, PERMISSIONS, type OperationId } from '../../domain/permissions.ts'
import { insertBreach, NOT_CLOSED } from '../../db/queries/breach.ts'
import { insertPushSubscription } from '../../db/queries/people.ts'
import { insertRefusals } from '../../db/queries/refusal.ts'
import { ROLES, type Role } from '../../domain/role.ts'
import { waitFor } from '../wait-for.ts'
import { OF_LOTS, plantPapers } from './papers.ts'
import { openWorld, plantTree, type Site, type World } from './world.ts'

interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly operationId: OperationId
}

function operationsOf(world: World): Operation[] {
  const paths = world.app.swagger().paths ?? {}
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      Object.entries(methods ?? {}).map(([method, operation]) => ({
        method: method.toUpperCase() as Operation['method'],
        path,
        operationId: (operation as { operationId: OperationId }).operationId,
      })),
    )
}

async function plantBreachAndRefusal(world: World, site: Site) {
  const breach = randomUUIDv7()
  await insertBreach(world.db, {
    id: breach,
    deviceId: site.device,
    sensor: 'main',
    ruleId: 'who-30dtr-high',
    equipmentId: site.equipment,
    facilityId: site.facility,
    state: 'open',
    severity: 'critical',
    startAt: 1000,
    endAt: null,
    peak: 12,
    peakAt: 2000,
    lastAt: 3000,
    readings: 3,
    acknowledgedAt: null,
    ...NOT_CLOSED,
    outageId: null,
    cause: null,
    recordedAt: 3000,
    updatedAt: 3000,
  })
  const refusal = randomUUIDv7()
  await insertRefusals(world.db, [
    {
      id: refusal,
      deviceId: site.device,
      topic: 'v1/devices/me/telemetry',
      code: 'packet.notJson',
      detail: 'x',
      payload: Buffer.from('{').toString('base64'),
      receivedAt: 1000,
    },
  ])
  return { breach, refusal }
}

// What these reach is walked in codes-permissions.test.ts: lots are everybody's, and EPCIS names things by URIs.
const CODES = /^\/v1\/(epcis\/|lots\/\{id\}\/label)/
// Read by everybody, wherever they are: what the programme agreed on.
const EVERYBODYS: ReadonlySet<OperationId> = new Set([
  'listManufacturers',
  'getManufacturer',
  'listItems',
  'getItem',
  'listTradeItems',
  'getTradeItem',
  'listLots',
  'getLot',
  'listActivities',
  'getActivity',
  'listReasons',
  'getReason',
])

/** One of each kind of reference data, and a stock level and a storage point in the other district. */
async function plantReference(world: World, site: Site) {
  const syringe = { code: 'AD05', name: 'N', kind: 'syringe', dosesPerVial: 1, mm3PerDose: 1 }
  const item = await world.make('/v1/items', syringe)
  const manufacturer = await world.make('/v1/manufacturers', { name: 'M' })
  const product = { itemId: item, manufacturerId: manufacturer, name: 'N', dosesPerPack: 100 }
  const tradeItem = await world.make('/v1/trade-items', product)
  const lotBody = { tradeItemId: tradeItem, code: 'L1', expiresOn: '2090-01-31' }
  const lot = await world.make('/v1/lots', lotBody)
  await world.post('/v1/activities', world.admin, { code: 'routine', name: 'N' })
  await world.patch(`/v1/stock-levels/${site.facility}/${item}`, world.admin, { maxDoses: 10 })
  const line = { storagePointId: site.storagePoint, lotId: lot, doses: 5 }
  const event = { kind: 'receive', facilityId: site.facility, lines: [line] }
  const missing = randomUUIDv7()
  return {
    item,
    theirs: {
      manufacturers: manufacturer,
      items: item,
      'trade-items': tradeItem,
      lots: lot,
      activities: 'routine',
      reasons: 'broken',
      'storage-points': site.storagePoint,
      'stock-events': await world.make('/v1/stock-events', event),
    },
    bodies: {
      createManufacturer: { name: 'N' },
      updateManufacturer: { name: 'N' },
      createItem: { ...syringe, code: 'AD10' },
      updateItem: { name: 'N' },
      createTradeItem: { ...product, name: 'Other' },
      updateTradeItem: { name: 'N' },
      createLot: { ...lotBody, tradeItemId: missing },
      updateLot: { code: 'L2' },
      createActivity: { code: 'campaign', name: 'N' },
      updateActivity: { name: 'N' },
      createReason: { code: 'lost', name: 'N', kind: 'adjustment' },
      updateReason: { name: 'N' },
      updateStoragePoint: { name: 'N' },
      saveStockLevel: { maxDoses: 20 },
      recordStockEvent: event,
      reverseStockEvent: {},
    } satisfies Partial<Record<OperationId, unknown>>,
  }
}

const RULE = {
  name: 'N',
  quantity: 'temperature',
  comparator: 'gt',
  threshold: 8,
  mode: 'instant',
  severity: 'critical',
}

/** A profile of the other district's own. */
async function plantProfile(world: World, { facility }: Site): Promise<string> {
  const body = { name: 'N', facilityId: facility, rules: [RULE] }
  const override = { facilityId: facility, profile: 'who-30dtr', replacement: 'theirs' }
  await world.make('/v1/profiles', { id: 'theirs', ...body })
  await world.post('/v1/profile-overrides', world.admin, override)
  return 'theirs'
}

/** An escalation policy and an on-call list of the other district, and a browser of somebody there. */
async function plantPeople(world: World, site: Site, userId: string) {
  const levels = [{ delayMinutes: 0, who: [{ kind: 'role', role: 'operator', level: 'facility' }] }]
  const policy = { facilityId: site.facility, severity: 'critical', name: 'N', levels }
  const onCall = { facilityId: site.facility, name: 'N' }
  const browser = randomUUIDv7()
  const keys = { p256dh: 'x', auth: 'x', createdAt: 1 }
  await insertPushSubscription(world.db, {
    ...keys,
    id: browser,
    userId,
    endpoint: 'https://push.example.org/1',
    endpointHash: 'x',
  })
  return {
    theirs: {
      'escalation-policies': await world.make('/v1/escalation-policies', policy),
      'on-call-lists': await world.make('/v1/on-call-lists', onCall),
      me: browser,
    },
    bodies: {
      closeBreach: { reason: 'other', comment: 'c' },
      updateMyContact: { language: 'en' },
      updateContact: { language: 'en' },
      createMyPushSubscription: {
        endpoint: 'https://push.example.org/2',
        keys: { p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) },
      },
      testNotification: { userId },
      createEscalationPolicy: policy,
      updateEscalationPolicy: { name: 'N' },
      createOnCallList: onCall,
      updateOnCallList: { name: 'N' },
      updateFacilityEscalation: { testMode: true },
    } satisfies Partial<Record<OperationId, unknown>>,
  }
}

/** A batch that nobody could judge. */
async function plantParked({ queue }: World): Promise<string> {
  const consumer = queue.consume('judge', async (all) => all.map(() => 'drop'), { deliveriesMax: 1 })
  const nothing = { readings: [], refusals: [], attributes: [] }
  await queue.publish({ id: randomUUIDv7(), acceptedAt: 1000, ...nothing }, ['judge'])
  await waitFor(() => queue.depth('judge').parked === 1, 'it to be parked')
  await consumer.stop()
  return (await queue.parked('judge', { limit: 1 }))[0]?.id ?? ''
}

test('every route with every role', async (suite) => {
  const world = await openWorld(suite, { settings: { streamsPerUserMax: 1 } })
  const { a, b, country } = await plantTree(world)
  const far = await plantBreachAndRefusal(world, b)
  const papers = await plantPapers(world, b)
  const users = (await world.get('/v1/users', world.admin)).body
  suite.ok(users['items'])
  const tokens = new Map<Role, string>([['administrator', world.admin]])
  for (const role of ROLES)
    if (role !== 'administrator') tokens.set(role, await world.person(`one-${role}`, role, a.district))
  await world.person('far', 'viewer', b.facility)
  const farUser = (
    await world.db
      .selectFrom('userAccount')
      .select('id')
      .where('username', '=', 'far')
      .executeTakeFirstOrThrow()
  ).id
  const people = await plantPeople(world, b, farUser)
  const operations = operationsOf(world)

  await suite.test('the matrix and the routes name the same operations', async (t) => {
    const named = operations.map(({ operationId }) => operationId).toSorted()
    t.same(named, Object.keys(PERMISSIONS).toSorted())
  })

  // What belongs to the other district, by the first segment of the path.
  const theirs: Record<string, string> = {
    users: farUser,
    facilities: b.facility,
    equipment: b.equipment,
    devices: b.device,
    breaches: far.breach,
    refusals: far.refusal,
    profiles: await plantProfile(world, b),
    ...papers.theirs,
    ...people.theirs,
  }
  const reference = await plantReference(world, b)
  Object.assign(theirs, reference.theirs)
  theirs['parked-batches'] = await plantParked(world)
  const urlOf = (path: string) =>
    path
      .replace('{id}', theirs[path.split('/')[2] ?? ''] ?? 'missing')
      .replace('{facilityId}', b.facility)
      .replace('{itemId}', reference.item)
      .replace('{kind}', 'items')
      .replace(/stock-card$/, `stock-card?facilityId=${b.facility}&itemId=${reference.item}`)
  // Right in form, so that what answers is the permission and not the schema; it names things of the other district.
  const bodies: Partial<Record<OperationId, unknown>> = {
    changeMyPassword: { currentPassword: 'not the right one', newPassword: 'something else' },
    createUser: {
      username: 'new',
      name: 'N',
      password: 'a long password',
      role: 'viewer',
      facilityId: b.facility,
    },
    updateUser: { name: 'N' },
    createFacility: { name: 'N', level: 'facility', parentId: b.district, timeZone: 'UTC' },
    updateFacility: { name: 'N' },
    createStoragePoint: { facilityId: b.facility, name: 'N' },
    createEquipment: { name: 'N', facilityId: b.facility, kind: 'freezer', profile: 'who-30dtr' },
    updateEquipment: { name: 'N' },
    createDevice: { name: 'N', equipmentId: b.equipment },
    updateDevice: { name: 'N' },
    commandDevice: { method: 'm' },
    addCalibration: { calibratedAt: '2026-01-01T00:00:00Z', intervalDays: 365 },
    acknowledgeBreach: { action: 'a', comment: 'c' },
    recordStockEvents: { events: [{}] },
    replayParkedBatches: { ids: ['judge-1'] },
    discardParkedBatch: { reason: 'r' },
    createProfile: { id: 'new', name: 'N', facilityId: b.facility, rules: [RULE] },
    publishProfileVersion: { rules: [RULE] },
    previewRules: { rules: [RULE], facilityId: b.facility, from: '2026-01-01T00:00:00Z' },
    setProfileOverride: { facilityId: b.facility, profile: 'who-30dtr', replacement: 'who-30dtr' },
    ...papers.bodies,
    ...reference.bodies,
    ...people.bodies,
  }
  const bodyOf = ({ operationId }: Operation) => bodies[operationId]

  await suite.test('without a token: 401, whatever else is wrong with the request', async (t) => {
    for (const operation of operations.filter(({ operationId }) => PERMISSIONS[operationId] !== 'public')) {
      const { method, path } = operation
      for (const [url, body] of [
        [urlOf(path), bodyOf(operation)],
        [path, method === 'GET' ? undefined : '{broken'],
      ] as const) {
        const answer = await world.ask(method, url, { body })
        t.match(answer, { status: 401, body: { code: 'auth.required' } }, `${method} ${url}`)
      }
    }
  })

  await suite.test('a role that may not: 403', async (t) => {
    for (const [role, token] of tokens) {
      for (const operation of operations.filter(({ operationId }) => !mayCall(role, operationId))) {
        const { method, path } = operation
        const answer = await world.ask(method, urlOf(path), { token, body: bodyOf(operation) })
        t.match(answer, { status: 403, body: { code: 'auth.forbidden' } }, `${role} ${method} ${path}`)
      }
    }
  })

  await suite.test('a role that may, on what is not theirs: 404', async (t) => {
    for (const [role, token] of tokens) {
      if (role === 'administrator') continue
      const reaching = operations.filter(
        ({ path, operationId }) =>
          !CODES.test(path) &&
          mayCall(role, operationId) &&
          !OF_LOTS.has(operationId) &&
          PERMISSIONS[operationId] !== 'public' &&
          (/\{(id|facilityId)\}/.test(path) ||
            /^(create|record|getStockCard|testNotification)/.test(operationId)) &&
          operationId !== 'createMyPushSubscription' &&
          // Answers for each event by itself: offline-batch.test.ts.
          operationId !== 'recordStockEvents' &&
          !NATIONAL.has(operationId) &&
          !EVERYBODYS.has(operationId),
      )
      t.ok(reaching.length >= 6)
      for (const operation of reaching) {
        const answer = await world.ask(operation.method, urlOf(operation.path), {
          token,
          body: bodyOf(operation),
        })
        t.match(
          answer,
          { status: 404, body: { code: 'resource.notFound' } },
          `${role} ${operation.method} ${operation.path}`,
        )
      }
    }
  })

  await suite.test('what is the programme’s is read by all and changed at its root', async (t) => {
    const national = operations.filter(({ operationId }) => NATIONAL.has(operationId))
    t.equal(national.length, NATIONAL.size)
    for (const operation of national) {
      const { method, path } = operation
      const token = tokens.get('manager')
      const answer = await world.ask(method, urlOf(path), { token, body: bodyOf(operation) })
      t.match(answer, { status: 403, body: { code: 'auth.forbidden' } }, `${method} ${path}`)
    }
    const root = await world.person('root', 'manager', country)
    const archived = { token: root, body: { archived: true } }
    t.equal((await world.ask('PATCH', `/v1/items/${reference.item}`, archived)).status, 200)
    for (const { path } of operations.filter(({ operationId }) => EVERYBODYS.has(operationId)))
      for (const token of tokens.values()) t.equal((await world.get(urlOf(path), token)).status, 200, path)
  })

  await suite.test('lists show nothing of the other district, also when asked for it', async (t) => {
    const lists = operations.filter(
      ({ method, path, operationId }) =>
        method === 'GET' &&
        !CODES.test(path) &&
        !path.includes('{') &&
        !/[/](me|contact|push-key|stream|rules|profiles|stock-card)$/.test(path) &&
        !EVERYBODYS.has(operationId),
    )
    t.equal(lists.length, 39)
    for (const [role, token] of tokens) {
      if (role === 'administrator') continue
      for (const { path, operationId } of lists.filter((list) => mayCall(role, list.operationId))) {
        const { status, body } = await world.get(path, token)
        t.equal(status, 200, path)
        const text = JSON.stringify(body)
        for (const id of [
          ...Object.values(papers.theirs),
          b.facility,
          b.storagePoint,
          b.equipment,
          b.device,
          far.breach,
          far.refusal,
          farUser,
        ])
          t.notOk(text.includes(id), `${role} ${path}`)
        if (/^list(Logs|Refusals|Changes|MyPushSubscriptions)$/.test(operationId)) continue
        t.equal((await world.get(`${path}?facilityId=${b.facility}`, token)).status, 404, `${role} ${path}`)
      }
      t.equal((await world.get(`/v1/stream?facilityId=${b.facility}`, token)).status, 404)
      t.equal((await world.get(`/v1/stream?deviceId=${b.device}`, token)).status, 404)
    }
  })

  await suite.test('administrators reach everything', async (t) => {
    for (const { method, path } of operations.filter(
      (one) => one.method === 'GET' && one.path !== '/v1/stream' && !CODES.test(one.path),
    ))
      t.equal((await world.ask(method, urlOf(path), { token: world.admin })).status, 200, path)
  })
})
