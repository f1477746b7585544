export type Cell = string | number | boolean | null

// What a spreadsheet takes for a formula: OWASP "CSV Injection", with the full-width forms of the signs; and what would read as guarded.
const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/
const GUARDED = /^'+[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/

/** A line of CSV (RFC 4180). A text that a spreadsheet would run, or take for a guarded one, gets a `'`; a negative number is a number. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: Cell): string {
  if (typeof cell !== 'string') return String(cell ?? '')
  const text = guardCell(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A cell that no spreadsheet runs: `'` before what would be a formula, and before what would read as guarded. */
export function guardCell(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}

/** The text of a guarded cell; any other as it is. */
export function unguardCell(text: string): string {
  return GUARDED.test(text) ? text.slice(1) : text
}
