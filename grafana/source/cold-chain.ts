import {
  FrameGeometrySourceBuilder,
  FrameGeometrySourceMode,
  LineInterpolation,
  MapLayerOptionsBuilder,
  StackingMode,
  StackingConfigBuilder,
  GraphDrawStyle,
} from '@grafana/grafana-foundation-sdk/common'
import { AnnotationQueryBuilder, MappingType } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  ControlsOptionsBuilder,
  MapCenterID,
  MapViewConfigBuilder,
  PanelBuilder as MapBuilder,
} from '@grafana/grafana-foundation-sdk/geomap'
import { mktKelvin } from '../../domain/mkt.ts'
import { WATCH_RULES } from '../../domain/watch-rule.ts'
import type { DashboardPlan } from './dashboard.ts'
import { bars, lines, stat, states, steps, table, to, WHEN, type AnyPanel } from './panel.ts'
import { DATABASE, reading, readingNow, readings, rows, series, view } from './query.ts'
import { deviceVariable, equipmentVariable, placeVariables, under } from './variable.ts'

const BREACH = view('grafana_breach')
const FACILITY = view('grafana_facility')
const EQUIPMENT = view('grafana_equipment')
const RULE = view('grafana_rule')
const URGENCY = view('grafana_time_to_breach')

const NOW_MS = '(UNIX_TIMESTAMP() * 1000)'
/** What is about what is stored, and not about the devices. */
const OF_STORAGE = `rule_id NOT IN (${WATCH_RULES.map(({ id }) => `'${id}'`).join(', ')})`
const OPEN = `state = 'open' AND ${under()}`

const AGES = [
  ['under 1 h', 0, 1],
  ['1 to 6 h', 1, 6],
  ['6 to 24 h', 6, 24],
  ['1 to 7 days', 24, 168],
  ['over 7 days', 168, 1e6],
] as const

const byAge = AGES.map(
  ([label, hours, hoursMax]) =>
    `SELECT '${label}' AS age, COUNT(*) AS breaches FROM ${BREACH} WHERE ${OPEN} AND start_at <= ${NOW_MS} - ${hours} * 3600000 AND start_at > ${NOW_MS} - ${hoursMax} * 3600000`,
).join(' UNION ALL ')

const inRange = `SELECT 1 - (SELECT COUNT(DISTINCT equipment_id) FROM ${BREACH} WHERE ${OPEN} AND ${OF_STORAGE})
  / NULLIF(COUNT(*), 0) AS share FROM ${EQUIPMENT} WHERE ${under()}`

const shareInRange = (): AnyPanel =>
  stat(
    'In range',
    'Equipment without an open breach of its storage rules.',
    4,
    'percentunit',
    rows(inRange),
  ).decimals(1)

const count = (title: string, about: string, sql: string): AnyPanel =>
  stat(title, about, 4, 'short', rows(sql)).thresholds(steps([1, 'red']))

const STATES = {
  0: ['In range', 'green'],
  1: ['Silent', 'blue'],
  2: ['Warning', 'orange'],
  3: ['Critical', 'red'],
} as const
const STATE =
  'CASE WHEN open_critical > 0 THEN 3 WHEN open_warning > silent THEN 2 WHEN silent > 0 THEN 1 ELSE 0 END'

