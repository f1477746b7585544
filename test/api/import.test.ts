import { test, type Test } from 'tap'
import { onBothDatabases } from './stock-world.ts'
import { openWorld, plantTree, type Answer, type World } from './world.ts'

test('CSV files', async (suite) => onBothDatabases(suite, fileSuite))

const KINDS = [
  'facilities',
  'storage-points',
  'manufacturers',
  'items',
  'trade-items',
  'lots',
  'stock-levels',
  'activities',
  'reasons',
]
// A name that a spreadsheet would run, one that reads as guarded, and all that CSV has to quote.
const FORMULA = '=HYPERLINK("http://x",1)'
const GUARDED = `'=1+1`

const FILES: Record<string, string> = {
  facilities: `code,name,level,parentCode,timeZone,population,latitude,longitude
F1,"Clinic, ""One""",facility,D1,Asia/Jakarta,1000,-6.9147,107.6098
D1,${GUARDED},district,C1,Asia/Jakarta,,,
C1,-Country,country,,Asia/Jakarta,,,
`,
  'storage-points': 'facilityCode,name,profile,capacityLitres\nF1,@Room,who-30dtr,0.001\nF1,Other,,\n',
  manufacturers: `name\n"${FORMULA.replaceAll('"', '""')}"\nBio Farma\n`,
  items: `code,name,kind,cvx,atc,dosesPerVial,vvmType,freezeSensitive,profile,mm3PerDose,archived
penta,+Penta,vaccine,102,J07CA11,5,VVM14,TRUE,who-30dtr,2612,false
ad05,Syringe,syringe,,,1,,,,30000,true
`,
  'trade-items': `itemCode,manufacturer,name,gtin,dosesPerPack
penta,Bio Farma,Pentabio,4012345678901,50
penta,"${FORMULA.replaceAll('"', '""')}",No GTIN,,10
`,
  lots: `itemCode,manufacturer,tradeItem,gtin,code,expiresOn,manufacturedOn,parentCode
,,,4012345678901,-L1,2028-02-29,2026-01-01,
penta,"${FORMULA.replaceAll('"', '""')}",No GTIN,,=L1/A,2028-02-29,,-L1
`,
  'stock-levels': 'facilityCode,itemCode,mode,minDoses,maxDoses\nF1,penta,computed,50,200\n',
  activities: 'code,name\nroutine,Routine\n',
  reasons: 'code,name,kind\nlost,Lost on the way,adjustment\n',
}

