import { test, type Test } from 'tap'
import { onBothDatabases } from './stock-world.ts'
import { openWorld, plantTree, type Answer, type World } from './world.ts'

test('reference data', async (suite) => onBothDatabases(suite, referenceSuite))

async function referenceSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openWorld(suite, { databaseUrl })
  const { admin, ask, get, patch, post } = world
  const tree = await plantTree(world)

  await suite.test(
    'a change names the version that it is of, and a reader the one that it has',
    async (t) => {
      const url = `/v1/facilities/${tree.a.facility}`
      const change = (name: string, match: string) =>
        ask('PATCH', url, { token: admin, body: { name }, headers: { 'if-match': match } })
      t.match(await get(url, admin), { status: 200, headers: { etag: '"1"' }, body: { version: 1 } })
      t.match(await change('Two', '"1"'), { status: 200, headers: { etag: '"2"' }, body: { version: 2 } })
      t.match(await change('Three', '"1"'), {
        status: 412,
        body: { code: 'request.preconditionFailed', detail: /current version is 2\b/ },
      })
      t.match(await change('Three', '"1", W/"2"'), { status: 200, headers: { etag: '"3"' } })
      t.match(await change('Four', '*'), { status: 200, headers: { etag: '"4"' } })
      t.match(await change('Five', 'four'), { status: 400, body: { code: 'request.invalid' } })
      t.match(
        await patch(url, admin, { name: 'Four' }),
        { headers: { etag: '"4"' } },
        'the same is no change',
      )

      const read = (match: string) => ask('GET', url, { token: admin, headers: { 'if-none-match': match } })
      t.match(await read('"3"'), { status: 200, body: { name: 'Four' } })
      const unchanged = await read('W/"4"')
      t.match(unchanged, { status: 304, headers: { etag: '"4"' } })
      t.equal(unchanged.headers['content-type'], undefined)
      t.match(await read('"1", "4"'), { status: 304 })
      const made = await post('/v1/facilities', admin, {
        name: 'New',
        level: 'facility',
        parentId: tree.a.district,
        timeZone: 'UTC',
      })
      t.match(made, { status: 201, headers: { etag: '"1"' } })
    },
  )

  await suite.test('of changes that name the same version, one is made', async (t) => {
    const url = `/v1/facilities/${tree.b.facility}`
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        ask('PATCH', url, { token: admin, body: { name: `B${i}` }, headers: { 'if-match': '"1"' } }),
      ),
    )
    t.same(answers.map(({ status }) => status).toSorted(), [200, 412, 412, 412, 412, 412, 412, 412])
  })

  const item = {
    code: '93000105',
    name: 'DTP-HB-Hib',
    kind: 'vaccine',
    cvx: '102',
    atc: 'J07CA11',
    dosesPerVial: 5,
    vvmType: 'VVM14',
    freezeSensitive: true,
    profile: 'who-30dtr',
    mm3PerDose: 2612,
  }
  const refuses = async (t: Test, asked: Promise<Answer>, code: string, says: RegExp) => {
    const versions = await countRows(world)
    const { body } = await asked
    t.match(body, { code }, `${code}: ${JSON.stringify(body)}`)
    t.match(JSON.stringify(body), says)
    t.same(await countRows(world), versions, 'nothing changed')
  }

  await suite.test('an item is created, found, changed and archived', async (t) => {
    const { status, body, headers } = await post('/v1/items', admin, item)
    t.equal(status, 201)
    t.match(body, { ...item, version: 1, archivedAt: null })
    t.equal(headers['etag'], '"1"')
    const url = `/v1/items/${String(body['id'])}`
    const ids = async (query: string) =>
      ((await get(`/v1/items?${query}`, admin)).body['items'] as unknown as Answer['body'][]).map(
        ({ code }) => code,
      )
    t.same(await ids('q=dtp-hb'), [item.code], 'in small letters')
    t.same(await ids('q=930'), [item.code])
    for (const q of ['%25', '_', '!', "'"]) t.same(await ids(`q=${q}`), [], `${q} is no wildcard`)
    t.same(await ids('kind=vaccine&cvx=102'), [item.code])
    t.same(await ids('kind=diluent'), [])
    t.match(await patch(url, admin, { name: 'Pentavalent' }), {
      body: { ...item, name: 'Pentavalent', version: 2 },
    })
    t.match(await patch(url, admin, { archived: true }), { body: { version: 3, archivedAt: /^20/ } })
    t.same([await ids(''), await ids('archived=true')], [[], [item.code]])
    t.match(await patch(url, admin, { archived: true }), { body: { version: 3 } }, 'it was archived already')
    t.match(await patch(url, admin, { archived: false, name: item.name }), {
      body: { version: 4, archivedAt: null },
    })
    t.match(await post('/v1/items', admin, item), { status: 409, body: { code: 'resource.conflict' } })
    const changes = await world.db.selectFrom('change').selectAll().where('entity', '=', 'item').execute()
    t.equal(changes.length, 4)
    const audited = await world.db.selectFrom('audit').select('action').where('entity', '=', 'item').execute()
    t.equal(audited.length, 4)
  })

  await suite.test('an item is what the field says of its kind', async (t) => {
    const bad: [object, RegExp][] = [
      [{ cvx: 'DTP' }, /cvx/],
      [{ atc: 'J07CA1' }, /atc/],
      [{ atc: 'j07ca11' }, /atc/],
      [{ dosesPerVial: 0 }, /dosesPerVial/],
      [{ dosesPerVial: 2.5 }, /dosesPerVial/],
      [{ dosesPerVial: '5' }, /dosesPerVial/],
      [{ vvmType: 'VVM3' }, /vvmType/],
      [{ profile: 'lukewarm' }, /profile.*who-30dtr/],
      [{ mm3PerDose: -1 }, /mm3PerDose/],
      [{ code: '=1+1' }, /code/],
      [{ kind: 'syringe' }, /cvx.*only vaccines/],
      [{ kind: 'diluent', cvx: null }, /vvmType.*only vaccines/],
      [{ kind: 'syringe', cvx: null, vvmType: null }, /dosesPerVial.*one/],
    ]
    for (const [change, says] of bad)
      await refuses(t, post('/v1/items', admin, { ...item, code: 'bad', ...change }), 'request.invalid', says)
  })

  const itemId = await world.make('/v1/items', { ...item, code: 'penta' })
  const manufacturerId = await world.make('/v1/manufacturers', { name: 'Bio Farma' })
  const product = { itemId, manufacturerId, name: 'Pentabio', dosesPerPack: 50 }

  await suite.test('a trade item carries a GTIN that checks, once', async (t) => {
    // The check digit of 0401234567890 is 1 (gs1-syntax-dictionary).
    const { body, status } = await post('/v1/trade-items', admin, { ...product, gtin: '4012345678901' })
    t.match({ status, body }, { status: 201, body: { gtin: '04012345678901' } })
    t.match(await get('/v1/trade-items?gtin=04012345678901', admin), {
      body: { items: [{ id: body['id'] }] },
    })
    await refuses(
      t,
      post('/v1/trade-items', admin, { ...product, gtin: '04012345678902' }),
      'request.invalid',
      /check digit/,
    )
    await refuses(
      t,
      post('/v1/trade-items', admin, { ...product, gtin: '401234567890' }),
      'request.invalid',
      /check digit/,
    )
    await refuses(
      t,
      post('/v1/trade-items', admin, { ...product, gtin: '04012345678901' }),
      'resource.conflict',
      /GTIN/,
    )
    t.equal((await post('/v1/trade-items', admin, product)).status, 201)
    await refuses(t, post('/v1/trade-items', admin, product), 'resource.conflict', /without a GTIN/)
    const nowhere = { ...product, manufacturerId: itemId }
    await refuses(t, post('/v1/trade-items', admin, nowhere), 'resource.notFound', /manufacturerId/)
    await refuses(
      t,
      patch(`/v1/trade-items/${String(body['id'])}`, admin, { itemId }),
      'request.invalid',
      /is not known here/,
    )
  })

  await suite.test('a lot has real dates, one code, and no circle of parents', async (t) => {
    const tradeItemId = await world.make('/v1/trade-items', { ...product, name: 'Lots' })
    const lot = { tradeItemId, code: '+A/1', expiresOn: '2028-02-29', manufacturedOn: '2026-03-01' }
    const first = await world.make('/v1/lots', lot)
    const bad: [object, RegExp][] = [
      [{ expiresOn: '2027-02-29' }, /expiresOn.*calendar/],
      [{ expiresOn: '2027-13-01' }, /expiresOn.*calendar/],
      [{ expiresOn: '27-01-01' }, /expiresOn/],
      [{ manufacturedOn: '2028-03-01' }, /manufacturedOn.*after/],
      [{ code: 'with a space' }, /code/],
      [{ code: 'x'.repeat(21) }, /code/],
    ]
    for (const [change, says] of bad)
      await refuses(t, post('/v1/lots', admin, { ...lot, code: 'bad', ...change }), 'request.invalid', says)
    await refuses(t, post('/v1/lots', admin, lot), 'resource.conflict', /lot of this code/)
    const child = await world.make('/v1/lots', { ...lot, code: 'child', parentLotId: first })
    const grandchild = await world.make('/v1/lots', { ...lot, code: 'grandchild', parentLotId: child })
    for (const parentLotId of [first, child, grandchild])
      await refuses(t, patch(`/v1/lots/${first}`, admin, { parentLotId }), 'request.invalid', /from itself/)
    await refuses(
      t,
      patch(`/v1/lots/${first}`, admin, { parentLotId: tradeItemId }),
      'resource.notFound',
      /parentLotId/,
    )
    t.match(await patch(`/v1/lots/${grandchild}`, admin, { parentLotId: null }), {
      body: { parentLotId: null },
    })
    const both = await Promise.all([
      patch(`/v1/lots/${first}`, admin, { parentLotId: grandchild }),
      patch(`/v1/lots/${grandchild}`, admin, { parentLotId: first }),
    ])
    t.same(both.map(({ status }) => status).toSorted(), [200, 400], 'nor do two at once make one')
  })

  await suite.test('stock of an item keeps it from losing or getting a VVM', async (t) => {
    const tradeItemId = await world.make('/v1/trade-items', { ...product, name: 'VVM' })
    const lotId = await world.make('/v1/lots', { tradeItemId, code: 'V1', expiresOn: '2090-01-01' })
    await world.make('/v1/stock-events', {
      kind: 'receive',
      facilityId: tree.a.facility,
      lines: [{ storagePointId: tree.a.storagePoint, lotId, doses: 10 }],
    })
    await refuses(t, patch(`/v1/items/${itemId}`, admin, { vvmType: null }), 'resource.inUse', /vvmType/)
    t.equal((await patch(`/v1/items/${itemId}`, admin, { vvmType: 'VVM7' })).status, 200)
  })

  await suite.test('facilities have a code of their own, storage points a capacity', async (t) => {
    const { facility, storagePoint, district } = tree.a
    t.match(await patch(`/v1/facilities/${facility}`, admin, { code: 'P-1', population: 31_000 }), {
      body: { code: 'P-1', population: 31_000 },
    })
    await refuses(t, patch(`/v1/facilities/${district}`, admin, { code: 'P-1' }), 'resource.conflict', /code/)
    await refuses(t, patch(`/v1/facilities/${district}`, admin, { code: district }), 'request.invalid', /id/)
    await refuses(
      t,
      patch(`/v1/facilities/${district}`, admin, { population: -1 }),
      'request.invalid',
      /population/,
    )
    const there = { latitude: -6.9147, longitude: 107.6098 }
    t.match(await patch(`/v1/facilities/${facility}`, admin, there), { status: 200, body: there })
    await refuses(
      t,
      patch(`/v1/facilities/${facility}`, admin, { longitude: null }),
      'request.invalid',
      /longitude/,
    )
    await refuses(
      t,
      patch(`/v1/facilities/${facility}`, admin, { latitude: 91 }),
      'request.invalid',
      /latitude/,
    )
    t.match(await get('/v1/facilities?q=p-1', admin), { body: { items: [{ id: facility }] } })
    const url = `/v1/storage-points/${storagePoint}`
    const change = { profile: 'who-30dtr', capacityLitres: 126.5 }
    t.match(await patch(url, admin, change), { headers: { etag: '"2"' }, body: { ...change, version: 2 } })
    await refuses(t, patch(url, admin, { profile: 'x' }), 'request.invalid', /profile/)
    await refuses(t, patch(url, admin, { capacityLitres: -1 }), 'request.invalid', /capacityLitres/)
    const other = await world.make('/v1/storage-points', { facilityId: facility, name: 'Other' })
    await refuses(
      t,
      patch(`/v1/storage-points/${other}`, admin, { name: 'Vaccine room' }),
      'resource.conflict',
      /name/,
    )
  })

  await suite.test('a stock level is set or computed, and says how stock stands to it', async (t) => {
    const { facility, storagePoint } = tree.b
    const other = await world.make('/v1/items', { ...item, code: 'mr' })
    const tradeItemId = await world.make('/v1/trade-items', { ...product, itemId: other, name: 'MR' })
    const lotId = await world.make('/v1/lots', { tradeItemId, code: 'M1', expiresOn: '2090-01-01' })
    const url = `/v1/stock-levels/${facility}/${other}`
    t.match(await get(url, admin), { status: 404 })
    const made = await patch(url, admin, { minDoses: 50, maxDoses: 200 })
    t.match(made, {
      status: 200,
      headers: { etag: '"1"' },
      body: { mode: 'set', effectiveMinDoses: 50, onHandDoses: 0, status: 'stock-out' },
    })
    const record = (kind: string, line: object, daysAgo: number, more: object = {}) =>
      world.make('/v1/stock-events', {
        kind,
        facilityId: facility,
        occurredAt: new Date(Date.now() - daysAgo * 86_400_000).toISOString(),
        lines: [{ storagePointId: storagePoint, lotId, ...line }],
        ...more,
      })
    await record('receive', { doses: 1000 }, 100)
    t.match((await get(url, admin)).body, { onHandDoses: 1000, usableDoses: 1000, status: 'above-max' })
    await record('consume', { administered: 400, wasted: 0 }, 95)
    await record('consume', { administered: 180, wasted: 20 }, 80)
    const mistake = await record('consume', { administered: 90, wasted: 0 }, 10)
    await post(`/v1/stock-events/${mistake}/reverse`, admin, {})
    await record('hold', { doses: 390, reasonCode: 'breach' }, 1)
    t.match((await get(url, admin)).body, { onHandDoses: 400, usableDoses: 10, status: 'below-min' })
    const cadence = { leadTimeDays: 15, reviewDays: 30, safetyDays: 5 }
    t.match(await patch(url, admin, { mode: 'computed', ...cadence }), {
      body: {
        version: 2,
        dosesPerDay: 2,
        effectiveMinDoses: 40,
        effectiveMaxDoses: 100,
        minDoses: 50,
        status: 'below-min',
      },
    })
    const list = async (query: string) => (await get(`/v1/stock-levels?${query}`, admin)).body['items']
    t.match(await list(`facilityId=${facility}&status=below-min`), [{ itemId: other, status: 'below-min' }])
    t.same(await list(`facilityId=${facility}&status=ok`), [])
    t.same(await list(`facilityId=${tree.a.facility}`), [])

    const { headers } = await get(url, admin)
    const read = () =>
      ask('GET', url, { token: admin, headers: { 'if-none-match': String(headers['etag']) } })
    t.equal((await read()).status, 304)
    await record('release', { doses: 100, reasonCode: 'breach' }, 0)
    t.match(await read(), { status: 200, body: { version: 2, usableDoses: 110, status: 'above-max' } })
    const save = (match: string) =>
      ask('PATCH', url, { token: admin, body: { reviewDays: 31 }, headers: { 'if-match': match } })
    t.match(await save('"1"'), { status: 412 })
    t.match(await save(String(headers['etag'])), { status: 200, body: { version: 3 } })
    await refuses(t, patch(url, admin, { minDoses: 201 }), 'request.invalid', /minDoses.*above/)
    await refuses(t, patch(url, admin, { safetyDays: -1 }), 'request.invalid', /safetyDays/)
    await refuses(
      t,
      patch(`/v1/stock-levels/${facility}/${lotId}`, admin, { minDoses: 0 }),
      'resource.notFound',
      /itemId/,
    )
  })
}

async function countRows(world: World): Promise<number[]> {
  const tables = [
    'facility',
    'storagePoint',
    'item',
    'tradeItem',
    'lot',
    'stockLevel',
    'audit',
    'change',
  ] as const
  const counts: number[] = []
  for (const table of tables) {
    const { rows } = await world.db
      .selectFrom(table as 'audit')
      .select((eb) => eb.fn.countAll().as('rows'))
      .executeTakeFirstOrThrow()
    counts.push(Number(rows))
  }
  return counts
}
