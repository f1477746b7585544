import type { Api } from '../simulators/api.ts'
import type { RegisteredDevice } from '../simulators/register.ts'

const DAY_MS = 86_400_000
/** Before the time that the demo shows, so that what is inside was inside when the power went. */
const RECEIVED_MS = DAY_MS
/** Between those of vials of ten and of one. */
const MM3_PER_DOSE = 3000

interface Vaccine {
  readonly code: string
  readonly name: string
  readonly vvmType: string
  readonly freezeSensitive: boolean
  readonly dosesPerVial: number
  readonly lot: string
  readonly expiresInDays: number
  readonly doses: number
}

/** What a health centre of the expanded programme on immunisation has. Lots and makers are made up. */
const VACCINES: readonly Vaccine[] = [
  {
    code: 'penta',
    name: 'Pentavalent',
    vvmType: 'VVM14',
    freezeSensitive: true,
    dosesPerVial: 10,
    lot: 'PE2409',
    expiresInDays: 320,
    doses: 180,
  },
  {
    code: 'mr',
    name: 'Measles-rubella',
    vvmType: 'VVM14',
    freezeSensitive: false,
    dosesPerVial: 10,
    lot: 'MR2411',
    expiresInDays: 74,
    doses: 120,
  },
  {
    code: 'bopv',
    name: 'Oral polio, bivalent',
    vvmType: 'VVM2',
    freezeSensitive: false,
    dosesPerVial: 20,
    lot: 'OP2410',
    expiresInDays: 210,
    doses: 240,
  },
]

/** Puts vaccines into every refrigerator of the demo, so that a broken one has something to lose. */
export async function stockDistrict(api: Api, devices: readonly RegisteredDevice[]): Promise<void> {
  const maker = await api.post<Made>('/v1/manufacturers', { name: 'Demo Biologicals' })
  const lots: { readonly lotId: string; readonly doses: number }[] = []
  for (const vaccine of VACCINES) lots.push(await makeLot(api, maker.id, vaccine))
  const occurredAt = new Date(Date.now() - RECEIVED_MS).toISOString()
  for (const { equipment, equipmentId, facilityId } of devices) {
    const { id: storagePointId } = await api.post<Made>('/v1/storage-points', { facilityId, name: equipment })
    await api.patch(`/v1/equipment/${equipmentId}`, { storagePointId })
    const lines = lots.map((lot) => ({ storagePointId, vvmStage: 1, ...lot }))
    await api.post('/v1/stock-events', { kind: 'receive', facilityId, occurredAt, lines })
  }
}

interface Made {
  readonly id: string
}

async function makeLot(api: Api, manufacturerId: string, vaccine: Vaccine) {
  const { lot, expiresInDays, doses, ...item } = vaccine
  const { id: itemId } = await api.post<Made>('/v1/items', {
    kind: 'vaccine',
    mm3PerDose: MM3_PER_DOSE,
    ...item,
  })
  const trade = { itemId, manufacturerId, name: item.name, dosesPerPack: item.dosesPerVial * 10 }
  const { id: tradeItemId } = await api.post<Made>('/v1/trade-items', trade)
  const expiresOn = new Date(Date.now() + expiresInDays * DAY_MS).toISOString().slice(0, 10)
  const { id: lotId } = await api.post<Made>('/v1/lots', { tradeItemId, code: lot, expiresOn })
  return { lotId, doses }
}
