import type uPlot from 'uplot'
import type { Span } from './series.ts'

/** A limit, for as long as it held. */
export interface Limit extends Span {
  readonly value: number
  readonly isHigh: boolean
}

/** What is behind and around a curve. */
export interface Background {
  readonly span: Span
  readonly limits?: readonly Limit[]
  readonly breaches?: readonly Span[]
  /** Moments at which a person did something. */
  readonly marks?: readonly number[]
}

export type Colours = ReturnType<typeof coloursOf>

const HATCH_PX = 8
const EDGE_PX = 3
const MARK_PX = 5

/** As the stylesheet has them for this theme: a canvas knows no variables, so `.chart` wears them. */
export function coloursOf(place: HTMLElement) {
  const style = getComputedStyle(place)
  return {
    text: style.color,
    limit: style.borderTopColor,
    breach: style.outlineColor,
    band: `rgb(from ${style.textDecorationColor} r g b / 35%)`,
    allowed: style.columnRuleColor,
    gap: style.caretColor,
    mark: style.textEmphasisColor,
  }
}

/** Breaches filled with an edge above, silence hatched, limits dashed, acts as dotted lines with a tick: what a colour says, a shape says too. */
export function paint(chart: uPlot, background: Background, gaps: readonly Span[], colours: Colours): void {
  const { ctx, bbox } = chart
  const { span, limits = [], breaches = [], marks = [] } = background
  const x = (ms: number) => chart.valToPos(Math.min(span.to, Math.max(span.from, ms)) / 1000, 'x', true)
  const isSeen = ({ from, to }: Span) => to > span.from && from < span.to
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  allowed(chart, limits.filter(isSeen), x, colours)
  for (const gap of gaps.filter(isSeen)) hatch(chart, x(gap.from), x(gap.to), colours.gap)
  for (const breach of breaches.filter(isSeen)) {
    const left = x(breach.from)
    const width = Math.max(x(breach.to) - left, 2)
    ctx.fillStyle = colours.breach
    ctx.globalAlpha = 0.2
    ctx.fillRect(left, bbox.top, width, bbox.height)
    ctx.globalAlpha = 1
    ctx.fillRect(left, bbox.top, width, EDGE_PX * devicePixelRatio)
  }
  for (const mark of marks) if (mark >= span.from && mark <= span.to) tick(chart, x(mark), colours.mark)
  ctx.restore()
}

function allowed(chart: uPlot, limits: readonly Limit[], x: (ms: number) => number, colours: Colours): void {
  const { ctx, bbox } = chart
  const y = (value: number) => chart.valToPos(value, 'y', true)
  const high = Math.min(...limits.filter(({ isHigh }) => isHigh).map(({ value }) => value))
  const low = Math.max(...limits.filter(({ isHigh }) => !isHigh).map(({ value }) => value))
  if (Number.isFinite(high)) {
    const bottom = Number.isFinite(low) ? y(low) : bbox.top + bbox.height
    ctx.fillStyle = colours.allowed
    ctx.globalAlpha = 0.1
    ctx.fillRect(bbox.left, y(high), bbox.width, bottom - y(high))
    ctx.globalAlpha = 1
  }
  ctx.strokeStyle = colours.limit
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([8, 6])
  for (const { value, from, to } of limits) line(ctx, [x(from), y(value)], [x(to), y(value)])
  ctx.setLineDash([])
}

function hatch({ ctx, bbox }: uPlot, left: number, right: number, colour: string): void {
  const step = HATCH_PX * devicePixelRatio
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, bbox.top, right - left, bbox.height)
  ctx.clip()
  ctx.strokeStyle = colour
  ctx.globalAlpha = 0.45
  ctx.lineWidth = devicePixelRatio
  const { top, height } = bbox
  for (let at = left - height; at < right; at += step) line(ctx, [at, top + height], [at + height, top])
  ctx.restore()
}

function tick({ ctx, bbox }: uPlot, at: number, colour: string): void {
  const size = MARK_PX * devicePixelRatio
  const top = bbox.top + size
  ctx.strokeStyle = colour
  ctx.lineWidth = 2 * devicePixelRatio
  ctx.setLineDash([2, 4])
  line(ctx, [at, top + 2 * size], [at, bbox.top + bbox.height])
  ctx.setLineDash([])
  line(ctx, [at - size, top + size / 2], [at - size / 3, top + size])
  line(ctx, [at - size / 3, top + size], [at + size, top - size / 2])
}

function line(
  ctx: CanvasRenderingContext2D,
  from: readonly [number, number],
  to: readonly [number, number],
): void {
  ctx.beginPath()
  ctx.moveTo(...from)
  ctx.lineTo(...to)
  ctx.stroke()
}
