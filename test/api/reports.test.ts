import { randomUUIDv7 } from 'node:crypto'
import { test, type Test } from 'tap'
import { onBothDatabases, openStockWorld, plantLot, type StockWorld } from './stock-world.ts'
import type { Answer, Json } from './world.ts'

// As-of queries, the stock card and the reports, on a history in which some things are recorded long after they happened.
test('reports', async (suite) => onBothDatabases(suite, reportSuite))

const MARCH = 'from=2024-03-01&to=2024-03-31'

interface Line {
  readonly [key: string]: unknown
}

async function reportSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openStockWorld(suite, databaseUrl)
  const { a } = world.tree
  const { penta } = world
  const record = async (occurredAt: string, kind: string, line: Line, more: Line = {}): Promise<Json> => {
    const lines = [{ storagePointId: a.storagePoint, lotId: penta.lot, ...line }]
    const body = { kind, facilityId: a.facility, occurredAt, lines, ...more }
    const { status, body: made } = await world.post('/v1/stock-events', world.admin, body)
    if (status !== 201) throw new Error(`${kind}: ${status} ${JSON.stringify(made)}`)
    return made
  }
  const report = async (name: string, query = ''): Promise<Json[]> => {
    const url = `/v1/reports/${name}?facilityId=${a.district}&itemId=${penta.item}&${query}`
    const { status, body } = await world.get(url, world.admin)
    if (status !== 200) throw new Error(`${url}: ${status} ${JSON.stringify(body)}`)
    return body['items'] as unknown as Json[]
  }

  const routine = { activityCode: 'routine' }
  for (const code of ['routine', 'campaign'])
    await world.post('/v1/activities', world.admin, { code, name: code })
  await record('2024-03-01T02:00:00Z', 'receive', { doses: 100 })
  await record('2024-03-05T03:00:00Z', 'consume', { administered: 40, wasted: 10 }, routine)
  // 23:59 of the 10th in Jakarta, and 00:00 of the 13th.
  await record('2024-03-10T16:59:00Z', 'issue', { doses: 50 }, { activityCode: 'campaign' })
  const known = await record('2024-03-12T17:00:00Z', 'receive', { doses: 200 })
  await nextMillisecond()
  await record('2024-03-20T03:00:00Z', 'wastage', { doses: 20, reasonCode: 'broken' })

  await suite.test('the first rows only, where only they are asked for', async (t) => {
    const all = await report('stock-outs', `${MARCH}&by=day`)
    t.same(await report('stock-outs', `${MARCH}&by=day&limit=3`), all.slice(0, 3))
  })

  await suite.test('stock-outs: days of the facility, late events, reversals', async (t) => {
    const outs = async (query = MARCH) =>
      (await report('stock-outs', query)).map(({ days, stockOutDays, firstDay, lastDay }) => [
        days,
        stockOutDays,
        firstDay,
        lastDay,
      ])
    t.same(await outs(), [[31, 3, '2024-03-10', '2024-03-12']])
    t.same(await outs('from=2024-02-01&to=2024-03-11&by=month'), [[11, 2, '2024-03-10', '2024-03-11']])
    t.same(await outs('from=2024-02-01&to=2024-02-29'), [], 'it did not keep the item then')
    const late = await record('2024-03-11T10:00:00Z', 'receive', { doses: 5 })
    t.same(await outs(), [[31, 1, '2024-03-10', '2024-03-10']])
    await world.post(`/v1/stock-events/${String(late['id'])}/reverse`, world.admin, {})
    t.same(await outs(), [[31, 3, '2024-03-10', '2024-03-12']])
    const byDay = await report('stock-outs', 'from=2024-03-09&to=2024-03-13&by=day')
    t.same(
      byDay.map(({ period, stockOutDays }) => `${String(period)} ${String(stockOutDays)}`),
      ['2024-03-09 0', '2024-03-10 1', '2024-03-11 1', '2024-03-12 1', '2024-03-13 0'],
    )
  })

  await suite.test('stock as it was, and as it was known', async (t) => {
    const onHand = async (query: string) => {
      const { body } = await world.get(`/v1/stock?facilityId=${a.facility}&${query}`, world.admin)
      return (body['items'] as unknown as Json[]).map(({ doses }) => doses)
    }
    t.same(await onHand(''), [180])
    t.same(await onHand('asOf=2024-03-01T01:59:59Z'), [])
    t.same(await onHand('asOf=2024-03-01T02:00:00Z'), [100], 'the moment itself counts')
    t.same(await onHand('asOf=2024-03-11T00:00:00Z'), [], 'it was used up')
    t.same(await onHand('asOf=2024-03-19T00:00:00Z'), [200])
    const knownAt = `knownAt=${String(known['recordedAt'])}`
    t.same(await onHand(knownAt), [200], 'nobody knew of what was broken')
    t.same(await onHand(`asOf=2024-03-06T00:00:00Z&${knownAt}`), [50])
    t.same(await onHand('knownAt=2024-03-20T03:00:00Z'), [], 'nothing was recorded then')
    const { body } = await world.get(`/v1/stock?asOf=2024-03-02T00:00:00Z`, world.admin)
    t.match(body['items'], [{ allocated: null, available: null }], 'promises of then are not known')
    t.match(await world.get('/v1/stock?asOf=2024-02-30T00:00:00Z', world.admin), { status: 400 })
  })

  await suite.test('the stock card', async (t) => {
    const card = async (query = '') =>
      (await world.get(`/v1/stock-card?facilityId=${a.facility}&itemId=${penta.item}&${query}`, world.admin))
        .body
    const whole = await card()
    t.same(
      rows(whole).filter((row) => !/^(receive \d+ 5 |reversal)/.test(row)),
      [
        'wastage 200 -20 180',
        'receive 0 200 200',
        'issue 50 -50 0',
        'consume 100 -50 50',
        'receive 0 100 100',
      ],
    )
    t.match(whole, { opening: 0, closing: 180, nextCursor: null })
    t.match((whole['items'] as unknown as Json[]).at(-2), {
      documentNo: /^CON-/,
      activityCode: 'routine',
      storagePointId: a.storagePoint,
      counterparts: [
        { kind: 'consumption', doses: 40 },
        { kind: 'wastage', doses: 10 },
      ],
    })
    const paged: string[] = []
    let cursor: unknown
    do {
      const page = await card(`limit=2${cursor ? `&cursor=${String(cursor)}` : ''}`)
      paged.push(...rows(page))
      cursor = page['nextCursor']
    } while (cursor)
    t.same(paged, rows(whole), 'pages are the card in pieces')
    const part = await card('from=2024-03-05T00:00:00Z&to=2024-03-10T16:59:00Z')
    t.same(rows(part), ['consume 100 -50 50'])
    t.match(await card('from=2024-03-06T00:00:00Z&to=2024-03-07T00:00:00Z'), {
      opening: 50,
      closing: 50,
      items: [],
    })
    const then = await card(`knownAt=${String(known['recordedAt'])}`)
    t.same(rows(then)[0], 'receive 0 200 200')
    t.equal(rows(then).length, 4)
    t.match(await card(`lotId=${randomUUIDv7()}`), { items: [], opening: 0, closing: 0 })
    t.match(await card(`cursor=${Buffer.from('x').toString('base64url')}`), { code: 'request.invalid' })
    t.match(await card('from=yesterday'), { code: 'request.invalid' })
  })

  await suite.test('consumption and wastage', async (t) => {
    const used = await report('consumption', `${MARCH}&by=month`)
    t.match(used, [
      { period: '2024-03', activityCode: 'routine', administered: 40, issued: 0, openVialWasted: 10 },
      { period: '2024-03', activityCode: 'campaign', administered: 0, issued: 50, openVialWasted: 0 },
    ])
    t.equal((await report('consumption', `${MARCH}&activityCode=campaign`)).length, 1)
    const wasted = await report('wastage', MARCH)
    t.same(
      wasted.map(({ vial, cause, wasted: doses, of, rate }) => [vial, cause, doses, of, rate]),
      [
        ['open', null, 10, 50, 0.2],
        ['open', 'opened', 10, 50, 0.2],
        ['closed', null, 20, 120, 0.1667],
        ['closed', 'broken', 20, 120, 0.1667],
      ],
    )
    const before = JSON.stringify(wasted)
    const dispose = { kind: 'dispose', facilityId: a.facility, lines: [{ lotId: penta.lot, doses: 5 }] }
    await world.post('/v1/stock-events', world.admin, { ...dispose, occurredAt: '2024-03-25T00:00:00Z' })
    t.equal(JSON.stringify(await report('wastage', MARCH)), before, 'destroying it makes it no less wasted')
  })

  await suite.test('on hand, coverage, expiry risk, forecast', async (t) => {
    await record('2024-03-21T03:00:00Z', 'hold', { doses: 30, reasonCode: 'quality' })
    t.match(await report('stock-on-hand'), [
      {
        itemCode: 'penta',
        facilityName: 'Clinic A',
        onHand: 180,
        held: 30,
        allocated: 0,
        usable: 150,
        inTransit: 0,
      },
    ])
    // 90 doses in 31 days, and 150 that can be used.
    t.match(await report('coverage', MARCH), [
      { usable: 150, consumed: 90, perDay: 2.903, days: 51.7, months: 1.7 },
    ])
    t.match(await report('coverage', 'from=2024-04-01&to=2024-04-30'), [
      { consumed: 0, days: null, months: null },
    ])
    t.same(await report('expiry-risk', MARCH), [], 'it does not expire for ages')
    const short = await plantLot(world.db, penta, 'short', { expiresOn: '2024-04-01' })
    await record('2024-03-22T03:00:00Z', 'receive', { lotId: short, doses: 7 })
    t.match(await report('expiry-risk', MARCH), [{ lotCode: 'short', onHand: 7, dosesAtRisk: 7 }])
    t.match(await report('coverage', MARCH), [{ usable: 150 }], 'what has expired covers nothing')
    t.match(await report('forecast', `${MARCH}&days=62`), [
      { method: 'consumption', need: 200, usable: 150, shortfall: 50 },
    ])
    const { status } = await world.patch(`/v1/facilities/${a.facility}`, world.admin, { population: 10_000 })
    t.equal(status, 200)
    t.match(await report('forecast', 'dosesPerPerson=3&targetShare=0.02&coverage=0.9&wastageRate=0.25'), [
      { method: 'population', need: 720, shortfall: 570 },
    ])
  })

  await suite.test('counts, also those that come late', async (t) => {
    await record('2024-03-28T03:00:00Z', 'count', { counted: 140 })
    // On hand then was 100.
    await record('2024-03-02T03:00:00Z', 'count', { counted: 104 })
    const undone = await record('2024-03-29T03:00:00Z', 'count', { counted: 0 })
    await world.post(`/v1/stock-events/${String(undone['id'])}/reverse`, world.admin, {})
    t.match(await report('discrepancies', MARCH), [
      {
        lines: 2,
        expected: 250,
        counted: 244,
        difference: -6,
        rate: -0.024,
        absolute: 14,
        absoluteRate: 0.056,
      },
    ])
  })

  await suite.test('reporting completeness', async (t) => {
    const shares = await report('reporting-completeness', 'from=2024-02-01&to=2024-03-31&by=month').catch(
      String,
    )
    t.match(shares, /400/, 'it is not about an item')
    const url = `/v1/reports/reporting-completeness?facilityId=${a.district}&from=2024-02-01&to=2024-03-31&by=month`
    const { body } = await world.get(url, world.admin)
    t.same(body['items'], [{ period: '2024-03', facilities: 1, reporting: 1, share: 1 }])
    await growDistrict(world, 45)
    const { body: grown } = await world.get(
      `/v1/reports/reporting-completeness?facilityId=${a.district}`,
      world.admin,
    )
    t.match(grown['items'], [{ facilities: 46, reporting: 0, share: 0 }], 'over more than one batch')
  })

  await suite.test('as a file for a spreadsheet', async (t) => {
    await world.patch(`/v1/facilities/${a.facility}`, world.admin, { name: '=cmd|" /C calc"!A0, B' })
    const ask = (query: string, accept: string) => {
      const url = `/v1/reports/stock-on-hand?facilityId=${a.facility}&itemId=${penta.item}${query}`
      return world.app.inject({ url, headers: { authorization: `Bearer ${world.admin}`, accept } })
    }
    const { body, headers } = await ask('&format=csv', '*/*')
    const [header, first, end] = body.split('\r\n')
    t.match(header, /^facilityId,facilityCode,facilityName,itemId,itemCode,itemName,onHand,/)
    const cells = `${a.facility},,"'=cmd|"" /C calc""!A0, B",${penta.item},penta,penta,`
    t.ok(first?.startsWith(cells), 'a name is no formula')
    t.equal(end, '')
    t.match(headers['content-disposition'], 'stock-on-hand.csv')
    t.match((await ask('', 'text/csv')).headers['content-type'], 'text/csv')
    t.match((await ask('', 'text/html, */*')).headers['content-type'], 'application/json')
    t.match((await ask('&format=json', 'text/csv')).headers['content-type'], 'application/json')
  })

  await suite.test('bad periods and parameters', async (t) => {
    const refused = (answer: Answer) => t.match(answer, { status: 400, body: { code: 'request.invalid' } })
    for (const query of [
      'from=2024-02-30',
      'from=2024-04-01&to=2024-03-01',
      'from=2000-01-01&to=2024-01-01',
      'from=2023-01-01&to=2024-02-01&by=day',
      'by=year',
      'format=xml',
      'other=1',
      "itemId=' or 1=1",
    ])
      refused(await world.get(`/v1/reports/stock-outs?${query}`, world.admin))
    refused(await world.get('/v1/reports/forecast?dosesPerPerson=3', world.admin))
    t.match(await world.get(`/v1/reports/stock-outs?itemId=${randomUUIDv7()}`, world.admin), { status: 404 })
    t.match(await world.get('/v1/reports/secrets', world.admin), {
      status: 404,
      body: { code: 'route.notFound' },
    })
  })
}

/** What is known at a moment is known in milliseconds. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now()
  while (Date.now() <= now) await new Promise(setImmediate)
}

async function growDistrict({ db, tree }: StockWorld, many: number): Promise<void> {
  const { path } = await db
    .selectFrom('facility')
    .select('path')
    .where('id', '=', tree.a.district)
    .executeTakeFirstOrThrow()
  const ids = Array.from({ length: many }, () => randomUUIDv7())
  const same = { version: 1, createdAt: 1, updatedAt: 1 }
  const facility = { level: 'facility', parentId: tree.a.district, timeZone: 'America/New_York' } as const
  const rows = ids.map((id) => ({ id, name: 'Post', path: `${path}${id}/`, code: null, population: null }))
  await db
    .insertInto('facility')
    .values(rows.map((row) => ({ ...row, ...facility, ...same })))
    .execute()
  const point = { name: 'Room', profile: null, capacityMl: null }
  const points = ids.map((facilityId) => ({ id: randomUUIDv7(), facilityId, ...point, ...same }))
  await db.insertInto('storagePoint').values(points).execute()
}

const rows = (of: Json) =>
  (of['items'] as unknown as Json[]).map(({ kind, opening, doses, closing }) =>
    [kind, opening, doses, closing].join(' '),
  )
