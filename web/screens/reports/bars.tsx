import { useEffect, useRef, useSyncExternalStore } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useAppearance, usePreferences } from '../../preferences.ts'
import type { Bar } from './reports.ts'
import styles from './reports.module.css'

const HEIGHT_PX = 240
/** Of what is a bar's, so that there is air between them. */
const BAR_SHARE = 0.7
const BAR_PX_MAX = 80
const LABEL_PX = 90

interface Props {
  readonly bars: readonly Bar[]
  readonly label: string
  readonly isShare: boolean
}

/** One bar for each label; the table below it says the same in numbers. */
export default function Bars({ bars, label, isShare }: Props) {
  const place = useRef<HTMLDivElement>(null)
  // Paper is light, whatever the screen is.
  const appearance = `${useAppearance()} ${useSyncExternalStore(onPaperChange, isOnPaper)}`
  const { language } = usePreferences()
  const drawn = JSON.stringify(bars)
  useEffect(() => {
    const { current } = place
    if (!current) return
    const all = JSON.parse(drawn) as readonly Bar[]
    const data: uPlot.AlignedData = [all.map((_, index) => index), all.map(({ value }) => value)]
    const chart = new uPlot(optionsOf(current, all, { language, isShare }), data, current)
    const watch = new ResizeObserver(() => chart.setSize({ width: current.clientWidth, height: HEIGHT_PX }))
    watch.observe(current)
    return () => {
      watch.disconnect()
      chart.destroy()
    }
  }, [drawn, isShare, appearance, language])
  return <div ref={place} className={styles['bars']} role="img" aria-label={label} />
}

const paper = matchMedia('print')
const isOnPaper = () => paper.matches

function onPaperChange(listener: () => void): () => void {
  paper.addEventListener('change', listener)
  return () => paper.removeEventListener('change', listener)
}

interface Writing {
  readonly language: string
  readonly isShare: boolean
}

function optionsOf(place: HTMLElement, bars: readonly Bar[], { language, isShare }: Writing): uPlot.Options {
  // As the stylesheet has them for this theme.
  const { color, textDecorationColor } = getComputedStyle(place)
  const write = new Intl.NumberFormat(language, {
    notation: 'compact',
    ...(isShare && { style: 'percent', notation: 'standard' }),
  })
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [-0.5, bars.length - 0.5] },
      y: { range: (_, __, high) => [0, isShare ? Math.max(1, high) : Math.max(1, high * 1.05)] },
    },
    series: [
      {},
      {
        fill: textDecorationColor,
        stroke: textDecorationColor,
        points: { show: false },
        ...(uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [BAR_SHARE, BAR_PX_MAX] }) }),
      },
    ],
    axes: [
      {
        stroke: color,
        grid: { show: false },
        splits: () => everyNth(bars.length, Math.ceil((bars.length * LABEL_PX) / place.clientWidth)),
        values: (_, splits) => splits.map((index) => shortened(bars[index]?.label ?? '')),
      },
      { stroke: color, size: 56, values: (_, splits) => splits.map((value) => write.format(value)) },
    ],
  }
}

/** As many labels as there is room for. */
function everyNth(count: number, step: number): number[] {
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step)
}

function shortened(label: string): string {
  return label.length > 12 ? `${label.slice(0, 11)}…` : label
}
