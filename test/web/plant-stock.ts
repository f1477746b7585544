import { ADMIN_PASSWORD, type Api } from '../services/coldstream.ts'

/** A district store with 400 doses and a clinic with 40 of one vaccine, and who works there: `keeper` and `nurse`. */
export async function plantStock(api: Api) {
  const make = async (path: string, body: Record<string, unknown>) =>
    (await api.post<{ id: string }>(path, body)).id
  const timeZone = 'Asia/Jakarta'
  const root = await make('facilities', { name: 'Indonesia', level: 'country', timeZone })
  const district = { name: 'Store of Bogor', level: 'district', parentId: root, timeZone }
  const store = await make('facilities', district)
  const below = { name: 'Clinic Ciawi', level: 'facility', parentId: store, timeZone }
  const clinic = await make('facilities', below)
  const storePoint = await make('storage-points', { facilityId: store, name: 'Cold room' })
  const clinicPoint = await make('storage-points', { facilityId: clinic, name: 'Refrigerator' })
  const item = await make('items', {
    code: 'penta',
    name: 'Pentavalent',
    kind: 'vaccine',
    dosesPerVial: 10,
    vvmType: 'VVM14',
    mm3PerDose: 2500,
  })
  const manufacturerId = await make('manufacturers', { name: 'Maker' })
  const tradeItem = {
    itemId: item,
    manufacturerId,
    name: 'Penta 10',
    gtin: '08901057500005',
    dosesPerPack: 500,
  }
  const tradeItemId = await make('trade-items', tradeItem)
  const lot = await make('lots', { tradeItemId, code: 'PE24A', expiresOn: '2099-06-30' })
  for (const [facilityId, storagePointId, doses] of [
    [store, storePoint, 400],
    [clinic, clinicPoint, 40],
  ] as const)
    await make('stock-events', {
      kind: 'receive',
      facilityId,
      lines: [{ storagePointId, lotId: lot, vvmStage: 1, doses }],
    })
  await api.patch(`stock-levels/${clinic}/${item}`, { mode: 'set', minDoses: 60, maxDoses: 140 })
  await make('reasons', { code: 'short-supply', name: 'Short supply', kind: 'adjustment' })
  for (const [username, name, role, facilityId] of [
    ['keeper', 'Budi', 'manager', store],
    ['nurse', 'Siti', 'operator', clinic],
  ] as const)
    await make('users', { username, name, role, facilityId, password: ADMIN_PASSWORD })
  return { store, clinic, item, lot }
}
