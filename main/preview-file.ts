import { parse } from 'csv-parse/sync'
import { implausibility } from '../domain/plausibility.ts'
import { QUANTITIES, type Quantity, type Reading } from '../domain/reading.ts'
import { DEFAULT_LIMITS } from '../ingest/codecs/codec.ts'
import { decode, TELEMETRY_TOPIC } from '../ingest/codecs/native.ts'
import { parseTime } from '../api/time.ts'

/** So that a wrong file ends in a message and not in an exhausted memory: two years at one reading a minute. */
const READINGS_MAX = 1_100_000
/** Epoch times are numbers; smaller ones are seconds, as devices send them. */
const EPOCH = /^-?\d+(\.\d+)?$/
const SECONDS_BELOW = 1e11
/** A line without a time gets this one, which no device can have sent. */
const NO_TIME = 0

/** Something is wrong with a file; the message says in which line. */
export class FileError extends Error {
  constructor(name: string, line: number | undefined, says: string) {
    super(line === undefined ? `${name}: ${says}` : `${name}:${line}: ${says}`)
    this.name = 'FileError'
  }
}

/**
 * The readings of a file, in order of time. Lines that begin with a brace or a bracket are native telemetry, `{"ts":...,"values":{...}}` or arrays of it; else it is CSV:
 * `time,value`, or a first line that names `time` and quantities. Times are RFC 3339, or epoch seconds or milliseconds.
 * @param quantity what `value` is
 * @throws FileError at the first line that cannot be read
 */
export function readFile(name: string, text: string, quantity: Quantity): Reading[] {
  const readings = /^\s*[[{]/.test(text) ? readLines(name, text) : readCsv(name, text, quantity)
  if (readings.length === 0) throw new FileError(name, undefined, 'has no readings')
  return readings.toSorted((a, b) => a.time - b.time)
}

function readLines(name: string, text: string): Reading[] {
  const readings: Reading[] = []
  const bytes = new TextEncoder()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const { readings: found, refused } = decode(TELEMETRY_TOPIC, bytes.encode(line.trim()), {
      deviceId: name,
      isGateway: false,
      receivedAt: NO_TIME,
      limits: { ...DEFAULT_LIMITS, futureMsMax: Number.MAX_SAFE_INTEGER },
      childNamed: () => undefined,
    })
    const [problem] = refused
    if (problem) throw new FileError(name, index + 1, `${problem.code}: ${problem.detail}`)
    if (found.some(({ time }) => time === NO_TIME)) throw new FileError(name, index + 1, 'has no ts')
    readings.push(...found)
    checkCount(name, readings.length)
  }
  return readings
}

interface Column {
  readonly index: number
  readonly quantity: Quantity
}

function readCsv(name: string, text: string, quantity: Quantity): Reading[] {
  const rows = rowsOf(name, text)
  const [first] = rows
  if (first === undefined) return []
  const isHead = first.record.some((cell) => cell.trim().toLowerCase() === 'time')
  const head = isHead ? first.record.map((cell) => cell.trim()) : ['time', 'value']
  const timeIndex = head.findIndex((cell) => cell.toLowerCase() === 'time')
  const columns = columnsOf(name, head, timeIndex, quantity)
  const body = isHead ? rows.slice(1) : rows
  checkCount(name, body.length)
  return body.map(({ record, line }) => ({
    deviceId: name,
    sensor: 'main',
    time: timeOf(name, line, record[timeIndex] ?? ''),
    values: valuesOf(name, line, record, columns),
  }))
}

function rowsOf(name: string, text: string): { readonly record: string[]; readonly line: number }[] {
  try {
    const options = { bom: true, skip_empty_lines: true, relax_column_count: true, info: true } as const
    const rows = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[]
    return rows.map(({ record, info }) => ({ record, line: info.lines }))
  } catch (error) {
    const { lines, message } = error as { readonly lines?: number; readonly message: string }
    throw new FileError(name, lines, message)
  }
}

function columnsOf(name: string, head: readonly string[], timeIndex: number, quantity: Quantity): Column[] {
  return head.flatMap((cell, index) => {
    if (index === timeIndex) return []
    if (cell === 'value') return [{ index, quantity }]
    if (Object.hasOwn(QUANTITIES, cell)) return [{ index, quantity: cell as Quantity }]
    throw new FileError(name, 1, `"${cell}" is neither "value" nor a quantity`)
  })
}

function timeOf(name: string, line: number, cell: string): number {
  const text = cell.trim()
  if (EPOCH.test(text)) {
    const number = Number(text)
    return Math.round(Math.abs(number) < SECONDS_BELOW ? number * 1000 : number)
  }
  try {
    return parseTime(text, 'time')
  } catch {
    throw new FileError(name, line, `"${text}" is not a time such as 2026-01-31T08:00:00Z, or epoch seconds`)
  }
}

function valuesOf(name: string, line: number, record: readonly string[], columns: readonly Column[]) {
  return Object.fromEntries(
    columns.flatMap(({ index, quantity }) => {
      const text = record[index]?.trim() ?? ''
      if (text === '' && columns.length > 1) return []
      const value = text === '' ? NaN : Number(text)
      const why = implausibility(quantity, value)
      if (why !== undefined) throw new FileError(name, line, `${why}: "${text}" as ${quantity}`)
      return [[quantity, value]]
    }),
  )
}

function checkCount(name: string, readings: number): void {
  if (readings > READINGS_MAX)
    throw new FileError(name, undefined, `has more than ${READINGS_MAX} readings: split it`)
}
