import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { METRICS } from '../../ports/metrics.ts'
import { hasPrometheus, promtool } from '../services/prometheus.ts'
import { skipWithout } from '../services/required.ts'

const root = join(import.meta.dirname, '../..')
const text = (name: string) => readFileSync(join(root, name), 'utf8')
const rules = text('grafana/rules.yaml')
const skip = skipWithout('Prometheus', hasPrometheus)

const namesIn = (source: string, pattern: RegExp) =>
  [...new Set([...source.matchAll(pattern)].map(([, name = '']) => name))].toSorted()
const alerts = namesIn(rules, /- alert: (\w+)/g)

test('Prometheus takes the configuration and the rules', { skip }, async (t) => {
  t.match(await promtool(['check', 'rules', join(root, 'grafana/rules.yaml')]), 'SUCCESS')
  // The rules are mounted beside it.
  t.match(await promtool(['check', 'config', join(root, 'grafana/prometheus.yaml')]), 'SUCCESS')
})

test('every alert fires when it should, and not before', { skip }, async (t) => {
  t.match(await promtool(['test', 'rules', join(root, 'grafana/rules.test.yaml')]), 'SUCCESS')
  t.same(namesIn(text('grafana/rules.test.yaml'), /alertname: (\w+)/g), alerts)
  t.ok(alerts.length >= 10)
})

test('docs/operations.md says what to do about each alert', (t) => {
  t.same(namesIn(text('docs/operations.md'), /^\| `(Coldstream\w+)` \|/gm), alerts)
  t.end()
})

test('the rules speak of metrics and recordings that there are', (t) => {
  const recorded = namesIn(rules, /- record: ([\w:]+)/g)
  const used = namesIn(rules, /\b((?:\w+:)?coldstream[_:][\w:]+)/g).map((name) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  )
  t.same(
    used.filter((name) => !recorded.includes(name) && !(name in METRICS)),
    [],
  )
  t.end()
})
