import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { migrate } from '../db/migrate.ts'
import { openDb } from '../db/open.ts'
import { NOT_CLOSED } from '../db/queries/breach.ts'
import type { Db, FacilityTable } from '../db/schema.ts'
import type { Level } from '../domain/role.ts'

export const FACILITIES = 5000
const PROVINCES = 34
const DISTRICTS = 250
const REFRIGERATORS_EACH = 2
const ITEMS = 5
const LOTS_EACH = 2
/** Of all refrigerators, those that are warm and those that are silent. */
const WARM = 200
const SILENT = 300
/** Of their places, every so manieth lacks an item. */
const LACKS_EVERY = 50
const ROWS_PER_INSERT = 500
const DAY_MS = 86_400_000

const uuid = (kind: string) => (number: number) =>
  `${kind}-0000-7000-8000-${String(number).padStart(12, '0')}`
const countryId = uuid('c0000000')(1)
const provinceId = uuid('c1000000')
const districtId = uuid('d0000000')
const facilityId = uuid('fac00000')
const pointId = uuid('b0000000')
const equipmentId = uuid('e0000000')
const deviceId = uuid('de000000')
const itemId = uuid('17e00000')
const lotId = uuid('107a0000')

/** A device with its token, on a refrigerator that is well. */
export function deviceOf(number: number): {
  readonly id: string
  readonly equipment: string
  readonly token: string
} {
  const of = WARM + SILENT + number
  return { id: deviceId(of), equipment: equipmentId(of), token: `bench-${of}` }
}

/** A country with 5,000 facilities, 10,000 refrigerators and their stock, in a database that the program has not opened yet. */
export async function seedCountry(dataDir: string): Promise<void> {
  const db = await openDb(`sqlite:${join(dataDir, 'coldstream.sqlite')}`)
  try {
    await migrate(db)
    await fill(db, Date.now())
  } finally {
    await db.destroy()
  }
}

async function fill(db: Db, now: number): Promise<void> {
  await insertAll(places(now), (rows) => db.insertInto('facility').values(rows).execute())
  const numbers = Array.from({ length: FACILITIES }, (_, index) => index)
  await insertAll(
    numbers.map((of) => ({
      id: pointId(of),
      facilityId: facilityId(of),
      name: 'Room',
      profile: null,
      capacityMl: null,
      version: 1,
      createdAt: now,
      updatedAt: now,
    })),
    (rows) => db.insertInto('storagePoint').values(rows).execute(),
  )
  const refrigerators = Array.from({ length: FACILITIES * REFRIGERATORS_EACH }, (_, index) => index)
  await insertAll(
    refrigerators.map((of) => ({
      id: equipmentId(of),
      facilityId: facilityId(of % FACILITIES),
      storagePointId: pointId(of % FACILITIES),
      name: `Refrigerator ${of}`,
      kind: 'refrigerator' as const,
      profile: 'who-30dtr',
      createdAt: now,
    })),
    (rows) => db.insertInto('equipment').values(rows).execute(),
  )
  await fillDevices(db, refrigerators, now)
  await fillStock(db, numbers, now)
}

function places(now: number): FacilityTable[] {
  const place = (
    id: string,
    name: string,
    level: Level,
    above: FacilityTable | undefined,
    at: { readonly latitude: number; readonly longitude: number } | undefined,
  ): FacilityTable => ({
    id,
    name,
    level,
    parentId: above?.id ?? null,
    path: `${above?.path ?? ''}${id}/`,
    timeZone: 'Asia/Jakarta',
    code: null,
    gln: null,
    population: 10_000,
    latitude: at?.latitude ?? null,
    longitude: at?.longitude ?? null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  })
  const country = place(countryId, 'Country', 'country', undefined, undefined)
  const provinces = range(PROVINCES, (of) =>
    place(provinceId(of), `Province ${of + 1}`, 'province', country, undefined),
  )
  const districts = range(DISTRICTS, (of) =>
    place(districtId(of), `District ${of + 1}`, 'district', provinces[of % PROVINCES], undefined),
  )
  // Over Indonesia: provinces from west to east, their facilities around them.
  const facilities = range(FACILITIES, (of) => {
    const province = (of % DISTRICTS) % PROVINCES
    const at = {
      latitude: -8 + ((province * 7) % 11) + spread(of, 1),
      longitude: 97 + (province * 42) / PROVINCES + spread(of, 2),
    }
    return place(facilityId(of), `Clinic ${of + 1}`, 'facility', districts[of % DISTRICTS], at)
  })
  return [country, ...provinces, ...districts, ...facilities]
}

