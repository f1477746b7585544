import { createHmac, randomUUIDv7 } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isDuplicate } from '../db/dialects/duplicate.ts'
import { insertAudit } from '../db/queries/audit.ts'
import {
  completeIdempotencyKey,
  deleteIdempotencyKey,
  findIdempotencyKey,
  insertIdempotencyKey,
} from '../db/queries/idempotency.ts'
import type { DbOrTrx, IdempotencyKeyTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import type { Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { checkMatch } from './etag.ts'
import { inTransaction } from '../db/transaction.ts'

const KEY = /^[\x21-\x7e]{1,128}$/
/** Work outside of a transaction that has not answered by then died with its process: its key may be taken over. Longer than any request lives. */
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
 * Does the work of a POST in one transaction; with an `Idempotency-Key`, at most once per user and key. The key and its answer are
 * written in the transaction of the work itself: of several at the same moment one commits, and what the others did is undone. So there is
 * no moment in which the work is done and its answer is not known, and nothing that a crash could leave behind. The same request again
 * gets the kept answer and `idempotency-replayed: true`; a different one under the same key gets 422. A request that fails changed
 * nothing and keeps nothing: it may be tried again under its key.
 */
export async function once<T>(
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer<T>,
  work: (trx: DbOrTrx) => Promise<T>,
): Promise<T> {
  reply.code(answer.status)
  const row = keyOf(deps, request)
  if (!row) return answer.outside ? work(deps.db) : inTransaction(deps.db, work)
  const first = await findFirst(deps, row)
  if (first && !first.isOver && first.status !== null) return replay(reply, first)
  try {
    return await (answer.outside ? reserveAndWork : workAndKeep)(deps, row, first, answer, work)
  } catch (error) {
    // Whatever stopped us, the same request may have been answered meanwhile: then its answer is ours.
    const winner = await findFirst(deps, row)
    if (!winner || winner.isOver || winner.status === null) throw error
    return replay(reply, winner)
  }
}

/** The row under which the answer to a request with an `Idempotency-Key` is kept, still without it; undefined when the request has none. */
export function keyOf(
  { settings, clock }: RouteDeps,
  request: FastifyRequest,
): IdempotencyKeyTable | undefined {
  const key = idempotencyKey(request)
  if (key === undefined) return undefined
  return {
    key,
    userId: request.caller.id,
    requestHash: requestHash(settings.jwtSecret, request),
    status: null,
    body: null,
    createdAt: clock.now(),
  }
}

interface First extends IdempotencyKeyTable {
  /** Its time is over: the key is free again. */
  readonly isOver: boolean
}

/** What is there under the key. @throws CodedError `request.idempotencyMismatch` */
async function findFirst({ db, settings }: RouteDeps, row: IdempotencyKeyTable): Promise<First | undefined> {
  const first = await findIdempotencyKey(db, row.userId, row.key)
  if (!first) return undefined
  const isOver = isTimeOver(first, row.createdAt, settings.idempotencyTtlMs)
  if (!isOver && first.requestHash !== row.requestHash) throw new CodedError('request.idempotencyMismatch')
  return { ...first, isOver }
}

function isTimeOver(first: IdempotencyKeyTable, now: number, ttlMs: number): boolean {
  return now - first.createdAt > (first.status === null ? Math.min(ABANDONED_AFTER_MS, ttlMs) : ttlMs)
}

function replay<T>(reply: FastifyReply, { status, body }: IdempotencyKeyTable): T {
  reply.code(status ?? 200).header('idempotency-replayed', 'true')
  return JSON.parse(body ?? 'null') as T
}

function kept<T>({ status, keep }: Answer<T>, body: T): { readonly status: number; readonly body: string } {
  return { status, body: JSON.stringify((keep ? keep(body) : body) ?? null) }
}

async function workAndKeep<T>(
  { db }: RouteDeps,
  row: IdempotencyKeyTable,
  first: First | undefined,
  answer: Answer<T>,
  work: (trx: DbOrTrx) => Promise<T>,
): Promise<T> {
  return inTransaction(db, async (trx) => {
    const body = await work(trx)
    if (first?.isOver) await deleteIdempotencyKey(trx, first)
    await insertIdempotencyKey(trx, { ...row, ...kept(answer, body) })
    return body
  })
}

/** The key is reserved before the work, and given back when it fails; whoever comes meanwhile gets 409. */
async function reserveAndWork<T>(
  { db }: RouteDeps,
  row: IdempotencyKeyTable,
  first: First | undefined,
  answer: Answer<T>,
  work: (db: DbOrTrx) => Promise<T>,
): Promise<T> {
  if (first?.isOver) await deleteIdempotencyKey(db, first)
  await insertIdempotencyKey(db, row).catch((error: unknown) => {
    throw isDuplicate(error) ? new CodedError('request.idempotencyBusy') : error
  })
  try {
    const body = await work(db)
    await completeIdempotencyKey(db, row, kept(answer, body))
    return body
  } catch (error) {
    await deleteIdempotencyKey(db, row)
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
  caller: Pick<Caller, 'id' | 'scope' | 'requestId'>,
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
    requestId: caller.requestId,
    scope: caller.scope,
  })
}
