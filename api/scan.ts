import { findLotByCode, findTradeItemByGtin, type TradeItemDetail } from '../db/queries/scan.ts'
import { findShipment, type Shipment } from '../db/queries/shipment.ts'
import { listStock, type StockLine } from '../db/queries/stock.ts'
import type { FacilityTable } from '../db/schema.ts'
import type { LotTable } from '../db/schema-stock.ts'
import { labelOf, type Label, type Scan } from '../domain/gs1.ts'
import { parseScan } from '../domain/gs1-digital-link.ts'
import { isExpired } from '../domain/stock.ts'
import { facilityOf, type Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { dayIn } from '../domain/calendar.ts'

/** A lot lies in a few places of a facility; a national store has some hundred. */
const ON_HAND_MAX = 200

export const WARNINGS = {
  separatorMayBeMissing: 'The scanner may have dropped an FNC1: look at otherReading.',
  companionMissing: 'The code is not whole by itself; the rest may be in another symbol of the label.',
  expired: 'The lot has expired.',
  expiryDiffers: 'The code and the register have different expiry dates.',
  madeDiffers: 'The code and the register have different dates of manufacture.',
  recalled: 'The lot is recalled.',
  held: 'Some of it is on hold here.',
} as const
export type Warning = keyof typeof WARNINGS

export interface Looked {
  readonly scan: Scan
  readonly label: Label
  readonly tradeItem: TradeItemDetail | undefined
  readonly lot: LotTable | undefined
  /** Undefined when no facility was named. */
  readonly onHand: readonly StockLine[] | undefined
  /** That carries the SSCC, if the caller may see it. */
  readonly shipment: Shipment | undefined
  readonly warnings: readonly Warning[]
}

/** Reads a code and looks up what it is about. @throws CodedError `scan.*`, `resource.notFound` for a facility that is not the caller's */
export async function lookUp(
  { db, clock }: RouteDeps,
  caller: Caller,
  { code, facilityId }: { readonly code: string; readonly facilityId?: string | undefined },
): Promise<Looked> {
  const facility = facilityId === undefined ? undefined : await facilityOf(db, caller, facilityId)
  const today = dayIn(facility?.timeZone ?? 'UTC', clock.now())
  const currentYear = Number(today.slice(0, 4))
  const scan = parseScan(code, currentYear)
  const label = labelOf(scan.elements, currentYear)
  const gtin = label.gtin ?? label.contentGtin
  const tradeItem = gtin === undefined ? undefined : await findTradeItemByGtin(db, gtin)
  const lot =
    tradeItem && label.lotCode !== undefined
      ? await findLotByCode(db, tradeItem.id, label.lotCode)
      : undefined
  const onHand = facility && (await onHandOf(db, caller, facility, tradeItem, lot))
  const shipment = label.sscc === undefined ? undefined : await findShipment(db, label.sscc, caller.scope)
  return {
    scan,
    label,
    tradeItem,
    lot,
    onHand,
    shipment,
    warnings: warningsOf(scan, label, lot, onHand, today),
  }
}

async function onHandOf(
  db: RouteDeps['db'],
  caller: Caller,
  facility: FacilityTable,
  tradeItem: TradeItemDetail | undefined,
  lot: LotTable | undefined,
): Promise<StockLine[]> {
  if (!tradeItem || !lot) return []
  return listStock(db, {
    scope: caller.scope,
    under: facility.path,
    itemId: tradeItem.itemId,
    lotId: lot.id,
    storagePointId: undefined,
    asOfMs: undefined,
    knownAtMs: undefined,
    after: undefined,
    limit: ON_HAND_MAX,
  })
}

function warningsOf(
  scan: Scan,
  label: Label,
  lot: LotTable | undefined,
  onHand: readonly StockLine[] | undefined,
  today: string,
): Warning[] {
  const expiries = [label.expiresOn, lot?.expiresOn].filter((day) => day !== undefined)
  const holds: Readonly<Record<Warning, boolean>> = {
    separatorMayBeMissing: scan.otherReading !== undefined,
    companionMissing: scan.companionsMissing.length > 0,
    expired: expiries.some((day) => isExpired(day, today)),
    expiryDiffers: new Set(expiries).size > 1,
    madeDiffers: differs(label.manufacturedOn, lot?.manufacturedOn),
    recalled: lot !== undefined && lot.recalledAt !== null,
    held: (onHand ?? []).some(({ held }) => held === 1),
  }
  return (Object.keys(WARNINGS) as Warning[]).filter((warning) => holds[warning])
}

function differs(read: string | undefined, registered: string | null | undefined): boolean {
  return read !== undefined && registered !== null && registered !== undefined && read !== registered
}
