import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { CodedError, ERRORS, type ErrorCode } from '../domain/errors.ts'
import type { Language } from '../domain/language.ts'
import { chooseLanguage, detailIn, titleOf } from './language.ts'
import { fieldErrors, type Mistake } from './validation.ts'

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A stable address of this kind of problem.' }),
    title: Type.String({
      description:
        'What the code means, the same for every occurrence; in English, Indonesian or French by `Accept-Language`.',
    }),
    status: Type.Integer(),
    detail: Type.Optional(
      Type.String({
        description: 'What this occurrence is about; fixed sentences in the language of the title.',
      }),
    ),
    instance: Type.String({ description: 'The path that was asked for.' }),
    code: Type.String({ description: 'Stable and dotted, such as `resource.notFound`; see docs/errors.md.' }),
    requestId: Type.String({ description: 'Finds this request in the log.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String(),
          message: Type.String(),
          code: Type.Optional(Type.String({ description: 'Where each has one of its own.' })),
        }),
      ),
    ),
  },
  { title: 'Problem' },
)

interface Found {
  readonly code: ErrorCode
  readonly detail?: string | undefined
  readonly errors?: readonly Mistake[]
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

/** A refusal of several fields at once, each with a code of its own; the first one's is that of the whole. */
export class RefusedFields extends CodedError {
  readonly mistakes: readonly Mistake[]
  constructor(code: ErrorCode, detail: string, mistakes: readonly Mistake[]) {
    super(code, detail)
    this.mistakes = mistakes
  }
}

/** Every error of every route becomes problem details (RFC 9457) here. What the caller did not cause is logged and tells nothing. */
export function problemHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, problemOf(error, request, chooseLanguage(request, reply)))
}

export function notFoundHandler(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, compose({ code: 'route.notFound' }, request, chooseLanguage(request, reply)))
}

/** What to say of an error; it is logged when it is ours. */
export function problemOf(
  error: unknown,
  request: FastifyRequest,
  language: Language,
): Static<typeof Problem> {
  const found = describe(error, language)
  if (ERRORS[found.code][0] >= 500)
    request.log.error({ err: error, requestId: request.id, code: found.code }, 'request failed')
  return compose(found, request, language)
}

function compose(
  { code, detail, errors }: Found,
  request: FastifyRequest,
  language: Language,
): Static<typeof Problem> {
  return {
    type: `urn:coldstream:error:${code}`,
    title: titleOf(code, language),
    status: ERRORS[code][0],
    ...(detail === undefined ? {} : { detail: detailIn(language, detail) }),
    instance: request.url.split('?', 1)[0] ?? '',
    code,
    requestId: request.id,
    ...(errors ? { errors: [...errors] } : {}),
  }
}

function sendProblem(reply: FastifyReply, problem: Static<typeof Problem>): FastifyReply {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="coldstream"')
  return reply.code(problem.status).type('application/problem+json').send(problem)
}

function describe(error: unknown, language: Language): Found {
  if (error instanceof CodedError) {
    const internal = ERRORS[error.code][0] === 500
    if (error instanceof FieldError) return describeField(error, language)
    const errors = error instanceof RefusedFields ? mistakesOf(error, language) : undefined
    return { code: error.code, detail: internal ? undefined : error.detail, errors }
  }
  if (!(error instanceof Error)) return { code: 'internal.unexpected' }
  return describeFastifyError(error as FastifyError, language)
}

function describeField({ code, field, says }: FieldError, language: Language): Found {
  const message = detailIn(language, says)
  return { code, detail: `${field}: ${message}.`, errors: [{ path: `/body/${field}`, message }] }
}

// What is made of numbers is English; in the other languages each field says what its code means.
function mistakesOf({ mistakes }: RefusedFields, language: Language): readonly Mistake[] {
  if (language === 'en') return mistakes
  return mistakes.map((mistake) => ({
    ...mistake,
    ...(mistake.code && { message: titleOf(mistake.code, language) }),
  }))
}

function describeFastifyError(error: FastifyError, language: Language): Found {
  if (error.validation) return invalid(error.validation, error.validationContext ?? 'body', language)
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

/** A part of a request that is not what its schema says. */
function invalid(found: NonNullable<FastifyError['validation']>, part: string, language: Language): Found {
  const detail = `The ${part} does not match its schema.`
  return { code: 'request.invalid', detail, errors: fieldErrors(found, part, language) }
}
