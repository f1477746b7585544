import type { ImportReport } from '../../../operations.ts'

/** What a spreadsheet takes for a formula is guarded by a `'`, as in the exports of the API; an import takes it off again. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/

/** The wrong rows as CSV: where, what is wrong, then the row as it was read. */
export function errorsFile(errors: ImportReport['errors']): string {
  const columns = [...new Set(errors.flatMap(({ cells }) => Object.keys(cells ?? {})))]
  const lines = [
    ['row', 'column', 'error', ...columns],
    ...errors.map(({ row, column, detail, cells }) => [
      String(row),
      column ?? '',
      detail,
      ...columns.map((name) => cells?.[name] ?? ''),
    ]),
  ]
  // Spreadsheets take a file without a BOM for one of their own alphabet.
  return `\uFEFF${lines.map((cells) => `${cells.map(cellOf).join(',')}\r\n`).join('')}`
}

function cellOf(text: string): string {
  const guarded = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
}
