import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'

/** How much happened, and where. Every event has two entries. */
export interface Size {
  readonly facilities: number
  readonly eventsPerFacility: number
}

const EVENTS_PER_LOT = 25
/** Of each facility, those that are in use; older ones are used up. */
const LOTS_IN_USE = 5
export const ITEMS = 5
/** Facilities of a district: they share their lots, so that the way of a lot is as long however large the country is. */
export const PER_DISTRICT = 20
const CONSUMED = 50
/** Left of each lot in use at a facility. */
const LEFT = 1_000_000
const HOUR_MS = 3_600_000
/** Events are this far back at least, so that what is posted by the benchmark comes after them. */
const AGO_MS = 86_400_000

const uuid = (kind: string) => (number: number | string) =>
  `${kind}-0000-7000-8000-${String(number).padStart(12, '0')}`
export const countryId = uuid('c0000000')(1)
export const districtId = uuid('d0000000')
export const facilityId = uuid('fac00000')
export const pointId = uuid('b0000000')
export const itemId = uuid('17e00000')
const lotNumber = (facility: number, lot: number, { facilities }: Size) =>
  lot * Math.ceil(facilities / PER_DISTRICT) + Math.floor(facility / PER_DISTRICT)

/** A lot that a facility has on hand, one of five. */
export function lotInUse(facility: number, one: number, size: Size): string {
  const lots = size.eventsPerFacility / EVENTS_PER_LOT
  return uuid('107a0000')(lotNumber(facility, lots - LOTS_IN_USE + one, size))
}

export function entriesOf({ facilities, eventsPerFacility }: Size): number {
  return facilities * eventsPerFacility * 2
}

/** Number of the change of an event, counted from 0 in its facility. */
export function changeOf(facility: number, event: number, { facilities }: Size): number {
  return event * facilities + facility + 1
}

/**
 * Fills a migrated database, unless it is filled, with the history of a country, made by the server itself: at every facility one lot after the other is
 * received and consumed, the last five have stock. Balances, numbers, openings and closings are what the ledger would have made.
 */
export async function seed(url: string, size: Size): Promise<void> {
  const db = await createConnection(url)
  try {
    if ((await countOf(db, "select 1 from counter where name = 'change'")) > 0) return
    for (const [name, statement] of statements(size)) {
      const startedAt = performance.now()
      await db.query(statement)
      const seconds = (performance.now() - startedAt) / 1000
      if (seconds > 1) console.error(`seeded ${name} in ${seconds.toFixed(0)} s`)
    }
  } finally {
    await db.end()
  }
}

const id = (kind: string, of: string) => `concat('${kind}-0000-7000-8000-', lpad(${of}, 12, '0'))`

function statements(size: Size): [string, string][] {
  return [
    ['settings', 'set session unique_checks = 0, foreign_key_checks = 0'],
    ...places(size),
    ...history(size),
    ['settings', 'set session unique_checks = 1, foreign_key_checks = 1'],
    ['statistics', 'analyze table stock_event, stock_entry, stock_balance, `change`, lot, facility'],
  ]
}

function startOf({ eventsPerFacility }: Size): number {
  return Date.now() - AGO_MS - eventsPerFacility * HOUR_MS
}

