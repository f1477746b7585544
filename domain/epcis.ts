import { eventName, facilityName, nameOf } from './epcis-name.ts'
import type { NumberedLeg } from './ledger.ts'
import { lineKey } from './ledger.ts'
import type { EventKind } from './stock-event.ts'

/** An event of EPCIS 2.0, as JSON. What others sent may have more. */
export interface EpcisEvent {
  readonly type: string
  readonly eventID: string
  readonly eventTime: string
  readonly recordTime?: string
  readonly eventTimeZoneOffset: string
  readonly action?: string
  readonly bizStep?: string
  readonly disposition?: string
  readonly persistentDisposition?: object
  readonly readPoint?: { readonly id: string }
  readonly bizLocation?: { readonly id: string }
  readonly epcList?: readonly string[]
  readonly quantityList?: readonly Quantity[]
  readonly inputQuantityList?: readonly Quantity[]
  readonly outputQuantityList?: readonly Quantity[]
  readonly childQuantityList?: readonly Quantity[]
  readonly bizTransactionList?: readonly object[]
  readonly sourceList?: readonly Party[]
  readonly destinationList?: readonly Party[]
  readonly sensorElementList?: readonly SensorElement[]
  readonly errorDeclaration?: { readonly declarationTime: string; readonly reason?: string }
}

export interface Quantity {
  readonly epcClass: string
  readonly quantity?: number
  readonly uom?: string
}

interface Party {
  readonly type: string
  readonly source?: string
  readonly destination?: string
}

export interface SensorElement {
  readonly sensorMetadata?: Readonly<Record<string, unknown>>
  readonly sensorReport: readonly Readonly<Record<string, unknown>>[]
}

/** UN/CEFACT Recommendation 20: dose, and piece. Without a unit EPCIS counts what carries the GTIN, and that is a pack. */
export const DOSE = 'E27'
export const PIECE = 'H87'

/** What the mapping has to know of places and lots. */
export interface EpcisFacts {
  readonly glns: ReadonlyMap<string, string | null>
  readonly lots: ReadonlyMap<string, { readonly epcClass: string; readonly uom: string }>
  /** Of the facility at a moment, such as `+07:00`. */
  readonly offset: (facilityId: string, at: number) => string
}

export interface StockFact {
  readonly id: string
  readonly kind: EventKind
  readonly facilityId: string
  readonly otherFacilityId: string | null
  readonly occurredAt: number
  readonly recordedAt: number
  readonly reasonCode: string | null
  readonly orderId: string | null
  readonly shipmentId: string | null
  readonly legs: readonly NumberedLeg[]
}

/** What an event of one kind is in EPCIS. */
interface Step {
  readonly bizStep: string
  readonly action?: 'OBSERVE' | 'ADD' | 'DELETE'
  readonly disposition?: string | undefined
  readonly isRecall?: boolean
  /** Its legs; every other is the other side of double entry. */
  readonly legs: readonly NumberedLeg[]
}

const DISPOSITIONS: Readonly<Record<string, string>> = {
  expired: 'expired',
  recalled: 'recalled',
  missing: 'unknown',
}

const came = (legs: readonly NumberedLeg[], kind: string) =>
  legs.filter(({ account, doses }) => account.kind === kind && doses > 0)
const went = (legs: readonly NumberedLeg[]) =>
  legs.filter(({ account, doses }) => account.kind === 'point' && doses < 0)
const shelf = (legs: readonly NumberedLeg[]) => legs.filter(({ account }) => account.kind === 'point')

type Shelf = Exclude<EventKind, 'reversal' | 'repack'>

// CBV 2.0, sections 7.1 and 7.2. What is written off is decommissioned; it is destroyed when it is disposed of.
const STEPS: { readonly [K in Shelf]: (legs: readonly NumberedLeg[], reason: string | null) => Step[] } = {
  receive: (legs) => [{ bizStep: 'receiving', disposition: 'in_progress', legs: came(legs, 'point') }],
  deliver: (legs) => [{ bizStep: 'receiving', disposition: 'in_progress', legs: came(legs, 'point') }],
  issue: (legs) => [{ bizStep: 'shipping', disposition: 'in_transit', legs: went(legs) }],
  ship: (legs) => [{ bizStep: 'shipping', disposition: 'in_transit', legs: came(legs, 'transit') }],
  return: (legs) => [{ bizStep: 'shipping', disposition: 'returned', legs: went(legs) }],
  transfer: (legs) => [{ bizStep: 'storing', disposition: 'in_progress', legs: came(legs, 'point') }],
  consume: (legs) => [
    { bizStep: 'dispensing', disposition: 'dispensed', legs: came(legs, 'consumption') },
    ...wastedSteps(legs),
  ],
  wastage: (legs) => wastedSteps(legs),
  dispose: (legs) => [{ bizStep: 'destroying', disposition: 'destroyed', legs: came(legs, 'disposed') }],
  adjust: (legs) => [{ bizStep: 'cycle_counting', legs: shelf(legs) }],
  count: (legs) => [{ bizStep: 'stock_taking', legs: shelf(legs) }],
  vvm: (legs) => {
    const [bad, good] = partition(came(legs, 'point'), ({ vvmStage }) => vvmStage > 2)
    return [
      { bizStep: 'inspecting', disposition: 'conformant', legs: good },
      { bizStep: 'inspecting', disposition: 'non_conformant', legs: bad },
    ]
  },
  hold: (legs, reason) => {
    const isRecall = ({ reasonCode }: NumberedLeg) => (reasonCode ?? reason) === 'recall'
    const [recalled, others] = partition(came(legs, 'point'), isRecall)
    return [
      { bizStep: 'holding', disposition: 'unavailable', legs: others },
      { bizStep: 'holding', disposition: 'recalled', isRecall: true, legs: recalled },
    ]
  },
  release: (legs) => [{ bizStep: 'storing', disposition: 'available', legs: came(legs, 'point') }],
}