async function fillDevices(db: Db, refrigerators: readonly number[], now: number): Promise<void> {
  await insertAll(
    refrigerators.map((of) => ({
      id: deviceId(of),
      name: `device-${of}`,
      equipmentId: equipmentId(of),
      isGateway: 0 as const,
      gatewayId: null,
      tokenHash: createHash('sha256').update(`bench-${of}`).digest('hex'),
      disabledAt: null,
      createdAt: now,
    })),
    (rows) => db.insertInto('device').values(rows).execute(),
  )
  const watch = {
    cadenceMs: null,
    pauseMs: null,
    limitMs: DAY_MS,
    dueAt: null,
    checkFrom: null,
    checkTo: null,
  }
  await insertAll(
    refrigerators.map((of) => ({
      deviceId: deviceId(of),
      newestAt: now,
      arrivedAt: now,
      ...watch,
      checkBy: null,
      powerLostAt: null,
      clockOffMs: null,
    })),
    (rows) => db.insertInto('deviceWatch').values(rows).execute(),
  )
  const startAt = now - DAY_MS
  await insertAll(
    refrigerators.slice(0, WARM + SILENT).map((of) => ({
      id: breachOf(of),
      deviceId: deviceId(of),
      sensor: 'main',
      ruleId: of < WARM ? 'who-30dtr-high' : 'silence',
      equipmentId: equipmentId(of),
      facilityId: facilityId(of % FACILITIES),
      state: 'open' as const,
      severity: of < WARM ? ('critical' as const) : ('warning' as const),
      startAt,
      endAt: null,
      peak: 11,
      peakAt: startAt,
      lastAt: now,
      readings: 100,
      acknowledgedAt: null,
      ...NOT_CLOSED,
      outageId: null,
      cause: null,
      recordedAt: startAt,
      updatedAt: startAt,
    })),
    (rows) => db.insertInto('breach').values(rows).execute(),
  )
}

/** The breach of a refrigerator that is warm or silent. */
export const breachOf = uuid('b4eac000')
export const BREACHES = WARM + SILENT

async function fillStock(db: Db, facilities: readonly number[], now: number): Promise<void> {
  const edited = { version: 1, createdAt: now, updatedAt: now, archivedAt: null }
  const manufacturer = uuid('a0000000')(1)
  await db
    .insertInto('manufacturer')
    .values({ id: manufacturer, name: 'Maker', ...edited })
    .execute()
  const vaccine = {
    kind: 'vaccine',
    cvx: null,
    atc: null,
    dosesPerVial: 10,
    vvmType: 'VVM14',
    freezeSensitive: 1,
    profile: null,
    mm3PerDose: 2500,
  } as const
  const items = range(ITEMS, (of) => ({
    id: itemId(of),
    code: `item-${of}`,
    name: `Vaccine ${of + 1}`,
    ...vaccine,
    ...edited,
  }))
  await db.insertInto('item').values(items).execute()
  const products = items.map(({ id, name }) => ({
    id,
    itemId: id,
    manufacturerId: manufacturer,
    name,
    gtin: null,
    dosesPerPack: 500,
    ...edited,
  }))
  await db.insertInto('tradeItem').values(products).execute()
  const lots = range(ITEMS * LOTS_EACH, (of) => ({
    id: lotId(of),
    tradeItemId: itemId(of % ITEMS),
    itemId: itemId(of % ITEMS),
    code: `L${of}`,
    // One of them soon.
    expiresOn: new Date(now + (of === 0 ? 20 : 400 + of) * DAY_MS).toISOString().slice(0, 10),
    manufacturedOn: null,
    parentLotId: null,
    recalledAt: null,
    recallReason: null,
    ...edited,
  }))
  await db.insertInto('lot').values(lots).execute()
  await fillShelves(db, facilities, lots, now)
}

async function fillShelves(
  db: Db,
  facilities: readonly number[],
  lots: readonly { readonly id: string; readonly itemId: string }[],
  now: number,
): Promise<void> {
  const level = {
    mode: 'set',
    minDoses: 50,
    maxDoses: 500,
    leadTimeDays: 14,
    reviewDays: 30,
    safetyDays: 7,
    version: 1,
    updatedAt: now,
  } as const
  const kept = facilities.flatMap((of) =>
    range(ITEMS, (item) => ({ facilityId: facilityId(of), itemId: itemId(item), ...level })),
  )
  await insertAll(kept, (rows) => db.insertInto('stockLevel').values(rows).execute())
  const line = {
    vvmStage: 1,
    held: 0,
    accountKind: 'point',
    doses: 100,
    allocated: 0,
    version: 1,
    lastOccurredAt: now,
    updatedAt: now,
  } as const
  const balances = facilities.flatMap((of) =>
    lots
      .filter((lot) => of % LACKS_EVERY > 0 || lot.itemId !== itemId(1))
      .map((lot) => ({
        accountId: pointId(of),
        lotId: lot.id,
        facilityId: facilityId(of),
        itemId: lot.itemId,
        ...line,
      })),
  )
  await insertAll(balances, (rows) => db.insertInto('stockBalance').values(rows).execute())
}

function range<T>(count: number, of: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => of(index))
}

/** The same each time, and all over the place. */
function spread(of: number, salt: number): number {
  return ((of * 7919 * salt + 104_729 * salt) % 1000) / 1000 - 0.5
}

async function insertAll<Row>(
  rows: readonly Row[],
  insert: (part: Row[]) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT)
    await insert(rows.slice(from, from + ROWS_PER_INSERT))
}
