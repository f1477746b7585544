import { randomUUIDv7 } from 'node:crypto'
import { breachOf, type Breach, type Run } from '../domain/breach.ts'
import { stateAfter } from '../domain/closing.ts'
import { kindsOf, type JudgementKind } from '../domain/judgement.ts'
import type { SensorKey } from '../domain/reading.ts'
import type { Rule } from '../domain/rule.ts'
import {
  extendOpenBreach,
  findBreachByStart,
  insertBreach,
  insertBreachChanges,
  NOT_CLOSED,
  updateBreach,
} from '../db/queries/breach.ts'
import { insertChanges } from '../db/queries/change.ts'
import type { Placement } from '../db/queries/placement.ts'
import type { BreachChangeTable, BreachTable, Db, DbOrTrx } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import { inTransaction } from '../db/transaction.ts'

export interface RecordDeps {
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly clock: Clock
}

/** Whose breach it is, by which rule, and where the sensor stands. */
export interface Subject {
  readonly sensor: SensorKey
  readonly placement: Placement
  readonly rule: Pick<Rule, 'id' | 'severity'>
}

/** A breach of a sensor as its readings show it. Without `row` there is no record yet; without `breach` there never was one. */
export interface Finding extends Subject {
  readonly row: BreachTable | undefined
  readonly breach: Breach | undefined
}

interface Work {
  readonly trx: DbOrTrx
  readonly now: number
  readonly changes: Omit<BreachChangeTable, 'id'>[]
  /** Traces that go on here, by device. */
  readonly traces: ReadonlyMap<string, string> | undefined
  readonly events: { breachId: string; facilityId: string | null; kind: JudgementKind }[]
}

/** Writes down what windows have shown, in one transaction, and tells about it after the commit. */
export async function recordFindings(
  deps: RecordDeps,
  findings: readonly Finding[],
  traces?: ReadonlyMap<string, string>,
): Promise<void> {
  await record(deps, traces, async (work) => {
    for (const finding of findings) await write(work, finding)
  })
}

/** Which record a run has; known once it was written. */
const recordIds = new WeakMap<Run, string>()

/** Writes down the runs that in-order readings have changed: as they are now, so that doing it again changes nothing. */
export async function recordRuns(
  deps: RecordDeps,
  runs: ReadonlyMap<Run, Subject>,
  traces?: ReadonlyMap<string, string>,
): Promise<void> {
  const now = [...runs].map(([run, subject]) => ({ run, subject, breach: breachOf(run) }))
  await record(deps, traces, async (work) => {
    for (const { run, subject, breach } of now) {
      if (await writeExtension(work, subject, recordIds.get(run), breach)) continue
      const { sensor, rule } = subject
      const key = { ...sensor, ruleId: rule.id, startAt: breach.startAt }
      const row = await findBreachByStart(work.trx, key)
      const breachId = await write(work, { ...subject, row, breach })
      // One that a cumulative rule may take up again is no mere extension then.
      if (breach.endAt === null) recordIds.set(run, breachId)
      else recordIds.delete(run)
    }
  })
}

async function record(
  deps: RecordDeps,
  traces: Work['traces'],
  task: (work: Work) => Promise<void>,
): Promise<void> {
  const now = deps.clock.now()
  const events = await inTransaction(deps.db, async (trx) => {
    const work: Work = { trx, now, traces, changes: [], events: [] }
    await task(work)
    await insertBreachChanges(trx, withIds(work.changes))
    await tellClients(work)
    return work.events
  })
  for (const event of events) {
    deps.metrics.count('coldstream_breach_changes_total', { kind: event.kind })
    deps.cache.publish('breaches', event)
  }
}

// A breach that goes on is told when it ends: every reading of a warm refrigerator extends it. One that stands nowhere is in no client's copy.
async function tellClients({ trx, now, events }: Work): Promise<void> {
  const told = events.filter(({ kind, facilityId }) => kind !== 'extended' && facilityId !== null)
  for (const [breachId, facilityId] of new Map(told.map((event) => [event.breachId, event.facilityId])))
    await insertChanges(trx, now, [facilityId], 'breach', breachId)
}

