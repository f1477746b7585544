import type { OrderKind, OrderStatus, Side } from '../domain/order.ts'
import type { Why } from '../domain/allocation.ts'
import type { IsoDate, VvmStage } from '../domain/stock.ts'

/** Orders, shipments and disposals: the papers that make stock move. Quantities are doses. */
export interface OrdersSchema {
  stockOrder: StockOrderTable
  orderLine: OrderLineTable
  orderAllocation: OrderAllocationTable
  shipment: ShipmentTable
  shipmentLine: ShipmentLineTable
  coldBox: ColdBoxTable
  disposal: DisposalTable
  disposalLine: DisposalLineTable
}

export interface StockOrderTable {
  id: string
  /** Counted by the facility that asks. */
  documentNo: string
  kind: OrderKind
  status: OrderStatus
  /** Whose step is next; null: nobody's. */
  waitingFor: Side | null
  /** Whose stock goes, and who gets it. */
  fromFacilityId: string
  toFacilityId: string
  activityCode: string | null
  neededOn: IsoDate | null
  comment: string | null
  /** Of a rejection or a cancellation. */
  reasonCode: string | null
  requestHash: string
  version: number
  createdAt: number
  createdBy: string
  updatedAt: number
  submittedAt: number | null
  /** Approved or rejected. */
  decidedAt: number | null
  /** The first shipment, and the last receipt. */
  shippedAt: number | null
  receivedAt: number | null
  /** Closed, cancelled or rejected. */
  endedAt: number | null
}

/** The sums change only with the allocations, shipments and receipts that they are sums of. */
export interface OrderLineTable {
  orderId: string
  line: number
  itemId: string
  doses: number
  /** Null until decided. */
  approved: number | null
  reasonCode: string | null
  reserved: number
  shipped: number
  settled: number
}

/** Doses on a shelf that are promised to a line of an order; `stockBalance.allocated` is the sum of these. */
export interface OrderAllocationTable {
  orderId: string
  line: number
  storagePointId: string
  lotId: string
  vvmStage: VvmStage
  held: 0 | 1
  doses: number
  why: Why
  reasonCode: string | null
}

export type ShipmentStatus = 'shipped' | 'received' | 'recalled'

export interface ShipmentTable {
  id: string
  orderId: string
  /** That of the event of its shipping. */
  documentNo: string
  /** 18 digits, unique. */
  sscc: string | null
  status: ShipmentStatus
  fromFacilityId: string
  toFacilityId: string
  comment: string | null
  shippedAt: number
  receivedAt: number | null
  shipEventId: string
  /** Null unless received. */
  deliverEventId: string | null
  requestHash: string
  version: number
  createdAt: number
  createdBy: string
  updatedAt: number
}

export interface ShipmentLineTable {
  shipmentId: string
  line: number
  orderLine: number
  itemId: string
  lotId: string
  vvmStage: VvmStage
  held: 0 | 1
  storagePointId: string
  doses: number
  accepted: number
  rejected: number
  short: number
}

export interface ColdBoxTable {
  shipmentId: string
  box: number
  name: string
  /** The logger that rides in it. */
  deviceId: string | null
}

export type DisposalStatus = 'draft' | 'approved' | 'done' | 'cancelled'

/** What was written off, on its way to destruction. */
export interface DisposalTable {
  id: string
  documentNo: string
  facilityId: string
  status: DisposalStatus
  comment: string | null
  createdAt: number
  createdBy: string
  approvedAt: number | null
  /** Never the one who made it. */
  approvedBy: string | null
  doneAt: number | null
  method: string | null
  witness: string | null
  certificateNo: string | null
  eventId: string | null
  requestHash: string
  version: number
  updatedAt: number
}

export interface DisposalLineTable {
  disposalId: string
  line: number
  itemId: string
  lotId: string
  vvmStage: VvmStage
  doses: number
  reasonCode: string | null
}