function map(): AnyPanel {
  const mappings = Object.entries(STATES).map(([value, [text, color]], index) => ({
    type: MappingType.ValueToText as const,
    options: { [value]: { text, color, index } },
  }))
  const layer = new MapLayerOptionsBuilder()
    .type('markers')
    .name('Facilities')
    .tooltip(true)
    .location(
      new FrameGeometrySourceBuilder()
        .mode(FrameGeometrySourceMode.Coords)
        .latitude('latitude')
        .longitude('longitude'),
    )
    .config({
      showLegend: true,
      style: { color: { field: 'state', fixed: 'green' }, opacity: 0.8, size: { fixed: 7 } },
    })
  return new MapBuilder()
    .title('Facilities')
    .description('Those that have coordinates, by their worst open breach.')
    .span(16)
    .height(16)
    .datasource(DATABASE)
    .withTarget(
      rows(
        `SELECT name, path, latitude, longitude, ${STATE} AS state, devices, silent, open_critical, open_warning
         FROM ${FACILITY} WHERE latitude IS NOT NULL AND ${under()} LIMIT 20000`,
      )('A'),
    )
    .view(new MapViewConfigBuilder().id(MapCenterID.Fit).allLayers(true).zoom(5))
    .controls(new ControlsOptionsBuilder().showZoom(true).mouseWheelZoom(false).showAttribution(true))
    .basemap(new MapLayerOptionsBuilder().type('default').name('Map'))
    .layers([layer])
    .thresholds(steps([1, 'blue'], [2, 'orange'], [3, 'red']))
    .overrideByName('state', [{ id: 'mappings', value: mappings }])
    .overrideByName('name', [{ id: 'links', value: [to('facility', 'facility', 'path')] }])
}

const perDay = (column: string) => `FLOOR(${column} / 86400000) * 86400000`

export const national: DashboardPlan = {
  name: 'national',
  title: 'National overview',
  about: 'Where vaccines are warm, cold, or unwatched now.',
  variables: placeVariables(),
  panels: [
    shareInRange(),
    count(
      'Open, critical',
      'Open critical breaches.',
      `SELECT COUNT(*) AS open FROM ${BREACH} WHERE ${OPEN} AND severity = 'critical' AND outage_id IS NULL`,
    ),
    count(
      'Not acknowledged',
      'Open breaches that nobody has taken on.',
      `SELECT COUNT(*) AS open FROM ${BREACH} WHERE ${OPEN} AND acknowledged_at IS NULL AND outage_id IS NULL`,
    ),
    count(
      'Silent devices',
      'Nothing came for longer than expected.',
      `SELECT COALESCE(SUM(silent), 0) AS silent FROM ${FACILITY} WHERE ${under()}`,
    ),
    stat(
      'Devices',
      'That are to report.',
      4,
      'short',
      rows(`SELECT COALESCE(SUM(devices), 0) AS devices FROM ${FACILITY} WHERE ${under()}`),
    ),
    stat(
      'Facilities',
      'That have equipment.',
      4,
      'short',
      rows(`SELECT COUNT(*) AS facilities FROM ${FACILITY} WHERE equipment > 0 AND ${under()}`),
    ),
    map(),
    bars('Open breaches by age', 'By the time of their first reading out of range.', 8, 'short', rows(byAge)),
    lines(
      'Breaches by day',
      'That began then, without those that never were.',
      8,
      'short',
      series(`SELECT ${perDay('start_at')} AS time, severity AS metric, COUNT(*) AS value FROM ${BREACH}
        WHERE start_at BETWEEN \${__from} AND \${__to} AND state <> 'withdrawn' AND ${under()} GROUP BY 1, 2 ORDER BY 1`),
    )
      .drawStyle(GraphDrawStyle.Bars)
      .fillOpacity(60)
      .stacking(new StackingConfigBuilder().mode(StackingMode.Normal)),
    table(
      'Places that need somebody',
      'The worst first.',
      24,
      {
        path: { hidden: true },
        facility: { title: 'Facility', link: to('facility', 'facility', 'path') },
        province: { title: 'Province' },
        district: { title: 'District' },
        open_critical: { title: 'Critical', colored: true },
        open_warning: { title: 'Warning' },
        silent: { title: 'Silent' },
      },
      rows(`SELECT name AS facility, province, district, open_critical, open_warning, silent, path FROM ${FACILITY}
        WHERE open_critical + open_warning > 0 AND ${under()} ORDER BY open_critical DESC, open_warning DESC LIMIT 200`),
    ),
  ],
}

