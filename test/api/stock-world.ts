import { randomUUIDv7 } from 'node:crypto'
import type { Test } from 'tap'
import type { Db } from '../../db/schema.ts'
import type { VvmType } from '../../domain/stock.ts'
import { freshDatabase, hasMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { openWorld, plantTree, type Tree, type World } from './world.ts'

/** A district's stock: two clinics that must not see each other, vaccine with and without a VVM, and a second point to move it to. */
export interface StockWorld extends World {
  readonly tree: Tree
  readonly penta: Product
  readonly syringe: Product
  /** A cold box in clinic A. */
  readonly secondPoint: string
}

export interface Product {
  readonly item: string
  readonly tradeItem: string
  readonly lot: string
}

/** Runs a suite against SQLite and MariaDB; on MariaDB only where it is installed. */
export async function onBothDatabases(
  suite: Test,
  run: (t: Test, databaseUrl: string) => Promise<void>,
): Promise<void> {
  await suite.test('SQLite', (t) => run(t, `sqlite:${t.testdir()}/stock.sqlite`))
  await suite.test('MariaDB', { skip: skipWithout('MariaDB', hasMariadb) }, async (t) => {
    await run(t, await freshDatabase(t))
  })
}

export async function openStockWorld(t: Test, databaseUrl: string): Promise<StockWorld> {
  const world = await openWorld(t, { databaseUrl })
  const tree = await plantTree(world)
  const manufacturer = await plantManufacturer(world.db)
  const penta = await plantProduct(world.db, manufacturer, 'penta', 'VVM14')
  const syringe = await plantProduct(world.db, manufacturer, 'syringe', null)
  const body = { facilityId: tree.a.facility, name: 'Cold box' }
  return { ...world, tree, penta, syringe, secondPoint: await world.make('/v1/storage-points', body) }
}

const edited = { version: 1, createdAt: 1, updatedAt: 1, archivedAt: null }

export async function plantManufacturer(db: Db): Promise<string> {
  const id = randomUUIDv7()
  await db
    .insertInto('manufacturer')
    .values({ id, name: 'Maker', ...edited })
    .execute()
  return id
}

export async function plantProduct(
  db: Db,
  manufacturerId: string,
  code: string,
  vvmType: VvmType | null,
): Promise<Product> {
  const item = randomUUIDv7()
  const tradeItem = randomUUIDv7()
  await db
    .insertInto('item')
    .values({
      id: item,
      code,
      name: code,
      kind: vvmType === null ? 'syringe' : 'vaccine',
      cvx: null,
      atc: null,
      dosesPerVial: vvmType === null ? 1 : 10,
      vvmType,
      freezeSensitive: vvmType === null ? 0 : 1,
      profile: null,
      mm3PerDose: 2500,
      ...edited,
    })
    .execute()
  const product = { id: tradeItem, itemId: item, manufacturerId, name: code, gtin: null, dosesPerPack: 500 }
  await db
    .insertInto('tradeItem')
    .values({ ...product, ...edited })
    .execute()
  return { item, tradeItem, lot: await plantLot(db, { item, tradeItem }, `${code}-1`) }
}

export async function plantLot(
  db: Db,
  { item, tradeItem }: Omit<Product, 'lot'>,
  code: string,
  more: { readonly expiresOn?: string; readonly manufacturedOn?: string; readonly parentLotId?: string } = {},
): Promise<string> {
  const id = randomUUIDv7()
  const lot = {
    id,
    tradeItemId: tradeItem,
    itemId: item,
    code,
    expiresOn: '2099-12-31',
    manufacturedOn: null,
    parentLotId: null,
    recalledAt: null,
    recallReason: null,
  }
  await db
    .insertInto('lot')
    .values({ ...lot, ...edited, ...more })
    .execute()
  return id
}
