import { randomUUIDv7 } from 'node:crypto'
import { kindsOf, type JudgementKind } from '../domain/judgement.ts'
import type { WatchRule } from '../domain/watch-rule.ts'
import { insertBreach, insertBreachChanges, NOT_CLOSED, updateBreach } from '../db/queries/breach.ts'
import { insertChanges } from '../db/queries/change.ts'
import type { BreachChangeTable, BreachTable, Db, DbOrTrx } from '../db/schema.ts'
import { inTransaction } from '../db/transaction.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'

export interface RecordDeps {
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly clock: Clock
}

/** A transaction in which breaches of the watchdog are written, and what is to be said of it after the commit. */
export interface Recording {
  readonly trx: DbOrTrx
  readonly now: number
  readonly changes: Omit<BreachChangeTable, 'id'>[]
  readonly events: {
    readonly breachId: string
    readonly facilityId: string | null
    readonly kind: JudgementKind
  }[]
}

/** Runs `task` in a transaction, with the audit trail and the outbox, as the judge does it. */
export async function recording<T>(deps: RecordDeps, task: (work: Recording) => Promise<T>): Promise<T> {
  const { result, events } = await inTransaction(deps.db, async (trx) => {
    const work: Recording = { trx, now: deps.clock.now(), changes: [], events: [] }
    const done = await task(work)
    // UUIDv7 of one millisecond come in no order, and the order of the changes is part of what they say.
    const ids = work.changes.map(() => randomUUIDv7() as string).toSorted()
    await insertBreachChanges(
      trx,
      work.changes.map((change, index) => ({ ...change, id: ids[index] ?? '' })),
    )
    for (const { breachId, facilityId } of work.events)
      if (facilityId !== null) await insertChanges(trx, work.now, [facilityId], 'breach', breachId)
    return { result: done, events: work.events }
  })
  for (const event of events) {
    deps.metrics.count('coldstream_breach_changes_total', { kind: event.kind })
    deps.cache.publish('breaches', event)
  }
  return result
}

/** What is said of a breach of the watchdog. */
export type Said = Pick<BreachTable, 'deviceId' | 'sensor' | 'equipmentId' | 'facilityId' | 'startAt'> &
  Partial<Pick<BreachTable, 'endAt' | 'peak' | 'lastAt' | 'readings' | 'outageId' | 'cause'>>

/** Opens a breach; one with an end is over at once. @returns its id */
export async function openBreach(work: Recording, rule: WatchRule, said: Said): Promise<string> {
  const endAt = said.endAt ?? null
  const row: BreachTable = {
    id: randomUUIDv7(),
    ruleId: rule.id,
    severity: rule.severity,
    endAt: null,
    peak: 0,
    peakAt: said.startAt,
    lastAt: work.now,
    readings: 0,
    acknowledgedAt: null,
    ...NOT_CLOSED,
    outageId: null,
    cause: null,
    recordedAt: work.now,
    updatedAt: work.now,
    ...said,
    state: endAt === null ? 'open' : 'ended',
  }
  await insertBreach(work.trx, row)
  note(work, undefined, row)
  return row.id
}

/** Brings a breach up to date, with its trail; nothing when nothing changed. */
export async function changeBreach(
  work: Recording,
  before: BreachTable,
  set: Partial<
    Pick<BreachTable, 'state' | 'startAt' | 'endAt' | 'peak' | 'lastAt' | 'readings' | 'outageId'>
  >,
): Promise<void> {
  const changed = Object.entries(set).some(([key, value]) => before[key as keyof BreachTable] !== value)
  if (!changed) return
  const after = { ...before, ...set, updatedAt: work.now }
  await updateBreach(work.trx, before.id, { ...set, updatedAt: work.now })
  note(work, before, after)
}

function note(
  { now, changes, events }: Recording,
  before: BreachTable | undefined,
  after: BreachTable,
): void {
  const { id: breachId, facilityId } = after
  for (const kind of kindsBetween(before, after)) {
    changes.push({
      breachId,
      kind,
      at: now,
      actor: 'watch',
      before: before ? JSON.stringify(before) : null,
      after: JSON.stringify(after),
      toldAt: null,
    })
    events.push({ breachId, facilityId, kind })
  }
}

function kindsBetween(before: BreachTable | undefined, after: BreachTable): readonly JudgementKind[] {
  const kinds = kindsOf({ row: before, breach: after.state === 'withdrawn' ? undefined : after })
  return kinds.length === 0 ? ['revised'] : kinds
}
