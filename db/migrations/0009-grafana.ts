import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('facility').addColumn('latitude', 'double precision').execute()
  await db.schema.alterTable('facility').addColumn('longitude', 'double precision').execute()
  for (const [name, select] of Object.entries(VIEWS))
    await sql`${sql.raw(`create view ${name} as ${select}`)}`.execute(db)
}

/** The name of the place of this level at or above a facility; levels may be left out. */
const above = (level: string) =>
  `case '${level}' when f.level then f.name when p1.level then p1.name when p2.level then p2.name when p3.level then p3.name end`

const openBreaches = (condition: string) =>
  `(select count(*) from breach b where b.facility_id = f.id and b.state = 'open' and ${condition})`

/**
 * What Grafana may read: no secret, no address, and of people the name, where it is the answer (who carries the load). Those who draw
 * dashboards depend on the columns: later migrations add, and take nothing away. Both dialects know this SQL.
 */
export const VIEWS = {
  grafana_facility: `select f.id, f.name, f.level, f.path, f.latitude, f.longitude, f.population,
    ${above('country')} as country, ${above('province')} as province, ${above('district')} as district,
    (select count(*) from equipment e where e.facility_id = f.id) as equipment,
    (select count(*) from device d join equipment e on e.id = d.equipment_id
      where e.facility_id = f.id and d.disabled_at is null and d.is_gateway = 0) as devices,
    ${openBreaches("b.rule_id = 'silence'")} as silent,
    ${openBreaches("b.severity = 'critical' and b.outage_id is null")} as open_critical,
    ${openBreaches("b.severity = 'warning' and b.outage_id is null")} as open_warning
    from facility f left join facility p1 on p1.id = f.parent_id
    left join facility p2 on p2.id = p1.parent_id left join facility p3 on p3.id = p2.parent_id`,

  grafana_equipment: `select e.id, e.name, e.kind, e.profile, e.facility_id, f.name as facility, f.path
    from equipment e join facility f on f.id = e.facility_id`,

  grafana_device: `select d.id, d.name, d.equipment_id, e.name as equipment, e.kind, e.profile,
    e.facility_id, f.name as facility, f.path, d.created_at,
    w.newest_at, w.arrived_at, w.cadence_ms, w.limit_ms, w.due_at, w.power_lost_at, w.clock_off_ms,
    (select count(*) from breach b where b.device_id = d.id and b.rule_id = 'silence' and b.state = 'open') as is_silent
    from device d join equipment e on e.id = d.equipment_id join facility f on f.id = e.facility_id
    left join device_watch w on w.device_id = d.id
    where d.disabled_at is null and d.is_gateway = 0`,

  grafana_breach: `select b.id, b.device_id, b.sensor, b.equipment_id, e.name as equipment, b.facility_id, f.name as facility, f.path,
    b.rule_id, r.name as rule_name, r.quantity, r.comparator, r.threshold, b.state, b.severity, b.cause, b.outage_id,
    b.start_at, b.end_at, b.last_at, b.peak, b.peak_at, b.readings, b.recorded_at, b.acknowledged_at, b.closed_at, b.close_reason
    from breach b left join rule r on r.id = b.rule_id
    left join equipment e on e.id = b.equipment_id left join facility f on f.id = b.facility_id`,

  grafana_acknowledgement: `select a.id, a.breach_id, a.at, u.name as person, a.action, b.severity, b.recorded_at, f.name as facility, f.path
    from acknowledgement a join breach b on b.id = a.breach_id
    join user_account u on u.id = a.user_id left join facility f on f.id = b.facility_id`,

  grafana_notification: `select n.id, n.breach_id, n.step, n.channel, n.status, n.attempts, n.created_at, n.sent_at,
    u.name as person, b.severity, f.name as facility, f.path
    from notification n join breach b on b.id = n.breach_id
    left join user_account u on u.id = n.user_id left join facility f on f.id = b.facility_id`,

  grafana_rule: `select v.profile, v.version, v.valid_from, v.valid_to, r.id, r.name, r.quantity, r.measure, r.comparator, r.threshold,
    r.mode, r.duration_ms, r.severity
    from profile_version v join profile_rule p on p.profile = v.profile and p.version = v.version join rule r on r.id = p.rule_id`,

  grafana_time_to_breach: `select t.equipment_id, e.name as equipment, t.facility_id, f.name as facility, f.path, t.device_id, t.sensor,
    t.state, t.basis, t.since, t.power_out_since, t.as_of, t.celsius, t.limit_celsius, t.low_at, t.median_at, t.high_at, t.urgent_at
    from time_to_breach t join equipment e on e.id = t.equipment_id join facility f on f.id = t.facility_id`,

  grafana_stock: `select s.facility_id, f.name as facility, f.path, p.name as storage_point, i.code as item_code, i.name as item,
    l.code as lot, l.expires_on, l.recalled_at, s.vvm_stage, s.held, s.doses, s.allocated, s.updated_at
    from stock_balance s join facility f on f.id = s.facility_id join storage_point p on p.id = s.account_id
    join item i on i.id = s.item_id join lot l on l.id = s.lot_id
    where s.account_kind = 'point' and s.doses > 0`,

  grafana_stock_level: `select v.facility_id, f.name as facility, f.path, v.item_id, i.code as item_code, i.name as item, v.mode, v.min_doses, v.max_doses,
    (select coalesce(sum(s.doses), 0) from stock_balance s where s.facility_id = v.facility_id and s.item_id = v.item_id
      and s.account_kind = 'point' and s.held = 0) as on_hand
    from stock_level v join facility f on f.id = v.facility_id join item i on i.id = v.item_id`,

  grafana_stock_entry: `select t.event_id, t.line, e.kind, t.account_kind, t.facility_id, f.name as facility, f.path,
    t.item_id, i.code as item_code, i.name as item, l.code as lot, t.doses, t.reason_code, r.name as reason, r.kind as reason_kind,
    t.occurred_at, t.recorded_at
    from stock_entry t join stock_event e on e.id = t.event_id join facility f on f.id = t.facility_id
    join item i on i.id = t.item_id join lot l on l.id = t.lot_id left join reason r on r.code = t.reason_code`,
} as const satisfies Record<string, string>
