import { GraphDrawStyle, StackingConfigBuilder, StackingMode } from '@grafana/grafana-foundation-sdk/common'
import type { DashboardPlan } from './dashboard.ts'
import { bars, lines, stat, steps, table, to, WHEN, type AnyPanel } from './panel.ts'
import { rows, series, view } from './query.ts'
import { placeVariables, under } from './variable.ts'

const BREACH = view('grafana_breach')
const NOTIFICATION = view('grafana_notification')
const ACKNOWLEDGEMENT = view('grafana_acknowledgement')
const STOCK = view('grafana_stock')
const LEVEL = view('grafana_stock_level')
const ENTRY = view('grafana_stock_entry')

const within = (column: string) => `${column} BETWEEN \${__from} AND \${__to}`

/** The middle of `what`, in SQL that MySQL and MariaDB both know. */
const median = (what: string, from: string) =>
  `SELECT AVG(ms) AS median FROM (SELECT ms, ROW_NUMBER() OVER (ORDER BY ms) AS place, COUNT(*) OVER () AS total
    FROM (SELECT ${what} AS ms FROM ${from}) AS each_one) AS placed WHERE place IN (FLOOR((total + 1) / 2), CEIL((total + 1) / 2))`

// What is part of an outage is told, and taken on, with it.
const ALARMS = `${BREACH} WHERE outage_id IS NULL AND state <> 'withdrawn' AND ${under()}`

const stacked = (title: string, about: string, width: 12 | 8, sql: string): AnyPanel =>
  lines(title, about, width, 'short', series(sql))
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(60)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal))

const perHour = (column: string) => `FLOOR(${column} / 3600000) * 3600000`

export const alarms: DashboardPlan = {
  name: 'alarms',
  title: 'Alarms',
  about: 'What is open, how fast people take it on, and who carries the load.',
  variables: placeVariables(),
  panels: [
    stat(
      'Open',
      'Alarms now.',
      6,
      'short',
      rows(`SELECT COUNT(*) AS open FROM ${ALARMS} AND state = 'open'`),
    ).thresholds(steps([1, 'red'])),
    stat(
      'Not acknowledged',
      'Open, and nobody has taken it on.',
      6,
      'short',
      rows(`SELECT COUNT(*) AS open FROM ${ALARMS} AND state = 'open' AND acknowledged_at IS NULL`),
    ).thresholds(steps([1, 'red'])),
    stat(
      'Time to acknowledge',
      'The middle one, of alarms that began in the time shown.',
      6,
      'ms',
      rows(
        median(
          'acknowledged_at - recorded_at',
          `${ALARMS} AND acknowledged_at IS NOT NULL AND ${within('start_at')}`,
        ),
      ),
    ),
    stat(
      'Time to resolve',
      'From the first reading out of range until it was over; the middle one.',
      6,
      'ms',
      rows(median('end_at - start_at', `${ALARMS} AND end_at IS NOT NULL AND ${within('start_at')}`)),
    ),
    stacked(
      'Alarms by hour',
      'That began then.',
      12,
      `SELECT ${perHour('start_at')} AS time, severity AS metric, COUNT(*) AS value FROM ${ALARMS} AND ${within('start_at')} GROUP BY 1, 2 ORDER BY 1`,
    ),
    stacked(
      'Messages by hour',
      'By channel, sent or not.',
      12,
      `SELECT ${perHour('created_at')} AS time, CONCAT(channel, ' ', status) AS metric, COUNT(*) AS value FROM ${NOTIFICATION} WHERE ${within('created_at')} AND ${under()} GROUP BY 1, 2 ORDER BY 1`,
    ),
    table(
      'Load by person',
      'Messages to each, and what each took on; how long after it was recorded, on average.',
      12,
      {
        person: { title: 'Person' },
        messages: { title: 'Messages' },
        acknowledged: { title: 'Acknowledged' },
        after_ms: { title: 'After', unit: 'ms' },
      },
      rows(`SELECT person, SUM(messages) AS messages, SUM(acknowledged) AS acknowledged, AVG(after_ms) AS after_ms FROM (
        SELECT COALESCE(person, '(no person)') AS person, 1 AS messages, 0 AS acknowledged, NULL AS after_ms FROM ${NOTIFICATION} WHERE ${within('created_at')} AND ${under()}
        UNION ALL SELECT person, 0, 1, at - recorded_at FROM ${ACKNOWLEDGEMENT} WHERE ${within('at')} AND ${under()}) AS work
        GROUP BY person ORDER BY messages DESC LIMIT 200`),
    ),
    table(
      'By rule',
      'What alarms most often.',
      12,
      { rule_name: { title: 'Rule' }, alarms: { title: 'Alarms' }, places: { title: 'Places' } },
      rows(
        `SELECT rule_name, severity, COUNT(*) AS alarms, COUNT(DISTINCT facility_id) AS places FROM ${ALARMS} AND ${within('start_at')} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 50`,
      ),
    ),
    table(
      'Open alarms',
      'The oldest first.',
      24,
      {
        start_at: { title: 'Since', unit: WHEN },
        acknowledged_at: { title: 'Acknowledged', unit: WHEN },
        equipment_id: { hidden: true },
        path: { hidden: true },
        facility: { title: 'Facility', link: to('facility', 'facility', 'path') },
        equipment: { title: 'Equipment', link: to('refrigerator', 'equipment', 'equipment_id') },
        rule_name: { title: 'Rule' },
        cause: { title: 'Cause' },
      },
      rows(
        `SELECT start_at, facility, equipment, rule_name, severity, cause, acknowledged_at, equipment_id, path FROM ${ALARMS} AND state = 'open' ORDER BY start_at LIMIT 500`,
      ),
    ),
  ],
}

