import { findFacility } from '../db/queries/facility.ts'
import type { Shipment } from '../db/queries/shipment.ts'
import { findConsumed, findItemFacts, findRooms } from '../db/queries/shipment-facts.ts'
import { findSupply } from '../db/queries/supply.ts'
import { findLotFacts } from '../db/queries/stock-facts.ts'
import type { DbOrTrx } from '../db/schema.ts'
import { freezeWarnings, warningsOf, type ShipmentWarning } from '../domain/shipment-warning.ts'
import { found } from './caller.ts'
import type { ReceiveRequest } from './order-schemas.ts'
import { dayIn } from '../domain/calendar.ts'

/** Consumption is taken from so many days back. */
const LOOK_BACK_DAYS = 90
const DAY_MS = 86_400_000

/** What the sender should know of a shipment that has just left. Call it in the same transaction. */
export async function warnSender(db: DbOrTrx, shipment: Shipment, at: number): Promise<ShipmentWarning[]> {
  const { toFacilityId, lines } = shipment
  const receiver = found(await findFacility(db, toFacilityId, ''))
  const itemIds = [...new Set(lines.map(({ itemId }) => itemId))]
  const items = await findItemFacts(db, itemIds)
  const lots = await findLotFacts(
    db,
    lines.map(({ lotId }) => lotId),
  )
  const sent = lines.flatMap(({ line, itemId, lotId, doses }) => {
    const item = items.get(itemId)
    const expiresOn = lots.get(lotId)?.expiresOn
    return item && expiresOn !== undefined ? [{ line, doses, itemId, expiresOn, ...item }] : []
  })
  const supply = await findSupply(db, toFacilityId, itemIds)
  const consumed = await findConsumed(db, toFacilityId, itemIds, at - LOOK_BACK_DAYS * DAY_MS)
  return warningsOf(sent, {
    day: dayIn(receiver.timeZone, at),
    rooms: await findRooms(db, toFacilityId),
    // Its own doses are in transit by now, and not ahead of themselves.
    supply: new Map(itemIds.map((id) => [id, ahead(supply.get(id)) - sum(lines, id)])),
    dosesADay: new Map([...consumed].map(([id, doses]) => [id, doses / LOOK_BACK_DAYS])),
  })
}

function ahead(supply: { readonly onHand: number; readonly inTransit: number } | undefined): number {
  return (supply?.onHand ?? 0) + (supply?.inTransit ?? 0)
}

function sum(lines: Shipment['lines'], itemId: string): number {
  return lines.reduce((all, line) => (line.itemId === itemId && line.held === 0 ? all + line.doses : all), 0)
}

/** What the receiver should know of where they put it. */
export async function warnReceiver(
  db: DbOrTrx,
  shipment: Shipment,
  body: ReceiveRequest,
): Promise<ShipmentWarning[]> {
  const items = await findItemFacts(db, [...new Set(shipment.lines.map(({ itemId }) => itemId))])
  const profiles = new Map(
    (await findRooms(db, shipment.toFacilityId)).map(({ id, profile }) => [id, profile]),
  )
  const placed = shipment.lines.flatMap(({ line, itemId, accepted }) => {
    const parts: readonly { readonly storagePointId?: string }[] = body.lines?.filter(
      (part) => part.line === line,
    ) ?? [{}]
    const freezeSensitive = items.get(itemId)?.freezeSensitive ?? false
    const profileOf = (part: (typeof parts)[number]) =>
      profiles.get(part.storagePointId ?? body.storagePointId ?? '') ?? null
    return accepted > 0 ? parts.map((part) => ({ line, freezeSensitive, profile: profileOf(part) })) : []
  })
  return freezeWarnings(placed)
}
