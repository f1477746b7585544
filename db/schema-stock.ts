import type { AccountKind, IsoDate, ItemKind, ReasonKind, VvmStage, VvmType } from '../domain/stock.ts'
import type { EventKind } from '../domain/stock-event.ts'

/** The supply chain's part of the schema. Quantities are doses, integers; for syringes and boxes a dose is one piece. */
export interface StockSchema {
  manufacturer: ManufacturerTable
  item: ItemTable
  tradeItem: TradeItemTable
  lot: LotTable
  activity: ActivityTable
  reason: ReasonTable
  stockLevel: StockLevelTable
  stockEvent: StockEventTable
  stockEntry: StockEntryTable
  stockBalance: StockBalanceTable
  change: ChangeTable
  counter: CounterTable
}

/** What people edit: `version` counts the changes and is the ETag; `archivedAt` hides it from choice, since what is written refers to it. */
interface Edited {
  version: number
  createdAt: number
  updatedAt: number
  archivedAt: number | null
}

export interface ManufacturerTable extends Edited {
  id: string
  /** Unique. */
  name: string
}

/** What a programme plans with: a vaccine, or a supply. */
export interface ItemTable extends Edited {
  id: string
  /** Local code (such as KFA in Indonesia), unique. */
  code: string
  name: string
  kind: ItemKind
  /** HL7 CVX. */
  cvx: string | null
  atc: string | null
  dosesPerVial: number
  vvmType: VvmType | null
  freezeSensitive: 0 | 1
  /** Storage profile that it needs, such as `who-30dtr`. */
  profile: string | null
  /** Of its secondary packaging. */
  mm3PerDose: number
}

/** A manufacturer's product: what carries a GTIN. */
export interface TradeItemTable extends Edited {
  id: string
  itemId: string
  manufacturerId: string
  name: string
  /** 14 digits, unique. */
  gtin: string | null
  /** In the secondary packaging that carries the GTIN. */
  dosesPerPack: number
}

export interface LotTable extends Edited {
  id: string
  tradeItemId: string
  /** Of its trade item. */
  itemId: string
  /** GS1 AI 10; unique for its trade item. */
  code: string
  expiresOn: IsoDate
  manufacturedOn: IsoDate | null
  /** The lot that it was repacked from. */
  parentLotId: string | null
  recalledAt: number | null
  recallReason: string | null
}

/** Routine, campaign, outbreak response ... */
export interface ActivityTable extends Edited {
  code: string
  name: string
}

export interface ReasonTable extends Edited {
  code: string
  name: string
  kind: ReasonKind
}

/** How much of an item a facility should have. */
export interface StockLevelTable {
  facilityId: string
  itemId: string
  /** `computed`: min and max follow from consumption, lead time and safety stock. */
  mode: 'set' | 'computed'
  minDoses: number
  maxDoses: number
  leadTimeDays: number
  reviewDays: number
  safetyDays: number
  version: number
  updatedAt: number
}

/** Something that happened to stock. Append-only; a mistake is undone by an event that reverses it. */
export interface StockEventTable {
  /** Made by the client if it likes: the same id again is the same event. */
  id: string
  /** Counts the events of the facility; part of the document number. */
  number: number
  documentNo: string
  kind: EventKind
  facilityId: string
  /** The other side of an issue or a receipt. */
  otherFacilityId: string | null
  /** When it happened. */
  occurredAt: number
  /** When we learned of it. */
  recordedAt: number
  userId: string
  activityCode: string | null
  reasonCode: string | null
  comment: string | null
  orderId: string | null
  shipmentId: string | null
  /** Unique: nothing is reversed twice. */
  reversesEventId: string | null
  /** What was asked for, so that another request under this id is not taken for a repetition. */
  requestHash: string
}

export interface StockEntryTable {
  eventId: string
  /** 0, 1, ... within the event. */
  line: number
  accountKind: AccountKind
  accountId: string
  facilityId: string
  itemId: string
  lotId: string
  vvmStage: VvmStage
  held: 0 | 1
  doses: number
  /** On hand of the line before and after, in the order of recording; null for accounts without a balance. */
  opening: number | null
  closing: number | null
  /** Counts the entries of the line. */
  version: number | null
  reasonCode: string | null
  occurredAt: number
  recordedAt: number
}

/** The sum of the entries of one line; changed only in the transaction that inserts them. */
export interface StockBalanceTable {
  accountId: string
  lotId: string
  vvmStage: VvmStage
  held: 0 | 1
  accountKind: AccountKind
  facilityId: string
  itemId: string
  doses: number
  /** Promised to orders, and still here. */
  allocated: number
  version: number
  /** The latest `occurredAt` among its entries: what is older comes late. */
  lastOccurredAt: number
  updatedAt: number
}

/** What clients have to learn of. Numbers are given when somebody asks, to what is committed by then, so that none is passed over. */
export interface ChangeTable {
  id: string
  seq: number | null
  entity: string
  entityId: string
  /** Who may see it: those above this facility; null: everybody. */
  facilityId: string | null
  kind: 'put' | 'delete'
  at: number
}

export interface CounterTable {
  name: string
  value: number
}
