import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { guardCell, unguardCell } from '../domain/csv.ts'
import { CodedError } from '../domain/errors.ts'

export const CSV_BYTES_MAX = 4_194_304
export const CSV_ROWS_MAX = 10_000

/** Lines of CSV (RFC 4180: commas, CRLF), each cell guarded. */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return stringify(
    rows.map((cells) => cells.map(guardCell)),
    { record_delimiter: '\r\n' },
  )
}

export interface CsvRow {
  /** As spreadsheets count: the header is row 1. */
  readonly row: number
  /** By column; undefined when the row is not as wide as the header. */
  readonly cells: ReadonlyMap<string, string> | undefined
}

/**
 * Reads a file with a header. Commas, semicolons (as spreadsheets write where the comma is for decimals) or tabs; a BOM and any line ends.
 * A row that does not fit the header does not spoil the others.
 * @throws CodedError `request.malformed` when it is no CSV, `request.invalid` when the header is wrong, `request.tooLarge`
 */
export function parseCsv(
  text: string,
  columns: { readonly known: readonly string[]; readonly needed: readonly string[] },
): CsvRow[] {
  const records = readRecords(text)
  const header = (records.shift() ?? []).map((name) => name.trim())
  checkHeader(header, columns)
  if (records.length > CSV_ROWS_MAX)
    throw new CodedError('request.tooLarge', `A file has at most ${CSV_ROWS_MAX} rows.`)
  return records
    .map((cells, index): CsvRow => {
      const fits = cells.length === header.length
      const named = fits ? new Map(header.map((name, i) => [name, unguardCell(cells[i] ?? '')])) : undefined
      return { row: index + 2, cells: named }
    })
    .filter((_, index) => (records[index] ?? []).some((cell) => cell !== ''))
}

/** @throws CodedError `request.malformed` when it is not UTF-8 */
export function decodeUtf8(bytes: Buffer): string {
  try {
    // Takes a BOM off.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new CodedError('request.malformed', 'The file is not UTF-8.')
  }
}

function readRecords(text: string): string[][] {
  const firstLine = text.split(/[\r\n]/, 1)[0] ?? ''
  const delimiter = [',', ';', '\t'].find((mark) => firstLine.includes(mark)) ?? ','
  try {
    return parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      relax_quotes: true,
      to: CSV_ROWS_MAX + 2,
    })
  } catch (error) {
    throw new CodedError('request.malformed', error instanceof Error ? error.message : undefined)
  }
}

function checkHeader(
  header: readonly string[],
  { known, needed }: { readonly known: readonly string[]; readonly needed: readonly string[] },
): void {
  const unknown = header.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new CodedError(
      'request.invalid',
      `The column ${JSON.stringify(unknown.slice(0, 100))} is none of: ${known.join(', ')}.`,
    )
  if (new Set(header).size < header.length)
    throw new CodedError('request.invalid', 'A column is there twice.')
  const missing = needed.find((name) => !header.includes(name))
  if (missing !== undefined) throw new CodedError('request.invalid', `The column ${missing} is missing.`)
}
