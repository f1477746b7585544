import { PanelBuilder as BarsBuilder } from '@grafana/grafana-foundation-sdk/bargauge'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { MIXED, type Query } from './query.ts'

/** Of 24 columns. On a phone Grafana puts panels below each other, in their order. */
export type Width = 4 | 6 | 8 | 12 | 16 | 24

const HEIGHTS = { stat: 4, lines: 8, table: 9 } as const

interface Common<B> {
  title(title: string): B
  description(text: string): B
  height(h: number): B
  span(w: number): B
  datasource(ref: typeof MIXED): B
  withTarget(target: ReturnType<Query>): B
}

function fill<B extends Common<B>>(
  builder: B,
  title: string,
  about: string,
  width: Width,
  height: number,
  queries: readonly Query[],
): B {
  builder.title(title).description(about).span(width).height(height).datasource(MIXED)
  for (const [index, query] of queries.entries()) builder.withTarget(query('ABCDEFGH'.charAt(index)))
  return builder
}

/** One number, or one for each series. */
export function stat(
  title: string,
  about: string,
  width: Width,
  unit: string,
  ...queries: Query[]
): StatBuilder {
  return fill(new StatBuilder(), title, about, width, HEIGHTS.stat, queries)
    .unit(unit)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .textMode(BigValueTextMode.Auto)
    .noValue('–')
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('/.*/').values(false))
    .thresholds(steps())
}

export function lines(
  title: string,
  about: string,
  width: Width,
  unit: string,
  ...queries: Query[]
): LinesBuilder {
  return fill(new LinesBuilder(), title, about, width, HEIGHTS.lines, queries)
    .unit(unit)
    .lineWidth(1)
    .fillOpacity(0)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
}

/** On and off over time. */
export function states(title: string, about: string, width: Width, ...queries: Query[]): StateBuilder {
  return fill(new StateBuilder(), title, about, width, HEIGHTS.stat, queries)
}

export function bars(
  title: string,
  about: string,
  width: Width,
  unit: string,
  ...queries: Query[]
): BarsBuilder {
  return fill(new BarsBuilder(), title, about, width, HEIGHTS.lines, queries)
    .unit(unit)
    .orientation(VizOrientation.Horizontal)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(true))
}

/** Rows; `columns` gives units, and hides what only links need. */
export function table(
  title: string,
  about: string,
  width: Width,
  columns: Readonly<Record<string, Column>>,
  ...queries: Query[]
): TableBuilder {
  const builder = fill(new TableBuilder(), title, about, width, HEIGHTS.table, queries).filterable(true)
  for (const [name, { title: shown, unit, hidden, link, colored }] of Object.entries(columns))
    builder.overrideByName(name, [
      ...(shown === undefined ? [] : [{ id: 'displayName', value: shown }]),
      ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
      ...(hidden ? [{ id: 'custom.hidden', value: true }] : []),
      ...(link === undefined ? [] : [{ id: 'links', value: [{ title: link.title, url: link.url }] }]),
      ...(colored
        ? [
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
            { id: 'thresholds', value: steps([1, 'red']).build() },
          ]
        : []),
    ])
  return builder
}

export interface Column {
  readonly title?: string
  readonly unit?: string
  readonly hidden?: boolean
  readonly link?: { readonly title: string; readonly url: string }
  /** Red when it is not 0. */
  readonly colored?: boolean
}

/** Green, and from each value on another colour. */
export function steps(...from: readonly (readonly [number, string])[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: 'green' }, ...from.map(([value, color]) => ({ value, color }))])
}

export type AnyPanel = Builder<Panel>

/** A column of times in milliseconds. */
export const WHEN = 'dateTimeAsLocal'

/** To another dashboard, with the value of a column of the row. */
export const to = (dashboard: string, variable: string, column: string) => ({
  title: `Open ${dashboard}`,
  url: `/d/coldstream-${dashboard}?var-${variable}=\${__data.fields["${column}"]}&\${__url_time_range}`,
})

export const dashboardsLink = (): DashboardLinkBuilder =>
  new DashboardLinkBuilder('Coldstream')
    .type(DashboardLinkType.Dashboards)
    .tags(['coldstream'])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true)
