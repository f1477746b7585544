import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Bucket } from '../../operations.ts'
import { useAppearance, usePreferences } from '../../preferences.ts'
import styles from './refrigerators.module.css'

const HEIGHT_PX = 280
/** Neighbours further apart than this many usual distances are not joined. */
const GAP_FACTOR = 3.5

/** A span of time in epoch milliseconds. */
export interface Span {
  readonly from: number
  readonly to: number
}

interface Props {
  readonly label: string
  readonly buckets: readonly Bucket[]
  readonly span: Span
  readonly timeZone: string
  readonly limits: readonly number[]
  readonly breaches: readonly Span[]
  readonly onSelect: (span: Span) => void
}

/** The curve: the mean as a line, between the lowest and the highest of each bucket, so that no spike is lost. */
export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const newest = useRef(props)
  useEffect(() => {
    newest.current = props
  })
  const { buckets, span, timeZone } = props
  const appearance = useAppearance()
  const { language } = usePreferences()
  useEffect(() => {
    const { current } = place
    if (!current) return
    const chart = new uPlot(optionsOf(newest, current, language), dataOf(buckets), current)
    const watch = new ResizeObserver(() => chart.setSize({ width: current.clientWidth, height: HEIGHT_PX }))
    watch.observe(current)
    return () => {
      watch.disconnect()
      chart.destroy()
    }
  }, [buckets, span.from, span.to, timeZone, appearance, language])
  return <div ref={place} className={styles['chart']} role="img" aria-label={props.label} />
}

function optionsOf(newest: { readonly current: Props }, place: HTMLElement, language: string): uPlot.Options {
  const { timeZone } = newest.current
  // As the stylesheet has them for this theme.
  const { color, borderTopColor, outlineColor, textDecorationColor } = getComputedStyle(place)
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone),
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { range: () => [newest.current.span.from / 1000, newest.current.span.to / 1000] },
      y: {
        range: (_, low, high) => {
          const all = [low, high, ...newest.current.limits].filter((one): one is number => one !== null)
          return [Math.min(...all) - 1, Math.max(...all) + 1]
        },
      },
    },
    series: [
      {},
      { stroke: 'transparent', points: { show: false } },
      { stroke: 'transparent', points: { show: false } },
      { stroke: color, width: 2 },
    ],
    bands: [{ series: [2, 1], fill: `rgb(from ${textDecorationColor} r g b / 35%)` }],
    axes: [
      {
        stroke: color,
        grid: { show: false },
        values: (_, times, __, ___, step) => labels(times, step, timeZone, language),
      },
      { stroke: color, size: 44 },
    ],
    hooks: {
      drawClear: [(chart) => shade(chart, newest.current, { limit: borderTopColor, breach: outlineColor })],
      setSelect: [
        (chart) => {
          const { left, width: wide } = chart.select
          if (wide < 4) return
          const from = Math.round(chart.posToVal(left, 'x') * 1000)
          newest.current.onSelect({ from, to: Math.round(chart.posToVal(left + wide, 'x') * 1000) })
        },
      ],
    },
  }
}

const DAY_S = 86_400

/** In the time of the place, as the language writes it: days where they are what differs, else the time of day. */
function labels(times: readonly number[], stepSeconds: number, timeZone: string, language: string): string[] {
  const parts: Intl.DateTimeFormatOptions =
    stepSeconds >= DAY_S ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit' }
  const format = new Intl.DateTimeFormat(language, { ...parts, timeZone, hourCycle: 'h23' })
  return times.map((seconds) => format.format(seconds * 1000))
}

/** Breaches behind the curve, and the limits as dashed lines. */
function shade(
  chart: uPlot,
  { breaches, limits, span }: Props,
  colours: { readonly limit: string; readonly breach: string },
): void {
  const { ctx, bbox } = chart
  const x = (ms: number) => chart.valToPos(Math.min(span.to, Math.max(span.from, ms)) / 1000, 'x', true)
  ctx.save()
  ctx.fillStyle = colours.breach
  ctx.globalAlpha = 0.2
  for (const { from, to } of breaches)
    if (to > span.from && from < span.to) ctx.fillRect(x(from), bbox.top, x(to) - x(from), bbox.height)
  ctx.globalAlpha = 1
  ctx.strokeStyle = colours.limit
  ctx.setLineDash([8, 6])
  for (const limit of limits) {
    const y = chart.valToPos(limit, 'y', true)
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  }
  ctx.restore()
}

/** Time that nobody measured is left empty. */
function dataOf(buckets: readonly Bucket[]): uPlot.AlignedData {
  const times = buckets.map(({ start }) => Date.parse(start) / 1000)
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0
  const x: number[] = []
  const lines: (number | null)[][] = [[], [], []]
  for (const [index, { min, max, mean }] of buckets.entries()) {
    const time = times[index] ?? 0
    const last = x.at(-1)
    if (last !== undefined && time - last > usual * GAP_FACTOR) {
      x.push((last + time) / 2)
      for (const one of lines) one.push(null)
    }
    x.push(time)
    for (const [series, value] of [min, max, mean].entries()) lines[series]?.push(value)
  }
  return [x, ...lines]
}