function wastedSteps(legs: readonly NumberedLeg[]): Step[] {
  const byDisposition = Map.groupBy(
    came(legs, 'wastage'),
    ({ reasonCode }) => DISPOSITIONS[reasonCode ?? ''] ?? 'damaged',
  )
  return [...byDisposition].map(([disposition, of]) => ({
    bizStep: 'decommissioning',
    action: 'DELETE',
    disposition,
    legs: of,
  }))
}

function partition<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))]
}

/**
 * What happened to stock, as EPCIS says it: one event for each step of business, since an EPCIS event has one. Its eventID is the id in our
 * ledger and not a hash of its content: the content changes when a facility gets its GLN, what happened does not; and an error declaration
 * has to name the event that it takes back.
 */
export function eventsOfStock(fact: StockFact, facts: EpcisFacts): EpcisEvent[] {
  const events = fact.kind === 'repack' ? [repackEvent(fact, facts)] : stepEvents(fact, facts)
  return events.map((event, part) => ({ ...event, eventID: eventName(fact.id, part) }))
}

function stepEvents(fact: StockFact, facts: EpcisFacts): Omit<EpcisEvent, 'eventID'>[] {
  if (fact.kind === 'reversal' || fact.kind === 'repack') return []
  return STEPS[fact.kind](fact.legs, fact.reasonCode)
    .filter(({ legs }) => legs.length > 0)
    .map((step) => ({
      type: 'ObjectEvent',
      ...head(fact, facts),
      action: step.action ?? 'OBSERVE',
      bizStep: step.bizStep,
      ...(step.disposition === undefined ? {} : { disposition: step.disposition }),
      ...(step.isRecall ? { persistentDisposition: { set: ['recalled'] } } : {}),
      quantityList: isCount(fact.kind) ? onHand(step.legs, facts) : moved(step.legs, facts),
      ...where(fact, facts),
    }))
}

function isCount(kind: EventKind): boolean {
  return kind === 'count' || kind === 'adjust'
}

function repackEvent(fact: StockFact, facts: EpcisFacts): Omit<EpcisEvent, 'eventID'> {
  return {
    type: 'TransformationEvent',
    ...head(fact, facts),
    bizStep: 'repackaging',
    disposition: 'in_progress',
    inputQuantityList: moved(went(fact.legs), facts),
    outputQuantityList: moved(came(fact.legs, 'point'), facts),
    ...where(fact, facts),
  }
}

function head(fact: StockFact, facts: EpcisFacts) {
  return {
    eventTime: isoTime(fact.occurredAt),
    recordTime: isoTime(fact.recordedAt),
    eventTimeZoneOffset: facts.offset(fact.facilityId, fact.occurredAt),
  }
}

function isoTime(at: number): string {
  return new Date(at).toISOString()
}

// What has left is nowhere any more: no bizLocation.
function where(fact: StockFact, facts: EpcisFacts): Partial<EpcisEvent> {
  const { kind, facilityId, otherFacilityId, orderId, shipmentId } = fact
  const id = placeOf(facilityId, facts)
  const hasLeft = kind === 'ship' || kind === 'issue' || kind === 'return'
  const transactions = [
    ...(orderId === null ? [] : [{ type: 'po', bizTransaction: nameOf('order', orderId) }]),
    ...(shipmentId === null ? [] : [{ type: 'desadv', bizTransaction: nameOf('shipment', shipmentId) }]),
  ]
  return {
    readPoint: { id },
    ...(hasLeft ? {} : { bizLocation: { id } }),
    ...(transactions.length > 0 ? { bizTransactionList: transactions } : {}),
    ...(otherFacilityId === null ? {} : parties(kind, id, placeOf(otherFacilityId, facts))),
    ...(kind === 'transfer' ? shelves(fact.legs) : {}),
  }
}

function placeOf(facilityId: string, { glns }: EpcisFacts): string {
  return facilityName(facilityId, glns.get(facilityId) ?? null)
}

function parties(kind: EventKind, own: string, other: string): Partial<EpcisEvent> {
  const type = 'possessing_party'
  const [source, destination] = kind === 'receive' || kind === 'deliver' ? [other, own] : [own, other]
  return { sourceList: [{ type, source }], destinationList: [{ type, destination }] }
}

