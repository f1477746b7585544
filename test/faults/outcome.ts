import { openVictoriaMetricsSeries } from '../../adapters/series/victoriametrics.ts'
import type { Api, RegisteredDevice } from '../services/coldstream.ts'
import { breachesOf, readingsOf, type History } from './history.ts'

/** What was sent and acknowledged. */
export interface Sent extends History {
  readonly devices: readonly RegisteredDevice[]
  /** By device: its steps 0 to this. */
  readonly measured: readonly number[]
}

export interface ReadingOutcome {
  readonly stored: number
  /** Sent and acknowledged, and not there. */
  readonly lost: number
  /** There more than once, as the program reads them. */
  readonly doubled: number
  /** There with another value, or never sent. */
  readonly altered: number
  /** Samples in the store beyond one for each reading: written again after an attempt whose outcome nobody knew, and merged whenever they are read. */
  readonly writtenAgain: number
}

export interface BreachOutcome {
  readonly expected: number
  readonly missing: number
  readonly unexpected: number
}

const READ_MAX = 1_000_000

/** Compares what the series store gives, through the adapter of the program, with what was sent. */
export async function compareReadings(seriesUrl: string, sent: Sent): Promise<ReadingOutcome> {
  const series = await openVictoriaMetricsSeries({ url: seriesUrl })
  const sums = { stored: 0, lost: 0, doubled: 0, altered: 0 }
  try {
    for (const [device, { id }] of sent.devices.entries()) {
      const expected = new Map(
        readingsOf(sent, device, sent.measured[device] ?? 0).map(({ time, values }) => [
          time,
          values.temperature,
        ]),
      )
      const found = new Set<number>()
      const span = { from: sent.firstTime, to: Date.now() }
      const read = { deviceId: id, sensor: 'main', ...span, limit: READ_MAX, order: 'ascending' } as const
      for (const { time, values } of await series.read(read)) {
        if (found.has(time)) sums.doubled += 1
        else if (expected.get(time) !== values.temperature) sums.altered += 1
        found.add(time)
      }
      sums.stored += found.size
      for (const time of expected.keys()) if (!found.has(time)) sums.lost += 1
    }
    return { ...sums, writtenAgain: (await countSamples(seriesUrl, sent)) - sums.stored }
  } finally {
    await series.close()
  }
}

async function countSamples(seriesUrl: string, { firstTime, devices }: Sent): Promise<number> {
  const from = new URLSearchParams({
    'match[]': 'reading_temperature',
    start: String(firstTime / 1000),
    format: 'device,__timestamp__',
  })
  const own = new Set(devices.map(({ id }) => id))
  const text = await (await fetch(`${seriesUrl}/api/v1/export/csv?${from}`)).text()
  return text.split('\n').filter((line) => own.has(line.split(',')[0] ?? '')).length
}

interface FoundBreach {
  readonly deviceId: string
  readonly ruleId: string
  readonly state: string
  readonly startAt: string
  readonly endAt: string | null
  readonly peak: number
  readonly peakAt: string
  readonly lastAt: string
  readonly readings: number
}

/** Compares the breaches that the API shows with those in what was sent, as one judge would find them who saw everything in order. */
export async function compareBreaches(api: Api, sent: Sent): Promise<BreachOutcome> {
  const expected = new Set(
    sent.devices.flatMap(({ id }, device) =>
      breachesOf(sent, device, sent.measured[device] ?? 0).map(({ rule, breach }) =>
        JSON.stringify({
          deviceId: id,
          ruleId: rule,
          state: breach.endAt === null ? 'open' : 'ended',
          startAt: iso(breach.startAt),
          endAt: breach.endAt === null ? null : iso(breach.endAt),
          peak: breach.peak,
          peakAt: iso(breach.peakAt),
          lastAt: iso(breach.lastAt),
          readings: breach.readings,
        }),
      ),
    ),
  )
  const own = new Set(sent.devices.map(({ id }) => id))
  const found = (await api.all<FoundBreach>('breaches'))
    .filter(({ deviceId, state }) => own.has(deviceId) && state !== 'withdrawn')
    .map(({ deviceId, ruleId, state, startAt, endAt, peak, peakAt, lastAt, readings }) =>
      JSON.stringify({ deviceId, ruleId, state, startAt, endAt, peak, peakAt, lastAt, readings }),
    )
  const missing = [...expected].filter((one) => !found.includes(one))
  const unexpected = found.filter((one, index) => !expected.has(one) || found.indexOf(one) !== index)
  return { expected: expected.size, missing: missing.length, unexpected: unexpected.length }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
