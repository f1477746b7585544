import { test } from 'tap'
import {
  eventOfExcursion,
  eventsOfStock,
  lotsDuring,
  type EpcisFacts,
  type StockFact,
} from '../../domain/epcis.ts'
import { kindsOf, matches } from '../../domain/epcis-filter.ts'
import { eventName, lotName, parseEventName, parseLotName, parsePlaceName } from '../../domain/epcis-name.ts'
import type { NumberedLeg } from '../../domain/ledger.ts'
import { EVENT_KINDS } from '../../domain/stock-event.ts'
import type { AccountKind } from '../../domain/stock.ts'
import { offsetIn } from '../../api/time.ts'

const FACTS: EpcisFacts = {
  glns: new Map([
    ['here', '4012345000009'],
    ['there', null],
  ]),
  lots: new Map([
    ['lot', { epcClass: 'urn:coldstream:lot:lot', uom: 'E27' }],
    ['child', { epcClass: 'urn:coldstream:lot:child', uom: 'E27' }],
  ]),
  offset: (_facility, at) => offsetIn('Europe/Berlin', at),
}

function leg(kind: AccountKind, doses: number, more: Partial<NumberedLeg> = {}): NumberedLeg {
  const account = { kind, id: kind, facilityId: 'here' }
  const line = { account, itemId: 'item', lotId: 'lot', vvmStage: 1 as const, held: false, doses }
  return { ...line, opening: 0, closing: doses, version: 1, ...more }
}

function fact(kind: StockFact['kind'], legs: NumberedLeg[], more: Partial<StockFact> = {}): StockFact {
  return {
    id: '0190a000-0000-7000-8000-000000000001',
    kind,
    facilityId: 'here',
    otherFacilityId: null,
    occurredAt: Date.UTC(2026, 6, 1),
    recordedAt: Date.UTC(2026, 6, 2),
    reasonCode: null,
    orderId: null,
    shipmentId: null,
    legs,
    ...more,
  }
}

test('each kind of stock event has its step', async (t) => {
  const legs = [
    leg('point', -10),
    leg('point', 10),
    leg('transit', 10),
    leg('consumption', 10),
    leg('wastage', 10),
    leg('disposed', 10),
  ]
  const steps = EVENT_KINDS.filter((kind) => kind !== 'reversal').map((kind) => {
    const [event] = eventsOfStock(fact(kind, legs), FACTS)
    t.ok(kindsOf({ bizSteps: [event?.bizStep ?? ''] })?.includes(kind), `${kind} is found by its step`)
    return [kind, event?.bizStep, event?.action, event?.disposition].join(' ')
  })
  t.same(steps, [
    'receive receiving OBSERVE in_progress',
    'issue shipping OBSERVE in_transit',
    'transfer storing OBSERVE in_progress',
    'consume dispensing OBSERVE dispensed',
    'return shipping OBSERVE returned',
    'adjust cycle_counting OBSERVE ',
    'wastage decommissioning DELETE damaged',
    'count stock_taking OBSERVE ',
    'repack repackaging  in_progress',
    'vvm inspecting OBSERVE conformant',
    'hold holding OBSERVE unavailable',
    'release storing OBSERVE available',
    'dispose destroying OBSERVE destroyed',
    'ship shipping OBSERVE in_transit',
    'deliver receiving OBSERVE in_progress',
  ])
})

test('a shipment names both sides, and where it no longer is', async (t) => {
  const more = { otherFacilityId: 'there', orderId: 'o', shipmentId: 's' }
  const [shipped] = eventsOfStock(fact('ship', [leg('point', -5), leg('transit', 5)], more), FACTS)
  const gln = 'https://id.gs1.org/414/4012345000009'
  t.match(shipped, {
    readPoint: { id: gln },
    sourceList: [{ type: 'possessing_party', source: gln }],
    destinationList: [{ destination: 'urn:coldstream:facility:there' }],
    bizTransactionList: [
      { type: 'po', bizTransaction: 'urn:coldstream:order:o' },
      { type: 'desadv', bizTransaction: 'urn:coldstream:shipment:s' },
    ],
  })
  t.notOk('bizLocation' in (shipped ?? {}))
  const [delivered] = eventsOfStock(fact('deliver', [leg('transit', -5), leg('point', 5)], more), FACTS)
  t.match(delivered, { sourceList: [{ source: 'urn:coldstream:facility:there' }], bizLocation: { id: gln } })
  t.same(eventsOfStock(fact('deliver', [leg('wastage', 5)], more), FACTS), [], 'nothing was received')
})

const at = (occurredAt: number) => eventsOfStock(fact('receive', [leg('point', 1)], { occurredAt }), FACTS)[0]

test('time zones know summer', async (t) => {
  t.match(at(Date.UTC(2026, 2, 29, 0, 59, 59)), { eventTimeZoneOffset: '+01:00' })
  t.match(at(Date.UTC(2026, 2, 29, 1)), { eventTimeZoneOffset: '+02:00' })
  t.match(at(Date.UTC(2026, 9, 25, 0, 59, 59)), { eventTimeZoneOffset: '+02:00' })
  t.match(at(Date.UTC(2026, 9, 25, 1)), { eventTimeZoneOffset: '+01:00' })
  t.equal(offsetIn('UTC', 0), '+00:00')
  t.equal(offsetIn('Asia/Kathmandu', Date.UTC(2026, 0)), '+05:45')
  t.equal(offsetIn('America/St_Johns', Date.UTC(2026, 0)), '-03:30')
})

