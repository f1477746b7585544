import { csvLine } from '../../../domain/csv.ts'
import { QUANTITY_NAMES } from '../../../domain/reading.ts'
import type { Reading } from '../../operations.ts'

/** A line for each reading: its time in UTC and on the clocks of the place, then a column for each quantity that was measured. */
export function readingsCsv(readings: readonly Reading[], timeZone: string): string {
  const quantities = QUANTITY_NAMES.filter((name) =>
    readings.some(({ values }) => values[name] !== undefined),
  )
  // Swedes write the time as spreadsheets read it in every language.
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const lines = readings.map(({ time, values }) =>
    csvLine([time, local.format(new Date(time)), ...quantities.map((name) => values[name] ?? null)]),
  )
  return [csvLine(['time', `time ${timeZone}`, ...quantities]), ...lines].join('')
}
