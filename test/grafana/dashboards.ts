import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is used of Grafana's model of a dashboard, as it stands in the files. */
export interface Target {
  readonly refId: string
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly rawSql?: string
  readonly format?: string
  readonly expr?: string
  readonly legendFormat?: string
  readonly instant?: boolean
}

export interface PanelModel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly repeat?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly Target[]
  readonly fieldConfig: {
    readonly defaults: { readonly unit?: string }
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string }
      readonly properties: readonly { readonly id: string; readonly value: unknown }[]
    }[]
  }
}

export interface VariableModel {
  readonly name: string
  readonly type: string
  readonly query: string
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly includeAll?: boolean
  readonly allValue?: string
  readonly multi?: boolean
}

export interface DashboardModel {
  readonly uid: string
  readonly title: string
  readonly tags: readonly string[]
  readonly panels: readonly PanelModel[]
  readonly templating: { readonly list: readonly VariableModel[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly target: Target }[] }
}

const folder = join(import.meta.dirname, '../../grafana/dashboards')

/** The files that Grafana loads. */
export const dashboards: readonly DashboardModel[] = readdirSync(folder).map(
  (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as DashboardModel,
)
