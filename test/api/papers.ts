import { randomUUIDv7 } from 'node:crypto'
import type { OperationId } from '../../domain/permissions.ts'
import type { Site, World } from './world.ts'

/** Read by everybody: lots are national. Recalling one is for the national level alone, and answers 403 to others. */
export const OF_LOTS: ReadonlySet<OperationId> = new Set(['traceLot', 'traceLotEvents', 'recallLot'])

/** An order, a shipment and a disposal of another district, empty: nothing but whose they are matters. */
export async function plantPapers({ db }: World, site: Site) {
  const [order, shipment, disposal, event] = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7(), randomUUIDv7()]
  const sides = { fromFacilityId: site.district, toFacilityId: site.facility }
  const written = { requestHash: '', version: 1, createdAt: 1, createdBy: event, updatedAt: 1, comment: null }
  await db
    .insertInto('stockOrder')
    .values({
      id: order,
      documentNo: 'ORD-000001',
      kind: 'request',
      status: 'shipped',
      waitingFor: null,
      ...sides,
      ...written,
      activityCode: null,
      neededOn: null,
      reasonCode: null,
      submittedAt: 1,
      decidedAt: 1,
      shippedAt: 1,
      receivedAt: null,
      endedAt: null,
    })
    .execute()
  await db
    .insertInto('stockEvent')
    .values({
      id: event,
      number: 9999,
      documentNo: 'SHP-009999',
      kind: 'ship',
      facilityId: site.district,
      otherFacilityId: site.facility,
      occurredAt: 1,
      recordedAt: 1,
      userId: event,
      activityCode: null,
      reasonCode: null,
      comment: null,
      orderId: order,
      shipmentId: shipment,
      reversesEventId: null,
      requestHash: '',
    })
    .execute()
  await db
    .insertInto('shipment')
    .values({
      ...sides,
      ...written,
      id: shipment,
      orderId: order,
      documentNo: 'SHP-009999',
      sscc: null,
      status: 'shipped',
      shippedAt: 1,
      receivedAt: null,
      shipEventId: event,
      deliverEventId: null,
    })
    .execute()
  await db
    .insertInto('disposal')
    .values({
      ...written,
      id: disposal,
      documentNo: 'DIS-000001',
      facilityId: site.facility,
      status: 'draft',
      approvedAt: null,
      approvedBy: null,
      doneAt: null,
      method: null,
      witness: null,
      certificateNo: null,
      eventId: null,
    })
    .execute()
  const reasonCode = 'not-needed'
  return {
    theirs: { orders: order, shipments: shipment, disposals: disposal },
    bodies: {
      createOrder: { kind: 'request', ...sides, lines: [{ itemId: event, doses: 1 }] },
      updateOrder: { comment: 'c' },
      approveOrder: {},
      rejectOrder: { reasonCode },
      cancelOrder: { reasonCode },
      allocateOrder: {},
      createShipment: {},
      receiveShipment: {},
      reverseReceipt: {},
      recallShipment: {},
      recallLot: { reason: 'r' },
      createDisposal: { facilityId: site.facility, lines: [{ lotId: event, doses: 1 }] },
      carryOutDisposal: { method: 'm', witness: 'w', certificateNo: 'c' },
    } satisfies Partial<Record<OperationId, unknown>>,
  }
}
