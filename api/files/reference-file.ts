import { listReference, type ReferenceTable } from '../../db/queries/reference.ts'
import type { DbOrTrx, Schema } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { FieldError } from '../errors.ts'
import {
  changeReference,
  changeSchema,
  createReference,
  newSchema,
  rowOf,
  serialise,
  type Reference,
} from '../reference.ts'
import type { Writing } from '../write.ts'
import { checker, valuesOf, type Cells, type Column, type FileKind, type FileRow } from './kind.ts'

/** What a file of reference data says beyond the columns that are fields. */
export interface ReferenceFile<T extends ReferenceTable> {
  readonly columns: readonly Column[]
  readonly needed: readonly string[]
  /** Fields that other things are named by, and the row that has the natural key already. */
  resolve(writing: Writing, cells: Cells): Promise<Resolved<T>>
  /** The cells of those columns, row for row. */
  name(db: DbOrTrx, rows: readonly Schema[T][], scope: string): Promise<readonly FileRow['cells'][]>
}

export interface Resolved<T extends ReferenceTable> {
  readonly fields: Readonly<Record<string, unknown>>
  readonly existing: Schema[T] | undefined
}

const ARCHIVED: Column = { name: 'archived', as: 'boolean' }

/** The file of a kind of reference data. */
export function referenceFile<T extends ReferenceTable, B extends object>(
  of: Reference<T, B>,
  file: ReferenceFile<T>,
): FileKind {
  const columns = of.canBeArchived ? [...file.columns, ARCHIVED] : file.columns
  const checkNew = checker(newSchema(of))
  const checkChange = checker(changeSchema(of))
  const plain = file.columns.filter(({ name }) => name in of.fields)
  return {
    name: of.path,
    columns,
    needed: file.needed,
    operations: of.operations,
    async save(writing, cells, permitted) {
      if (of.isSerial) await serialise(writing.trx, of)
      const { fields, existing } = await file.resolve(writing, cells)
      const body = { ...valuesOf(plain, cells), ...fields }
      const archived = of.canBeArchived && cells.has('archived') ? valuesOf([ARCHIVED], cells) : {}
      if (!existing) {
        checkNew(body)
        if (!permitted.create) throw new CodedError('auth.forbidden')
        await createReference(of, writing, { ...body, ...archived } as unknown as B)
        return { outcome: 'created' }
      }
      const change = { ...withoutFixed(of, body, of.bodyOf(existing)), ...archived }
      if (Object.keys(change).length === 0) return { outcome: 'unchanged' }
      checkChange(change)
      const key = rowOf(existing)[of.key] ?? ''
      const after = await changeReference(of, writing, key, change as Partial<B>)
      if (rowOf(after).version === rowOf(existing).version) return { outcome: 'unchanged' }
      if (!permitted.change) throw new CodedError('auth.forbidden')
      return { outcome: 'updated' }
    },
    async rows(db, scope, after, limit) {
      const under = of.isPlaced ? [scope] : []
      const rows = await listReference(db, of.table, { key: of.key, equal: {}, under, after, limit })
      const named = await file.name(db, rows, scope)
      return rows.map((row, index) => ({
        cursor: rowOf(row)[of.key] ?? '',
        cells: {
          ...(of.bodyOf(row) as FileRow['cells']),
          ...named[index],
          archived: typeof rowOf(row).archivedAt === 'number',
        },
      }))
    },
  }
}

function withoutFixed(of: Pick<Reference, 'fixed'>, body: object, before: object): object {
  const now = before as Readonly<Record<string, unknown>>
  const entries = Object.entries(body)
  const changed = entries.find(([field, value]) => of.fixed.includes(field) && now[field] !== value)
  if (changed) throw new FieldError(changed[0], `is ${String(now[changed[0]])}, and never changes`)
  return Object.fromEntries(entries.filter(([field]) => !of.fixed.includes(field)))
}
