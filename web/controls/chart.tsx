import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Language } from '../../domain/language.ts'
import { useAppearance, usePreferences } from '../preferences.ts'
import { coloursOf, paint, type Background } from './chart-paint.ts'
import styles from './chart.module.css'
import type { Columns, Plotted, Span } from './series.ts'

/** The curve between its lowest and highest, or an area: of the highest, so that no opening is lost, or of the lowest, so that no cut is. */
export type ChartKind = 'line' | 'highest' | 'lowest'

export interface Point {
  readonly timeMs: number
  readonly min: number
  readonly max: number
  readonly mean: number
}

export interface ChartProps extends Background {
  readonly label: string
  readonly plotted: Plotted
  readonly timeZone: string
  readonly kind?: ChartKind
  readonly size: 'large' | 'middle' | 'lane'
  /** What the pointer is at, for a person. */
  readonly describe: (point: Point) => string
  /** Always shown of the values, however little is measured. */
  readonly range?: readonly [number, number] | undefined
  /** Charts of one key show the same moment. */
  readonly together?: string
  readonly onSelect?: (span: Span) => void
}

const HEIGHT_PX = { large: 280, middle: 150, lane: 54 } as const
const AXIS_PX = 44
const SELECT_PX_MIN = 4
const DAY_S = 86_400

/** Measurements over time on a canvas. They are to be found in a table too. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const newest = useRef(props)
  const drawn = useRef<uPlot>(undefined)
  const [point, setPoint] = useState<Point>()
  const { plotted, span, timeZone, size, kind, label } = props
  const appearance = useAppearance()
  const { language } = usePreferences()
  useEffect(() => {
    newest.current = props
  })
  useEffect(() => {
    const { current } = place
    if (!current) return
    const chart = new uPlot(
      optionsOf(newest, current, language, setPoint),
      newest.current.plotted.columns,
      current,
    )
    drawn.current = chart
    const watch = new ResizeObserver(() =>
      chart.setSize({ width: current.clientWidth, height: HEIGHT_PX[size] }),
    )
    watch.observe(current)
    return () => {
      watch.disconnect()
      chart.destroy()
    }
  }, [timeZone, appearance, language, size, kind])
  const { limits, breaches, marks, range } = props
  // The same chart draws what is new: a look closer is there at once, and its finer steps when they come.
  useEffect(
    () => drawn.current?.setData(plotted.columns),
    [plotted, span.from, span.to, limits, breaches, marks, range],
  )
  const said = point ?? lastOf(plotted.columns)
  return (
    <figure className={styles['figure']}>
      <figcaption className={styles['caption']}>
        <span>{label}</span>
        <span>{said && props.describe(said)}</span>
      </figcaption>
      <div ref={place} className={styles['chart']} data-size={size} role="img" aria-label={label} />
    </figure>
  )
}

function optionsOf(
  newest: { readonly current: ChartProps },
  place: HTMLElement,
  language: Language,
  onPoint: (point: Point | undefined) => void,
): uPlot.Options {
  const { timeZone, size, together } = newest.current
  const colours = coloursOf(place)
  return {
    width: place.clientWidth,
    height: HEIGHT_PX[size],
    padding: [8, 12, size === 'lane' ? 4 : 0, 0],
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), timeZone),
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: newest.current.onSelect !== undefined, y: false, setScale: false },
      ...(together && { sync: { key: together, filters: { pub: isMove, sub: isMove } } }),
    },
    scales: {
      x: { range: () => [newest.current.span.from / 1000, newest.current.span.to / 1000] },
      y: { range: (_, low, high) => valuesShown(newest.current, low, high) },
    },
    series: seriesOf(newest.current, colours),
    bands: isLine(newest.current) ? [{ series: [2, 1], fill: colours.band }] : [],
    axes: [
      {
        show: size !== 'lane',
        stroke: colours.text,
        grid: { show: false },
        values: (_, times, __, ___, step) => labels(times, step, timeZone, language),
      },
      {
        stroke: colours.text,
        size: AXIS_PX,
        grid: { show: false },
        ticks: { show: size !== 'lane' },
        ...(size === 'lane' && { space: 18 }),
        ...(!isLine(newest.current) && { values: (_: uPlot, splits: number[]) => splits.map(() => '') }),
      },
    ],
    hooks: {
      drawClear: [(chart) => paint(chart, newest.current, newest.current.plotted.gaps, colours)],
      setCursor: [
        ({ cursor: { idx } }) =>
          onPoint(idx == null ? undefined : pointAt(newest.current.plotted.columns, idx)),
      ],
      setSelect: [(chart) => select(chart, newest.current)],
    },
  }
}

/** Only the pointer is shared: what is selected is selected once. */
function isMove(type: string): boolean {
  return type === 'mousemove' || type === 'mouseleave'
}

function isLine({ kind = 'line' }: ChartProps): boolean {
  return kind === 'line'
}

function seriesOf(
  { kind = 'line' }: ChartProps,
  { text, band }: { readonly text: string; readonly band: string },
) {
  const hidden: uPlot.Series = { stroke: 'transparent', points: { show: false } }
  const { stepped } = uPlot.paths
  const area: uPlot.Series = {
    stroke: text,
    fill: band,
    width: 1,
    points: { show: false },
    ...(stepped && { paths: stepped({ align: 1 }) }),
  }
  const line: uPlot.Series = { stroke: text, width: 2 }
  if (kind === 'line') return [{}, hidden, hidden, line]
  return kind === 'highest' ? [{}, hidden, area, hidden] : [{}, area, hidden, hidden]
}

function valuesShown(props: ChartProps, low: number | null, high: number | null): [number, number] {
  if (!isLine(props)) return [0, Math.max(1, high ?? 0) * 1.1]
  const limits = props.limits?.map(({ value }) => value) ?? []
  const all = [low, high, ...limits, ...(props.range ?? [])].filter((one): one is number => one !== null)
  return all.length === 0 ? [0, 1] : [Math.min(...all) - 1, Math.max(...all) + 1]
}

function pointAt([times, ...columns]: Columns, index: number): Point | undefined {
  const time = times[index]
  const [min, max, mean] = columns.map((column) => column[index])
  if (time == null || min == null || max == null || mean == null) return undefined
  return { timeMs: time * 1000, min, max, mean }
}

/** Without a pointer, what was measured last. */
function lastOf(columns: Columns): Point | undefined {
  return pointAt(
    columns,
    columns[3].findLastIndex((value) => value !== null),
  )
}

function select(chart: uPlot, { onSelect }: ChartProps): void {
  const { left, width } = chart.select
  if (width < SELECT_PX_MIN) return
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  const at = (px: number) => Math.round(chart.posToVal(px, 'x') * 1000)
  onSelect?.({ from: at(left), to: at(left + width) })
}

/** In the time of the place, as the language writes it: days where they are what differs, else the time of day. */
function labels(
  times: readonly number[],
  stepSeconds: number,
  timeZone: string,
  language: Language,
): string[] {
  const day = new Intl.DateTimeFormat(language, { timeZone, day: 'numeric', month: 'short' })
  const clock = new Intl.DateTimeFormat(language, {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  return times.map((seconds, index) => {
    const text = clock.format(seconds * 1000)
    const isDay = stepSeconds >= DAY_S || (index > 0 && /^00.00$/.test(text))
    return isDay ? day.format(seconds * 1000) : text
  })
}
