import { Type, type Static } from 'typebox'
import { findFacility } from '../../db/queries/facility.ts'
import { FieldError } from '../errors.ts'
import { checkProfile } from '../profile.ts'
import type { Reference } from '../reference.ts'
import { Id, Name, nullable } from '../schemas.ts'

const ML_PER_LITRE = 1000

const fields = {
  facilityId: Id,
  name: Name,
  profile: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Storage profile that it offers: see GET /v1/profiles.',
      }),
    ),
  ),
  capacityLitres: Type.Optional(
    nullable(
      Type.Number({
        minimum: 0,
        maximum: 10_000_000,
        description: 'Net volume for stock, to the millilitre.',
      }),
    ),
  ),
}
const Body = Type.Object(fields)

export const STORAGE_POINTS: Reference<'storagePoint', Static<typeof Body>> = {
  table: 'storagePoint',
  key: 'id',
  path: 'storage-points',
  title: 'StoragePoint',
  words: { one: 'storage point', many: 'storage points', tag: 'facilities' },
  operations: {
    list: 'listStoragePoints',
    get: 'getStoragePoint',
    create: 'createStoragePoint',
    change: 'updateStoragePoint',
  },
  fields,
  fixed: ['facilityId'],
  derived: {},
  filters: { name: Type.Optional(Name) },
  search: ['name'],
  isPlaced: true,
  canBeArchived: false,
  taken: 'The facility has one of this name.',
  bodyOf: ({ facilityId, name, profile, capacityMl }) => ({
    facilityId,
    name,
    profile,
    capacityLitres: capacityMl === null ? null : capacityMl / ML_PER_LITRE,
  }),
  derivedOf: () => ({}),
  async columnsOf({ trx, caller }, { facilityId, name, profile = null, capacityLitres = null }, before) {
    const facility = await findFacility(trx, facilityId, caller.scope)
    if (!facility) throw new FieldError('facilityId', 'there is no such facility', 'resource.notFound')
    if (profile !== null && profile !== before?.profile) await checkProfile(trx, profile, facility)
    const capacityMl = capacityLitres === null ? null : Math.round(capacityLitres * ML_PER_LITRE)
    return { facilityId, name, profile, capacityMl }
  },
}