test('quantities: a lot once, and of a count what is there', async (t) => {
  const lines = [leg('point', 3), leg('point', 4, { vvmStage: 2 }), leg('point', 1, { lotId: 'child' })]
  const [received] = eventsOfStock(fact('receive', lines), FACTS)
  t.match(received?.quantityList, [{ quantity: 7, uom: 'E27' }, { quantity: 1 }])
  const counted = [leg('point', -2, { closing: 40 }), leg('point', 0, { vvmStage: 2, closing: 2 })]
  t.match(eventsOfStock(fact('count', counted), FACTS)[0]?.quantityList, [{ quantity: 42 }])
})

test('an excursion', async (t) => {
  const excursion = {
    breachId: 'b',
    deviceId: 'd',
    ruleId: 'r',
    facilityId: 'there',
    startAt: Date.UTC(2026, 0, 1),
    endAt: Date.UTC(2026, 0, 2),
    recordedAt: Date.UTC(2026, 0, 3),
    peak: 14.2,
    peakAt: Date.UTC(2026, 0, 1, 12),
    isWithdrawn: false,
    lots: [],
  }
  const event = eventOfExcursion({ ...excursion, summary: { min: 8.4, max: 14.2, mean: 10.123 } }, FACTS)
  t.match(event, {
    bizStep: 'sensor_reporting',
    readPoint: { id: 'urn:coldstream:facility:there' },
    sensorElementList: [
      {
        sensorMetadata: { startTime: '2026-01-01T00:00:00.000Z', endTime: '2026-01-02T00:00:00.000Z' },
        sensorReport: [
          {
            type: 'Temperature',
            exception: 'ALARM_CONDITION',
            minValue: 8.4,
            maxValue: 14.2,
            meanValue: 10.12,
            uom: 'CEL',
          },
          { value: 14.2 },
        ],
      },
    ],
  })
  t.notOk('quantityList' in event)
  t.ok(matches(event, { celsius: [{ field: 'maxValue', comparison: 'GE', limit: 14.2 }] }))
  t.notOk(matches(event, { celsius: [{ field: 'minValue', comparison: 'LT', limit: 8.4 }] }))
  const withdrawn = eventOfExcursion({ ...excursion, isWithdrawn: true }, FACTS)
  t.match(withdrawn, { eventID: event.eventID, errorDeclaration: { reason: 'did_not_occur' } })
})

test('lots that were in a place during a time', async (t) => {
  const now = new Map([
    ['stays', 10],
    ['left before', 0],
    ['left after', 0],
    ['came during', 4],
    ['came after', 5],
  ])
  const since = [
    { lotId: 'left after', occurredAt: 15, doses: -6 },
    { lotId: 'came during', occurredAt: 12, doses: 7 },
    { lotId: 'came during', occurredAt: 13, doses: -3 },
    { lotId: 'came after', occurredAt: 30, doses: 5 },
  ]
  t.same(lotsDuring(now, since, 20), [
    { lotId: 'stays', doses: 10 },
    { lotId: 'left after', doses: 6 },
    { lotId: 'came during', doses: 7 },
  ])
})

test('names', async (t) => {
  const lot = { gtin: '04012345678901', code: 'A/1' }
  t.equal(lotName({ id: 'x', ...lot }), 'https://id.gs1.org/01/04012345678901/10/A%2F1')
  t.equal(lotName({ id: 'x', gtin: null, code: 'A' }), 'urn:coldstream:lot:x')
  t.equal(lotName({ id: 'x', gtin: lot.gtin, code: 'with space' }), 'urn:coldstream:lot:x')
  t.same(parseLotName('https://any.example/p/01/04012345678901/10/A%2F1'), lot)
  t.same(parseLotName('urn:epc:class:lgtin:4012345.067890.A%2F1'), lot)
  t.same(parseLotName('urn:epc:class:lgtin:401234.067890.A'), undefined, 'a digit is missing')
  t.same(parseLotName('urn:epc:class:lgtin:4012345.067890.%'), undefined)
  t.same(parseLotName('https://id.gs1.org/01/04012345678901'), undefined)
  t.same(parseLotName('urn:coldstream:lot:x'), { lotId: 'x' })
  t.same(parsePlaceName('urn:epc:id:sgln:4012345.00000.0'), { gln: '4012345000009' })
  t.same(parsePlaceName('https://id.gs1.org/414/4012345000009'), { gln: '4012345000009' })
  t.same(parsePlaceName('https://id.gs1.org/414/4012345000008'), undefined, 'misread')
  t.same(parsePlaceName('urn:coldstream:storage-point:x'), { storagePointId: 'x' })
  t.same(parsePlaceName('nonsense'), undefined)
  const id = '0190a000-0000-7000-8000-000000000001'
  for (const part of [0, 1, 12]) t.equal(parseEventName(eventName(id, part)), id)
  t.equal(parseEventName('ni:///sha-256;abc?ver=CBV2.0'), undefined)
})
