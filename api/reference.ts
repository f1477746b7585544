import { randomUUIDv7 } from 'node:crypto'
import { Type, type TProperties } from 'typebox'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { insertChanges } from '../db/queries/change.ts'
import { nextNumber } from '../db/queries/counter.ts'
import {
  findReference,
  insertReference,
  lockReference,
  updateReference,
  type ReferenceKey,
  type ReferenceTable,
} from '../db/queries/reference.ts'
import type { Equal } from '../db/queries/filter.ts'
import type { DbOrTrx, Schema } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import { facilityOf, found, type Caller } from './caller.ts'
import type { OperationId } from '../domain/permissions.ts'
import { closed, Id, nullable, Time, Version } from './schemas.ts'
import { toRfc3339, toRfc3339OrNull } from './time.ts'
import { audit, type Writing } from './write.ts'

/** A kind of reference data: one table, one set of routes, one kind of file. */
export interface Reference<T extends ReferenceTable = ReferenceTable, Body extends object = object> {
  readonly table: T
  readonly key: ReferenceKey
  /** Last part of its address. */
  readonly path: string
  readonly title: string
  /** As in `one manufacturer`, `manufacturers`. */
  readonly words: { readonly one: string; readonly many: string; readonly tag: string }
  readonly operations: Readonly<Record<'list' | 'get' | 'create' | 'change', OperationId>>
  /** What people give, by name. */
  readonly fields: TProperties
  /** What never changes after the beginning. */
  readonly fixed: readonly string[]
  /** What is shown and never given. */
  readonly derived: TProperties
  /** Columns that a list can be narrowed to. */
  readonly filters: TProperties
  readonly search: readonly string[]
  /** It belongs to a facility: only people of that part of the tree see it. Else it is everybody's. */
  readonly isPlaced: boolean
  readonly canBeArchived: boolean
  /** Said when another one has its identity. */
  readonly taken: string
  /** What is given is held against other rows than its own: such changes are made one after the other. */
  isSerial?(change: Partial<Body>): boolean
  /** What of a row people gave. */
  bodyOf(row: Schema[T]): Body
  /** Whatever else there is to show. */
  derivedOf(row: Schema[T]): object
  /** The columns of what people gave. @throws CodedError for what cannot be */
  columnsOf(writing: Writing, body: Body, before: Schema[T] | undefined): Promise<Partial<Schema[T]>>
}

export interface Archivable {
  readonly archived?: boolean | undefined
}

/** The bookkeeping of a row, whatever its table. */
interface Row {
  readonly id?: string
  readonly code?: string
  readonly facilityId?: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly archivedAt?: number | null
}

export const rowOf = (row: object): Row => row as Row
const keyOf = (of: Pick<Reference, 'key'>, row: object): string => rowOf(row)[of.key] ?? ''

/** What the API shows of one: what people gave, and its history. */
export function shownSchema(of: Pick<Reference, 'key' | 'fields' | 'derived' | 'title' | 'canBeArchived'>) {
  return Type.Object(
    {
      ...(of.key === 'id' ? { id: Id } : {}),
      ...Type.Required(Type.Object({ ...of.fields })).properties,
      ...of.derived,
      version: Version,
      createdAt: Time,
      updatedAt: Time,
      ...(of.canBeArchived ? { archivedAt: nullable(Time) } : {}),
    },
    { title: of.title },
  )
}

export const newSchema = (of: Pick<Reference, 'fields'>) => Type.Object({ ...of.fields }, closed)

export function changeSchema(of: Pick<Reference, 'fields' | 'fixed' | 'canBeArchived'>) {
  const free = Object.entries(of.fields).filter(([name]) => !of.fixed.includes(name))
  const archived = Type.Boolean({ description: 'Hidden from choice; what was recorded still refers to it.' })
  return Type.Partial(
    Type.Object({ ...Object.fromEntries(free), ...(of.canBeArchived ? { archived } : {}) }, closed),
    { ...closed, minProperties: 1 },
  )
}

