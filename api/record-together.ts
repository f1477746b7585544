import { isConflict } from '../db/dialects/conflict.ts'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { findIdempotencyKeys, insertIdempotencyKeys } from '../db/queries/idempotency.ts'
import type { PostedEvent } from '../db/queries/ledger.ts'
import { postTogether, type Posting } from '../db/queries/ledger-together.ts'
import { findStockEventIds } from '../db/queries/stock-event.ts'
import type { DbOrTrx, IdempotencyKeyTable } from '../db/schema.ts'
import { inTransaction } from '../db/transaction.ts'
import { CodedError } from '../domain/errors.ts'
import type { Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { postingOf, recordStockEvent } from './record-stock-event.ts'
import { readMentioned, type Mentioned } from './stock-event-facts.ts'
import { eventView, type NewStockEventBody } from './stock-event-schemas.ts'
import { together } from './together.ts'

/** Events of one transaction, and lines of an event that may be one of them: what is longer has a transaction of its own anyway. */
const EVENTS_MAX = 64
/** One is put together while the other one is written. */
const TRANSACTIONS_MAX = 2
const LINES_MAX = 4

interface Asked {
  readonly caller: Caller
  readonly body: NewStockEventBody
  /** Under which the answer is kept, if there is one. */
  readonly key: IdempotencyKeyTable | undefined
}

/** Records an event together with others that come at the same time; undefined, and nothing recorded, when it has to go alone. */
export type RecordTogether = (asked: Asked) => Promise<PostedEvent | undefined>

/**
 * One durable commit serves all the events that came in during those before it. Of several only what is plain is recorded here; whatever
 * could be refused, or was sent before, is left to `recordStockEvent`, which is the one that says why.
 * @returns what throws as that does, for an event that has nobody to go with
 */
export function createRecorder(deps: RouteDeps): RecordTogether {
  const { db, clock } = deps
  const record = together(
    async (batch: readonly Asked[]) => {
      const [one] = batch
      if (one && batch.length === 1 && !one.key) return [await recordOne(deps, one)]
      try {
        return await inTransaction(db, (trx) => recordAll(trx, batch, clock.now()))
      } catch (error) {
        // Together they met others in every try; each by itself meets fewer.
        if (isDuplicate(error) || isConflict(error)) return batch.map(() => undefined)
        throw error
      }
    },
    { batchMax: EVENTS_MAX, runsMax: TRANSACTIONS_MAX },
  )
  return async (asked) => {
    const { kind, lines } = asked.body
    return kind === 'count' || lines.length > LINES_MAX ? undefined : record(asked)
  }
}

function recordOne(deps: RouteDeps, { caller, body }: Asked): Promise<PostedEvent> {
  return inTransaction(deps.db, (trx) => recordStockEvent(deps, trx, caller, body))
}

async function recordAll(
  trx: DbOrTrx,
  batch: readonly Asked[],
  recordedAt: number,
): Promise<(PostedEvent | undefined)[]> {
  const mentioned = await readMentioned(
    trx,
    batch.map(({ body }) => body),
  )
  const repeated = await findRepeated(trx, batch)
  const ids = new Set<string>()
  const plain = batch.flatMap((asked) => {
    const posting = postingOrNone(mentioned, asked, recordedAt)
    if (!posting || repeated.has(asked) || ids.has(posting.event.id)) return []
    ids.add(posting.event.id)
    return [{ asked, posting }]
  })
  if (plain.length === 0) return batch.map(() => undefined)
  const posted = await postTogether(
    trx,
    plain.map(({ posting }) => posting),
  )
  const events = new Map(plain.map(({ asked }, index) => [asked, posted[index]]))
  await insertIdempotencyKeys(
    trx,
    [...events].flatMap(([{ key }, event]) => (key && event ? [kept(key, event)] : [])),
  )
  return batch.map((asked) => events.get(asked))
}

/** Those whose id or key is taken: what was sent before goes alone, so that it does not fail the others. */
async function findRepeated(trx: DbOrTrx, batch: readonly Asked[]): Promise<Set<Asked>> {
  const ids = batch.flatMap(({ body }) => (body.id === undefined ? [] : [body.id]))
  const keys = batch.flatMap(({ key }) => (key === undefined ? [] : [key]))
  const taken = new Set(await findStockEventIds(trx, ids))
  const answered = await findIdempotencyKeys(trx, keys)
  const isAnswered = (key: IdempotencyKeyTable) =>
    answered.some((first) => first.userId === key.userId && first.key === key.key)
  return new Set(batch.filter(({ body, key }) => taken.has(body.id ?? '') || (key && isAnswered(key))))
}

function kept(key: IdempotencyKeyTable, event: PostedEvent): IdempotencyKeyTable {
  return { ...key, status: 201, body: JSON.stringify(eventView(event)) }
}

function postingOrNone(
  mentioned: Mentioned,
  { caller, body }: Asked,
  recordedAt: number,
): Posting | undefined {
  try {
    return postingOf(mentioned, caller, body, recordedAt)
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}