function places(size: Size): [string, string][] {
  const { facilities, eventsPerFacility } = size
  const firstAt = startOf(size)
  const lots = eventsPerFacility / EVENTS_PER_LOT
  const districts = Math.ceil(facilities / PER_DISTRICT)
  const path = (district: string) => `concat('${countryId}/', ${id('d0000000', district)}, '/')`
  const placeColumns =
    '(id, name, level, parent_id, path, time_zone, created_at, code, population, version, updated_at)'
  const edited = `1, ${firstAt}, ${firstAt}, null`
  return [
    [
      'country',
      `insert into facility ${placeColumns} values ('${countryId}', 'Country', 'country', null, '${countryId}/', 'UTC', ${firstAt}, null, null, 0, ${firstAt})`,
    ],
    [
      'districts',
      `insert into facility ${placeColumns} select ${id('d0000000', 'seq')}, concat('District ', seq), 'district', '${countryId}', ${path('seq')}, 'UTC', ${firstAt}, null, null, 0, ${firstAt} from seq_0_to_${districts - 1}`,
    ],
    [
      'facilities',
      `insert into facility ${placeColumns} select ${id('fac00000', 'seq')}, concat('Clinic ', seq), 'facility', ${id('d0000000', `seq div ${PER_DISTRICT}`)}, concat(${path(`seq div ${PER_DISTRICT}`)}, ${id('fac00000', 'seq')}, '/'), 'UTC', ${firstAt}, null, null, 0, ${firstAt} from seq_0_to_${facilities - 1}`,
    ],
    [
      'storage points',
      `insert into storage_point (id, facility_id, name, created_at, version, updated_at) select ${id('b0000000', 'seq')}, ${id('fac00000', 'seq')}, 'Room', ${firstAt}, 0, ${firstAt} from seq_0_to_${facilities - 1}`,
    ],
    ['manufacturer', `insert into manufacturer values ('${uuid('a0000000')(1)}', 'Maker', ${edited})`],
    [
      'items',
      `insert into item (id, code, name, kind, doses_per_vial, freeze_sensitive, mm3_per_dose, version, created_at, updated_at, archived_at) select ${id('17e00000', 'seq')}, concat('item-', seq), concat('Item ', seq), 'vaccine', 10, 1, 2500, ${edited} from seq_0_to_${ITEMS - 1}`,
    ],
    [
      'trade items',
      `insert into trade_item (id, item_id, manufacturer_id, name, doses_per_pack, version, created_at, updated_at, archived_at) select ${id('7a000000', 'seq')}, ${id('17e00000', 'seq')}, '${uuid('a0000000')(1)}', concat('Product ', seq), 500, ${edited} from seq_0_to_${ITEMS - 1}`,
    ],
    [
      'lots',
      `insert into lot (id, trade_item_id, item_id, code, expires_on, version, created_at, updated_at, archived_at) select ${id('107a0000', 'seq')}, ${id('7a000000', `(seq div ${districts}) mod ${ITEMS}`)}, ${id('17e00000', `(seq div ${districts}) mod ${ITEMS}`)}, concat('L', seq), '2099-12-31', ${edited} from seq_0_to_${lots * districts - 1}`,
    ],
  ]
}

