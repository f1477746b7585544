import { CodedError } from '../domain/errors.ts'

const TEXT = /^[0-9A-Za-z._:-]{1,100}$/

export interface Page<T> {
  readonly items: T[]
  readonly nextCursor: string | null
}

/** What a cursor says is our business alone, so that it may change: callers get it in base64url. */
export function encodeCursor(after: string): string {
  return Buffer.from(after).toString('base64url')
}

/** @throws CodedError `request.invalid` when we did not make it */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const after = Buffer.from(cursor, 'base64url').toString()
  if (!TEXT.test(after) || encodeCursor(after) !== cursor)
    throw new CodedError('request.invalid', 'cursor is not one that this list has given.')
  return after
}

/**
 * Makes a page of rows that were asked for with one more than `limit`: the one too many says that there is a next page.
 * @param view what the caller sees of a row
 */
export function toPage<R extends { readonly id: string }, T>(
  rows: readonly R[],
  limit: number,
  view: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map((row) => view(row)),
    nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null,
  }
}
