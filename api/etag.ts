import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import { CodedError } from '../domain/errors.ts'

const TAG = /^(?:W\/)?"(\d{1,15})(?:-[0-9.-]{1,100})?"$/
const TAGS_MAX = 20

/**
 * Gives the answer the `ETag` of the one thing that it shows: `"<version>"`. A GET that carries it in `If-None-Match` is then
 * answered with 304 by `answerUnchanged`.
 * @param more what else the answer depends on and the version does not count, such as doses on hand
 */
export function tag(reply: FastifyReply, version: number, ...more: readonly number[]): void {
  reply.header('etag', `"${[version, ...more].join('-')}"`)
}

/**
 * Holds the `If-Match` of a request against the version that is there: call it in the transaction, once the row is locked.
 * Tags name versions and not bytes, so a proxy that compresses answers and marks their tags as weak spoils nothing.
 * @throws CodedError `request.preconditionFailed` when it names another version, `request.invalid` when it is no tag of ours
 */
export function checkMatch(request: Pick<FastifyRequest, 'headers'>, version: number): void {
  const asked = request.headers['if-match']
  if (asked === undefined || asked.trim() === '*') return
  const tags = asked.split(',', TAGS_MAX).map((text) => TAG.exec(text.trim()))
  if (tags.some((match) => match === null))
    throw new CodedError('request.invalid', 'If-Match takes the ETag of an answer, such as "3".')
  if (!tags.some((match) => Number(match?.[1]) === version))
    throw new CodedError('request.preconditionFailed', `The current version is ${version}.`)
}

/** Conditional GET: what the caller has already, by its tag, is not sent again. A hook of the whole API. */
export const answerUnchanged: onSendHookHandler = async (request, reply, payload) => {
  const has = request.headers['if-none-match']
  const is = reply.getHeader('etag')
  if (request.method !== 'GET' || reply.statusCode !== 200 || has === undefined || typeof is !== 'string')
    return payload
  const isKnown = has.split(',', TAGS_MAX).some((text) => text.trim().replace(/^W\//, '') === is)
  if (!isKnown && has.trim() !== '*') return payload
  reply.code(304).removeHeader('content-type').removeHeader('content-length')
  return ''
}
