import {
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Level } from '../../domain/role.ts'
import { DATABASE, view } from './query.ts'

const PLACES = ['province', 'district', 'facility'] as const satisfies readonly Level[]

/** Holds for what lies in the chosen province, district and facility. Their values are paths: a subtree is a prefix. */
export const under = (column = 'path'): string =>
  PLACES.map((level) => `${column} LIKE CONCAT(\${${level}:sqlstring}, '%')`).join(' AND ')

function query(name: string, label: string, sql: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATABASE)
    .query(sql)
    .definition(sql)
    .refresh(VariableRefresh.OnTimeRangeChanged)
}

const ALL = { text: 'All', value: '$__all', selected: true }

/** Province, district and facility, each within what is chosen above it. */
export function placeVariables(): QueryVariableBuilder[] {
  return PLACES.map((level, index) => {
    const above = PLACES.slice(0, index).map((one) => `path LIKE CONCAT(\${${one}:sqlstring}, '%')`)
    const where = [`level = '${level}'`, ...above].join(' AND ')
    const sql = `SELECT name AS __text, path AS __value FROM ${view('grafana_facility')} WHERE ${where} ORDER BY name`
    // Grafana takes a value of "all" as it stands, without quoting it.
    return query(level, LABELS[level], sql).includeAll(true).allValue("'%'").current(ALL)
  })
}

const LABELS = { province: 'Province', district: 'District', facility: 'Facility' }

/** One piece of equipment, of the places that are chosen. */
export const equipmentVariable = (): QueryVariableBuilder =>
  query(
    'equipment',
    'Equipment',
    `SELECT CONCAT(name, ' (', facility, ')') AS __text, id AS __value FROM ${view('grafana_equipment')} WHERE ${under()} ORDER BY name`,
  )

/** The devices of what is chosen: readings are known by them. Not shown. */
export const deviceVariable = (where: string): QueryVariableBuilder =>
  query(
    'device',
    'Device',
    `SELECT name AS __text, id AS __value FROM ${view('grafana_device')} WHERE ${where} ORDER BY name LIMIT 500`,
  )
    .multi(true)
    .includeAll(true)
    .current(ALL)
    .hide(VariableHide.HideVariable)
