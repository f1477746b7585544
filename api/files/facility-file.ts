import { findFacilityByRef, findFacilityRefs, listFacilities, lockTree } from '../../db/queries/facility.ts'
import type { FacilityTable } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { LEVELS } from '../../domain/role.ts'
import type { Static } from 'typebox'
import { FieldError } from '../errors.ts'
import { changeFacility, createFacility, FacilityChange, NewFacility } from '../facility.ts'
import { isId } from '../schemas.ts'
import type { Writing } from '../write.ts'
import { checker, valuesOf, type FileKind, type Permitted, type Saved } from './kind.ts'

const checkNew = checker(NewFacility)
const checkChange = checker(FacilityChange)

/**
 * A facility is known by its code; one without goes by its id, here and wherever files name facilities. Rows may come in any order: what
 * lies above is saved first.
 */
export const FACILITY_FILE: FileKind = {
  name: 'facilities',
  columns: [
    { name: 'code', as: 'text' },
    { name: 'name', as: 'text' },
    { name: 'level', as: 'text' },
    { name: 'parentCode', as: 'text', field: 'parentId' },
    { name: 'timeZone', as: 'text' },
    { name: 'population', as: 'integer' },
    { name: 'gln', as: 'text' },
    { name: 'latitude', as: 'number' },
    { name: 'longitude', as: 'number' },
  ],
  needed: ['code'],
  operations: { create: 'createFacility', change: 'updateFacility' },
  // A child's level lies below its parent's.
  rank: (cells) => LEVELS.findIndex((level) => level === cells.get('level')),
  async save(writing, cells, permitted) {
    await lockTree(writing.trx)
    const code = cells.get('code') ?? ''
    if (code === '') throw new FieldError('code', 'is empty')
    const existing = await findFacilityByRef(writing.trx, code, writing.caller.scope)
    const parent = cells.has('parentCode')
      ? { parentId: await findParent(writing, cells.get('parentCode') ?? '', existing) }
      : {}
    const body = { ...valuesOf(this.columns, cells), ...parent } as Static<typeof NewFacility>
    return existing ? change(writing, existing, body) : create(writing, body, permitted)
  },
  async rows(db, scope, after, limit) {
    const asked = { scope, under: undefined, equal: {}, search: undefined, after, limit }
    const rows = await listFacilities(db, asked)
    const parents = await findFacilityRefs(
      db,
      rows.map(({ parentId }) => parentId),
      scope,
    )
    return rows.map(({ id, code, parentId, ...row }) => ({
      cursor: id,
      // Of the parent of their own root people know the id only.
      cells: {
        code: code ?? id,
        name: row.name,
        level: row.level,
        parentCode: parents.get(parentId ?? '') ?? parentId,
        timeZone: row.timeZone,
        population: row.population,
        gln: row.gln,
        latitude: row.latitude,
        longitude: row.longitude,
      },
    }))
  },
}

async function create(
  writing: Writing,
  body: Static<typeof NewFacility>,
  permitted: Permitted,
): Promise<Saved> {
  if (isId(body.code ?? ''))
    throw new FieldError('code', 'there is no facility of this id', 'resource.notFound')
  checkNew(body)
  if (!permitted.create) throw new CodedError('auth.forbidden')
  await createFacility(writing, body)
  return { outcome: 'created' }
}

async function change(
  writing: Writing,
  existing: FacilityTable,
  body: Static<typeof NewFacility>,
): Promise<Saved> {
  const { level = existing.level, code: _, ...rest } = body
  if (level !== existing.level) throw new FieldError('level', `is ${existing.level}, and never changes`)
  if (Object.keys(rest).length === 0) return { outcome: 'unchanged' }
  checkChange(rest)
  const after = await changeFacility(writing, existing.id, rest)
  if (after.version === existing.version) return { outcome: 'unchanged' }
  return { outcome: 'updated', ...(after.path === existing.path ? {} : { movedTo: after.path }) }
}

async function findParent(
  { trx, caller }: Writing,
  ref: string,
  existing: FacilityTable | undefined,
): Promise<string | null> {
  if (ref === '') return null
  if (ref === existing?.parentId) return ref
  const parent = await findFacilityByRef(trx, ref, caller.scope)
  if (!parent) throw new FieldError('parentId', 'there is no such facility', 'resource.notFound')
  return parent.id
}
