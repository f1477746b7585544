import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Bucket } from '../../operations.ts'
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
  useEffect(() => {
    const { current } = place
    if (!current) return
    const chart = new uPlot(
      optionsOf(newest, { width: current.clientWidth, timeZone }),
      dataOf(buckets),
      current,
    )
    const watch = new ResizeObserver(() => chart.setSize({ width: current.clientWidth, height: HEIGHT_PX }))
    watch.observe(current)
    return () => {
      watch.disconnect()
      chart.destroy()
    }
  }, [buckets, span.from, span.to, timeZone])
  return <div ref={place} className={styles['chart']} role="img" aria-label={props.label} />
}

function optionsOf(
  newest: { readonly current: Props },
  { width, timeZone }: { readonly width: number; readonly timeZone: string },
): uPlot.Options {
  const root = getComputedStyle(document.documentElement)
  const at = getComputedStyle(document.body)
  const probe = (token: string) => root.getPropertyValue(token).trim()
  const { color } = at
  return {
    width,
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
    bands: [{ series: [2, 1], fill: 'rgb(120 140 150 / 45%)' }],
    axes: [
      { stroke: color, grid: { show: false } },
      { stroke: color, size: 44 },
    ],
    hooks: {
      drawClear: [(chart) => shade(chart, newest.current, probe('--line-strong'))],
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

/** Breaches behind the curve, and the limits as dashed lines. */
function shade(chart: uPlot, { breaches, limits, span }: Props, line: string): void {
  const { ctx, bbox } = chart
  const x = (ms: number) => chart.valToPos(Math.min(span.to, Math.max(span.from, ms)) / 1000, 'x', true)
  ctx.save()
  ctx.fillStyle = 'rgb(220 60 40 / 20%)'
  for (const { from, to } of breaches)
    if (to > span.from && from < span.to) ctx.fillRect(x(from), bbox.top, x(to) - x(from), bbox.height)
  ctx.strokeStyle = line.startsWith('#') ? line : 'rgb(125 140 150)'
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