const breachTable = (where: string): AnyPanel =>
  table(
    'Breaches',
    'Of the time shown, the newest first.',
    24,
    {
      start_at: { title: 'Since', unit: WHEN },
      end_at: { title: 'Until', unit: WHEN },
      acknowledged_at: { title: 'Acknowledged', unit: WHEN },
      equipment_id: { hidden: true },
      equipment: { title: 'Equipment', link: to('refrigerator', 'equipment', 'equipment_id') },
      rule_name: { title: 'Rule' },
      peak: { title: 'Worst' },
      threshold: { title: 'Limit' },
    },
    rows(`SELECT start_at, end_at, equipment, rule_name, severity, state, peak, threshold, acknowledged_at, equipment_id FROM ${BREACH}
      WHERE start_at <= \${__to} AND (end_at IS NULL OR end_at >= \${__from}) AND state <> 'withdrawn' AND ${where} ORDER BY start_at DESC LIMIT 500`),
  )

export const facility: DashboardPlan = {
  name: 'facility',
  title: 'Facility',
  about: 'The equipment of a place, and what needs saving first.',
  variables: [...placeVariables(), deviceVariable(under())],
  panels: [
    shareInRange(),
    count(
      'Open breaches',
      'Of storage rules and of devices.',
      `SELECT COUNT(*) AS open FROM ${BREACH} WHERE ${OPEN}`,
    ),
    count(
      'Without power',
      'As their devices say.',
      `SELECT COUNT(*) AS devices FROM ${view('grafana_device')} WHERE power_lost_at IS NOT NULL AND ${under()}`,
    ),
    stat(
      'Warmest',
      'Of all sensors, in the last hour.',
      6,
      'celsius',
      readingNow(`max(max_over_time(${reading('temperature')}[1h]))`, 'warmest'),
    ),
    stat(
      'Coldest',
      'Of all sensors, in the last hour.',
      6,
      'celsius',
      readingNow(`min(min_over_time(${reading('temperature')}[1h]))`, 'coldest'),
    ),
    table(
      'Equipment',
      'What is at its limit first comes first: with what is inside, move that.',
      24,
      {
        equipment_id: { hidden: true },
        equipment: { title: 'Equipment', link: to('refrigerator', 'equipment', 'equipment_id') },
        median_at: { title: 'At its limit', unit: WHEN },
        celsius: { title: 'Was', unit: 'celsius' },
        limit_celsius: { title: 'Limit', unit: 'celsius' },
        newest_at: { title: 'Newest reading', unit: WHEN },
        open_breaches: { title: 'Open', colored: true },
      },
      rows(`SELECT e.name AS equipment, e.profile, t.state, t.median_at, t.celsius, t.limit_celsius,
        (SELECT MAX(d.newest_at) FROM ${view('grafana_device')} d WHERE d.equipment_id = e.id) AS newest_at,
        (SELECT COUNT(*) FROM ${BREACH} b WHERE b.equipment_id = e.id AND b.state = 'open') AS open_breaches, e.id AS equipment_id
        FROM ${EQUIPMENT} e LEFT JOIN ${URGENCY} t ON t.equipment_id = e.id
        WHERE ${under('e.path')} ORDER BY t.urgent_at IS NULL, t.urgent_at, open_breaches DESC, e.name LIMIT 500`),
    ),
    lines(
      'Temperature of $device',
      'One panel for each device.',
      8,
      'celsius',
      readings(reading('temperature'), '{{sensor}}'),
    )
      .repeat('device')
      .repeatDirection('h')
      .maxPerRow(3),
    breachTable(under()),
  ],
}

/** The bands of the profile at the end of the time shown: a line for each rule about a temperature that is not cumulative. */
const bands = ['from', 'to']
  .map(
    (
      end,
    ) => `SELECT \${__${end}} AS time, r.name AS metric, r.threshold AS value FROM ${RULE} r JOIN ${EQUIPMENT} e ON e.profile = r.profile
    WHERE e.id = \${equipment:sqlstring} AND r.quantity = 'temperature' AND r.measure = 'value' AND r.version =
    (SELECT MAX(v.version) FROM ${RULE} v WHERE v.profile = r.profile AND (v.valid_from IS NULL OR v.valid_from <= \${__to}))`,
  )
  .join(' UNION ALL ')

