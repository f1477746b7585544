import type { Operations } from '../../../operations.ts'

export type FileKind = Operations['importCsv']['params']['kind']

/** In the order in which a new programme imports them, and the columns that each may have (docs/files.md). */
export const KINDS: Readonly<Record<FileKind, readonly string[]>> = {
  facilities: [
    'code',
    'name',
    'level',
    'parentCode',
    'timeZone',
    'population',
    'gln',
    'latitude',
    'longitude',
  ],
  'storage-points': ['facilityCode', 'name', 'profile', 'capacityLitres'],
  manufacturers: ['name', 'archived'],
  items: [
    'code',
    'name',
    'kind',
    'cvx',
    'atc',
    'dosesPerVial',
    'vvmType',
    'freezeSensitive',
    'profile',
    'mm3PerDose',
    'archived',
  ],
  'trade-items': ['itemCode', 'manufacturer', 'name', 'gtin', 'dosesPerPack', 'archived'],
  lots: [
    'itemCode',
    'manufacturer',
    'tradeItem',
    'gtin',
    'code',
    'expiresOn',
    'manufacturedOn',
    'parentCode',
    'archived',
  ],
  'stock-levels': [
    'facilityCode',
    'itemCode',
    'mode',
    'minDoses',
    'maxDoses',
    'leadTimeDays',
    'reviewDays',
    'safetyDays',
  ],
  activities: ['code', 'name', 'archived'],
  reasons: ['code', 'name', 'kind', 'archived'],
}
