import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  DashboardBuilder,
  DashboardCursorSync,
  type AnnotationQuery,
  type Dashboard,
  type GridPos,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboardsLink, type AnyPanel } from './panel.ts'

/** A dashboard in our words. */
export interface DashboardPlan {
  /** Of its file, and in addresses. */
  readonly name: string
  readonly title: string
  readonly about: string
  readonly variables: readonly Builder<VariableModel>[]
  readonly annotations?: readonly Builder<AnnotationQuery>[]
  /** In the order in which a phone shows them. */
  readonly panels: readonly AnyPanel[]
}

/** The model that Grafana loads. */
export function build({ name, title, about, variables, annotations = [], panels }: DashboardPlan): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(`coldstream-${name}`)
    .description(about)
    .tags(['coldstream'])
    .timezone('browser')
    .time({ from: 'now-24h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(dashboardsLink())
    .variables([...variables])
    .annotations([...annotations])
  for (const panel of panels) builder.withPanel(panel)
  const dashboard = builder.build()
  const place = packer()
  for (const [index, panel] of (dashboard.panels ?? []).entries()) {
    if (!('gridPos' in panel) || !panel.gridPos) throw new Error(`a panel of ${name} has no size`)
    Object.assign(panel, { id: index + 1, gridPos: place(panel.gridPos) })
  }
  return dashboard
}

const COLUMNS = 24

/** Puts each panel as high as it can go without overlapping, then as far left. */
function packer(): (size: GridPos) => GridPos {
  const filled = Array.from({ length: COLUMNS }, () => 0)
  return ({ w, h }) => {
    const top = (x: number) => Math.max(...filled.slice(x, x + w))
    const places = Array.from({ length: COLUMNS - w + 1 }, (_, x) => ({ x, y: top(x), w, h }))
    const best = places.reduce((a, b) => (b.y < a.y ? b : a))
    filled.fill(best.y + h, best.x, best.x + w)
    return best
  }
}