function history(size: Size): [string, string][] {
  const { facilities, eventsPerFacility } = size
  const firstAt = startOf(size)
  const events = facilities * eventsPerFacility
  const lots = eventsPerFacility / EVENTS_PER_LOT
  const districts = Math.ceil(facilities / PER_DISTRICT)
  // Of event `s`, counted from 1 through the country, hour by hour.
  const f = `((s - 1) mod ${facilities})`
  const e = `((s - 1) div ${facilities})`
  const lot = `(${e} div ${EVENTS_PER_LOT})`
  const step = `(${e} mod ${EVENTS_PER_LOT})`
  const lotId = id('107a0000', `${lot} * ${districts} + ${f} div ${PER_DISTRICT}`)
  const item = id('17e00000', `${lot} mod ${ITEMS}`)
  const received = `(${CONSUMED * (EVENTS_PER_LOT - 1)} + if(${lot} >= ${lots - LOTS_IN_USE}, ${LEFT}, 0))`
  const at = `(${firstAt} + ${e} * ${HOUR_MS})`
  const user = `(select id from user_account where username = 'admin')`
  const facility = id('fac00000', f)
  const point = id('b0000000', f)
  const isPoint = `(line = (${step} = 0))`
  const before = `if(${step} = 0, 0, ${received} - ${CONSUMED} * (${step} - 1))`
  const after = `(${received} - ${CONSUMED} * ${step})`
  return [
    [
      'events',
      `insert into stock_event (id, number, document_no, kind, facility_id, occurred_at, recorded_at, user_id, request_hash) select ${id('01000000', 's')}, ${e} + 1, concat(if(${step} = 0, 'RCV-', 'CON-'), lpad(${e} + 1, 6, '0')), if(${step} = 0, 'receive', 'consume'), ${facility}, ${at}, ${at}, ${user}, repeat('0', 64) from (select seq as s from seq_1_to_${events}) as events`,
    ],
    [
      'entries',
      `insert into stock_entry (event_id, line, account_kind, account_id, facility_id, item_id, lot_id, vvm_stage, held, doses, opening, closing, version, occurred_at, recorded_at) select ${id('01000000', 's')}, line, if(${isPoint}, 'point', if(${step} = 0, 'supplier', 'consumption')), if(${isPoint}, ${point}, ${facility}), ${facility}, ${item}, ${lotId}, 0, 0, if(${step} = 0, ${received}, ${CONSUMED}) * if(line = 0, -1, 1), if(${isPoint}, ${before}, null), if(${isPoint}, ${after}, null), if(${isPoint}, ${step} + 1, null), ${at}, ${at} from (select (seq + 1) div 2 as s, (seq + 1) mod 2 as line from seq_1_to_${events * 2}) as entries`,
    ],
    [
      'balances',
      `insert into stock_balance (account_id, lot_id, vvm_stage, held, account_kind, facility_id, item_id, doses, allocated, version, last_occurred_at, updated_at) select ${id('b0000000', `seq mod ${facilities}`)}, ${id('107a0000', `(seq div ${facilities}) * ${districts} + (seq mod ${facilities}) div ${PER_DISTRICT}`)}, 0, 0, 'point', ${id('fac00000', `seq mod ${facilities}`)}, ${id('17e00000', `(seq div ${facilities}) mod ${ITEMS}`)}, if(seq div ${facilities} >= ${lots - LOTS_IN_USE}, ${LEFT}, 0), 0, ${EVENTS_PER_LOT}, ${firstAt} + ((seq div ${facilities} + 1) * ${EVENTS_PER_LOT} - 1) * ${HOUR_MS}, ${firstAt} from seq_0_to_${facilities * lots - 1}`,
    ],
    [
      'changes',
      `insert into \`change\` (id, seq, entity, entity_id, facility_id, kind, at) select ${id('c0000000', 's')}, s, 'stockEvent', ${id('01000000', 's')}, ${facility}, 'put', ${at} from (select seq as s from seq_1_to_${events}) as changes`,
    ],
    [
      'counters',
      `insert into counter (name, value) select ${id('fac00000', 'seq')}, ${eventsPerFacility} from seq_0_to_${facilities - 1} union all select 'change', ${events}`,
    ],
  ]
}

/** What is wrong with the ledger, by rule: nothing. Slow, since it reads all of it. */
export async function checkLedger(url: string): Promise<void> {
  const db = await createConnection(url)
  try {
    for (const [rule, statement] of RULES)
      if ((await countOf(db, statement)) !== 0) throw new Error(`the ledger does not add up: ${rule}`)
  } finally {
    await db.end()
  }
}

async function countOf(db: Connection, statement: string): Promise<number> {
  const [rows] = await db.query<RowDataPacket[]>(`select count(*) as wrong from (${statement}) as wrong`)
  return Number(rows[0]?.['wrong'])
}

const LINE = 'account_id, lot_id, vvm_stage, held'
const RULES: readonly [string, string][] = [
  [
    'on hand is the sum of the entries, and as many as its version says',
    `select * from (select ${LINE}, sum(doses) as sum, count(*) as entries, max(version) as last from stock_entry where version is not null group by ${LINE}) as e right join stock_balance as b using (${LINE}) where coalesce(sum, 0) <> b.doses or coalesce(entries, 0) <> b.version or coalesce(last, 0) <> b.version`,
  ],
  [
    'every entry closes at its opening and its doses',
    'select 1 from stock_entry where version is not null and opening + doses <> closing',
  ],
  [
    'every event adds up to nothing',
    'select event_id from stock_entry group by event_id having sum(doses) <> 0',
  ],
  [
    'each entry opens where the one before closed',
    `select 1 from (select opening, coalesce(lag(closing) over (partition by ${LINE} order by version), 0) as closed from stock_entry where version is not null) as chain where opening <> closed`,
  ],
]
