import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { DbOrTrx } from '../../db/schema.ts'
import { FieldError } from '../errors.ts'
import type { OperationId } from '../../domain/permissions.ts'
import type { Writing } from '../write.ts'

export interface Column {
  readonly name: string
  /** What a cell stands for; an empty one is nothing (of a boolean: false). */
  readonly as: 'text' | 'integer' | 'number' | 'boolean'
  /** The field of the body that it becomes, where it has another name. */
  readonly field?: string
}

export type Cells = ReadonlyMap<string, string>
export type Outcome = 'created' | 'updated' | 'unchanged'

export interface Saved {
  readonly outcome: Outcome
  /** Path of a facility that has moved. */
  readonly movedTo?: string
}

/** Which of the two the caller may do with things of this kind. */
export interface Permitted {
  readonly create: boolean
  readonly change: boolean
}

export interface FileRow {
  /** Where the next page begins. */
  readonly cursor: string
  readonly cells: Readonly<Record<string, string | number | boolean | null | undefined>>
}

/** A kind of file: one row for each thing, known by its natural key. */
export interface FileKind {
  readonly name: string
  readonly columns: readonly Column[]
  /** Columns that a file cannot do without. */
  readonly needed: readonly string[]
  readonly operations: { readonly create: OperationId; readonly change: OperationId }
  /** Rows that have to be saved before others, whatever their order in the file. */
  readonly rank?: (cells: Cells) => number
  save(writing: Writing, cells: Cells, permitted: Permitted): Promise<Saved>
  rows(db: DbOrTrx, scope: string, after: string | undefined, limit: number): Promise<FileRow[]>
}

/** The values of the columns that the file has, by field. */
export function valuesOf(columns: readonly Column[], cells: Cells): Record<string, unknown> {
  const given = columns.filter(({ name }) => cells.has(name))
  return Object.fromEntries(
    given.map(({ name, as, field }) => [field ?? name, valueOf(as, cells.get(name) ?? '')]),
  )
}

// What is none of its kind stays text, for the schema to refuse.
function valueOf(as: Column['as'], text: string): unknown {
  if (as === 'boolean') return BOOLEANS.has(text.toLowerCase()) ? BOOLEANS.get(text.toLowerCase()) : text
  if (text === '') return null
  if (as === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text
  if (as === 'number') return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
  return text
}

const BOOLEANS = new Map([
  ['', false],
  ['false', false],
  ['0', false],
  ['true', true],
  ['1', true],
])

/** Holds a body against the schema that the API has for it, and complains of the first field that does not fit. */
export function checker(schema: TSchema): (body: object) => void {
  const compiled = Compile(schema)
  return (body) => {
    if (compiled.Check(body)) return
    const [first] = compiled.Errors(body)
    throw new FieldError(first?.instancePath.split('/')[1] ?? '', first?.message ?? 'is not valid')
  }
}
