import { test } from 'tap'
import { mayCall } from '../../domain/permissions.ts'
import { ROLES } from '../../domain/role.ts'
import { documentOf, eventsOf } from './epcis-world.ts'
import { openStockWorld } from './stock-world.ts'

test('codes and EPCIS with every role', async (suite) => {
  const world = await openStockWorld(suite, 'sqlite::memory:')
  const { a, b } = world.tree
  await world.db
    .updateTable('tradeItem')
    .set({ gtin: '04012345678901' })
    .where('id', '=', world.penta.tradeItem)
    .execute()
  const { body: theirs } = await world.post('/v1/stock-events', world.admin, {
    kind: 'receive',
    facilityId: b.facility,
    lines: [{ storagePointId: b.storagePoint, lotId: world.penta.lot, doses: 10 }],
  })
  const eventUrl = `/v1/epcis/events/urn:uuid:${String(theirs['id'])}`
  const dispensing = documentOf([
    {
      type: 'ObjectEvent',
      action: 'OBSERVE',
      bizStep: 'dispensing',
      eventTime: new Date().toISOString(),
      eventTimeZoneOffset: '+00:00',
      eventID: 'urn:x:1',
      bizLocation: { id: `urn:coldstream:facility:${b.facility}` },
      quantityList: [{ epcClass: `urn:coldstream:lot:${world.penta.lot}`, quantity: 1, uom: 'E27' }],
    },
  ])
  const stock = () => world.db.selectFrom('stockEntry').select('eventId').execute()
  const captured = await world.post('/v1/epcis/capture', world.admin, documentOf([null]))
  const captureUrl = String(captured.headers['location'])
  const label = `/v1/lots/${world.penta.lot}/label`

  for (const role of ROLES.filter((one) => one !== 'administrator'))
    await suite.test(role, async (t) => {
      const token = await world.person(`codes-${role}`, role, a.district)
      const before = await stock()
      t.equal((await world.get(label, token)).status, 200, "lots are everybody's")
      t.equal((await world.post('/v1/scan', token, { code: '(00)340123451234567895' })).status, 200)
      const there = { code: '(00)340123451234567895', facilityId: b.facility }
      t.equal((await world.post('/v1/scan', token, there)).status, 404)
      const elements = [{ ai: '00', value: '340123451234567895' }]
      t.equal((await world.post('/v1/labels', token, { elements })).status, 200)
      t.equal((await world.get(eventUrl, token)).status, 404)
      t.equal((await world.get(captureUrl, token)).status, 404)
      for (const url of ['/v1/epcis/events', '/v1/epcis/eventTypes/ObjectEvent/events'])
        t.notMatch(JSON.stringify(eventsOf(await world.get(url, token))), new RegExp(String(theirs['id'])))
      const { status, body } = await world.post('/v1/epcis/capture', token, dispensing)
      if (mayCall(role, 'captureEpcis'))
        t.match({ status, body }, { status: 202, body: { success: false, events: [{ stockEventId: null }] } })
      else t.match({ status, body }, { status: 403, body: { code: 'auth.forbidden' } })
      t.same(await stock(), before)
    })

  await suite.test('administrators reach everything; nobody else gets in', async (t) => {
    for (const url of [
      label,
      eventUrl,
      captureUrl,
      '/v1/epcis/events',
      '/v1/epcis/eventTypes/ObjectEvent/events',
    ]) {
      t.equal((await world.get(url, world.admin)).status, 200, url)
      t.equal((await world.get(url)).status, 401, url)
    }
  })
})
