import { sql } from 'kysely'
import type { BreachTable, DbOrTrx, EquipmentTable } from '../schema.ts'
import { likePrefix, pathBelow } from './facility.ts'
import { contains } from './filter.ts'

/** What a piece of equipment is now, in the order in which somebody is needed. */
export const EQUIPMENT_STATES = ['warm', 'cold', 'silent', 'unknown', 'in-range'] as const
export type EquipmentState = (typeof EQUIPMENT_STATES)[number]

/** The last place of all: no open breach says anything, so that it depends on whether it was ever heard. */
const QUIET = 9
const RANK = { warm: 0, cold: 1, silent: 2, unknown: 3, 'in-range': 4 } as const satisfies Record<
  EquipmentState,
  number
>

/** Of the watchdog: what they find says of equipment that nobody knows how warm it is. */
export const SILENT_RULES = ['silence', 'sensor-unplugged'] as const

export interface EquipmentWithState extends EquipmentTable {
  readonly facilityName: string
  readonly timeZone: string
  readonly state: EquipmentState
}

/** Where a page begins. */
export interface StatePosition {
  readonly state: EquipmentState
  readonly id: string
}

/** Whoever is needed most comes first. `under`: path of a facility; what stands in it or below it. */
export async function listEquipmentStates(
  db: DbOrTrx,
  query: {
    readonly scope: string
    readonly under: string | undefined
    readonly state: EquipmentState | undefined
    readonly search: string | undefined
    readonly after: StatePosition | undefined
    readonly limit: number
  },
): Promise<EquipmentWithState[]> {
  const { under = query.scope, state, search, after } = query
  const rows = await db
    .selectFrom(statesIn(db, query.scope).as('s'))
    .innerJoin('equipment as e', 'e.id', 's.id')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .selectAll('e')
    .select(['s.place', 'f.name as facilityName', 'f.timeZone'])
    .where('f.path', 'like', likePrefix(under))
    .$if(state !== undefined, (q) => q.where('s.place', '=', RANK[state ?? 'unknown']))
    .$if(search !== undefined, (q) => q.where(contains(['e.name', 'f.name', 'f.code'], search ?? '')))
    .$if(after !== undefined, (q) =>
      q.where(({ eb, or, and }) => {
        const place = RANK[after?.state ?? 'unknown']
        return or([
          eb('s.place', '>', place),
          and([eb('s.place', '=', place), eb('e.id', '>', after?.id ?? '')]),
        ])
      }),
    )
    .orderBy('s.place')
    .orderBy('e.id')
    .limit(query.limit)
    .execute()
  return rows.map(({ place, ...row }) => ({ ...row, state: stateAt(place) }))
}

export interface PlaceCount {
  /** Of a place directly below; `under` itself for what stands there. */
  readonly path: string
  readonly state: EquipmentState
  readonly count: number
}

/** How many pieces of equipment of each state there are in each place directly below the path `under`, what lies further down with it. */
export async function countEquipmentStates(db: DbOrTrx, under: string): Promise<PlaceCount[]> {
  const rows = await db
    .selectFrom(statesIn(db, under).as('s'))
    .innerJoin('equipment as e', 'e.id', 's.id')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .select([pathBelow(under).as('path'), 's.place'])
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .groupBy([pathBelow(under), 's.place'])
    .execute()
  return rows.map(({ path, place, count }) => ({ path, state: stateAt(place), count: Number(count) }))
}

/** Doses at the storage points of equipment under the path `under` that is too warm or too cold now. */
export async function sumDosesAtRisk(db: DbOrTrx, under: string): Promise<number> {
  const points = db
    .selectFrom('breach as b')
    .innerJoin('rule as r', 'r.id', 'b.ruleId')
    .innerJoin('equipment as e', 'e.id', 'b.equipmentId')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .select('e.storagePointId')
    .where('b.state', '=', 'open')
    .where(placeOfBreach(), '<', RANK.silent)
    .where('f.path', 'like', likePrefix(under))
  const row = await db
    .selectFrom('stockBalance')
    .select((eb) => eb.fn.sum<number | string | null>('doses').as('doses'))
    .where('accountKind', '=', 'point')
    .where('accountId', 'in', points)
    .executeTakeFirst()
  return Number(row?.doses ?? 0)
}

/** The open breaches of this equipment, the oldest first. */
export async function listOpenBreachesOf(
  db: DbOrTrx,
  equipmentIds: readonly string[],
): Promise<(Pick<BreachTable, 'id' | 'startAt' | 'acknowledgedAt' | 'cause'> & OfState)[]> {
  if (equipmentIds.length === 0) return []
  const rows = await db
    .selectFrom('breach as b')
    .leftJoin('rule as r', 'r.id', 'b.ruleId')
    .select(['b.id', 'b.equipmentId', 'b.startAt', 'b.acknowledgedAt', 'b.cause'])
    .select(placeOfBreach().as('place'))
    .where('b.state', '=', 'open')
    .where('b.equipmentId', 'in', equipmentIds)
    .orderBy('b.startAt')
    .execute()
  return rows.map(({ place, equipmentId, ...row }) => ({
    ...row,
    equipmentId: equipmentId ?? '',
    state: stateAt(place),
  }))
}

interface OfState {
  readonly equipmentId: string
  readonly state: EquipmentState
}

const stateAt = (place: number | string): EquipmentState => EQUIPMENT_STATES[Number(place)] ?? 'in-range'

/** The worst that an open breach says of equipment; else whether one of its devices was ever heard. */
function statesIn(db: DbOrTrx, scope: string) {
  const worst = db
    .selectFrom('breach as b')
    .leftJoin('rule as r', 'r.id', 'b.ruleId')
    .select('b.equipmentId')
    .select(sql<number>`min(${placeOfBreach()})`.as('place'))
    .where('b.state', '=', 'open')
    .where('b.equipmentId', 'is not', null)
    .groupBy('b.equipmentId')
  const heard = db
    .selectFrom('device as d')
    .innerJoin('deviceWatch as w', 'w.deviceId', 'd.id')
    .select('d.equipmentId')
    .distinct()
  return db
    .selectFrom('equipment as e')
    .innerJoin('facility as f', 'f.id', 'e.facilityId')
    .leftJoin(worst.as('o'), 'o.equipmentId', 'e.id')
    .leftJoin(heard.as('h'), 'h.equipmentId', 'e.id')
    .select('e.id')
    .select(
      sql<number>`case when coalesce(o.place, ${sql.lit(QUIET)}) < ${sql.lit(RANK.unknown)} then o.place
        when h.equipment_id is null then ${sql.lit(RANK.unknown)} else ${sql.lit(RANK['in-range'])} end`.as(
        'place',
      ),
    )
    .where('f.path', 'like', likePrefix(scope))
}

/** Breaches that say nothing of the temperature, such as an overdue calibration, are of no state. */
function placeOfBreach() {
  return sql<number>`case
    when b.rule_id in (${sql.join(SILENT_RULES.map((id) => sql.lit(id)))}) then ${sql.lit(RANK.silent)}
    when r.quantity <> 'temperature' or r.measure <> 'value' then ${sql.lit(QUIET)}
    when r.comparator in ('gt', 'gte') then ${sql.lit(RANK.warm)}
    when r.comparator in ('lt', 'lte') then ${sql.lit(RANK.cold)}
    else ${sql.lit(QUIET)} end`
}