export function referenceView<T extends ReferenceTable, B extends object>(
  of: Reference<T, B>,
  row: Schema[T],
): object & { readonly version: number } {
  const { version, createdAt, updatedAt, archivedAt } = rowOf(row)
  return {
    ...(of.key === 'id' ? { id: keyOf(of, row) } : {}),
    ...of.bodyOf(row),
    ...of.derivedOf(row),
    version,
    createdAt: toRfc3339(createdAt),
    updatedAt: toRfc3339(updatedAt),
    ...(of.canBeArchived ? { archivedAt: toRfc3339OrNull(archivedAt ?? null) } : {}),
  }
}

/** @throws CodedError `resource.notFound` also when it belongs to a facility that is not the caller's */
export async function getReference<T extends ReferenceTable, B extends object>(
  of: Reference<T, B>,
  db: DbOrTrx,
  caller: Caller,
  value: string,
): Promise<Schema[T]> {
  const row = found(await findReference(db, of.table, { [of.key]: value } as Equal<Schema[T]>))
  if (of.isPlaced) await facilityOf(db, caller, rowOf(row).facilityId ?? '')
  return row
}

/** @throws CodedError `resource.conflict` when its identity is taken, and what its kind refuses */
export async function createReference<T extends ReferenceTable, B extends object>(
  of: Reference<T, B>,
  writing: Writing,
  body: B & Archivable,
): Promise<Schema[T]> {
  const { trx, caller, at } = writing
  const { archived, ...given } = body
  if (of.isSerial?.(body)) await serialise(trx, of)
  const columns = await of.columnsOf(writing, given as unknown as B, undefined)
  const row = {
    ...(of.key === 'id' ? { id: randomUUIDv7() } : {}),
    ...columns,
    version: 1,
    createdAt: at,
    updatedAt: at,
    ...(of.canBeArchived ? { archivedAt: archived ? at : null } : {}),
  } as unknown as Schema[T]
  await insertReference(trx, of.table, row).catch((error: unknown) => refuseTaken(of, error))
  const entry = { action: `${of.table}.created`, entity: of.table, entityId: keyOf(of, row) }
  await audit(trx, caller, at, { ...entry, after: referenceView(of, row) })
  await insertChanges(trx, at, [rowOf(row).facilityId ?? null], of.table, keyOf(of, row))
  return row
}

/** Changes what is given; the same again changes nothing. @throws CodedError as `createReference`, and `request.preconditionFailed` */
export async function changeReference<T extends ReferenceTable, B extends object>(
  of: Reference<T, B>,
  writing: Writing,
  value: string,
  change: Partial<B> & Archivable,
): Promise<Schema[T]> {
  const { trx, caller, at } = writing
  if (of.isSerial?.(change)) await serialise(trx, of)
  await lockReference(trx, of.table, of.key, value)
  const before = await getReference(of, trx, caller, value)
  writing.match(rowOf(before).version)
  const { archived, ...given } = change
  const columns = {
    ...(await of.columnsOf(writing, { ...of.bodyOf(before), ...given } as B, before)),
    ...(archived === undefined ? {} : { archivedAt: archived ? (rowOf(before).archivedAt ?? at) : null }),
  }
  if (isSame(before, columns)) return before
  const after = { ...before, ...columns, version: rowOf(before).version + 1, updatedAt: at }
  const { version, updatedAt } = rowOf(after)
  const set = { ...columns, version, updatedAt } as unknown as Partial<Schema[T]>
  const isDone = await updateReference(trx, of.table, of.key, value, version - 1, set).catch(
    (error: unknown) => refuseTaken(of, error),
  )
  if (!isDone) throw new CodedError('request.preconditionFailed')
  await audit(trx, caller, at, {
    action: `${of.table}.changed`,
    entity: of.table,
    entityId: value,
    before: referenceView(of, before),
    after: referenceView(of, after),
  })
  await insertChanges(trx, at, [rowOf(before).facilityId ?? null], of.table, value)
  return after
}

/** Lets one transaction after the other do this. Call it before the first read, so that the read sees what others committed. */
export async function serialise(trx: DbOrTrx, { table }: Pick<Reference, 'table'>): Promise<void> {
  await nextNumber(trx, table)
}

function isSame(before: object, columns: object): boolean {
  const now = before as Readonly<Record<string, unknown>>
  return Object.entries(columns).every(([column, value]) => now[column] === value)
}

function refuseTaken(of: Pick<Reference, 'taken'>, error: unknown): never {
  if (isDuplicate(error)) throw new CodedError('resource.conflict', of.taken)
  throw error
}
