import { QUANTITIES, QUANTITY_NAMES, type Quantity, type SensorKey } from '../../domain/reading.ts'
import { linesOf, request, requestText, type Server } from './victoriametrics-http.ts'
import { MEASUREMENT, START_OF_TIME } from './victoriametrics-lines.ts'

/** Whose samples; every sensor, every quantity unless named. */
export interface Source {
  readonly deviceId: string
  readonly sensor?: string
  readonly quantity?: Quantity
}

/** Samples of one quantity, in time order. Of one time there may be several: it keeps whatever it is sent. */
export interface Samples extends SensorKey {
  readonly quantity: Quantity
  readonly times: readonly number[]
  readonly values: readonly (number | null)[]
}

interface ExportLine {
  /** The labels; the name of the series is under `__name__`. */
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (number | null)[]
  readonly timestamps: readonly number[]
}

const SAMPLES_PER_LINE = '10000'
const ANY_QUANTITY = `${MEASUREMENT}_(${QUANTITY_NAMES.join('|')})`
const DAY_MS = 86_400_000

/** After every sample: it takes none that is more than two days ahead. */
export function endOfTime(): number {
  return Date.now() + 3 * DAY_MS
}

/** A selector of PromQL. Its strings are quoted as JSON strings are. */
export function selector({ deviceId, sensor, quantity }: Source): string {
  const name = quantity ? `="${MEASUREMENT}_${quantity}"` : `=~"${ANY_QUANTITY}"`
  const ofSensor = sensor === undefined ? '' : `,sensor=${JSON.stringify(sensor)}`
  return `{__name__${name},device=${JSON.stringify(deviceId)}${ofSensor}}`
}

/** Every raw sample of all these in [from, to), as it is stored, in parts of bounded size. */
export async function* exportSamples(
  server: Server,
  sources: readonly Source[],
  from: number,
  to: number,
): AsyncGenerator<Samples> {
  const response = await request(server, '/api/v1/export', [
    ...sources.map((source) => ['match[]', selector(source)] as const),
    ['start', timeOf(from)],
    ['end', timeOf(to - 1)],
    ['max_rows_per_line', SAMPLES_PER_LINE],
  ])
  for await (const text of linesOf(response)) {
    if (!text) continue
    const { metric, values, timestamps } = JSON.parse(text) as ExportLine
    const quantity = metric['__name__']?.slice(MEASUREMENT.length + 1) ?? ''
    const { device = '', sensor = '' } = metric
    if (isQuantity(quantity)) yield { deviceId: device, sensor, quantity, times: timestamps, values }
  }
}

function isQuantity(name: string): name is Quantity {
  return Object.hasOwn(QUANTITIES, name)
}

// The server multiplies by 1000 as a double (RFC 3339 or not) and then cuts off or, in later versions, rounds: in between is right for both.
function timeOf(time: number): string {
  return ((time + 0.25) / 1000).toFixed(5)
}

interface VectorAnswer {
  readonly data: {
    readonly result: readonly { metric: { sensor?: string }; value: readonly [number, string] }[]
  }
}

/**
 * The time of the first or last sample of each sensor in [from, to). The server looks at every sample in between, and answers a number for each.
 */
export async function edgeTimes(
  server: Server,
  source: Source,
  edge: 'first' | 'last',
  from: number,
  to: number,
): Promise<Map<string, number>> {
  const [pick, rollup] = edge === 'first' ? ['min', 'tfirst_over_time'] : ['max', 'tlast_over_time']
  const answer = await requestText(server, '/api/v1/query', {
    // A window of PromQL holds its end and not its start.
    query: `${pick}(${rollup}(${selector(source)}[${to - from}ms])) by (sensor)`,
    time: timeOf(to - 1),
    nocache: '1',
  })
  const { data } = JSON.parse(answer) as VectorAnswer
  return new Map(
    data.result.map(({ metric, value }) => [metric.sensor ?? '', Math.round(Number(value[1]) * 1000)]),
  )
}

/** Names of all sensors that a device ever had. */
export async function sensorsOf(server: Server, deviceId: string): Promise<string[]> {
  const answer = await requestText(server, '/api/v1/label/sensor/values', {
    'match[]': selector({ deviceId }),
    start: timeOf(START_OF_TIME),
    end: timeOf(endOfTime()),
  })
  return (JSON.parse(answer) as { data: string[] }).data
}

const EDGE_SPAN_MS = 4 * DAY_MS
const EDGE_SPAN_GROWTH = 16

/**
 * The time of the first or last sample of a sensor in [from, to), undefined when there is none. Looks into spans that grow from the edge on, so
 * that what it costs is set by the silence and not by the history behind it.
 */
export async function edgeTime(
  server: Server,
  source: Source,
  edge: 'first' | 'last',
  from: number,
  to: number,
): Promise<number | undefined> {
  let [low, high] = [from, to]
  for (let span = EDGE_SPAN_MS; low < high; span *= EDGE_SPAN_GROWTH) {
    const [start, end] =
      edge === 'first' ? [low, Math.min(high, low + span)] : [Math.max(low, high - span), high]
    for (const time of (await edgeTimes(server, source, edge, start, end)).values()) return time
    if (edge === 'first') low = end
    else high = start
  }
  return undefined
}
