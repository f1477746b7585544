import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { CodedError, ERRORS, type ErrorCode } from '../domain/errors.ts'

/** Enough to mend a form; a body with ten thousand mistakes does not get ten thousand lines back. */
const REPORTED_ERRORS_MAX = 20

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A stable address of this kind of problem.' }),
    title: Type.String({ description: 'What the code means; the same for every occurrence.' }),
    status: Type.Integer(),
    detail: Type.Optional(Type.String({ description: 'What this occurrence is about.' })),
    instance: Type.String({ description: 'The path that was asked for.' }),
    code: Type.String({ description: 'Stable and dotted, such as `resource.notFound`; see docs/errors.md.' }),
    requestId: Type.String({ description: 'Finds this request in the log.' }),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { title: 'Problem' },
)

interface Found {
  readonly code: ErrorCode
  readonly detail?: string | undefined
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/** A refusal of one field of a body. */
export class FieldError extends CodedError {
  readonly field: string
  readonly says: string
  constructor(field: string, says: string, code: ErrorCode = 'request.invalid') {
    super(code, `${field}: ${says}.`)
    this.field = field
    this.says = says
  }
}

/** Every error of every route becomes problem details (RFC 9457) here. What the caller did not cause is logged and tells nothing. */
export function problemHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const found = describe(error)
  if (ERRORS[found.code][0] >= 500)
    request.log.error({ err: error, requestId: request.id, code: found.code }, 'request failed')
  return sendProblem(request, reply, found)
}

export function notFoundHandler(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(request, reply, { code: 'route.notFound' })
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, found: Found): FastifyReply {
  const [status, title] = ERRORS[found.code]
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="coldstream"')
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `urn:coldstream:error:${found.code}`,
      title,
      status,
      ...(found.detail === undefined ? {} : { detail: found.detail }),
      instance: request.url.split('?', 1)[0],
      code: found.code,
      requestId: request.id,
      ...(found.errors ? { errors: found.errors } : {}),
    })
}

function describe(error: unknown): Found {
  if (error instanceof CodedError) {
    const internal = ERRORS[error.code][0] === 500
    const errors =
      error instanceof FieldError ? [{ path: `/body/${error.field}`, message: error.says }] : undefined
    return { code: error.code, detail: internal ? undefined : error.detail, errors }
  }
  if (!(error instanceof Error)) return { code: 'internal.unexpected' }
  return describeFastifyError(error as FastifyError)
}

function describeFastifyError(error: FastifyError): Found {
  if (error.validation) return invalid(error)
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'request.tooLarge' }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'request.unsupportedMediaType' }
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { code: 'route.notFound' }
    case 'FST_ERR_RATE_LIMIT':
      return { code: 'request.tooMany' }
  }
  if (error.statusCode === 429) return { code: 'request.tooMany' }
  // What is left below 500 is a body that could not be read: broken JSON, `__proto__` keys, a wrong Content-Length.
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return { code: 'request.malformed' }
  return { code: 'internal.unexpected' }
}

function invalid(error: FastifyError): Found {
  const part = error.validationContext ?? 'body'
  const errors = (error.validation ?? []).slice(0, REPORTED_ERRORS_MAX).map((item) => ({
    path: `/${part}${item.instancePath}`,
    message: item.message ?? 'is not valid',
  }))
  return { code: 'request.invalid', detail: `The ${part} does not match its schema.`, errors }
}