// UUIDv7 of one millisecond come in no order, and the order of the changes is part of what they say.
function withIds(changes: readonly Omit<BreachChangeTable, 'id'>[]): BreachChangeTable[] {
  const ids = changes.map(() => randomUUIDv7() as string).toSorted()
  return changes.map((change, index) => ({ ...change, id: ids[index] ?? '' }))
}

// The one thing that happens for every reading of a refrigerator that stays warm, hence the shortest way: one statement, no audit entry.
async function writeExtension(
  { trx, now, events }: Work,
  { placement }: Subject,
  breachId: string | undefined,
  { endAt, peak, peakAt, lastAt, readings }: Breach,
): Promise<boolean> {
  if (breachId === undefined || endAt !== null) return false
  const isThere = await extendOpenBreach(trx, breachId, { peak, peakAt, lastAt, readings, updatedAt: now })
  if (isThere) events.push({ breachId, facilityId: placement.facilityId, kind: 'extended' })
  return isThere
}

/** @returns the id of the record */
async function write(work: Work, finding: Finding): Promise<string> {
  const kinds = kindsOf(finding)
  const { row } = finding
  const after = asRow(finding, work.now)
  if (kinds.length === 0) return after.id
  if (row === undefined) await insertBreach(work.trx, after)
  else await updateBreach(work.trx, row.id, changed(after))
  note(work, row, after, kinds)
  return after.id
}

function asRow({ sensor, placement, rule, row, breach }: Finding, now: number): BreachTable {
  if (row) {
    const state = stateAfter(row, breach)
    const isOpenAgain = state === 'open' || state === 'ended'
    return { ...row, ...breach, state, ...(isOpenAgain ? NOT_CLOSED : {}), updatedAt: now }
  }
  if (breach === undefined) throw new Error('neither a record nor a breach')
  return {
    id: randomUUIDv7(),
    deviceId: sensor.deviceId,
    sensor: sensor.sensor,
    ruleId: rule.id,
    equipmentId: placement.equipmentId,
    facilityId: placement.facilityId,
    severity: rule.severity,
    ...breach,
    state: stateAfter(row, breach),
    acknowledgedAt: null,
    ...NOT_CLOSED,
    outageId: null,
    cause: null,
    recordedAt: now,
    updatedAt: now,
  }
}

function changed(after: BreachTable) {
  const { state, startAt, endAt, peak, peakAt, lastAt, readings, updatedAt } = after
  const { closedAt, closedBy, closeReason, closeComment } = after
  const closing = { closedAt, closedBy, closeReason, closeComment }
  return { state, startAt, endAt, peak, peakAt, lastAt, readings, updatedAt, ...closing }
}

function note(
  { changes, events, now, traces }: Work,
  row: BreachTable | undefined,
  after: BreachTable,
  kinds: readonly JudgementKind[],
): void {
  const traceparent = (after.deviceId !== null && traces?.get(after.deviceId)) || null
  let before = row
  for (const [index, kind] of kinds.entries()) {
    const isLast = index === kinds.length - 1
    // What opened and ended at once was open in between, if only for the record.
    const then: BreachTable = isLast ? after : { ...after, state: 'open', endAt: null }
    if (kind !== 'extended') changes.push({ ...changeOf(kind, before, then, now), traceparent })
    events.push({ breachId: after.id, facilityId: after.facilityId, kind })
    before = then
  }
}

function changeOf(
  kind: JudgementKind,
  before: BreachTable | undefined,
  after: BreachTable,
  now: number,
): Omit<BreachChangeTable, 'id'> {
  return {
    breachId: after.id,
    kind,
    at: now,
    actor: 'judge',
    before: before ? JSON.stringify(before) : null,
    after: JSON.stringify(after),
    toldAt: null,
  }
}
