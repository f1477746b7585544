import { csvLine } from '../../../../domain/csv.ts'
import type { ImportReport } from '../../../operations.ts'

/** The wrong rows as CSV: where, what is wrong, then the row as it was read. It can be mended and imported. */
export function errorsFile(errors: ImportReport['errors']): string {
  const columns = [...new Set(errors.flatMap(({ cells }) => Object.keys(cells ?? {})))]
  const lines = [
    ['row', 'column', 'error', ...columns],
    ...errors.map(({ row, column, detail, cells }) => [
      row,
      column,
      detail,
      ...columns.map((name) => cells?.[name] ?? ''),
    ]),
  ]
  // Spreadsheets take a file without a BOM for one of their own alphabet.
  return `\uFEFF${lines.map(csvLine).join('')}`
}