const pointIds = (of: readonly NumberedLeg[]) => [...new Set(of.map(({ account }) => account.id))]

function shelves(legs: readonly NumberedLeg[]): Partial<EpcisEvent> {
  const type = 'location'
  return {
    sourceList: pointIds(went(legs)).map((id) => ({ type, source: nameOf('storage-point', id) })),
    destinationList: pointIds(came(legs, 'point')).map((id) => ({
      type,
      destination: nameOf('storage-point', id),
    })),
  }
}

function moved(legs: readonly NumberedLeg[], facts: EpcisFacts): Quantity[] {
  return byLot(
    legs.map(({ lotId, doses }) => ({ lotId, doses: Math.abs(doses) })),
    facts,
  )
}

// A count says what is there, not what it differs by.
function onHand(legs: readonly NumberedLeg[], facts: EpcisFacts): Quantity[] {
  const last = new Map(legs.map((leg) => [lineKey(leg.account, leg.lotId, leg.vvmStage, leg.held), leg]))
  return byLot(
    [...last.values()].map(({ lotId, closing }) => ({ lotId, doses: closing ?? 0 })),
    facts,
  )
}

function byLot(
  all: readonly { readonly lotId: string; readonly doses: number }[],
  facts: EpcisFacts,
): Quantity[] {
  return [...Map.groupBy(all, ({ lotId }) => lotId)].map(([lotId, of]) => {
    const lot = facts.lots.get(lotId)
    if (!lot) throw new Error(`no name for lot ${lotId}`)
    const quantity = of.reduce((sum, { doses }) => sum + doses, 0)
    return { epcClass: lot.epcClass, quantity, uom: lot.uom }
  })
}

/** The same event, taken back: EPCIS 2.0, 7.4.1.2: everything as it was, and the declaration. */
export function declareError(event: EpcisEvent, at: number): EpcisEvent {
  const declarationTime = isoTime(at)
  return {
    ...event,
    recordTime: declarationTime,
    errorDeclaration: { declarationTime, reason: 'did_not_occur' },
  }
}

export interface ExcursionFact {
  readonly breachId: string
  readonly deviceId: string
  readonly ruleId: string
  readonly facilityId: string
  readonly startAt: number
  readonly endAt: number
  readonly recordedAt: number
  readonly peak: number
  readonly peakAt: number
  readonly isWithdrawn: boolean
  /** Of all readings in it; undefined when they are no longer kept. */
  readonly summary?: { readonly min: number; readonly max: number; readonly mean: number } | undefined
  readonly lots: readonly { readonly lotId: string; readonly doses: number }[]
}

/** A breach that is over, with the lots that were in it. */
export function eventOfExcursion(fact: ExcursionFact, facts: EpcisFacts): EpcisEvent {
  const { summary, facilityId } = fact
  const alarm = { type: 'Temperature', exception: 'ALARM_CONDITION', uom: 'CEL' }
  const span = summary
    ? [{ ...alarm, minValue: summary.min, maxValue: summary.max, meanValue: round(summary.mean) }]
    : []
  const id = placeOf(facilityId, facts)
  const event = {
    type: 'ObjectEvent',
    eventID: eventName(fact.breachId),
    eventTime: isoTime(fact.endAt),
    recordTime: isoTime(fact.recordedAt),
    eventTimeZoneOffset: facts.offset(facilityId, fact.endAt),
    action: 'OBSERVE',
    bizStep: 'sensor_reporting',
    disposition: 'non_conformant',
    readPoint: { id },
    bizLocation: { id },
    ...(fact.lots.length > 0 ? { quantityList: byLot(fact.lots, facts) } : {}),
    sensorElementList: [
      {
        sensorMetadata: {
          startTime: isoTime(fact.startAt),
          endTime: isoTime(fact.endAt),
          deviceID: nameOf('device', fact.deviceId),
          bizRules: nameOf('rule', fact.ruleId),
        },
        sensorReport: [...span, { ...alarm, time: isoTime(fact.peakAt), value: fact.peak }],
      },
    ],
  }
  return fact.isWithdrawn ? declareError(event, fact.recordedAt) : event
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

/**
 * What was in a place during a time: what was there at its start, and what came before its end.
 * @param now on hand of each lot
 * @param since what came and went after the start, summed by lot and moment
 */
export function lotsDuring(
  now: ReadonlyMap<string, number>,
  since: readonly { readonly lotId: string; readonly occurredAt: number; readonly doses: number }[],
  endAt: number,
): { lotId: string; doses: number }[] {
  const doses = new Map(now)
  for (const one of since) doses.set(one.lotId, (doses.get(one.lotId) ?? 0) - one.doses)
  for (const one of since)
    if (one.occurredAt <= endAt && one.doses > 0)
      doses.set(one.lotId, (doses.get(one.lotId) ?? 0) + one.doses)
  return [...doses].filter(([, some]) => some > 0).map(([lotId, some]) => ({ lotId, doses: some }))
}
