import type { Bucket } from '../operations.ts'

const MINUTE_MS = 60_000
const STEPS_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080]

/** A span of time in epoch milliseconds. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Readings of one quantity, summed up over steps of time. */
export interface Bucketed extends Span {
  readonly everyMs: number
  readonly items: readonly Bucket[]
}

/** Times in epoch seconds, the lowest, the highest and the mean of each step; null where the line is broken. */
export type Columns = [number[], (number | null)[], (number | null)[], (number | null)[]]

export interface Plotted {
  readonly columns: Columns
  /** When nothing was measured for longer than the device may be silent. */
  readonly gaps: readonly Span[]
}

/** The shortest round step with which a span has at most `count` of them. */
export function stepMs({ from, to }: Span, count: number): number {
  const minutes = (to - from) / MINUTE_MS / count
  return (STEPS_MINUTES.find((step) => step >= minutes) ?? Math.ceil(minutes)) * MINUTE_MS
}

/** What a chart draws: joined where the device spoke as often as it should, broken where it was silent. */
export function plotted(bucketed: Bucketed, silentAfterMs: number, nowMs: number): Plotted {
  const { everyMs, items } = bucketed
  const columns: Columns = [[], [], [], []]
  const gaps: Span[] = []
  let measuredTo = bucketed.from
  for (const { start, min, max, mean } of items) {
    const time = Date.parse(start)
    if (time - measuredTo > silentAfterMs) {
      gaps.push({ from: measuredTo, to: time })
      push(columns, (measuredTo + time) / 2, [null, null, null])
    }
    push(columns, time, [min, max, mean])
    measuredTo = time + everyMs
  }
  const end = Math.min(bucketed.to, nowMs)
  if (end - measuredTo > silentAfterMs) gaps.push({ from: measuredTo, to: end })
  return { columns, gaps }
}

function push([times, ...columns]: Columns, timeMs: number, values: readonly (number | null)[]): void {
  times.push(timeMs / 1000)
  for (const [index, value] of values.entries()) columns[index]?.push(value)
}

/** The lowest and the highest of all, undefined of nothing. */
export function extentOf(items: readonly Bucket[]): readonly [number, number] | undefined {
  if (items.length === 0) return undefined
  return [
    items.reduce((least, { min }) => Math.min(least, min), Infinity),
    items.reduce((most, { max }) => Math.max(most, max), -Infinity),
  ]
}
