import { stepMs, type Span } from '../../controls/series.ts'
import type { CurveSearch } from './routes.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
export const RANGE_MS = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS } as const
const SPAN_MS_MIN = 10 * MINUTE_MS
const SPAN_MS_MAX = 3650 * DAY_MS
const STEPS = 800

/** Up to now in whole steps, so that the same question is not asked anew at each drawing. */
export function spanOf({ range = 'day', from, to }: CurveSearch): Span {
  if (from !== undefined && to !== undefined) return { from, to }
  const width = RANGE_MS[range]
  const step = stepMs({ from: 0, to: width }, STEPS)
  const now = Math.ceil(Date.now() / step) * step
  return { from: now - width, to: now }
}

/** The same middle, or what is nearest to it before now. */
export function zoomed({ from, to }: Span, factor: number): Span {
  const width = Math.min(SPAN_MS_MAX, Math.max(SPAN_MS_MIN, (to - from) * factor))
  const end = Math.min(Math.max(Date.now(), to), Math.round((from + to + width) / 2))
  return { from: end - Math.round(width), to: end }
}

/** Half of it earlier or later. */
export function moved({ from, to }: Span, direction: 1 | -1): Span {
  const by = direction * Math.round((to - from) / 2)
  return { from: from + by, to: to + by }
}

/** No narrower than can be looked at. */
export function widened({ from, to }: Span): Span {
  const missing = Math.max(0, SPAN_MS_MIN - (to - from))
  return { from: Math.round(from - missing / 2), to: Math.round(to + missing / 2) }
}