const DAY_MS = 86_400_000
/** Days left of what is used in a day, over the time shown. */
const coverage = `SELECT l.facility, l.item, l.on_hand, l.min_doses, l.max_doses, l.path,
  l.on_hand / NULLIF(SUM(e.doses) * ${DAY_MS} / (\${__to} - \${__from}), 0) AS days
  FROM ${LEVEL} l LEFT JOIN ${ENTRY} e ON e.facility_id = l.facility_id AND e.item_id = l.item_id
    AND e.account_kind = 'consumption' AND e.occurred_at BETWEEN \${__from} AND \${__to}
  WHERE ${under('l.path')} GROUP BY l.facility_id, l.item_id, l.facility, l.item, l.on_hand, l.min_doses, l.max_doses, l.path
  ORDER BY l.on_hand / NULLIF(l.min_doses, 0) LIMIT 500`

const EXPIRY = 'DATEDIFF(expires_on, CURRENT_DATE)'

export const supply: DashboardPlan = {
  name: 'supply',
  title: 'Supply',
  about: 'What is missing, what expires, what is lost, what is on hold. Quantities are doses.',
  variables: placeVariables(),
  panels: [
    stat(
      'Stock-outs',
      'Items of which a facility that keeps them has nothing to use.',
      4,
      'short',
      rows(`SELECT COUNT(*) AS items FROM ${LEVEL} WHERE on_hand = 0 AND ${under()}`),
    ).thresholds(steps([1, 'red'])),
    stat(
      'Below minimum',
      'As the stock levels say.',
      4,
      'short',
      rows(`SELECT COUNT(*) AS items FROM ${LEVEL} WHERE on_hand < min_doses AND ${under()}`),
    ).thresholds(steps([1, 'orange'])),
    stat(
      'On hold',
      'Doses that nobody may use until somebody decides.',
      4,
      'short',
      rows(`SELECT COALESCE(SUM(doses), 0) AS doses FROM ${STOCK} WHERE held = 1 AND ${under()}`),
    ).thresholds(steps([1, 'orange'])),
    stat(
      'Expire in 90 days',
      'Doses, without those that have.',
      4,
      'short',
      rows(
        `SELECT COALESCE(SUM(doses), 0) AS doses FROM ${STOCK} WHERE ${EXPIRY} BETWEEN 0 AND 90 AND ${under()}`,
      ),
    ).thresholds(steps([1, 'orange'])),
    stat(
      'Expired',
      'Doses that are still on a shelf.',
      4,
      'short',
      rows(`SELECT COALESCE(SUM(doses), 0) AS doses FROM ${STOCK} WHERE ${EXPIRY} < 0 AND ${under()}`),
    ).thresholds(steps([1, 'red'])),
    stat(
      'Wastage',
      'Of what was used or written off in the time shown.',
      4,
      'percentunit',
      rows(`SELECT COALESCE(SUM(CASE WHEN account_kind = 'wastage' THEN doses ELSE 0 END) / NULLIF(SUM(doses), 0), 0) AS share
      FROM ${ENTRY} WHERE account_kind IN ('wastage', 'consumption') AND ${within('occurred_at')} AND ${under()}`),
    ).decimals(1),
    table(
      'Coverage',
      'The scarcest first. Days: on hand, by what was used in the time shown.',
      24,
      {
        path: { hidden: true },
        facility: { title: 'Facility', link: to('facility', 'facility', 'path') },
        item: { title: 'Item' },
        on_hand: { title: 'On hand' },
        min_doses: { title: 'Minimum' },
        max_doses: { title: 'Maximum' },
        days: { title: 'Lasts', unit: 'd' },
      },
      rows(coverage),
    ),
    bars(
      'Wastage by reason',
      'Doses written off in the time shown.',
      8,
      'short',
      rows(`SELECT COALESCE(reason, reason_code, kind) AS reason, SUM(doses) AS doses FROM ${ENTRY}
      WHERE account_kind = 'wastage' AND doses > 0 AND ${within('occurred_at')} AND ${under()} GROUP BY 1 ORDER BY 2 DESC LIMIT 20`),
    ),
    bars(
      'Expiry',
      'Usable doses by the time that is left.',
      8,
      'short',
      rows(`SELECT CASE WHEN ${EXPIRY} < 0 THEN 'expired' WHEN ${EXPIRY} <= 30 THEN 'within 30 days' WHEN ${EXPIRY} <= 90 THEN 'within 90 days'
      WHEN ${EXPIRY} <= 365 THEN 'within a year' ELSE 'later' END AS left_time, SUM(doses) AS doses FROM ${STOCK} WHERE held = 0 AND ${under()} GROUP BY 1 ORDER BY MIN(expires_on)`),
    ),
    stacked(
      'Used and written off',
      'Doses by day.',
      8,
      `SELECT FLOOR(occurred_at / ${DAY_MS}) * ${DAY_MS} AS time, account_kind AS metric, SUM(doses) AS value FROM ${ENTRY}
      WHERE account_kind IN ('wastage', 'consumption') AND ${within('occurred_at')} AND ${under()} GROUP BY 1, 2 ORDER BY 1`,
    ),
    table(
      'On hold',
      'The most doses first.',
      12,
      {
        path: { hidden: true },
        facility: { title: 'Facility', link: to('facility', 'facility', 'path') },
        item: { title: 'Item' },
        lot: { title: 'Lot' },
        doses: { title: 'Doses' },
        updated_at: { title: 'Since', unit: WHEN },
      },
      rows(
        `SELECT facility, storage_point, item, lot, doses, updated_at, path FROM ${STOCK} WHERE held = 1 AND ${under()} ORDER BY doses DESC LIMIT 200`,
      ),
    ),
    table(
      'Expire first',
      'On shelves, the first to expire first.',
      12,
      {
        path: { hidden: true },
        facility: { title: 'Facility', link: to('facility', 'facility', 'path') },
        item: { title: 'Item' },
        lot: { title: 'Lot' },
        expires_on: { title: 'Expires' },
        doses: { title: 'Doses' },
      },
      rows(
        `SELECT expires_on, facility, item, lot, SUM(doses) AS doses, path FROM ${STOCK} WHERE ${under()} GROUP BY expires_on, facility, item, lot, path ORDER BY expires_on LIMIT 200`,
      ),
    ),
  ],
}
