import { QUANTITIES, type Quantity, type Reading, type Values } from '../../domain/reading.ts'

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
 * Lines of the InfluxDB line protocol, milliseconds, one for each reading that has values; empty when none has.
 * The client's `Point` does not escape a backslash and so cannot say every name.
 * No tags but device and sensor: a place may change, an identity may not (decision 15).
 * @throws Error for what VictoriaMetrics would drop, or take for something else, without a word
 */
export function toLines(readings: readonly Reading[], now: number): string {
  const seriesOf = rememberSeries()
  let lines = ''
  for (const { deviceId, sensor, time, values } of readings) {
    if (!Number.isSafeInteger(time) || time < START_OF_TIME)
      throw new Error(`the series store cannot keep the time ${time}`)
    if (time > now + AHEAD_MS_MAX) throw new Error(`the time of a reading is too far ahead: ${time}`)
    const fields = fieldsOf(values)
    if (fields) lines += `${lines && '\n'}${seriesOf(deviceId, sensor)} ${fields} ${time}`
  }
  return lines
}

function fieldsOf(values: Values): string {
  let fields = ''
  for (const quantity in values) {
    const value = values[quantity as Quantity]
    if (value === undefined || !Object.hasOwn(QUANTITIES, quantity)) continue
    if (!Number.isFinite(value)) throw new Error(`the ${quantity} of a reading is no number: ${value}`)
    fields += `${fields && ','}${quantity}=${value}`
  }
  return fields
}

/** The beginning of a line. Of a sensor there are many in one write. */
function rememberSeries(): (deviceId: string, sensor: string) => string {
  const known = new Map<string, Map<string, string>>()
  return (deviceId, sensor) => {
    let ofDevice = known.get(deviceId)
    if (ofDevice === undefined) known.set(deviceId, (ofDevice = new Map()))
    let series = ofDevice.get(sensor)
    if (series === undefined)
      ofDevice.set(sensor, (series = `${MEASUREMENT},device=${tag(deviceId)},sensor=${tag(sensor)}`))
    return series
  }
}

function tag(value: string): string {
  // An empty label is a missing one, and a line break would begin a line of the sender's own making.
  if (value === '' || /[\r\n]/.test(value)) throw new Error('a name is empty or has a line break')
  return /[\\,= ]/.test(value) ? value.replaceAll(/[\\,= ]/g, String.raw`\$&`) : value
}
