import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import type { VIEWS } from '../../db/migrations/0009-grafana.ts'
import { MEASUREMENT } from '../../adapters/series/victoriametrics-lines.ts'
import type { Quantity } from '../../domain/reading.ts'
import type { MetricName } from '../../ports/metrics.ts'

/** The data sources of provisioning/datasources/coldstream.yaml. */
export const READINGS: DataSourceRef = { type: 'prometheus', uid: 'coldstream-readings' }
export const PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: 'coldstream-prometheus' }
export const DATABASE: DataSourceRef = { type: 'mysql', uid: 'coldstream-database' }
export const MIXED: DataSourceRef = { type: 'datasource', uid: '-- Mixed --' }

/** A query that still has to get its letter in the panel. */
export type Query = (refId: string) => Builder<Dataquery>

interface MysqlQuery extends Dataquery {
  readonly refId: string
  readonly datasource: DataSourceRef
  readonly rawSql: string
  readonly format: 'table' | 'time_series'
  readonly rawQuery: true
  readonly editorMode: 'code'
}

/** Rows of the database. */
export const rows = (sql: string): Query => mysql(sql, 'table')
/** A series for each `metric`, from the columns `time` and `value`. */
export const series = (sql: string): Query => mysql(sql, 'time_series')

// The SDK has no builder for this data source.
function mysql(sql: string, format: MysqlQuery['format']): Query {
  const rawSql = sql.replace(/\s+/g, ' ').trim()
  const query = { datasource: DATABASE, rawSql, format, rawQuery: true, editorMode: 'code' } as const
  return (refId) => ({
    build: () => ({ refId, ...query, _implementsDataqueryVariant() {} }) satisfies MysqlQuery,
  })
}

/** What was read, over time; `legend` such as `{{sensor}}`. */
export const readings = (expr: string, legend: string): Query => prometheus(READINGS, expr, legend).range
export const readingNow = (expr: string, legend: string): Query => prometheus(READINGS, expr, legend).instant
/** What the program, and the servers under it, say of themselves. */
export const metrics = (expr: string, legend: string): Query => prometheus(PROMETHEUS, expr, legend).range
export const metricNow = (expr: string, legend: string): Query => prometheus(PROMETHEUS, expr, legend).instant
/** As a table with a column for each label. */
export const readingRows =
  (expr: string): Query =>
  (refId) =>
    promQuery(READINGS, expr, '', refId).format(PromQueryFormat.Table).instant()

function prometheus(datasource: DataSourceRef, expr: string, legend: string) {
  return {
    range: (refId: string) => promQuery(datasource, expr, legend, refId).range(),
    instant: (refId: string) => promQuery(datasource, expr, legend, refId).instant(),
  }
}

function promQuery(datasource: DataSourceRef, expr: string, legend: string, refId: string): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .datasource(datasource)
    .expr(expr.replace(/\s+/g, ' ').trim())
    .refId(refId)
  return legend === '' ? query : query.legendFormat(legend)
}

/** The name of a series of the devices of a dashboard. */
export const reading = (quantity: Quantity): string =>
  `${MEASUREMENT}_${quantity}{device=~"\${device:regex}"}`
/** Names that do not exist do not compile. */
export const metric = (name: MetricName): MetricName => name
export const view = (name: keyof typeof VIEWS): string => name
