import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DbOrTrx } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import type { RouteDeps } from './deps.ts'
import { once } from './write.ts'

/** Tells one request from another under the same id. */
export function hashOf(request: object): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex')
}

/**
 * Does the work of a POST whose body may carry an id made by the client; when that fails because it was done under this id before, says
 * what became of it. That is looked for only then: a second sending always fails.
 * @param before finds what has the id, with the hash of its request
 */
export async function onceById<T>(
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: {
    readonly hash: string
    readonly before: () => Promise<{ requestHash: string; view: T } | undefined>
  },
  work: (trx: DbOrTrx) => Promise<T>,
): Promise<T> {
  try {
    return await once(deps, request, reply, { status: 201 }, work)
  } catch (error) {
    const first = await asked.before()
    if (!first) throw error
    if (first.requestHash !== asked.hash) throw new CodedError('request.idempotencyMismatch')
    reply.code(201).header('idempotency-replayed', 'true')
    return first.view
  }
}