async function fileSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openWorld(suite, { databaseUrl })
  const { admin } = world
  const tree = await plantTree(world)

  await suite.test('a dry run says what an import does, and does nothing', async (t) => {
    const before = await rowsOf(world)
    const body = FILES['facilities'] ?? ''
    t.match(await send(world, 'facilities', body, { dryRun: true }), {
      status: 200,
      body: { dryRun: true, rows: 3, created: 3, failed: 0, errors: [] },
    })
    t.same(await rowsOf(world), before)
  })

  await suite.test('every kind is imported once, and again without a change', async (t) => {
    for (const kind of KINDS) {
      const body = FILES[kind] ?? ''
      const rows = kind === 'facilities' ? 3 : body.trim().split('\n').length - 1
      t.match((await send(world, kind, body)).body, { rows, created: rows, failed: 0, errors: [] }, kind)
      const after = await rowsOf(world)
      t.match((await send(world, kind, body)).body, { rows, unchanged: rows, created: 0, updated: 0 }, kind)
      t.same(await rowsOf(world), after, kind)
    }
  })

  await suite.test('what is exported is guarded, and imported again unchanged', async (t) => {
    for (const kind of KINDS) {
      const file = await receive(world, kind, admin)
      t.match(file.headers, { 'content-type': 'text/csv; charset=utf-8' })
      t.ok(file.text.startsWith('\uFEFF') && file.text.endsWith('\r\n'), kind)
      t.notMatch(file.text, /(^|,|")[=+@\t-]/m, `${kind} has no cell that a spreadsheet runs`)
      const before = await rowsOf(world)
      const { body } = await send(world, kind, file.text)
      t.match(body, { created: 0, updated: 0, failed: 0, errors: [] }, kind)
      t.ok(Number(body['unchanged']) > 0 && body['unchanged'] === body['rows'], kind)
      t.same(await rowsOf(world), before, kind)
      t.equal((await receive(world, kind, admin)).text, file.text, kind)
    }
    const names = await world.db.selectFrom('manufacturer').select('name').execute()
    t.same(names.map(({ name }) => name).toSorted(), ['Bio Farma', FORMULA].toSorted())
    t.match((await world.get('/v1/facilities?code=D1', admin)).body, { items: [{ name: '=1+1' }] })
  })

  await suite.test('a row that is wrong is said to be, and the others are saved', async (t) => {
    const body = [
      'code,name,kind,dosesPerVial,mm3PerDose,cvx,vvmType',
      'bcg,BCG,vaccine,20,1000,19,VVM30',
      'bad code,X,vaccine,20,1000,,',
      '',
      'x1,X,vaccine,many,1000,,',
      'x2,X,medicine,1,1000,,',
      'x3,X,diluent,1,1000,19,',
      'x4,X',
      'x5,,vaccine,1,1000,,',
      'opv,OPV,vaccine,20,1000,02,VVM2',
      'bcg,BCG,vaccine,10,1000,19,VVM30',
      '',
    ].join('\r\n')
    for (const dryRun of [true, false]) {
      const { body: report } = await send(world, 'items', body, { dryRun })
      t.match(report, { rows: 9, created: 2, updated: 1, unchanged: 0, failed: 6 })
      t.same(
        (report['errors'] as unknown as Record<string, unknown>[]).map(({ row, column, code }) => [
          row,
          column,
          code,
        ]),
        [
          [3, 'code', 'request.invalid'],
          [5, 'dosesPerVial', 'request.invalid'],
          [6, 'kind', 'request.invalid'],
          [7, 'cvx', 'request.invalid'],
          [8, null, 'request.malformed'],
          [9, 'name', 'request.invalid'],
        ],
      )
    }
  })

  await suite.test('a file may name some columns only: the others stay', async (t) => {
    t.match((await send(world, 'items', 'code;name\npenta;Pentavalent\n')).body, { updated: 1 })
    t.match((await world.get('/v1/items?code=penta', admin)).body, {
      items: [{ name: 'Pentavalent', cvx: '102', dosesPerVial: 5, version: 2 }],
    })
    const fixed = await send(world, 'reasons', 'code,kind\nlost,hold\n')
    const cells = { code: 'lost', kind: 'hold' }
    t.match(fixed.body, { failed: 1, errors: [{ row: 2, column: 'kind', code: 'request.invalid', cells }] })
    t.match((await send(world, 'lots', 'gtin,code,expiresOn\n1,L,2028-01-01\n')).body, {
      errors: [{ column: 'tradeItem', code: 'resource.notFound' }],
    })
  })

  await suite.test('what is no such file is refused as a whole', async (t) => {
    const bad: [string | Buffer, number, string][] = [
      ['', 400, 'request.invalid'],
      ['name\nX', 400, 'request.invalid'],
      ['code,nmae\nX,Y', 400, 'request.invalid'],
      ['code,code\nX,Y', 400, 'request.invalid'],
      ['code,name\nX,"Y', 400, 'request.malformed'],
      [Buffer.from('code,name\nX,caf\xe9', 'latin1'), 400, 'request.malformed'],
      [`code,name\n${'x,y\n'.repeat(10_001)}`, 413, 'request.tooLarge'],
      [`code,name\nx,${'y'.repeat(4_194_304)}`, 413, 'request.tooLarge'],
    ]
    const before = await rowsOf(world)
    for (const [body, status, code] of bad)
      t.match(await send(world, 'items', body), { status, body: { code } }, code)
    t.match(await world.post('/v1/imports/items', admin, {}), { status: 415 })
    t.match(await send(world, 'users', 'code\nX'), { status: 400, body: { code: 'request.invalid' } })
    t.same(await rowsOf(world), before)
  })

  await suite.test('a manager brings in and takes out what is theirs', async (t) => {
    await world.patch(`/v1/facilities/${tree.b.facility}`, admin, { code: 'B1' })
    await send(world, 'stock-levels', 'facilityCode,itemCode,maxDoses\nB1,penta,10')
    const manager = await world.person('manager-a', 'manager', tree.a.district)
    const before = await rowsOf(world)
    const theirs: [string, string, string][] = [
      ['facilities', 'code,name\nB1,Mine', 'name'],
      ['facilities', 'code,name,level,parentCode,timeZone\nN1,Mine,facility,B1,UTC', 'parentCode'],
      ['storage-points', 'facilityCode,name,capacityLitres\nB1,Vaccine room,5', 'facilityCode'],
      ['stock-levels', 'facilityCode,itemCode,maxDoses\nB1,penta,5', 'facilityCode'],
      [`stock-levels`, `facilityCode,itemCode,maxDoses\n${tree.b.district},penta,5`, 'facilityCode'],
    ]
    for (const [kind, body] of theirs)
      t.match((await send(world, kind, body, { token: manager })).body, { created: 0, updated: 0, failed: 1 })
    for (const kind of ['items', 'manufacturers', 'trade-items', 'activities', 'reasons'])
      t.match(await send(world, kind, FILES[kind] ?? '', { token: manager }), { status: 403 }, kind)
    const changed = 'gtin,code,expiresOn\n4012345678901,-L1,2029-01-01\n'
    t.match((await send(world, 'lots', changed, { token: manager })).body, {
      errors: [{ row: 2, code: 'auth.forbidden' }],
    })
    t.same(await rowsOf(world), before)
    for (const kind of ['facilities', 'storage-points', 'stock-levels']) {
      const { text } = await receive(world, kind, manager)
      t.notMatch(text, /B1|Clinic B|F1/, kind)
      t.match((await send(world, kind, text, { token: manager })).body, { failed: 0, updated: 0, created: 0 })
    }
    t.same(await rowsOf(world), before)
    const viewer = await world.person('viewer-a', 'viewer', tree.a.district)
    t.match(await send(world, 'facilities', 'code,name\nN1,N', { token: viewer }), { status: 403 })
  })

  await suite.test('an import under a key is done once', async (t) => {
    const first = await send(world, 'manufacturers', 'name\nOnce\n', { key: 'once' })
    t.match(first.body, { created: 1 })
    t.match(await send(world, 'manufacturers', 'name\nOnce\n', { key: 'once' }), {
      headers: { 'idempotency-replayed': 'true' },
      body: { created: 1 },
    })
    t.match(await send(world, 'manufacturers', 'name\nTwice\n', { key: 'once' }), { status: 422 })
  })
}

interface Sending {
  readonly dryRun?: boolean
  readonly token?: string
  readonly key?: string
}

async function send(
  world: World,
  kind: string,
  body: string | Buffer,
  { dryRun, token = world.admin, key }: Sending = {},
): Promise<Answer> {
  const {
    statusCode,
    headers,
    body: text,
  } = await world.app.inject({
    method: 'POST',
    url: `/v1/imports/${kind}${dryRun ? '?dryRun=true' : ''}`,
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      authorization: `Bearer ${token}`,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    payload: body,
  })
  return { status: statusCode, headers, body: JSON.parse(text) as Answer['body'] }
}

async function receive(world: World, kind: string, token: string) {
  const { headers, body } = await world.app.inject({
    url: `/v1/exports/${kind}`,
    headers: { authorization: `Bearer ${token}` },
  })
  return { headers, text: body }
}

async function rowsOf(world: World): Promise<unknown[]> {
  const tables = [
    'facility',
    'storagePoint',
    'manufacturer',
    'item',
    'tradeItem',
    'lot',
    'stockLevel',
    'activity',
    'reason',
    'audit',
    'change',
  ] as const
  const rows: unknown[] = []
  for (const table of tables)
    rows.push(
      ...(
        await world.db
          .selectFrom(table as 'audit')
          .selectAll()
          .execute()
      ).map((row) => ({ ...row })),
    )
  return rows
}
