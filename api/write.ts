import { createHmac, randomUUIDv7 } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { insertAudit } from '../db/queries/audit.ts'
import {
  completeIdempotencyKey,
  findIdempotencyKey,
  insertIdempotencyKey,
  releaseIdempotencyKey,
  type Reservation,
} from '../db/queries/idempotency.ts'
import type { DbOrTrx, IdempotencyKeyTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import type { Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { checkMatch } from './etag.ts'
import { inTransaction } from '../db/transaction.ts'

const KEY = /^[\x21-\x7e]{1,128}$/
/** A request that has not answered by then died with its process: its key may be taken over. Longer than any request lives. */
const ABANDONED_AFTER_MS = 120_000

interface Answer<T> {
  readonly status: number
  /** What is kept of the answer for a repetition. Secrets must not be in it. Default: all of it. */
  readonly keep?: (body: T) => T
  /**
   * The work cannot be part of a transaction (it speaks to the outside). Then a crash between the work and the keeping of its
   * answer lets a repetition do the work again, after the key counts as abandoned.
   */
  readonly outside?: boolean
}

/**
 * Does the work of a POST in one transaction; with an `Idempotency-Key`, at most once per user and key. The key is reserved
 * first (whoever comes meanwhile gets 409), and the answer is kept in the transaction of the work itself, so that there is no
 * moment in which the work is done and its answer is not known. The same request again gets the kept answer and
 * `idempotency-replayed: true`; a different one under the same key gets 422. A request that fails changed nothing and
 * keeps nothing: it may be tried again under its key.
 */
export async function once<T>(
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer<T>,
  work: (trx: DbOrTrx) => Promise<T>,
): Promise<T> {
  reply.code(answer.status)
  const key = idempotencyKey(request)
  if (key === undefined) return answer.outside ? work(deps.db) : inTransaction(deps.db, work)
  const row = {
    key,
    userId: request.caller.id,
    requestHash: requestHash(deps.settings.jwtSecret, request),
    status: null,
    body: null,
    createdAt: deps.clock.now(),
  }
  const kept = await reserve(deps, row)
  if (kept) {
    reply.code(kept.status ?? answer.status).header('idempotency-replayed', 'true')
    return JSON.parse(kept.body ?? 'null') as T
  }
  return workAndKeep(deps, row, answer, work)
}

async function workAndKeep<T>(
  deps: RouteDeps,
  reservation: Reservation,
  { status, keep, outside }: Answer<T>,
  work: (trx: DbOrTrx) => Promise<T>,
): Promise<T> {
  const run = async (trx: DbOrTrx) => {
    const body = await work(trx)
    const kept = { status, body: JSON.stringify(keep ? keep(body) : (body ?? null)) }
    if (!(await completeIdempotencyKey(trx, reservation, kept)) && !outside)
      throw new CodedError('request.idempotencyBusy')
    return body
  }
  try {
    return await (outside ? run(deps.db) : inTransaction(deps.db, run))
  } catch (error) {
    await releaseIdempotencyKey(deps.db, reservation)
    throw error
  }
}

/** Undefined when the key is ours now; else the row of the first request, which was answered. */
async function reserve(deps: RouteDeps, row: IdempotencyKeyTable): Promise<IdempotencyKeyTable | undefined> {
  if (await tryInsert(deps.db, row)) return undefined
  const first = await findIdempotencyKey(deps.db, row.userId, row.key)
  if (first && isOver(first, row.createdAt, deps.settings.idempotencyTtlMs)) {
    await releaseIdempotencyKey(deps.db, first, first.status !== null)
    if (await tryInsert(deps.db, row)) return undefined
  }
  if (!first) throw new CodedError('request.idempotencyBusy')
  if (first.requestHash !== row.requestHash) throw new CodedError('request.idempotencyMismatch')
  if (first.status === null) throw new CodedError('request.idempotencyBusy')
  return first
}

function isOver(first: IdempotencyKeyTable, now: number, ttlMs: number): boolean {
  return now - first.createdAt > (first.status === null ? Math.min(ABANDONED_AFTER_MS, ttlMs) : ttlMs)
}

async function tryInsert(db: DbOrTrx, row: IdempotencyKeyTable): Promise<boolean> {
  try {
    await insertIdempotencyKey(db, row)
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !KEY.test(key))
    throw new CodedError('request.invalid', 'Idempotency-Key has 1 to 128 visible ASCII characters.')
  return key
}

// Keyed: bodies can hold passwords, and a plain hash of one could be guessed at leisure by whoever reads the database.
function requestHash(secret: string, request: FastifyRequest): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([request.method, request.url, request.body ?? null]))
    .digest('hex')
}

/** Who changes something, when, and in which transaction. */
export interface Writing {
  readonly trx: DbOrTrx
  readonly caller: Caller
  readonly at: number
  /** Throws when the caller had seen another version. Call it once the row is locked. */
  readonly match: (version: number) => void
}

export function writingOf(deps: RouteDeps, request: FastifyRequest, trx: DbOrTrx): Writing {
  const match = (version: number) => checkMatch(request, version)
  return { trx, caller: request.caller, at: deps.clock.now(), match }
}

interface Change {
  readonly action: string
  readonly entity: string
  readonly entityId: string
  readonly before?: object | undefined
  readonly after?: object | undefined
}

/** Writes down who changed what. Call it in the transaction of the change. Never give it secrets. */
export async function audit(
  trx: DbOrTrx,
  caller: Pick<Caller, 'id'>,
  at: number,
  change: Change,
): Promise<void> {
  await insertAudit(trx, {
    id: randomUUIDv7(),
    at,
    userId: caller.id,
    action: change.action,
    entity: change.entity,
    entityId: change.entityId,
    before: change.before ? JSON.stringify(change.before) : null,
    after: change.after ? JSON.stringify(change.after) : null,
  })
}
