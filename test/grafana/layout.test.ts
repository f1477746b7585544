import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { dashboards, type DashboardModel, type PanelModel } from './dashboards.ts'

const text = (name: string) => readFileSync(join(import.meta.dirname, '../../grafana', name), 'utf8')
const SOURCES = [...text('provisioning/datasources/coldstream.yaml').matchAll(/uid: (.*)/g)].map(
  ([, uid]) => uid,
)

function cellsOf({ gridPos: { x, y, w, h } }: PanelModel): string[] {
  return Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`)
}

for (const dashboard of dashboards)
  test(`${dashboard.title}: panels do not overlap, and everything it names is there`, (t) => {
    const cells = dashboard.panels.flatMap(cellsOf)
    t.equal(new Set(cells).size, cells.length, 'no cell is taken twice')
    for (const { title, gridPos } of dashboard.panels)
      t.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, `${title} is within the grid`)
    const ids = dashboard.panels.map(({ id }) => id)
    t.equal(new Set(ids).size, ids.length, 'ids are unique')
    const variables = dashboard.templating.list.map(({ name }) => name)
    for (const panel of dashboard.panels) {
      t.ok(panel.description, `${panel.title} says what it is`)
      if (!['table', 'geomap', 'state-timeline'].includes(panel.type))
        t.ok(panel.fieldConfig.defaults.unit, `${panel.title} has a unit`)
      if (panel.repeat) t.ok(variables.includes(panel.repeat))
      for (const { datasource } of panel.targets) t.ok(SOURCES.includes(datasource.uid), datasource.uid)
    }
    t.end()
  })

test('links lead to dashboards that have the variable', (t) => {
  const byUid = new Map<string, DashboardModel>(dashboards.map((dashboard) => [dashboard.uid, dashboard]))
  let links = 0
  for (const dashboard of dashboards)
    for (const [, uid = '', variable = ''] of JSON.stringify(dashboard).matchAll(
      /\/d\/([\w-]+)\?var-(\w+)=/g,
    )) {
      links += 1
      const names = byUid.get(uid)?.templating.list.map(({ name }) => name) ?? []
      t.ok(names.includes(variable), `${dashboard.uid} to ${uid} with ${variable}`)
    }
  t.ok(links > 5)
  t.equal(byUid.size, dashboards.length, 'each has an address of its own')
  for (const { tags } of dashboards) t.same(tags, ['coldstream'], 'the menu finds it')
  t.end()
})
