import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { test, type Test } from 'tap'
import { insertBreach, NOT_CLOSED } from '../../db/queries/breach.ts'
import { addsUp, checkEvents, documentOf, eventsOf } from './epcis-world.ts'
import { onBothDatabases, openStockWorld, plantLot } from './stock-world.ts'
import type { Json } from './world.ts'

const GTIN = '04012345678901'
const GLN = '4012345000009'
const LINK = `https://id.gs1.org/01/${GTIN}/10/E-1`
const HOUR_MS = 3_600_000

test('EPCIS', async (suite) => onBothDatabases(suite, epcisSuite))

const doses = (quantity: number) => [{ epcClass: LINK, quantity, uom: 'E27' }]

async function epcisSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openStockWorld(suite, databaseUrl)
  const { a, b } = world.tree
  const { db, admin } = world
  await db.updateTable('tradeItem').set({ gtin: GTIN }).where('id', '=', world.penta.tradeItem).execute()
  await db.updateTable('facility').set({ gln: GLN }).where('id', '=', a.facility).execute()
  const lot = await plantLot(db, world.penta, 'E-1')
  const recorded: string[] = []
  const record = async (kind: string, line: object, more: object = {}) => {
    const { status, body } = await world.post('/v1/stock-events', admin, {
      kind,
      facilityId: a.facility,
      lines: [{ storagePointId: a.storagePoint, lotId: lot, ...line }],
      ...more,
    })
    if (status !== 201) throw new Error(`${kind}: ${JSON.stringify(body)}`)
    recorded.push(String(body['id']))
    return body
  }
  const query = (search = '', token = admin) => world.get(`/v1/epcis/events?perPage=200&${search}`, token)
  const find = (id: string, token = admin) => world.get(`/v1/epcis/events/${encodeURIComponent(id)}`, token)

  await suite.test('what the ledger knows, in the words of EPCIS', async (t) => {
    const receipt = await record('receive', { doses: 1000 })
    await record('transfer', { doses: 100, toStoragePointId: world.secondPoint })
    await record('consume', { administered: 17, wasted: 3 })
    await record('wastage', { doses: 5, reasonCode: 'expired' })
    await record('count', { counted: 870 })
    await record('hold', { doses: 10, reasonCode: 'recall' })
    await record('vvm', { doses: 10, toVvmStage: 3 })
    await record('adjust', { doses: -1, reasonCode: 'found' })
    const child = await plantLot(db, world.penta, 'E-1-a', { parentLotId: lot })
    await record('repack', { doses: 20, toLotId: child })
    const answer = await query()
    t.equal(answer.status, 200)
    t.match(answer.body, {
      type: 'EPCISQueryDocument',
      schemaVersion: '2.0',
      '@context': [/epcis-context/, {}],
    })
    const events = eventsOf(answer)
    const place = { id: `https://id.gs1.org/414/${GLN}` }
    t.match(events[0], {
      type: 'ObjectEvent',
      eventID: `urn:uuid:${String(receipt['id'])}`,
      eventTime: receipt['occurredAt'],
      eventTimeZoneOffset: '+07:00',
      action: 'OBSERVE',
      bizStep: 'receiving',
      disposition: 'in_progress',
      readPoint: place,
      bizLocation: place,
      quantityList: [{ epcClass: LINK, quantity: 1000, uom: 'E27' }],
    })
    const seen = events.map((event) =>
      [
        event['bizStep'],
        event['action'],
        event['disposition'],
        event['quantityList']?.['0']?.['quantity'],
      ].join(' '),
    )
    t.same(seen.toSorted(), [
      'cycle_counting OBSERVE  849',
      'decommissioning DELETE damaged 3',
      'decommissioning DELETE expired 5',
      'dispensing OBSERVE dispensed 17',
      'holding OBSERVE recalled 10',
      'inspecting OBSERVE non_conformant 10',
      'receiving OBSERVE in_progress 1000',
      'repackaging  in_progress ',
      'stock_taking OBSERVE  870',
      'storing OBSERVE in_progress 100',
    ])
    const storing = events.find((event) => String(event['bizStep']) === 'storing')
    t.match(storing, {
      sourceList: [{ type: 'location', source: `urn:coldstream:storage-point:${a.storagePoint}` }],
      destinationList: [
        { type: 'location', destination: `urn:coldstream:storage-point:${world.secondPoint}` },
      ],
    })
    const recall = events.find((event) => String(event['bizStep']) === 'holding')
    t.match(recall, { persistentDisposition: { set: ['recalled'] } })
    t.match(
      events.find((event) => String(event['type']) === 'TransformationEvent'),
      {
        inputQuantityList: [{ epcClass: LINK, quantity: 20 }],
        outputQuantityList: [{ epcClass: `${LINK}-a` }],
      },
    )
    await checkEvents(t, world, events)
  })

  await suite.test('a reversal declares the original an error', async (t) => {
    const wasted = await record('wastage', { doses: 5, reasonCode: 'missing' })
    await world.post(`/v1/stock-events/${String(wasted['id'])}/reverse`, admin, {})
    const eventID = `urn:uuid:${String(wasted['id'])}`
    const [original, declared] = eventsOf(await find(eventID))
    t.match(original, { eventID, bizStep: 'decommissioning', disposition: 'unknown' })
    t.match(declared, { eventID, errorDeclaration: { reason: 'did_not_occur' } })
    t.notOk('errorDeclaration' in (original ?? {}))
    const errors = eventsOf(await query('EXISTS_errorDeclaration=true'))
    t.match(errors, [{ eventID, quantityList: [{ quantity: 5 }] }])
    t.equal(errors.length, 1)
  })

  await suite.test('questions', async (t) => {
    const count = async (search: string) => {
      const answer = await query(search)
      t.equal(answer.status, 200, JSON.stringify(answer.body))
      return eventsOf(answer).length
    }
    const all = await count('')
    t.equal(await count('EQ_bizStep=decommissioning'), 4)
    t.equal(await count('EQ_bizStep=decommissioning|receiving'), 5)
    t.equal(await count('EQ_action=DELETE'), 4)
    t.equal(await count('eventType=TransformationEvent'), 1)
    t.equal(await count('EQ_disposition=expired'), 1)
    t.equal(await count(`MATCH_epcClass=${encodeURIComponent(LINK)}`), all)
    t.equal(
      await count(`MATCH_epcClass=${encodeURIComponent('urn:epc:class:lgtin:4012345.067890.E-1')}`),
      all,
    )
    t.equal(await count(`MATCH_epcClass=${encodeURIComponent(`${LINK}-a`)}`), 1)
    t.equal(await count(`MATCH_epcClass=${encodeURIComponent(`https://id.gs1.org/01/${GTIN}/10/*`)}`), all)
    t.equal(await count(`EQ_bizLocation=${encodeURIComponent(`https://id.gs1.org/414/${GLN}`)}`), all)
    t.equal(await count(`EQ_bizLocation=urn:coldstream:facility:${a.facility}`), all)
    const sgln = `urn:epc:id:sgln:${GLN.slice(0, 7)}.${GLN.slice(7, 12)}.0`
    t.equal(await count(`EQ_bizLocation=${sgln}`), all)
    t.equal(await count(`EQ_bizLocation=urn:coldstream:facility:${b.facility}`), 0)
    t.equal(await count('EQ_readPoint=nonsense'), 0)
    t.equal(await count('GE_eventTime=2100-01-01T00:00:00Z'), 0)
    t.equal(await count('GE_recordTime=2020-01-01T00:00:00Z&LT_recordTime=2100-01-01T00:00:00Z'), all)
    t.equal(await count('EXISTS_sensorElement=true'), 0)
    const typed = await world.get('/v1/epcis/eventTypes/TransformationEvent/events', admin)
    t.equal(eventsOf(typed).length, 1)
    t.equal((await world.get('/v1/epcis/eventTypes/Other/events', admin)).status, 400)
    for (const wrong of [
      'EQ_unknown=1',
      'perPage=0',
      'perPage=201',
      'GE_eventTime=yesterday',
      'GE_value_KEL=3',
      'nextPageToken=abc',
      'EQ_action=%00',
    ])
      t.ok([200, 400].includes((await world.get(`/v1/epcis/events?${wrong}`, admin)).status), wrong)
    t.equal((await world.get('/v1/epcis/events?GE_value_KEL=3', admin)).status, 400)
    t.equal((await world.get('/v1/epcis/events?nextPageToken=abc', admin)).status, 400)
    const ld = await world.ask('GET', '/v1/epcis/events', {
      token: admin,
      headers: { accept: 'application/ld+json' },
    })
    t.match(ld.headers['content-type'], /^application\/ld\+json/)
  })

  await suite.test('pages have everything once', async (t) => {
    const whole = eventsOf(await query())
    for (const perPage of [1, 3]) {
      const paged: Json[] = []
      let url = `/v1/epcis/events?perPage=${perPage}`
      while (url !== '') {
        const answer = await world.get(url, admin)
        const events = eventsOf(answer)
        t.ok(events.length <= perPage)
        paged.push(...events)
        url = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1] ?? ''
      }
      t.same(paged, whole)
    }
  })

  await suite.test('a breach is an event of sensors and of lots', async (t) => {
    const startAt = Date.now() - 5 * HOUR_MS
    const endAt = Date.now() + HOUR_MS
    const breach = randomUUIDv7()
    const readings = [9.5, 12.5, 8.5].map((temperature, index) => ({
      deviceId: a.device,
      sensor: 'main',
      time: startAt + index * 60_000,
      values: { temperature },
    }))
    await world.series.write(readings as unknown as Parameters<typeof world.series.write>[0])
    await insertBreach(db, {
      id: breach,
      deviceId: a.device,
      sensor: 'main',
      ruleId: 'who-30dtr-high',
      equipmentId: a.equipment,
      facilityId: a.facility,
      state: 'ended',
      severity: 'critical',
      startAt,
      endAt,
      peak: 12.5,
      peakAt: startAt + 60_000,
      lastAt: startAt + 120_000,
      readings: 3,
      acknowledgedAt: null,
      ...NOT_CLOSED,
      outageId: null,
      cause: null,
      recordedAt: Date.now(),
      updatedAt: Date.now(),
    })
    const [event] = eventsOf(await query('EXISTS_sensorElement=true'))
    t.match(event, {
      eventID: `urn:uuid:${breach}`,
      action: 'OBSERVE',
      bizStep: 'sensor_reporting',
      disposition: 'non_conformant',
      quantityList: [{ epcClass: LINK, quantity: Number, uom: 'E27' }],
      sensorElementList: [
        {
          sensorMetadata: { deviceID: `urn:coldstream:device:${a.device}` },
          sensorReport: [
            {
              type: 'Temperature',
              exception: 'ALARM_CONDITION',
              minValue: 8.5,
              maxValue: 12.5,
              meanValue: 10.17,
              uom: 'CEL',
            },
            { value: 12.5, uom: 'CEL' },
          ],
        },
      ],
    })
    t.equal(eventsOf(await query('GE_value_CEL=12')).length, 1)
    t.equal(eventsOf(await query('GT_maxValue_CEL=12.5')).length, 0)
    t.equal(eventsOf(await find(`urn:uuid:${breach}`)).length, 1)
    await checkEvents(t, world, [event])
  })

  const send = (events: unknown[], more: { token?: string; headers?: Record<string, string> } = {}) =>
    world.ask('POST', '/v1/epcis/capture', {
      token: more.token ?? admin,
      headers: { 'content-type': 'application/ld+json', ...more.headers },
      body: documentOf(events),
    })
  const receiving = (more: object = {}) => ({
    type: 'ObjectEvent',
    action: 'OBSERVE',
    bizStep: 'receiving',
    eventTime: '2026-01-02T10:00:00.000+07:00',
    eventTimeZoneOffset: '+07:00',
    eventID: `urn:uuid:${randomUUID()}`,
    bizLocation: { id: `https://id.gs1.org/414/${GLN}` },
    destinationList: [{ type: 'location', destination: `urn:coldstream:storage-point:${world.secondPoint}` }],
    quantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.067890.E-1', quantity: 2 }],
    ...more,
  })
  const resultOf = async (event: object, token = admin) => {
    const { body } = await send([event], { token })
    const { result, stockEventId } = (body['events'] as unknown as Record<string, unknown>[])[0] ?? {}
    const code = (body['errors'] as unknown as { code: string }[])[0]?.code
    return { result, stockEventId, code }
  }

  await suite.test('a receipt that others tell us of is in the ledger, once', async (t) => {
    const event = receiving()
    const answer = await send([event])
    t.equal(answer.status, 202)
    t.match(answer.headers, {
      'gs1-capture-error-behaviour': 'proceed',
      location: /^\/v1\/epcis\/capture\/[0-9a-f-]{36}$/,
    })
    t.match(answer.body, {
      success: true,
      errors: [],
      events: [{ result: 'recorded', eventID: event.eventID }],
    })
    t.same((await world.get(String(answer.headers['location']), admin)).body, answer.body)
    const stockEventId = answer.body['events']?.['0']?.['stockEventId']
    const { body } = await world.get(`/v1/stock-events/${String(stockEventId)}`, admin)
    // Two packs of 500.
    t.match(body, {
      kind: 'receive',
      occurredAt: '2026-01-02T03:00:00.000Z',
      entries: [{}, { doses: 1000, account: { id: world.secondPoint } }],
    })
    t.match(await resultOf(event), { result: 'known', stockEventId })
    t.match(await resultOf(receiving({ eventID: event.eventID, quantityList: [] })), {
      code: 'epcis.invalidEvent',
    })
    t.match(await resultOf({ ...event, eventTime: '2026-01-03T10:00:00Z' }), {
      result: 'refused',
      code: 'epcis.eventIdTaken',
    })
    const found = eventsOf(await query(`EQ_eventID=${event.eventID}`))
    t.match(
      found,
      [{ eventID: event.eventID, quantityList: [{ quantity: 2 }] }],
      'it is given as it was sent',
    )
    t.equal(found.length, 1)
    const nameless = { ...receiving(), eventID: undefined }
    t.match(await resultOf(nameless), { result: 'recorded' })
    t.match(await resultOf(nameless), { result: 'known' })
    const many = await Promise.all(
      Array.from({ length: 5 }, () => resultOf(receiving({ eventID: 'urn:x:same' }))),
    )
    t.equal(many.filter(({ result }) => result === 'recorded').length, 1, 'also when five come at once')
    await addsUp(t, world)
  })

  await suite.test('other steps, and taking one back', async (t) => {
    const step = (bizStep: string, disposition: string, quantity: number, action = 'OBSERVE') =>
      resultOf(
        receiving({
          bizStep,
          disposition,
          action,
          quantityList: doses(quantity),
          eventTime: new Date().toISOString(),
        }),
      )
    t.match(await step('dispensing', 'dispensed', 7), { result: 'recorded' })
    t.match(await step('decommissioning', 'damaged', 7, 'DELETE'), { result: 'recorded' })
    t.match(await step('destroying', 'destroyed', 7, 'DELETE'), { result: 'recorded' })
    t.match(await step('decommissioning', 'active', 7, 'DELETE'), {
      result: 'kept',
      code: 'stock.reasonRequired',
    })
    t.match(await step('dispensing', 'dispensed', 1_000_000), { result: 'kept', code: 'stock.insufficient' })
    const event = receiving({ eventTime: new Date().toISOString() })
    const before = await resultOf(event)
    const declared = {
      ...event,
      errorDeclaration: { declarationTime: new Date().toISOString(), reason: 'did_not_occur' },
    }
    const reversed = await resultOf(declared)
    t.match(reversed, { result: 'recorded' })
    const { body } = await world.get(`/v1/stock-events/${String(reversed.stockEventId)}`, admin)
    t.match(body, { kind: 'reversal', reversesEventId: before.stockEventId })
    t.match(await resultOf(declared), { result: 'known' })
    t.equal(eventsOf(await find(event.eventID)).length, 2)
    const other = receiving({ eventTime: new Date().toISOString() })
    const { stockEventId } = await resultOf(other)
    await world.post(`/v1/stock-events/${String(stockEventId)}/reverse`, admin, {})
    const [, declaration] = eventsOf(await find(other.eventID))
    t.match(declaration, { eventID: other.eventID, errorDeclaration: { reason: 'did_not_occur' } })
    await addsUp(t, world)
  })

  await suite.test('what is ours and comes back is not recorded again', async (t) => {
    const before = await db.selectFrom('stockEvent').select('id').execute()
    for (const event of eventsOf(await query('EXISTS_errorDeclaration=false')).slice(0, 5)) {
      const { recordTime: _, ...own } = event
      t.match(await resultOf(own), { result: 'known' })
    }
    t.equal((await db.selectFrom('stockEvent').select('id').execute()).length, before.length)
  })

  await suite.test('what the ledger cannot take is kept, and changes no stock', async (t) => {
    const stock = () => db.selectFrom('stockEntry').select('eventId').execute()
    const before = await stock()
    const unknownLot = receiving({
      quantityList: [{ epcClass: `https://x.example/01/${GTIN}/10/LATER`, quantity: 10, uom: 'E27' }],
    })
    for (const [event, code] of [
      [unknownLot, 'stock.unknownLot'],
      [receiving({ quantityList: [{ epcClass: LINK, quantity: 1.5, uom: 'E27' }] }), 'epcis.badQuantity'],
      [receiving({ quantityList: [{ epcClass: LINK, quantity: -1 }] }), 'epcis.badQuantity'],
      [receiving({ quantityList: [{ epcClass: LINK, quantity: 1, uom: 'KGM' }] }), 'epcis.badQuantity'],
      [receiving({ quantityList: [{ epcClass: LINK, quantity: 1e300 }] }), 'epcis.badQuantity'],
      [
        receiving({
          quantityList: [
            { epcClass: LINK, quantity: 1 },
            { epcClass: 'urn:x:y', quantity: 1 },
          ],
        }),
        'stock.unknownLot',
      ],
      [receiving({ bizLocation: { id: 'https://id.gs1.org/414/4012345000016' } }), 'epcis.unknownPlace'],
      [receiving({ destinationList: [] }), 'epcis.whichPoint'],
      [receiving({ eventTime: '2100-01-01T00:00:00Z' }), 'stock.inFuture'],
      [receiving({ bizStep: 'shipping' }), 'epcis.notForLedger'],
      [receiving({ epcList: ['urn:epc:id:sgtin:4012345.067890.1'] }), 'epcis.notForLedger'],
      [
        receiving({ errorDeclaration: { declarationTime: '2026-01-01T00:00:00Z', reason: 'did_not_occur' } }),
        'resource.notFound',
      ],
    ] as const)
      t.match(await resultOf(event), { result: 'kept', code, stockEventId: null }, code)
    t.same(await stock(), before)
    await plantLot(db, world.penta, 'LATER')
    t.match(await resultOf(unknownLot), { result: 'recorded' }, 'and can be sent again')
    await addsUp(t, world)
  })

  await suite.test('what breaks the rules of EPCIS is refused, each event by itself', async (t) => {
    const sensor = (metadata: object, report: object) => ({
      ...receiving({ bizStep: 'sensor_reporting', quantityList: undefined }),
      readPoint: { id: 'urn:x:y' },
      sensorElementList: [{ sensorMetadata: metadata, sensorReport: [{ type: 'Temperature', ...report }] }],
    })
    const { eventTime: _, ...timeless } = receiving()
    const wrong = [
      null,
      1,
      [],
      {},
      { type: 'NoEvent' },
      timeless,
      receiving({ eventTime: 'yesterday' }),
      receiving({ eventTimeZoneOffset: '+15:00' }),
      receiving({ eventTimeZoneOffset: 'Z' }),
      receiving({ action: 'observe' }),
      receiving({ action: undefined }),
      receiving({ bizStep: 'stealing' }),
      receiving({ disposition: 'urn:epcglobal:cbv:disp:active' }),
      receiving({ surprise: 1 }),
      receiving({ quantityList: undefined }),
      receiving({ ilmd: {} }),
      receiving({ quantityList: [{ epcClass: LINK, quantity: '1' }] }),
      receiving({ eventID: 'no uri' }),
      receiving({ persistentDisposition: {} }),
      receiving({ errorDeclaration: {} }),
      sensor({ deviceID: 'urn:x:1' }, { deviceID: 'urn:x:1' }),
      sensor({}, { exception: 'PANIC' }),
      sensor({}, { value: '8' }),
      { ...sensor({}, {}), readPoint: undefined },
      { ...receiving(), type: 'AssociationEvent' },
      { ...receiving(), type: 'TransformationEvent' },
    ]
    const right = [
      sensor({ deviceID: 'urn:x:1' }, { value: 8, uom: 'CEL' }),
      receiving({ 'example:note': 'anything', bizStep: 'https://example.org/step' }),
    ]
    const { status, body } = await send([...wrong, ...right])
    t.equal(status, 202)
    const results = (body['events'] as unknown as { result: string }[]).map(({ result }) => result)
    t.same(results, [...wrong.map(() => 'refused'), 'kept', 'kept'])
    const codes = (body['errors'] as unknown as { code: string }[]).map(({ code }) => code)
    t.ok(codes.slice(0, wrong.length).every((code) => code === 'epcis.invalidEvent'))
    t.match(await send([]), { status: 400, body: { code: 'request.invalid' } })
    t.match(await send(Array.from({ length: 501 }, () => ({}))), { status: 400 })
    t.match(await send([receiving()], { headers: { 'gs1-capture-error-behaviour': 'rollback' } }), {
      status: 501,
      body: { code: 'epcis.rollbackUnsupported' },
    })
    t.match(await send([receiving()], { headers: { 'content-type': 'text/xml' } }), { status: 415 })
  })

  await suite.test('twice is once', async (t) => {
    const headers = { 'idempotency-key': 'epcis-1' }
    const events = [receiving()]
    const first = await send(events, { headers })
    const second = await send(events, { headers })
    t.same(second.body, first.body)
    t.equal(second.headers['idempotency-replayed'], 'true')
    t.equal(second.headers['location'], first.headers['location'])
  })

  await suite.test('another part of the tree is not there', async (t) => {
    const token = await world.person('b-operator', 'operator', b.facility)
    t.same(eventsOf(await query('', token)), [])
    t.same(
      eventsOf(await query(`EQ_bizLocation=${encodeURIComponent(`https://id.gs1.org/414/${GLN}`)}`, token)),
      [],
    )
    for (const { eventID } of eventsOf(await query()).slice(0, 30))
      t.equal((await find(String(eventID), token)).status, 404)
    t.match(await resultOf(receiving(), token), { result: 'kept', code: 'epcis.unknownPlace' })
    const theirs = await send([receiving()])
    t.equal((await world.get(String(theirs.headers['location']), token)).status, 404)
    const own = await send([receiving()], { token })
    t.equal((await world.get(String(own.headers['location']), token)).status, 200)
    t.equal(eventsOf(await query('', token)).length, 2, 'what they sent is kept with them')
    const foreign = recorded[0] ?? ''
    t.match(await resultOf(receiving({ eventID: `urn:uuid:${foreign}` }), token), {
      code: 'epcis.unknownPlace',
    })
    await addsUp(t, world)
  })
}