const KELVIN = 273.15
/** As domain/mkt.ts: every minute counts as much as another. */
const mkt = `-${mktKelvin} / ln(avg_over_time(exp(-${mktKelvin} / (${reading('temperature')} + ${KELVIN}))[\${__range_s}s:1m])) - ${KELVIN}`

const ofEquipment = 'equipment_id = ${equipment:sqlstring}'

export const refrigerator: DashboardPlan = {
  name: 'refrigerator',
  title: 'Refrigerator',
  about: 'One piece of equipment against the rules of its profile.',
  variables: [...placeVariables(), equipmentVariable(), deviceVariable(ofEquipment)],
  annotations: [
    new AnnotationQueryBuilder()
      .name('Breaches')
      .datasource(DATABASE)
      .enable(true)
      .iconColor('red')
      .target(
        rows(`SELECT start_at AS time, COALESCE(end_at, \${__to}) AS timeEnd, rule_name AS text, severity AS tags FROM ${BREACH}
          WHERE ${ofEquipment} AND state <> 'withdrawn' AND start_at <= \${__to} AND (end_at IS NULL OR end_at >= \${__from})`)(
          'Anno',
        ),
      ),
  ],
  panels: [
    stat(
      'Temperature',
      'The newest of the last hour.',
      4,
      'celsius',
      readingNow(`last_over_time(${reading('temperature')}[1h])`, '{{sensor}}'),
    ),
    stat(
      'Mean kinetic temperature',
      'Of the time shown: the steady temperature that would have done as much harm.',
      4,
      'celsius',
      readingNow(mkt, '{{sensor}}'),
    ),
    stat(
      'At its limit',
      'When it will be, if nothing changes; empty when it does not warm.',
      4,
      WHEN,
      rows(`SELECT MAX(median_at) AS median_at FROM ${URGENCY} WHERE ${ofEquipment}`),
    ),
    count(
      'Open breaches',
      'Of storage rules and of devices.',
      `SELECT COUNT(*) AS open FROM ${BREACH} WHERE state = 'open' AND ${ofEquipment}`,
    ),
    stat(
      'Power',
      'Since when there is none; empty while there is.',
      4,
      WHEN,
      rows(`SELECT MIN(power_lost_at) AS lost FROM ${view('grafana_device')} WHERE ${ofEquipment}`),
    ),
    stat(
      'Newest reading',
      'By the clock of the device.',
      4,
      WHEN,
      rows(`SELECT MAX(newest_at) AS newest FROM ${view('grafana_device')} WHERE ${ofEquipment}`),
    ),
    lines(
      'Temperature',
      'With the limits of its profile.',
      24,
      'celsius',
      readings(reading('temperature'), '{{sensor}}'),
      series(bands),
    )
      .lineInterpolation(LineInterpolation.Linear)
      .overrideByQuery('B', [
        { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
        { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
      ]),
    lines(
      'Door',
      'Seconds open in each time between two readings.',
      8,
      's',
      readings(reading('doorOpenSeconds'), '{{sensor}}'),
    ),
    lines(
      'Power and compressor',
      'Seconds in each time between two readings.',
      8,
      's',
      readings(reading('powerGoodSeconds'), 'power'),
      readings(reading('compressorSeconds'), 'compressor'),
    ),
    lines('Around it', 'The room.', 8, 'celsius', readings(reading('ambientTemperature'), '{{sensor}}')),
    states(
      'Power by the minute',
      'Of devices that say on or off.',
      12,
      readings(reading('powerOn'), 'power'),
    ),
    states(
      'Door by the minute',
      'Of devices that say open or closed.',
      12,
      readings(reading('doorOpen'), 'door'),
    ),
    breachTable(ofEquipment),
  ],
}
