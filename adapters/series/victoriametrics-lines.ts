import { QUANTITIES, type Reading } from '../../domain/reading.ts'

/** The measurement of all readings; VictoriaMetrics names a series `<measurement>_<field>`. */
export const MEASUREMENT = 'reading'

/**
 * No reading is earlier. VictoriaMetrics knows no time before 1970, takes 0 for "now", and answers nothing about a window of PromQL that begins
 * within its first minutes.
 */
export const START_OF_TIME = 86_400_000

// VictoriaMetrics drops what is more than two days ahead of its clock with no more than a line in its log; an hour for clocks that differ.
const AHEAD_MS_MAX = 47 * 3_600_000

/**
 * One line of the InfluxDB line protocol, milliseconds; undefined when the reading has no values.
 * The client's `Point` does not escape a backslash and so cannot say every name.
 * No tags but device and sensor: a place may change, an identity may not (decision 15).
 * @throws Error for what VictoriaMetrics would drop, or take for something else, without a word
 */
export function lineOf({ deviceId, sensor, time, values }: Reading, now: number): string | undefined {
  if (!Number.isSafeInteger(time) || time < START_OF_TIME)
    throw new Error(`the series store cannot keep the time ${time}`)
  if (time > now + AHEAD_MS_MAX) throw new Error(`the time of a reading is too far ahead: ${time}`)
  let fields = ''
  for (const [quantity, value] of Object.entries(values)) {
    if (value === undefined || !Object.hasOwn(QUANTITIES, quantity)) continue
    if (!Number.isFinite(value)) throw new Error(`the ${quantity} of a reading is no number: ${value}`)
    fields += `${fields && ','}${quantity}=${value}`
  }
  if (!fields) return undefined
  return `${MEASUREMENT},device=${tag(deviceId)},sensor=${tag(sensor)} ${fields} ${time}`
}

function tag(value: string): string {
  // An empty label is a missing one, and a line break would begin a line of the sender's own making.
  if (value === '' || /[\r\n]/.test(value)) throw new Error('a name is empty or has a line break')
  return /[\\,= ]/.test(value) ? value.replaceAll(/[\\,= ]/g, String.raw`\$&`) : value
}
