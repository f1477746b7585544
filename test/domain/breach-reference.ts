import type { Breach } from '../../domain/breach.ts'
import type { Reading } from '../../domain/reading.ts'
import type { Rule } from '../../domain/rule.ts'

interface Point {
  readonly time: number
  readonly value: number
}

/**
 * What a breach is, said as slowly and plainly as possible and on purpose not as a fold: cut the series into stretches of violating readings, cut each
 * stretch at its silences, and look for the first piece that is long enough. Readings may come in any order and more than once.
 */
export function referenceBreaches(
  rule: Rule,
  readings: Iterable<Pick<Reading, 'time' | 'values'>>,
): Breach[] {
  const points = distinct(rule, readings)
  const breaches: Breach[] = []
  for (let first = 0; first < points.length; first += 1) {
    if (!isBad(rule, points[first]) || isBad(rule, points[first - 1])) continue
    let after = first
    while (isBad(rule, points[after])) after += 1
    const breach = breachIn(rule, points.slice(first, after), points[after]?.time ?? null)
    if (breach) breaches.push(breach)
  }
  return breaches
}

function distinct(rule: Rule, readings: Iterable<Pick<Reading, 'time' | 'values'>>): Point[] {
  const points: Point[] = []
  for (const { time, values } of readings) {
    const value = values[rule.quantity]
    if (value !== undefined) points.push({ time, value })
  }
  const times = [...new Set(points.map((point) => point.time))].toSorted((a, b) => a - b)
  const byTime = Map.groupBy(points, (point) => point.time)
  return times.map((time) => ({
    time,
    value: Math.max(...(byTime.get(time) ?? []).map((point) => point.value)),
  }))
}

function isBad({ comparator, threshold }: Rule, point: Point | undefined): boolean {
  if (point === undefined) return false
  if (comparator === 'gt') return point.value > threshold
  if (comparator === 'gte') return point.value >= threshold
  return comparator === 'lt' ? point.value < threshold : point.value <= threshold
}

function breachIn(rule: Rule, stretch: readonly Point[], endAt: number | null): Breach | undefined {
  const pieces: Point[][] = []
  for (const [index, point] of stretch.entries()) {
    const before = stretch[index - 1]
    if (before === undefined || point.time - before.time > rule.gapMsMax) pieces.push([])
    pieces.at(-1)?.push(point)
  }
  const duration = rule.mode === 'instant' ? 0 : rule.durationMs
  const start = pieces.find((piece) => timeOf(piece.at(-1)) - timeOf(piece[0]) >= duration)?.[0]
  if (start === undefined) return undefined
  const all = stretch.slice(stretch.indexOf(start))
  const values = all.map((point) => point.value)
  const peak = rule.comparator.startsWith('g') ? Math.max(...values) : Math.min(...values)
  const peakAt = timeOf(all.find((point) => point.value === peak))
  return { startAt: start.time, endAt, peak, peakAt, lastAt: timeOf(all.at(-1)), readings: all.length }
}

function timeOf(point: Point | undefined): number {
  if (point === undefined) throw new Error('no such point')
  return point.time
}
