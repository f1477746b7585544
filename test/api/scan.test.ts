import { test, type Test } from 'tap'
import { onBothDatabases, openStockWorld, plantLot } from './stock-world.ts'

const GTIN = '04012345678901'
const GS = '\u001d'

test('scanning', async (suite) => onBothDatabases(suite, scanSuite))

async function scanSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openStockWorld(suite, databaseUrl)
  const { a, b } = world.tree
  await world.db
    .updateTable('tradeItem')
    .set({ gtin: GTIN })
    .where('id', '=', world.penta.tradeItem)
    .execute()
  const lot = await plantLot(world.db, world.penta, 'AB/12', {
    expiresOn: '2099-02-28',
    manufacturedOn: '2024-01-15',
  })
  const scan = async (code: string, more: object = {}, token = world.admin) =>
    world.post('/v1/scan', token, { code, ...more })

  await suite.test('what a code is about', async (t) => {
    const { status, body } = await scan(`]d201${GTIN}1799020010AB/12${GS}21X1`)
    t.equal(status, 200)
    t.match(body, {
      elements: [
        { ai: '01', title: 'GTIN', value: GTIN },
        { ai: '17', title: 'USE BY', value: '990200' },
        { ai: '10', title: 'BATCH/LOT', value: 'AB/12' },
        { ai: '21', title: 'SERIAL', value: 'X1' },
      ],
      tradeItem: { id: world.penta.tradeItem, itemId: world.penta.item, gtin: GTIN },
      lot: { id: lot, code: 'AB/12' },
      onHand: null,
      unknown: [],
      newLot: null,
    })
  })

  await suite.test('what of it is here', async (t) => {
    const record = (kind: string, line: object) =>
      world.post('/v1/stock-events', world.admin, {
        kind,
        facilityId: a.facility,
        lines: [{ storagePointId: a.storagePoint, lotId: lot, ...line }],
      })
    await record('receive', { doses: 50 })
    t.same((await scan(`(01)${GTIN}(10)AB/12`, { facilityId: a.facility })).body['warnings'], [])
    await record('hold', { doses: 20, reasonCode: 'quality' })
    const { body } = await scan(`https://id.gs1.org/01/${GTIN}/10/AB%2F12`, { facilityId: a.facility })
    t.match(body, {
      onHand: [
        { doses: 30, held: false },
        { doses: 20, held: true },
      ],
      warnings: [{ code: 'held' }],
    })
    t.same((await scan(`(01)${GTIN}(10)AB/12`, { facilityId: b.facility })).body['onHand'], [])
    const foreign = await world.person('a-viewer', 'viewer', a.facility)
    const asked = await scan(`(01)${GTIN}(10)AB/12`, { facilityId: b.facility }, foreign)
    t.match(asked, { status: 404, body: { code: 'resource.notFound' } })
  })

  await suite.test('what is not known', async (t) => {
    const code = `01${GTIN}1124011517400131`
    const { body } = await scan(`${code}10NEW`)
    t.match(body, {
      lot: null,
      unknown: ['lot'],
      newLot: {
        tradeItemId: world.penta.tradeItem,
        code: 'NEW',
        expiresOn: '2040-01-31',
        manufacturedOn: '2024-01-15',
      },
    })
    t.match((await scan(`(01)${GTIN}(10)ab/12`)).body, { lot: null }, 'codes of lots mind their case')
    const other = await scan('(01)09521234543213(10)X')
    t.match(other.body, { tradeItem: null, lot: null, unknown: ['tradeItem', 'lot'], newLot: null })
    t.match((await scan('(00)340123451234567895')).body, {
      read: { sscc: '340123451234567895' },
      unknown: [],
    })
  })

  await suite.test('warnings', async (t) => {
    const warnings = async (code: string) =>
      ((await scan(code)).body['warnings'] as unknown as { code: string }[]).map((one) => one.code)
    t.same(await warnings(`(01)${GTIN}(17)200131(10)AB/12`), ['expired', 'expiryDiffers'])
    t.same(await warnings(`(01)${GTIN}(11)240116(10)AB/12`), ['madeDiffers'])
    t.same(await warnings('(10)AB/12'), ['companionMissing'])
    const swallowed = await scan(`01${GTIN}10AB/1217400131`)
    t.match(swallowed.body, {
      warnings: [{ code: 'separatorMayBeMissing' }],
      otherReading: [{ ai: '01' }, { ai: '10', value: 'AB/12' }, { ai: '17', value: '400131' }],
      newLot: null,
    })
    await world.db
      .updateTable('lot')
      .set({ recalledAt: 5, recallReason: 'glass' })
      .where('id', '=', lot)
      .execute()
    t.same(await warnings(`(01)${GTIN}(10)AB/12`), ['recalled'])
  })

  await suite.test('what cannot be read', async (t) => {
    for (const [code, expected] of [
      ['', 'scan.empty'],
      ['0104012345678902', 'scan.badCheckDigit'],
      [`01${GTIN}17271301`, 'scan.badDate'],
      ["'; drop table lot; --", 'scan.unknownAi'],
      [`01${GTIN}10${'A'.repeat(21)}`, 'scan.separatorMissing'],
    ] as const)
      t.match(await scan(code), { status: 422, body: { code: expected } })
    t.match(await scan('1'.repeat(9000)), { status: 400, body: { code: 'request.invalid' } })
  })

  await suite.test('labels', async (t) => {
    const label = await world.get(`/v1/lots/${lot}/label`, world.admin)
    t.same(label.body, {
      elementString: `01${GTIN}112401151799022810AB/12`,
      text: `(01)${GTIN}(11)240115(17)990228(10)AB/12`,
      digitalLink: `https://id.gs1.org/01/${GTIN}/10/AB%2F12?11=240115&17=990228`,
    })
    for (const code of Object.values(label.body))
      t.match((await scan(String(code))).body, { lot: { id: lot } })
    t.match(await world.get(`/v1/lots/${world.syringe.lot}/label`, world.admin), {
      status: 422,
      body: { code: 'scan.noGtin' },
    })
    t.equal((await world.get(`/v1/lots/${a.facility}/label`, world.admin)).status, 404)
    const build = (...elements: object[]) => world.post('/v1/labels', world.admin, { elements })
    t.same((await build({ ai: '00', value: '340123451234567895' })).body, {
      elementString: '00340123451234567895',
      text: '(00)340123451234567895',
      digitalLink: 'https://id.gs1.org/00/340123451234567895',
    })
    t.match((await build({ ai: '400', value: 'x' })).body, { elementString: '400x', digitalLink: null })
    t.match((await build({ ai: '10', value: 'x' })).body, { code: 'scan.companionMissing' })
    t.match((await build({ ai: '00', value: '340123451234567890' })).body, { code: 'scan.badCheckDigit' })
  })
}
